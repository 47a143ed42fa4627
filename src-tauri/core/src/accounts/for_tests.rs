//! How tests open accounts on a clock of their own.

use std::sync::Arc;

use super::{Accounts, AccountsConfig};
use crate::clock::Clock;
use crate::error::AuthError;

impl Accounts {
    /// [`Accounts::open`] with another clock.
    ///
    /// # Errors
    /// As [`Accounts::open`].
    pub fn open_with_clock(
        config: AccountsConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuthError> {
        Self::open_by(config, clock)
    }
}
