//! What a process that keeps its ears open hears: the secrets that pass, so that they can be
//! looked for, and the errors and states that nobody would print, printed. Costs nothing in
//! the processes of other promises, where nobody listens.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::sync::{Mutex, OnceLock, PoisonError};

static SECRETS: OnceLock<Mutex<BTreeSet<String>>> = OnceLock::new();

/// From now on.
pub fn begin() {
    SECRETS.get_or_init(Mutex::default);
}

/// A secret came by.
pub fn secret(text: &str) {
    if let Some(secrets) = SECRETS.get()
        && !text.is_empty()
    {
        let mut secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(text.to_owned());
    }
}

/// An answer of the backend came by: its refresh token and its access token.
pub fn answer(head: &str, body: &[u8]) {
    if SECRETS.get().is_none() {
        return;
    }
    for line in head.lines() {
        let cookie = line.strip_prefix("set-cookie: __refresh_token=");
        secret(
            cookie
                .and_then(|it| it.split(';').next())
                .unwrap_or_default(),
        );
    }
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    secret(body["tokens"]["token"].as_str().unwrap_or_default());
}

/// Says a result's error in both ways, and hands the result on.
pub fn result<T, E: Debug + Display>(result: Result<T, E>) -> Result<T, E> {
    if let (Err(error), Some(_)) = (&result, SECRETS.get()) {
        eprintln!("{error} {error:?}");
    }
    result
}

/// Says a value as a careless line would.
pub fn value(value: &impl Debug) {
    if SECRETS.get().is_some() {
        eprintln!("{value:?}");
    }
}

/// All secrets so far.
pub fn secrets() -> Vec<String> {
    let Some(secrets) = SECRETS.get() else {
        return Vec::new();
    };
    let secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
    secrets.iter().cloned().collect()
}
