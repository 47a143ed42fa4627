//! How tests open a session on parts of their own, and look into it.

use std::sync::Arc;

use super::{Config, Machine, Session};
use crate::clock::Clock;
use crate::error::AuthError;
use crate::transport::NetworkSettings;

impl Session {
    /// [`Session::open`] with another clock.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<Self, AuthError> {
        let transport = config.transport(NetworkSettings::default())?;
        Self::open_by(config, clock, transport)
    }

    /// [`Session::open`] on a machine with its own disk, network and clock.
    ///
    /// # Errors
    /// If the records cannot be used.
    pub fn open_on(config: Config, machine: Machine) -> Result<Self, AuthError> {
        Self::open_machine(config, machine)
    }

    /// The name of the account's item in the keyring.
    pub fn item_name(&self) -> &str {
        self.0.context.persistence.item_name()
    }
}
