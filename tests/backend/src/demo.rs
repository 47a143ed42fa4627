//! The demo accounts, with which a fresh clone can sign in. Their password is public, so they
//! exist only where [`Config::demo`](crate::Config::demo) is set.

use crate::accounts::{self, Account, SecondFactor};
use crate::clock::now;
use crate::password::Passwords;
use crate::store::Store;

/// The password of every demo account.
pub(crate) const PASSWORD: &str = "vestibule-demo";

/// A demo account as the sign-in screen offers it.
pub(crate) struct Demo {
    pub label: &'static str,
    pub email: &'static str,
    name: &'static str,
    roles: &'static [&'static str],
    second_factor: SecondFactor,
}

pub(crate) const ACCOUNTS: [Demo; 4] = [
    Demo {
        label: "Plain account",
        email: "demo@vestibule.test",
        name: "Dana Demo",
        roles: &["user"],
        second_factor: SecondFactor::None,
    },
    Demo {
        label: "With a code by mail",
        email: "otp@vestibule.test",
        name: "Otto Post",
        roles: &["user"],
        second_factor: SecondFactor::Mail,
    },
    Demo {
        label: "With an authenticator app",
        email: "totp@vestibule.test",
        name: "Tilda Token",
        roles: &["user"],
        second_factor: SecondFactor::Totp,
    },
    Demo {
        label: "Administrator",
        email: "admin@vestibule.test",
        name: "Ada Admin",
        roles: &["user", "admin"],
        second_factor: SecondFactor::None,
    },
];

/// Creates the demo accounts, once for each database file.
pub(crate) fn seed(store: &Store, passwords: &Passwords) -> Result<(), String> {
    let text = |error: rusqlite::Error| error.to_string();
    let done = store
        .run_here(|tx| {
            tx.prepare("SELECT 1 FROM keys WHERE name = 'demo'")?
                .exists([])
        })
        .map_err(text)?;
    if done {
        return Ok(());
    }
    let mut made = Vec::new();
    for demo in &ACCOUNTS {
        let hash = passwords.hash_here(PASSWORD)?;
        let mut account = Account::new(demo.email.into(), demo.name.into(), hash, now());
        account.email_verified = true;
        account.roles = demo.roles.iter().map(|role| (*role).into()).collect();
        account.second_factor = demo.second_factor;
        if demo.second_factor == SecondFactor::Totp {
            account.totp_secret = Some(crate::secret::random::<20>().to_vec());
        }
        made.push(account);
    }
    store
        .run_here(|tx| {
            for account in &made {
                accounts::create(tx, account)?;
            }
            tx.execute("INSERT INTO keys (name, value) VALUES ('demo', x'01')", [])?;
            Ok(())
        })
        .map_err(text)
}
