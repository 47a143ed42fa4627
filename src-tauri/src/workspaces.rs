//! One session for each workspace, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use tauri::{AppHandle, Manager as _, async_runtime};
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_core::keyring::Keyring;
use vestibule_core::profile::Profile;
use vestibule_core::session::{Config, Session};

use crate::StartError;

/// The workspace of a command that names none.
pub const DEFAULT: &str = "default";

/// The open sessions.
pub struct Workspaces(BTreeMap<String, Session>);

impl Workspaces {
    /// The session of `name`, or of the default workspace.
    pub fn get(&self, name: Option<&str>) -> Result<&Session, AuthError> {
        self.0
            .get(name.unwrap_or(DEFAULT))
            .ok_or_else(|| ErrorCode::UnknownWorkspace.into())
    }

    /// Every session.
    pub fn all(&self) -> impl Iterator<Item = &Session> {
        self.0.values()
    }
}

/// Opens the sessions of all workspaces: records under the app's data folder, tokens in the
/// operating system's keyring under the app's identifier.
pub fn open(app: &AppHandle, profile: Profile) -> Result<Workspaces, StartError> {
    let folder = app.path().app_local_data_dir()?.join("workspaces");
    let config = Config {
        workspace: DEFAULT.into(),
        profile,
        folder: folder.join(DEFAULT),
        store: Arc::new(Keyring::new(app.config().identifier.clone())),
        product: product(app),
    };
    let session = async_runtime::block_on(async { Session::open(config) })?;
    Ok(Workspaces(BTreeMap::from([(DEFAULT.to_owned(), session)])))
}

/// Name and version: what the backend sees as the device's browser.
fn product(app: &AppHandle) -> String {
    let package = app.package_info();
    let name = app
        .config()
        .product_name
        .as_deref()
        .unwrap_or(&package.name);
    format!("{name} {}", package.version)
}
