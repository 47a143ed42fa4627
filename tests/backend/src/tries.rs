//! Failed sign-ins, and the lock they lead to. Counted by e-mail address whether
//! or not anyone has it, so that a lock tells a stranger nothing.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::clock::{Millis, millis, seconds_until};
use crate::error::Refusal;

/// Failures until the lock.
pub(crate) const ALLOWED: u32 = 10;

/// The refusal, while the address is locked.
pub(crate) fn locked(
    tx: &Transaction<'_>,
    email: &str,
    now: Millis,
) -> rusqlite::Result<Option<Refusal>> {
    let until = tx
        .prepare_cached("SELECT locked_until FROM failed_tries WHERE email = ?1")?
        .query_row([email], |row| row.get::<_, Option<Millis>>(0))
        .optional()?
        .flatten();
    Ok(until.filter(|until| *until > now).map(|until| {
        let seconds = seconds_until(until, now);
        Refusal::locked(
            "ACCOUNT_LOCKED",
            format!("too many failed tries; locked for another {seconds} s"),
        )
        .retry_after(seconds)
    }))
}

/// Count one failure. Failures older than the lock lasts are forgotten.
pub(crate) fn count(
    tx: &Transaction<'_>,
    email: &str,
    now: Millis,
    lock_for: Duration,
) -> rusqlite::Result<()> {
    let forgotten = now - millis(lock_for);
    tx.prepare_cached(
        "DELETE FROM failed_tries
         WHERE last_at < ?1 AND (locked_until IS NULL OR locked_until <= ?2)",
    )?
    .execute(params![forgotten, now])?;
    tx.prepare_cached(
        "INSERT INTO failed_tries (email, tries, last_at) VALUES (?1, 1, ?2)
         ON CONFLICT (email) DO UPDATE SET
             tries = CASE WHEN locked_until <= ?2 THEN 1 ELSE tries + 1 END,
             locked_until = CASE WHEN locked_until <= ?2 THEN NULL ELSE locked_until END,
             last_at = ?2",
    )?
    .execute(params![email, now])?;
    tx.prepare_cached(
        "UPDATE failed_tries SET locked_until = ?3
         WHERE email = ?1 AND tries >= ?2 AND locked_until IS NULL",
    )?
    .execute(params![email, ALLOWED, now + millis(lock_for)])?;
    Ok(())
}

/// The try just counted was right after all. Tries are counted before they are
/// judged, so that many at once cannot slip past the lock together.
pub(crate) fn take_back(tx: &Transaction<'_>, email: &str) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE failed_tries SET tries = tries - 1, locked_until = NULL WHERE email = ?1",
    )?
    .execute([email])?;
    Ok(())
}

/// A whole sign-in succeeded: start over.
pub(crate) fn forget(tx: &Transaction<'_>, email: &str) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM failed_tries WHERE email = ?1")?
        .execute([email])?;
    Ok(())
}
