//! Failed tries in a row, and the lock they lead to. Counted by e-mail address whether or not an
//! account has it, so that a lock does not reveal whether the account exists.
//!
//! Passwords and codes are counted apart. Anybody can enter wrong passwords for somebody else, so
//! that lock is short and those tries are forgotten. A person who enters wrong codes has the
//! password: only a right code resets that count, and each further lock is twice as long.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::clock::{Millis, millis, seconds_until};
use crate::error::Refusal;

/// Failures until the lock.
pub(crate) const ALLOWED: u32 = 10;
/// The longest lock that doubling leads to.
const LONGEST: Millis = 24 * 3600 * 1000;

/// What was entered: a password or a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptKind {
    Password,
    Code,
}

impl AttemptKind {
    fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
        }
    }

    /// How long this many failures lock, where the first lock takes `lock_for`.
    fn lock(self, tries: u32, lock_for: Millis) -> Millis {
        match self {
            Self::Password => lock_for,
            Self::Code => {
                let doublings = tries.saturating_sub(ALLOWED).min(31);
                let doubled = lock_for.saturating_mul(1 << doublings);
                doubled.min(LONGEST.max(lock_for))
            }
        }
    }
}

/// The refusal of a locked address.
pub(crate) fn locked(
    tx: &Transaction<'_>,
    tried: AttemptKind,
    email: &str,
    now: Millis,
) -> rusqlite::Result<Option<Refusal>> {
    let until = tx
        .prepare_cached("SELECT locked_until FROM failed_tries WHERE kind = ?1 AND email = ?2")?
        .query_row([tried.word(), email], |row| row.get::<_, Option<Millis>>(0))
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

/// Counts one failure. Called before a try is checked, so that many tries at once cannot pass the
/// lock together; [`forget`] takes it back. Wrong passwords older than the lock do not count.
pub(crate) fn count(
    tx: &Transaction<'_>,
    tried: AttemptKind,
    email: &str,
    now: Millis,
    lock_for: Duration,
) -> rusqlite::Result<()> {
    let lock_for = millis(lock_for);
    if tried == AttemptKind::Password {
        tx.prepare_cached(
            "DELETE FROM failed_tries WHERE kind = 'password'
                 AND last_at < ?1 AND (locked_until IS NULL OR locked_until <= ?2)",
        )?
        .execute(params![now - lock_for, now])?;
        tx.prepare_cached(
            "DELETE FROM failed_tries WHERE kind = 'password' AND email = ?1 AND locked_until <= ?2",
        )?
        .execute(params![email, now])?;
    }
    let tries: u32 = tx
        .prepare_cached(
            "INSERT INTO failed_tries (kind, email, tries, last_at) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (kind, email) DO UPDATE SET tries = tries + 1, last_at = ?3
             RETURNING tries",
        )?
        .query_row(params![tried.word(), email, now], |row| row.get(0))?;
    if tries >= ALLOWED {
        tx.prepare_cached(
            "UPDATE failed_tries SET locked_until = ?3 WHERE kind = ?1 AND email = ?2",
        )?
        .execute(params![
            tried.word(),
            email,
            now + tried.lock(tries, lock_for)
        ])?;
    }
    Ok(())
}

/// Resets the count after a right try.
pub(crate) fn forget(
    tx: &Transaction<'_>,
    tried: AttemptKind,
    email: &str,
) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM failed_tries WHERE kind = ?1 AND email = ?2")?
        .execute([tried.word(), email])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    const MINUTE: Millis = 60_000;
    const LOCK: Duration = Duration::from_secs(15 * 60);
    const WHO: &str = "otp@vestibule.test";

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("a.sqlite3"), false).expect("opens");
        (folder, store)
    }

    /// How many tries are checked in a month, for a person who makes one every minute.
    fn judged_in_a_month(tried: AttemptKind) -> u32 {
        let (_folder, store) = store();
        let minutes = 0..30 * 24 * 60;
        let judged = store.run_here(|tx| {
            let mut judged = 0;
            for now in minutes.map(|minute| minute * MINUTE) {
                if locked(tx, tried, WHO, now)?.is_none() {
                    count(tx, tried, WHO, now, LOCK)?;
                    judged += 1;
                }
            }
            Ok(judged)
        });
        judged.expect("counted")
    }

    #[test]
    fn codes_cannot_be_guessed_by_who_has_time() {
        let judged = judged_in_a_month(AttemptKind::Code);
        assert!(judged <= ALLOWED + 7 + 30, "{judged} of a million");
        let control = judged_in_a_month(AttemptKind::Password);
        assert!(control > 10_000, "a short lock alone leaves {control}");
    }

    #[test]
    fn a_right_one_starts_over_and_speaks_for_its_own_kind_alone() {
        let (_folder, store) = store();
        let told = store.run_here(|tx| {
            for _ in 0..ALLOWED {
                count(tx, AttemptKind::Code, WHO, 0, LOCK)?;
                count(tx, AttemptKind::Password, WHO, 0, LOCK)?;
            }
            forget(tx, AttemptKind::Password, WHO)?;
            let code = locked(tx, AttemptKind::Code, WHO, 1)?.map(|refusal| refusal.code);
            let password = locked(tx, AttemptKind::Password, WHO, 1)?.map(|refusal| refusal.code);
            forget(tx, AttemptKind::Code, WHO)?;
            count(tx, AttemptKind::Code, WHO, 2, LOCK)?;
            let after = locked(tx, AttemptKind::Code, WHO, 2)?.map(|refusal| refusal.code);
            Ok((code, password, after))
        });
        let told = told.expect("counted");
        assert_eq!(told, (Some("ACCOUNT_LOCKED"), None, None));
    }
}
