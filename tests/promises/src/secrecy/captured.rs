//! Collects the secrets that pass through a process, so that they can be searched for, and logs the
//! errors and states that nothing else would print. In the processes of other promises this is
//! switched off and costs nothing.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::sync::{Mutex, OnceLock, PoisonError};

static SECRETS: OnceLock<Mutex<BTreeSet<String>>> = OnceLock::new();

/// Switches it on.
pub fn begin() {
    SECRETS.get_or_init(Mutex::default);
}

/// Collects a secret.
pub fn secret(text: &str) {
    if let Some(secrets) = SECRETS.get()
        && !text.is_empty()
    {
        let mut secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(text.to_owned());
    }
}

/// The members with which a provider hands out secrets, and the fields in which it gets them back.
const OF_PROVIDER: [&str; 7] = [
    "access_token",
    "refresh_token",
    "id_token",
    "device_code",
    "code",
    "code_verifier",
    "token",
];

/// Collects what a form sends to a provider.
pub fn form(body: &[u8]) {
    if SECRETS.get().is_some() {
        for (name, value) in url::form_urlencoded::parse(body) {
            if OF_PROVIDER.contains(&name.as_ref()) {
                secret(&value);
            }
        }
    }
}

/// Collects the refresh token and the access token of an answer of the backend, and what one of a
/// provider hands out.
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
    for name in OF_PROVIDER {
        secret(body[name].as_str().unwrap_or_default());
    }
}

/// Logs a result's error with `Debug` and `Display`, and returns the result.
pub fn result<T, E: Debug + Display>(result: Result<T, E>) -> Result<T, E> {
    if let (Err(error), Some(_)) = (&result, SECRETS.get()) {
        eprintln!("{error} {error:?}");
    }
    result
}

/// Logs a value as a careless line of code would.
pub fn value(value: &impl Debug) {
    if SECRETS.get().is_some() {
        eprintln!("{value:?}");
    }
}

/// All secrets collected so far.
pub fn secrets() -> Vec<String> {
    let Some(secrets) = SECRETS.get() else {
        return Vec::new();
    };
    let secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
    secrets.iter().cloned().collect()
}
