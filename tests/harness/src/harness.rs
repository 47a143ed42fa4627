//! One installation and its backend, for most tests of a session.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use vestibule_backend::{Backend, Config, Effect, Fault};

use crate::session::Installation;
use crate::setup::Setup;
use crate::wait::soon;
use crate::{DEMO, REFRESH};

/// An installation with a backend of its own.
pub struct Harness {
    /// The backend, whose behaviour a test can change.
    pub backend: Arc<Backend>,
    installation: Installation,
}

impl Deref for Harness {
    type Target = Installation;

    fn deref(&self) -> &Installation {
        &self.installation
    }
}

impl DerefMut for Harness {
    fn deref_mut(&mut self) -> &mut Installation {
        &mut self.installation
    }
}

impl Harness {
    /// A session in which nobody has signed in yet.
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    /// The same with a backend of this configuration.
    pub async fn with(config: Config) -> Self {
        let setup = Setup::new(config).await;
        Self {
            installation: setup.install().await,
            backend: setup.backend,
        }
    }

    /// A session with the plain demo account signed in.
    pub async fn signed_in() -> Self {
        Self::signed_in_with(Config::default()).await
    }

    /// The same with a backend of this configuration.
    pub async fn signed_in_with(config: Config) -> Self {
        let harness = Self::with(config).await;
        harness.sign_in(DEMO).await;
        harness
    }

    /// How many refreshes the backend has received.
    pub fn refreshes(&self) -> usize {
        self.backend.requests("POST", REFRESH)
    }

    /// Waits until the backend has received this many requests.
    pub async fn reached(&self, path: &str, count: usize) {
        let what = format!("request {count} to {path}");
        soon(&what, self.backend.reached("POST", path, count)).await;
    }

    /// Makes this happen to the next request to `path`.
    pub fn strike(&self, path: &str, effect: Effect) {
        let fault = Fault::on("POST", path, effect).times(1);
        self.backend.faults().add(fault);
    }
}
