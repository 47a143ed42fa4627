//! Accounts: their roles and second factors, and which of their fields an answer may show.
//! The password hash leaves this module only for the check of a password.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::{Millis, iso8601};

/// The second factor: what a sign-in asks for after the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecondFactor {
    None,
    Mail,
    Totp,
}

impl SecondFactor {
    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mail => "mail",
            Self::Totp => "totp",
        }
    }

    fn read(word: &str) -> Self {
        match word {
            "mail" => Self::Mail,
            "totp" => Self::Totp,
            _ => Self::None,
        }
    }
}

/// One account, as stored.
#[derive(Clone)]
pub(crate) struct Account {
    pub id: String,
    pub email: String,
    pub name: String,
    pub password_hash: String,
    pub email_verified: bool,
    pub image: Option<String>,
    pub roles: Vec<String>,
    pub second_factor: SecondFactor,
    pub totp_secret: Option<Vec<u8>>,
    pub totp_last_step: Option<i64>,
    pub blocked: bool,
    pub locale: String,
    pub created_at: Millis,
}

impl Account {
    /// A new account with the role `user` and no second factor.
    pub fn new(email: String, name: String, password_hash: String, now: Millis) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            email,
            name,
            password_hash,
            email_verified: false,
            image: None,
            roles: vec!["user".into()],
            second_factor: SecondFactor::None,
            totp_secret: None,
            totp_last_step: None,
            blocked: false,
            locale: "en".into(),
            created_at: now,
        }
    }

    /// The account as `user` in answers.
    pub fn user(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "email": self.email,
            "emailVerified": self.email_verified,
            "image": self.image,
            "roles": self.roles,
        })
    }

    /// The account as `/admin/users` lists it.
    pub fn admin_row(&self) -> Value {
        let mut row = self.user();
        row["blocked"] = self.blocked.into();
        row["secondFactor"] = self.second_factor.word().into();
        row["createdAt"] = iso8601(self.created_at).into();
        row
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let roles: String = row.get("roles")?;
        Ok(Self {
            id: row.get("id")?,
            email: row.get("email")?,
            name: row.get("name")?,
            password_hash: row.get("password_hash")?,
            email_verified: row.get("email_verified")?,
            image: row.get("image")?,
            roles: serde_json::from_str(&roles).unwrap_or_default(),
            second_factor: SecondFactor::read(&row.get::<_, String>("second_factor")?),
            totp_secret: row.get("totp_secret")?,
            totp_last_step: row.get("totp_last_step")?,
            blocked: row.get("blocked")?,
            locale: row.get("locale")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Stores a new account; false if the address is taken.
pub(crate) fn create(tx: &Transaction<'_>, account: &Account) -> rusqlite::Result<bool> {
    let roles = Value::from(account.roles.clone()).to_string();
    let rows = tx.execute(
        "INSERT INTO accounts (id, email, name, password_hash, email_verified, image, roles,
             second_factor, totp_secret, blocked, locale, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (email) DO NOTHING",
        params![
            account.id,
            account.email,
            account.name,
            account.password_hash,
            account.email_verified,
            account.image,
            roles,
            account.second_factor.word(),
            account.totp_secret,
            account.blocked,
            account.locale,
            account.created_at,
        ],
    )?;
    Ok(rows == 1)
}

pub(crate) fn by_email(tx: &Transaction<'_>, email: &str) -> rusqlite::Result<Option<Account>> {
    tx.prepare_cached("SELECT * FROM accounts WHERE email = ?1")?
        .query_row([email], Account::read)
        .optional()
}

pub(crate) fn by_id(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Account>> {
    tx.prepare_cached("SELECT * FROM accounts WHERE id = ?1")?
        .query_row([id], Account::read)
        .optional()
}

/// Every account, oldest first.
pub(crate) fn all(tx: &Transaction<'_>) -> rusqlite::Result<Vec<Account>> {
    tx.prepare("SELECT * FROM accounts ORDER BY created_at, email")?
        .query_map([], Account::read)?
        .collect()
}

pub(crate) fn set_blocked(tx: &Transaction<'_>, email: &str, on: bool) -> rusqlite::Result<bool> {
    let rows = tx.execute(
        "UPDATE accounts SET blocked = ?2 WHERE email = ?1",
        params![email, on],
    )?;
    Ok(rows == 1)
}

pub(crate) fn set_roles(
    tx: &Transaction<'_>,
    email: &str,
    roles: &[&str],
) -> rusqlite::Result<bool> {
    let rows = tx.execute(
        "UPDATE accounts SET roles = ?2 WHERE email = ?1",
        params![email, Value::from(roles.to_vec()).to_string()],
    )?;
    Ok(rows == 1)
}

pub(crate) fn set_verified(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<()> {
    tx.execute("UPDATE accounts SET email_verified = 1 WHERE id = ?1", [id])?;
    Ok(())
}

pub(crate) fn set_totp_step(tx: &Transaction<'_>, id: &str, step: i64) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE accounts SET totp_last_step = ?2 WHERE id = ?1",
        params![id, step],
    )?;
    Ok(())
}
