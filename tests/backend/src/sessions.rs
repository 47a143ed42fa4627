//! Sessions: one sign-in and the family of refresh tokens that descend from it.
//!
//! A token is used once. A second use is either a client that lost the answer (within the grace
//! window, same device, successor unused: it gets the same successor again) or a thief (the whole
//! family ends). Tokens are stored as hashes and cannot be read back.

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::{Millis, iso8601, millis};
use crate::config::{DeviceBinding, Tunable};
use crate::error::Refusal;
use crate::secret::{Key, hex, random, sha256};

/// The device record of a request: `{fingerprint, os, browser, …}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Device {
    pub id: Option<String>,
    /// The whole object; `null` when none was sent.
    pub whole: Value,
}

impl Device {
    /// Parses the `fingerprint` field of a body.
    pub fn read(whole: Value) -> Result<Self, &'static str> {
        let id = match whole.get("fingerprint") {
            _ if !whole.is_object() => return Err("must be an object {fingerprint, os, browser}"),
            Some(Value::String(id)) if (1..=128).contains(&id.len()) => id.clone(),
            Some(Value::String(_)) => return Err("its fingerprint has 1 to 128 characters"),
            _ => return Err("has no fingerprint of its own"),
        };
        if whole.to_string().len() > 4096 {
            return Err("larger than 4 KiB");
        }
        Ok(Self {
            id: Some(id),
            whole,
        })
    }

    fn column(&self) -> String {
        self.whole.to_string()
    }
}

/// A refresh token just issued, before it is put into a cookie or body.
pub(crate) struct Issued {
    pub session: String,
    pub account: String,
    pub token: String,
    pub expires_at: Millis,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    SignedOut,
    Revoked,
    Reuse,
    Expired,
}

impl End {
    pub fn word(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Revoked => "revoked",
            Self::Reuse => "reuse",
            Self::Expired => "expired",
        }
    }

    /// The answer to a request with a token of a session that ended for this reason.
    pub fn refusal(word: &str) -> Refusal {
        let (code, message) = match word {
            "revoked" => ("SESSION_REVOKED", "this session was ended from elsewhere"),
            "reuse" => (
                "REFRESH_REUSED",
                "a refresh token was used twice; the session has ended",
            ),
            "expired" => ("TOKEN_EXPIRED", "the session has expired"),
            _ => ("SESSION_ENDED", "this session was signed out"),
        };
        Refusal::unauthorized(code, message)
    }
}

/// Begins a session for a completed sign-in.
pub(crate) fn open(
    tx: &Transaction<'_>,
    account: &str,
    device: &Device,
    now: Millis,
    rules: &Tunable,
) -> rusqlite::Result<Issued> {
    tidy(tx, now)?;
    let session = Uuid::new_v4().to_string();
    tx.prepare_cached(
        "INSERT INTO sessions (id, account, device_id, device, created_at, last_used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?
    .execute(params![session, account, device.id, device.column(), now])?;
    let token = marked(rules, hex(&random::<32>()));
    let expires_at = now + millis(rules.refresh_ttl);
    add(tx, &session, &token, now, expires_at)?;
    Ok(Issued {
        session,
        account: account.to_owned(),
        token,
        expires_at,
    })
}

/// Exchanges a refresh token for its successor.
pub(crate) fn rotate(
    tx: &Transaction<'_>,
    key: &Key,
    presented: &str,
    device: &Device,
    now: Millis,
    rules: &Tunable,
) -> rusqlite::Result<Result<Issued, Refusal>> {
    let Some(row) = find(tx, presented)? else {
        return Ok(Err(unknown()));
    };
    if let Some(word) = &row.ended {
        return Ok(Err(End::refusal(word)));
    }
    if let Err(refusal) = same_device(&row, device, rules.device_binding) {
        // Nothing changes: the owner's device can still refresh.
        return Ok(Err(refusal));
    }
    // A used token means theft however old it is, so this is checked before the expiry.
    let again = match row.used_at {
        None => None,
        Some(used_at) => match again(tx, &row, used_at, now, rules)? {
            Some(successor) => Some(successor),
            None => {
                end(tx, &row.session, End::Reuse)?;
                return Ok(Err(End::refusal(End::Reuse.word())));
            }
        },
    };
    let good_until = again.map_or(row.expires_at, |(_, expires_at)| expires_at);
    if good_until <= now {
        end(tx, &row.session, End::Expired)?;
        return Ok(Err(End::refusal(End::Expired.word())));
    }
    let (token, expires_at) = match again {
        Some((nonce, expires_at)) => (successor(key, presented, &nonce, rules), expires_at),
        None => {
            let nonce: [u8; 16] = random();
            let token = successor(key, presented, &nonce, rules);
            let expires_at = now + millis(rules.refresh_ttl);
            add(tx, &row.session, &token, now, expires_at)?;
            tx.prepare_cached(
                "UPDATE refresh_tokens SET used_at = ?2, nonce = ?3, successor = ?4
                 WHERE hash = ?1",
            )?
            .execute(params![
                sha256(presented.as_bytes()),
                now,
                nonce,
                sha256(token.as_bytes())
            ])?;
            (token, expires_at)
        }
    };
    tx.prepare_cached("UPDATE sessions SET last_used_at = ?2 WHERE id = ?1")?
        .execute(params![row.session, now])?;
    Ok(Ok(Issued {
        session: row.session,
        account: row.account,
        token,
        expires_at,
    }))
}

/// The session of a refresh token, current or used.
pub(crate) fn of_token(tx: &Transaction<'_>, presented: &str) -> rusqlite::Result<Option<String>> {
    Ok(find(tx, presented)?.map(|row| row.session))
}

/// Signs out by a refresh token, current or used. False if the token is not known.
pub(crate) fn sign_out(tx: &Transaction<'_>, presented: &str) -> rusqlite::Result<bool> {
    match find(tx, presented)? {
        Some(row) => end(tx, &row.session, End::SignedOut).map(|_| true),
        None => Ok(false),
    }
}

/// Ends one session; false if it had ended already or does not exist.
pub(crate) fn end(tx: &Transaction<'_>, session: &str, why: End) -> rusqlite::Result<bool> {
    let rows = tx
        .prepare_cached("UPDATE sessions SET ended = ?2 WHERE id = ?1 AND ended IS NULL")?
        .execute(params![session, why.word()])?;
    Ok(rows == 1)
}

/// Ends one session of this account; false if the account has no such session.
pub(crate) fn revoke(tx: &Transaction<'_>, account: &str, session: &str) -> rusqlite::Result<bool> {
    let own = "SELECT 1 FROM sessions WHERE id = ?1 AND account = ?2";
    if tx.prepare_cached(own)?.exists([session, account])? {
        end(tx, session, End::Revoked)
    } else {
        Ok(false)
    }
}

/// Ends every session of this account. Returns how many there were.
pub(crate) fn revoke_all(tx: &Transaction<'_>, account: &str) -> rusqlite::Result<usize> {
    tx.execute(
        "UPDATE sessions SET ended = 'revoked' WHERE account = ?1 AND ended IS NULL",
        [account],
    )
}

/// Why a session ended, if it did; `None` when there is no such session.
pub(crate) fn standing(
    tx: &Transaction<'_>,
    session: &str,
) -> rusqlite::Result<Option<Option<String>>> {
    tx.prepare_cached("SELECT ended FROM sessions WHERE id = ?1")?
        .query_row([session], |row| row.get(0))
        .optional()
}

/// The valid sessions of an account, latest use first.
pub(crate) fn list(
    tx: &Transaction<'_>,
    account: &str,
    current: &str,
    now: Millis,
) -> rusqlite::Result<Vec<Value>> {
    tx.prepare_cached(
        "SELECT id, device, created_at, last_used_at FROM sessions
         WHERE account = ?1 AND ended IS NULL AND EXISTS
             (SELECT 1 FROM refresh_tokens
              WHERE session = sessions.id AND used_at IS NULL AND expires_at > ?2)
         ORDER BY last_used_at DESC, created_at DESC, id",
    )?
    .query_map(params![account, now], |row| {
        let id: String = row.get(0)?;
        let device: String = row.get(1)?;
        Ok(json!({
            "current": id == current,
            "id": id,
            "device": serde_json::from_str::<Value>(&device).unwrap_or_default(),
            "createdAt": iso8601(row.get(2)?),
            "lastUsedAt": iso8601(row.get(3)?),
        }))
    })?
    .collect()
}

/// Deletes sessions whose newest token expired more than a month ago, and all their tokens. A used
/// token of a valid session stays, so that a second use is recognised however old it is. Runs at
/// each sign-in, so that the file does not grow without end.
fn tidy(tx: &Transaction<'_>, now: Millis) -> rusqlite::Result<()> {
    const MONTH: Millis = 30 * 24 * 3600 * 1000;
    // A session's newest token is its unused one. The foreign key deletes the others.
    tx.prepare_cached(
        "DELETE FROM sessions WHERE id IN
             (SELECT session FROM refresh_tokens WHERE used_at IS NULL AND expires_at < ?1)",
    )?
    .execute([now - MONTH])?;
    Ok(())
}

struct Found {
    session: String,
    account: String,
    ended: Option<String>,
    device_id: Option<String>,
    device: String,
    expires_at: Millis,
    used_at: Option<Millis>,
    nonce: Option<[u8; 16]>,
    successor: Option<[u8; 32]>,
}

fn find(tx: &Transaction<'_>, presented: &str) -> rusqlite::Result<Option<Found>> {
    tx.prepare_cached(
        "SELECT t.session, s.account, s.ended, s.device_id, s.device,
                t.expires_at, t.used_at, t.nonce, t.successor
         FROM refresh_tokens t JOIN sessions s ON s.id = t.session WHERE t.hash = ?1",
    )?
    .query_row([sha256(presented.as_bytes())], |row| {
        Ok(Found {
            session: row.get(0)?,
            account: row.get(1)?,
            ended: row.get(2)?,
            device_id: row.get(3)?,
            device: row.get(4)?,
            expires_at: row.get(5)?,
            used_at: row.get(6)?,
            nonce: row.get(7)?,
            successor: row.get(8)?,
        })
    })
    .optional()
}

fn add(
    tx: &Transaction<'_>,
    session: &str,
    token: &str,
    now: Millis,
    expires_at: Millis,
) -> rusqlite::Result<()> {
    // One row for each rotation: a refresh every twelve minutes makes 44,000 rows in a year.
    tx.prepare_cached(
        "INSERT INTO refresh_tokens (hash, session, issued_at, expires_at)
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![sha256(token.as_bytes()), session, now, expires_at])?;
    Ok(())
}

/// The nonce that makes a used token's successor again, if the grace window allows it.
fn again(
    tx: &Transaction<'_>,
    row: &Found,
    used_at: Millis,
    now: Millis,
    rules: &Tunable,
) -> rusqlite::Result<Option<([u8; 16], Millis)>> {
    let (Some(nonce), Some(successor)) = (row.nonce, row.successor) else {
        return Ok(None);
    };
    if rules.grace.is_zero() || now - used_at > millis(rules.grace) {
        return Ok(None);
    }
    let unused = tx
        .prepare_cached(
            "SELECT expires_at FROM refresh_tokens WHERE hash = ?1 AND used_at IS NULL",
        )?
        .query_row([successor], |row| row.get::<_, Millis>(0))
        .optional()?;
    Ok(unused.map(|expires_at| (nonce, expires_at)))
}

fn successor(key: &Key, parent: &str, nonce: &[u8], rules: &Tunable) -> String {
    let sealed = key.seal("refresh successor", &[parent.as_bytes(), nonce]);
    marked(rules, hex(&sealed))
}

fn marked(rules: &Tunable, token: String) -> String {
    match &rules.mark {
        Some(mark) => format!("{mark}{token}"),
        None => token,
    }
}

fn same_device(row: &Found, device: &Device, binding: DeviceBinding) -> Result<(), Refusal> {
    if binding == DeviceBinding::Off || row.device_id.is_none() {
        return Ok(());
    }
    if device.id.is_none() {
        return Err(Refusal::invalid("fingerprint: missing"));
    }
    let same = match binding {
        // Compared as values: the order of the keys is not part of the record.
        DeviceBinding::Whole => {
            serde_json::from_str::<Value>(&row.device).is_ok_and(|bound| bound == device.whole)
        }
        DeviceBinding::Id | DeviceBinding::Off => row.device_id == device.id,
    };
    if same {
        Ok(())
    } else {
        Err(Refusal::forbidden(
            "DEVICE_MISMATCH",
            "this session belongs to another device",
        ))
    }
}

fn unknown() -> Refusal {
    Refusal::unauthorized("TOKEN_INVALID", "this refresh token is not known here")
}
