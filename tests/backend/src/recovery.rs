//! Recovery codes: for an account with an authenticator app, codes to sign in with when the app is lost.
//! Each works once. They are made from the key and the account, so none is stored.

use rusqlite::{Transaction, params};

use crate::secret::{Key, hex};

/// How many codes an account has.
const COUNT: u32 = 8;

/// The codes of this account that were not used yet, each with its number.
pub(crate) fn unused(
    tx: &Transaction<'_>,
    key: &Key,
    account: &str,
) -> rusqlite::Result<Vec<(u32, String)>> {
    let mut used =
        tx.prepare_cached("SELECT number FROM used_recovery_codes WHERE account = ?1")?;
    let used: Vec<u32> = used
        .query_map([account], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let left = (0..COUNT).filter(|number| !used.contains(number));
    Ok(left
        .map(|number| (number, code(key, account, number)))
        .collect())
}

/// Uses a code up; false if it is none of this account.
pub(crate) fn redeem(
    tx: &Transaction<'_>,
    key: &Key,
    account: &str,
    given: &str,
) -> rusqlite::Result<bool> {
    // Keyed hashes are compared, so that the time says nothing about the code.
    let seal = key.seal("recovery given", &[given.as_bytes()]);
    let mut right = None;
    for (number, code) in unused(tx, key, account)? {
        if key.opens("recovery given", &[code.as_bytes()], &seal) {
            right = Some(number);
        }
    }
    let Some(number) = right else {
        return Ok(false);
    };
    tx.execute(
        "INSERT INTO used_recovery_codes (account, number) VALUES (?1, ?2)",
        params![account, number],
    )?;
    Ok(true)
}

/// Ten hexadecimal digits in two groups.
fn code(key: &Key, account: &str, number: u32) -> String {
    let seal = key.seal("recovery", &[account.as_bytes(), &number.to_be_bytes()]);
    let text = hex(&seal[..5]);
    format!("{}-{}", &text[..5], &text[5..])
}
