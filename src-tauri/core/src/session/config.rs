//! What a session is opened with: the app's choices, and what the machine provides.

use std::path::PathBuf;
use std::sync::Arc;

use super::other_accounts::OtherAccounts;
use crate::browser::Desktop;
use crate::clock::Clock;
use crate::error::AuthError;
use crate::profile::Profile;
use crate::secrets::SecretStore;
use crate::storage::records::RecordStore;
use crate::transport::{HttpTransport, NetworkSettings, Transport, user_agent};

/// What a session is opened with.
pub struct Config {
    /// The workspace's name; also the beginning of its keyring items' names.
    pub workspace: String,
    /// The profile of the backend.
    pub profile: Profile,
    /// The folder of the account's records.
    pub folder: PathBuf,
    /// Where the refresh token is stored.
    pub store: Arc<dyn SecretStore>,
    /// Product and version, such as `Vestibule 0.1.0`: the device's `browser`.
    pub product: String,
    /// What opens an address for a sign-in by the browser; [`NoDesktop`](crate::browser::NoDesktop)
    /// where there is none.
    pub desktop: Arc<dyn Desktop>,
    /// The other accounts of the installation; [`NoOtherAccounts`](super::NoOtherAccounts) where there are
    /// none.
    pub others: Arc<dyn OtherAccounts>,
}

impl Config {
    /// An HTTP client for the backend of this session.
    ///
    /// # Errors
    /// If none can be built with this machine's settings.
    pub fn transport(&self, network: NetworkSettings) -> Result<Arc<HttpTransport>, AuthError> {
        let agent = user_agent(&self.product);
        HttpTransport::with_network(network, &self.profile.backend, &agent).map(Arc::new)
    }
}

/// What a machine provides besides the keyring. [`Session::open`] uses the real one; a model of
/// several machines in one process gives each its own.
pub struct Machine {
    /// The wall clock, the time since boot, and the timer for waits.
    pub clock: Arc<dyn Clock>,
    /// The disk, in place of [`Config::folder`].
    pub records: Arc<dyn RecordStore>,
    /// How requests reach the backend.
    pub transport: Arc<dyn Transport>,
}
