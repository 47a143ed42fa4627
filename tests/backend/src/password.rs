//! Passwords: argon2id hashes in PHC form, computed on blocking threads, few at a time. The check
//! takes as long for an unknown address as for a known one.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::config::Hashing;
use crate::error::Refusal;

/// Hashes computed at once. More would compete for memory bandwidth.
const AT_ONCE: usize = 4;

/// Hashes and checks passwords.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// The hash that stands in for an unknown e-mail's, at the usual cost.
    decoy: Arc<str>,
}

impl Passwords {
    pub fn new(price: Hashing) -> Result<Self, String> {
        let params = Params::new(price.memory_kib, price.passes, price.lanes, None)
            .map_err(|error| error.to_string())?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon2, &crate::secret::hex(&crate::secret::random::<16>()))?;
        Ok(Self {
            argon2,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            decoy: decoy.into(),
        })
    }

    /// The PHC string to store.
    pub async fn hash(&self, password: String) -> Result<String, Refusal> {
        self.in_turn(move |argon2| hash(argon2, &password))
            .await?
            .map_err(|error| Refusal::internal("a password could not be hashed", &error))
    }

    /// Whether the password matches. Without a stored hash: false, after the same work.
    pub async fn check(&self, password: String, stored: Option<String>) -> Result<bool, Refusal> {
        let decoy = Arc::clone(&self.decoy);
        self.in_turn(move |argon2| {
            let phc = stored.as_deref().unwrap_or(&decoy);
            let matches = PasswordHash::new(phc)
                .is_ok_and(|phc| argon2.verify_password(password.as_bytes(), &phc).is_ok());
            matches && stored.is_some()
        })
        .await
    }

    /// A hash computed on this thread, for the accounts created at the start.
    pub fn hash_here(&self, password: &str) -> Result<String, String> {
        hash(&self.argon2, password)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let stopped = |error: &dyn std::fmt::Display| Refusal::internal("hashing stopped", error);
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|error| stopped(&error))?;
        let argon2 = self.argon2.clone();
        tokio::task::spawn_blocking(move || {
            let done = work(&argon2);
            drop(turn);
            done
        })
        .await
        .map_err(|error| stopped(&error))
    }
}

fn hash(argon2: &Argon2<'static>, password: &str) -> Result<String, String> {
    argon2
        .hash_password(password.as_bytes())
        .map(|phc| phc.to_string())
        .map_err(|error| error.to_string())
}
