//! One session for each workspace, by name.
//!
//! A workspace whose settings are not valid stays closed, with its session untouched: nothing
//! is sent to a backend that may be the wrong one. Whoever asks for it is told which file and
//! key are wrong, and the next one who asks has the files read again. The same goes for what
//! keeps the whole app from starting: the window says it, and asks again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tauri::{AppHandle, Manager as _, async_runtime};
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_core::session::{Config, Session};
use vestibule_core::storage::keyring::Keyring;

use crate::instance::Instance;
use crate::{bridge, desktop_proxy, settings};

/// The workspace of a command that names none.
pub const DEFAULT: &str = "default";

/// The sessions, open or not.
pub struct Workspaces {
    app: AppHandle,
    /// What this app was built with and cannot run with.
    refusal: Option<AuthError>,
    slots: Mutex<BTreeMap<String, Option<Session>>>,
}

impl Workspaces {
    /// All of them, closed. With a `refusal` they stay so, and whoever asks hears it.
    pub fn closed(app: &AppHandle, refusal: Option<AuthError>) -> Self {
        Self {
            app: app.clone(),
            refusal,
            slots: Mutex::new(BTreeMap::from([(DEFAULT.to_owned(), None)])),
        }
    }

    /// The session of `name`, or of the default workspace; opened if it is not yet.
    pub fn get(&self, name: Option<&str>) -> Result<Session, AuthError> {
        let name = name.unwrap_or(DEFAULT);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get_mut(name).ok_or(ErrorCode::UnknownWorkspace)?;
        if let Some(session) = slot {
            return Ok(session.clone());
        }
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        // Only the process that owns the windows touches a session.
        let instance = self.app.state::<Instance>();
        instance.claim(&self.app, Duration::ZERO)?;
        let session = open_one(&self.app, name).inspect_err(|error| {
            tracing::error!(%error, workspace = name, "a workspace stays closed");
        })?;
        bridge::start(self.app.clone(), &session);
        *slot = Some(session.clone());
        Ok(session)
    }
}

/// Records under the app's data folder, tokens in the operating system's keyring under the
/// app's identifier.
fn open_one(app: &AppHandle, name: &str) -> Result<Session, AuthError> {
    let profile = settings::profile(app, name)
        .map_err(|error| AuthError::with_message(ErrorCode::Misconfigured, error.to_string()))?;
    let folder = app.path().app_local_data_dir().map_err(|error| {
        tracing::error!(%error, "there is no folder for data");
        AuthError::new(ErrorCode::Internal)
    })?;
    let config = Config {
        workspace: name.to_owned(),
        profile,
        folder: folder.join("workspaces").join(name),
        store: Arc::new(Keyring::new(app.config().identifier.clone())),
        product: product(app),
    };
    // A command may be what opens it, on a thread that is not the runtime's.
    let runtime = async_runtime::handle();
    let _entered = runtime.inner().enter();
    match desktop_proxy::desktop() {
        Some(desktop) => Session::open_on_desktop(config, desktop),
        None => Session::open(config),
    }
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
