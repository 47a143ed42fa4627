//! What several installations share: one backend and one keyring. They are two computers with a
//! synchronised keyring, or two people at one computer.
//!
//! The tests ask the backend to whom the session's token belongs. They know nothing of the format
//! of the keyring's item and of the records.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_backend::{Backend, Config};
use vestibule_core::profile::Profile;
use vestibule_core::session::Session;
use vestibule_core::{AuthError, SecretStore};

use crate::backend::{alive, start_backend};
use crate::clock::TestClock;
use crate::profile::{merge, profile};
use crate::session::{Installation, config};
use crate::store::TestStore;

/// One backend and one keyring.
pub struct Setup {
    /// The backend, whose behaviour a test can change.
    pub backend: Arc<Backend>,
    /// The keyring.
    pub store: Arc<TestStore>,
    more: Value,
}

impl Setup {
    /// A setup whose installations use the contract's profile.
    pub async fn new(config: Config) -> Self {
        Self::with_profile(config, json!({})).await
    }

    /// The same with `more` merged into the contract's profile; the carrier of tokens follows the
    /// backend.
    pub async fn with_profile(config: Config, more: Value) -> Self {
        Self {
            backend: start_backend(config).await,
            store: Arc::default(),
            more,
        }
    }

    /// Another backend with the same keyring.
    pub async fn beside(&self, config: Config) -> Self {
        Self {
            backend: start_backend(config).await,
            store: self.store.clone(),
            more: self.more.clone(),
        }
    }

    /// Merges `more` into the profile of later installations, where it depends on the backend's address.
    pub fn add_to_profile(&mut self, more: Value) {
        merge(&mut self.more, more);
    }

    /// The profile of its installations.
    pub fn profile(&self) -> Profile {
        let carrier = self.backend.carrier();
        let profile = profile(&self.backend.url(), carrier, self.more.clone());
        profile.unwrap_or_else(|lost| panic!("{lost}"))
    }

    /// An installation after the app's first start, in a folder of its own.
    pub async fn install(&self) -> Installation {
        Installation::beside(self.store.clone(), self.profile()).await
    }

    /// An installation that shares nothing but the backend: another keyring, other records.
    pub async fn install_elsewhere(&self) -> Installation {
        Installation::new(self.profile()).await
    }

    /// Starts the app with these records.
    pub fn open(&self, records: &Path, clock: &Arc<TestClock>) -> Session {
        self.open_with(records, clock, self.store.clone())
    }

    /// The same with another keyring.
    pub fn open_with(
        &self,
        records: &Path,
        clock: &Arc<TestClock>,
        store: Arc<dyn SecretStore>,
    ) -> Session {
        self.try_open(records, clock, store)
            .expect("the session opens")
    }

    /// The same where opening the session can fail because of the disk.
    pub fn try_open(
        &self,
        records: &Path,
        clock: &Arc<TestClock>,
        store: Arc<dyn SecretStore>,
    ) -> Result<Session, AuthError> {
        Session::open_with_clock(config(self.profile(), records, store), clock.clone())
    }

    /// How many sessions of this account are valid.
    pub fn alive(&self, email: &str) -> usize {
        alive(&self.backend, email)
    }

    /// Why the sessions of this account ended, oldest first; `None` for a valid one.
    pub fn ends(&self, email: &str) -> Vec<Option<String>> {
        let sessions = self.backend.sessions(email);
        sessions.into_iter().map(|held| held.ended).collect()
    }
}
