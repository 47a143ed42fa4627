//! The bundled backend on loopback: its start, its accounts, and answers that a fault puts in place
//! of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use vestibule_backend::{Backend, Config, Effect};

use crate::PASSWORD;
use crate::wait::Lost;

/// Starts a backend on a free port, with its data in a temporary file.
pub async fn start_backend(config: Config) -> Arc<Backend> {
    Arc::new(Backend::start(config).await.expect("the backend starts"))
}

/// Creates a new account, and returns its email address.
pub fn account(backend: &Backend) -> Result<String, Lost> {
    static ACCOUNTS: AtomicUsize = AtomicUsize::new(0);
    let number = ACCOUNTS.fetch_add(1, Ordering::Relaxed);
    let email = format!("run-{number}@vestibule.test");
    if !backend.add_account(&email, PASSWORD, "A run", &["user"]) {
        return Err(format!("the account {email} cannot be created"));
    }
    Ok(email)
}

/// How many sessions of this account are valid.
pub fn alive(backend: &Backend, email: &str) -> usize {
    let sessions = backend.sessions(email);
    sessions.iter().filter(|held| held.ended.is_none()).count()
}

/// An answer with this status, JSON and headers.
pub fn answer(status: u16, body: Value, headers: &[(&str, &str)]) -> Effect {
    Effect::Status {
        status,
        code: None,
        message: None,
        body: Some(body),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// A refusal with this error code.
pub fn refusal(status: u16, code: &str) -> Effect {
    answer(status, json!({"message": "no", "code": code}), &[])
}

/// The body of a successful sign-in or refresh in the contract.
pub fn success() -> Value {
    json!({
        "user": {"id": "u-1", "name": "Una", "email": "una@example.com"},
        "tokens": {"token": "access-of-una", "expires": "2030-01-01T00:00:00Z", "expiresIn": 900},
    })
}
