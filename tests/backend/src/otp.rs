//! The challenge between a right password and a session, and the codes that answer it. Mailed codes
//! are stored as a keyed hash; TOTP and recovery codes are computed. A challenge allows five tries, from the device that
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
use crate::{recovery, totp};
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

/// A way to answer a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// A code by mail.
    Mail,
    /// A code of an authenticator app.
    Totp,
    /// A recovery code.
    Recovery,
}

/// The names of the methods that an account has, the one that it should use first at first. An account
/// with an authenticator app gets mail on request.
pub(crate) fn methods(account: &Account) -> &'static [&'static str] {
    match account.second_factor {
        SecondFactor::Totp => &["totp", "otp", "recovery"],
        SecondFactor::Mail | SecondFactor::None => &["otp"],
    }
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
    method: Method,
    given: &str,
    now: Millis,
) -> rusqlite::Result<Result<Account, Refusal>> {
    let Asked { account, challenge } = asked;
    let is_right = match method {
        Method::Mail => {
            let parts = [challenge.id.as_bytes(), given.as_bytes()];
            let sealed = challenge.code_seal.as_deref();
            let is_right = sealed.is_some_and(|sealed| key.opens("otp", &parts, sealed));
            if is_right {
                accounts::set_verified(tx, &account.id)?;
            }
            is_right
        }
        Method::Totp => {
            let secret = account.totp_secret.as_deref();
            let last = account.totp_last_step;
            let step = secret.and_then(|secret| totp::accept(secret, given, now, last));
            if let Some(step) = step {
                accounts::set_totp_step(tx, &account.id, step)?;
            }
            step.is_some()
        }
        Method::Recovery => {
            let has_codes = account.second_factor == SecondFactor::Totp;
            has_codes && recovery::redeem(tx, key, &account.id, given)?
        }
    };
    if !is_right {
        tx.execute(
            "UPDATE challenges SET tries = tries + 1 WHERE account = ?1",
            [&account.id],
        )?;
        let left = ALLOWED - 1 - challenge.tries;
        return Ok(Err(if left == 0 { too_many() } else { wrong(left) }));
    }
    tx.execute("DELETE FROM challenges WHERE account = ?1", [&account.id])?;
    // Read again: this code may have verified the address.
    Ok(accounts::by_id(tx, &account.id)?.ok_or_else(expired))
}

/// A new code for the pending challenge, or the first one of an account with an authenticator app.
/// Wrong tries so far still count.
pub(crate) fn resend(
    tx: &Transaction<'_>,
    key: &Key,
    email: &str,
    device: &Device,
    now: Millis,
    rules: &Tunable,
) -> rusqlite::Result<Result<(Account, String), Refusal>> {
    let Asked { account, challenge } = match asked(tx, email, device, now, rules)? {
        Ok(asked) => asked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let next = challenge.sent_at + millis(rules.resend_interval);
    if challenge.code_seal.is_some() && next > now {
        return Ok(Err(Refusal::too_many(seconds_until(next, now))));
    }
    let fresh = draw();
    let sealed = seal(key, &challenge.id, &fresh);
    tx.execute(
        "UPDATE challenges SET code_seal = ?2, sent_at = ?3, expires_at = ?4 WHERE account = ?1",
        params![account.id, sealed, now, now + millis(rules.otp_ttl)],
    )?;
    Ok(Ok((account, fresh)))
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
