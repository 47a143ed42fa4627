//! How tests open the workspaces on a disk of their own.

use std::sync::Arc;

use super::{Config, Workspaces};
use crate::error::AuthError;
use crate::storage::records::RecordStore;

impl Workspaces {
    /// [`Workspaces::open`] on another disk.
    ///
    /// # Errors
    /// If the section is not valid.
    pub fn open_on(config: Config, records: Arc<dyn RecordStore>) -> Result<Self, AuthError> {
        Self::open_by(config, records)
    }
}
