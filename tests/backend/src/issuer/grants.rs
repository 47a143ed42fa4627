//! What waits to be exchanged for a session: codes that a browser has brought to an app, and devices
//! that a person approves elsewhere. Stored as hashes.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::refusal::OauthRefusal;
use crate::clock::Millis;
use crate::secret::{hex, random, sha256};
use crate::sessions::{self, End};

/// How long a code may be on its way back to the app. RFC 6749, section 4.1.2 allows ten minutes.
const CODE_LIFE: Millis = 60_000;
/// How long a device waits for a person.
pub(crate) const DEVICE_LIFE: Millis = 10 * 60_000;

/// What an app may do, and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub account: String,
    pub client: String,
    pub scope: String,
    pub nonce: Option<String>,
    /// When the person has proven who they are.
    pub signed_in_at: Millis,
}

/// The part of an app's request that its code answers for.
pub(crate) struct CodeRequest {
    pub redirect_uri: String,
    pub code_challenge: String,
}

/// Makes a code for a grant.
pub(crate) fn begin_code(
    tx: &Transaction<'_>,
    grant: &Grant,
    request: &CodeRequest,
    now: Millis,
) -> rusqlite::Result<String> {
    tx.execute(
        "DELETE FROM authorization_codes WHERE expires_at < ?1",
        [now],
    )?;
    let code = hex(&random::<32>());
    tx.execute(
        "INSERT INTO authorization_codes
             (hash, account, client, redirect_uri, code_challenge, scope, nonce, signed_in_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            sha256(code.as_bytes()),
            grant.account,
            grant.client,
            request.redirect_uri,
            request.code_challenge,
            grant.scope,
            grant.nonce,
            grant.signed_in_at,
            now + CODE_LIFE,
        ],
    )?;
    Ok(code)
}

/// The grant of a code that this client may exchange now. Whoever sends a code a second time, or
/// without the verifier that belongs to it, ends what it has led to.
pub(crate) fn redeem_code(
    tx: &Transaction<'_>,
    code: &str,
    client: &str,
    redirect_uri: &str,
    challenge: &str,
    now: Millis,
) -> rusqlite::Result<Result<Grant, OauthRefusal>> {
    let refused = |words: &str| Ok(Err(OauthRefusal::invalid_grant(words)));
    let found = tx
        .prepare_cached("SELECT * FROM authorization_codes WHERE hash = ?1")?
        .query_row([sha256(code.as_bytes())], |row| {
            Ok((
                grant(row)?,
                row.get::<_, String>("redirect_uri")?,
                row.get::<_, String>("code_challenge")?,
                row.get::<_, Option<String>>("session")?,
                row.get::<_, Millis>("expires_at")?,
            ))
        })
        .optional()?;
    let Some((grant, wanted_uri, wanted_challenge, session, expires_at)) = found else {
        return refused("the code is not known, or has expired");
    };
    if grant.client != client {
        return refused("the code was issued to another client");
    }
    if let Some(session) = session {
        sessions::end(tx, &session, End::Revoked)?;
        return refused("the code was used before; the session that it began has ended");
    }
    if expires_at <= now {
        return refused("the code has expired");
    }
    if wanted_uri != redirect_uri {
        return refused("redirect_uri: not the one that the code was sent to");
    }
    if wanted_challenge != challenge {
        return refused("code_verifier: not the one that belongs to the code");
    }
    Ok(Ok(grant))
}

/// Notes which session a code has been exchanged for.
pub(crate) fn code_used(tx: &Transaction<'_>, code: &str, session: &str) -> rusqlite::Result<()> {
    let update = "UPDATE authorization_codes SET session = ?2 WHERE hash = ?1";
    tx.execute(update, params![sha256(code.as_bytes()), session])?;
    Ok(())
}

/// Notes what a session was granted.
pub(crate) fn session_begun(
    tx: &Transaction<'_>,
    session: &str,
    grant: &Grant,
) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO issued_sessions (session, client, scope, nonce, signed_in_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            session,
            grant.client,
            grant.scope,
            grant.nonce,
            grant.signed_in_at
        ],
    )?;
    Ok(())
}

/// What a session was granted, if it began here.
pub(crate) fn of_session(tx: &Transaction<'_>, session: &str) -> rusqlite::Result<Option<Grant>> {
    tx.prepare_cached(
        "SELECT i.*, s.account FROM issued_sessions i JOIN sessions s ON s.id = i.session
         WHERE i.session = ?1",
    )?
    .query_row([session], grant)
    .optional()
}

/// Takes back what this person has allowed this client: all its sessions end.
pub(crate) fn end(tx: &Transaction<'_>, grant: &Grant) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE sessions SET ended = ?3 WHERE ended IS NULL AND account = ?1
             AND id IN (SELECT session FROM issued_sessions WHERE client = ?2)",
        params![grant.account, grant.client, End::SignedOut.word()],
    )?;
    Ok(())
}

fn grant(row: &Row<'_>) -> rusqlite::Result<Grant> {
    Ok(Grant {
        account: row.get("account")?,
        client: row.get("client")?,
        scope: row.get("scope")?,
        nonce: row.get("nonce")?,
        signed_in_at: row.get("signed_in_at")?,
    })
}
