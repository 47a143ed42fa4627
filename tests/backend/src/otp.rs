//! One-time codes: the challenge between a right password and a session. Mailed codes are stored
//! as a keyed hash; TOTP codes are computed. A challenge allows five tries, from the device that
//! signed in. To any other device it does not exist, so that another device cannot use up the
//! owner's tries, have codes sent, or learn that somebody is signing in.

use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use crate::accounts::{self, Account, SecondFactor};
use crate::clock::{Millis, millis, seconds_until};
use crate::config::{DeviceBinding, Tunable};
use crate::error::Refusal;
use crate::secret::{Key, below};
use crate::sessions::Device;
use crate::totp;
use axum::http::StatusCode;

/// Wrong codes after which a challenge is void.
pub(crate) const ALLOWED: u32 = 5;

/// Begins a challenge and replaces any earlier one. Returns the code, if one is to be mailed.
pub(crate) fn begin(
    tx: &Transaction<'_>,
    key: &Key,
    account: &Account,
    device: &Device,
    now: Millis,
    rules: &Tunable,
) -> rusqlite::Result<Option<String>> {
    let id = Uuid::new_v4().to_string();
    let code = (account.second_factor != SecondFactor::Totp).then(draw);
    let sealed = code.as_deref().map(|code| seal(key, &id, code));
    tx.execute(
        "INSERT OR REPLACE INTO challenges
             (account, id, device_id, code_seal, tries, sent_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
        params![
            account.id,
            id,
            device.id,
            sealed,
            now,
            now + millis(rules.otp_ttl)
        ],
    )?;
    Ok(code)
}

/// A pending challenge and its account.
pub(crate) struct Asked {
    account: Account,
    challenge: Challenge,
}

/// The pending challenge of this account, if this device began it and has tries left.
pub(crate) fn asked(
    tx: &Transaction<'_>,
    email: &str,
    device: &Device,
    now: Millis,
    rules: &Tunable,
) -> rusqlite::Result<Result<Asked, Refusal>> {
    let Some(asked) = find(tx, email)? else {
        return Ok(Err(expired()));
    };
    let bound = rules.device_binding != DeviceBinding::Off && asked.challenge.device_id.is_some();
    if bound && asked.challenge.device_id != device.id {
        return Ok(Err(expired()));
    }
    if asked.challenge.tries >= ALLOWED {
        return Ok(Err(too_many()));
    }
    if asked.challenge.expires_at <= now {
        return Ok(Err(expired()));
    }
    Ok(Ok(asked))
}

/// Checks a code. A right one consumes the challenge.
pub(crate) fn verify(
    tx: &Transaction<'_>,
    key: &Key,
    asked: Asked,
    given: &str,
    now: Millis,
) -> rusqlite::Result<Result<Account, Refusal>> {
    let Asked { account, challenge } = asked;
    let step = match (&challenge.code_seal, &account.totp_secret) {
        (Some(sealed), _) => key
            .opens("otp", &[challenge.id.as_bytes(), given.as_bytes()], sealed)
            .then_some(None),
        (None, Some(secret)) => totp::accept(secret, given, now, account.totp_last_step).map(Some),
        (None, None) => None,
    };
    let Some(step) = step else {
        tx.execute(
            "UPDATE challenges SET tries = tries + 1 WHERE account = ?1",
            [&account.id],
        )?;
        let left = ALLOWED - 1 - challenge.tries;
        return Ok(Err(if left == 0 { too_many() } else { wrong(left) }));
    };
    match step {
        Some(step) => accounts::set_totp_step(tx, &account.id, step)?,
        None => accounts::set_verified(tx, &account.id)?,
    }
    tx.execute("DELETE FROM challenges WHERE account = ?1", [&account.id])?;
    // Read again: this code may have verified the address.
    Ok(accounts::by_id(tx, &account.id)?.ok_or_else(expired))
}

/// A new code for the pending challenge. Wrong tries so far still count.
pub(crate) fn resend(
    tx: &Transaction<'_>,
    key: &Key,
    email: &str,
    device: &Device,
    now: Millis,
    rules: &Tunable,
) -> rusqlite::Result<Result<Option<(Account, String)>, Refusal>> {
    let Asked { account, challenge } = match asked(tx, email, device, now, rules)? {
        Ok(asked) => asked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let next = challenge.sent_at + millis(rules.resend_interval);
    if next > now {
        return Ok(Err(Refusal::too_many(seconds_until(next, now))));
    }
    let fresh = challenge.code_seal.as_ref().map(|_| draw());
    let sealed = fresh.as_deref().map(|code| seal(key, &challenge.id, code));
    tx.execute(
        "UPDATE challenges SET code_seal = ?2, sent_at = ?3, expires_at = ?4 WHERE account = ?1",
        params![account.id, sealed, now, now + millis(rules.otp_ttl)],
    )?;
    Ok(Ok(fresh.map(|code| (account, code))))
}

struct Challenge {
    id: String,
    device_id: Option<String>,
    code_seal: Option<Vec<u8>>,
    tries: u32,
    sent_at: Millis,
    expires_at: Millis,
}

fn find(tx: &Transaction<'_>, email: &str) -> rusqlite::Result<Option<Asked>> {
    let Some(account) = accounts::by_email(tx, email)? else {
        return Ok(None);
    };
    let challenge = tx
        .prepare_cached(
            "SELECT id, device_id, code_seal, tries, sent_at, expires_at
             FROM challenges WHERE account = ?1",
        )?
        .query_row([&account.id], |row| {
            Ok(Challenge {
                id: row.get(0)?,
                device_id: row.get(1)?,
                code_seal: row.get(2)?,
                tries: row.get(3)?,
                sent_at: row.get(4)?,
                expires_at: row.get(5)?,
            })
        })
        .optional()?;
    Ok(challenge.map(|challenge| Asked { account, challenge }))
}

fn draw() -> String {
    format!("{:06}", below(1_000_000))
}

fn seal(key: &Key, challenge: &str, code: &str) -> [u8; 32] {
    key.seal("otp", &[challenge.as_bytes(), code.as_bytes()])
}

fn wrong(left: u32) -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "OTP_INVALID",
        format!("that is not the code; tries left: {left}"),
    )
}

fn expired() -> Refusal {
    Refusal::new(
        StatusCode::GONE,
        "OTP_EXPIRED",
        "there is no code to verify; sign in again",
    )
}

fn too_many() -> Refusal {
    Refusal::locked("OTP_TOO_MANY", "too many wrong codes; sign in again")
}
