//! One session for each workspace, by name.
//!
//! A workspace whose settings are not valid stays closed and its session is not touched, so that
//! nothing is sent to a backend that may be the wrong one. A command for it is answered with the
//! file and the key that are wrong, and the next command reads the files again. The same holds for
//! a problem that keeps the whole app from starting: the window shows it and asks again.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tauri::ipc::{CommandArg, CommandItem, InvokeError};
use tauri::{AppHandle, Manager as _, Runtime, async_runtime};
use vestibule_core::session::{Config, Session};
use vestibule_core::wire::PolicyInfo;
use vestibule_core::{AuthError, ErrorCode, Keyring};

use crate::single_instance::SingleInstance;
use crate::{backend_profile, session_events};

/// The workspace of every window.
pub const DEFAULT: &str = "default";

/// The workspace that a window shows.
pub fn of_window(_label: &str) -> &'static str {
    DEFAULT
}

/// The session of the window that calls a command: an argument of the command.
pub struct WindowSession(Session);

impl Deref for WindowSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl<'de, R: Runtime> CommandArg<'de, R> for WindowSession {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let webview = command.message.webview_ref();
        let workspaces = webview.state::<Workspaces>();
        let session = workspaces.get(of_window(webview.label()));
        session.map(Self).map_err(InvokeError::from)
    }
}

/// All workspaces, open or closed.
pub struct Workspaces {
    app: AppHandle,
    /// The mistake in what this app was built with, which keeps every workspace closed.
    refusal: Option<AuthError>,
    slots: Mutex<BTreeMap<String, Option<Open>>>,
}

/// A workspace that is open.
struct Open {
    session: Session,
    policy: Option<PolicyInfo>,
}

impl Workspaces {
    /// All workspaces, closed. With a `refusal` they stay closed, and `get` returns it.
    pub fn closed(app: &AppHandle, refusal: Option<AuthError>) -> Self {
        Self {
            app: app.clone(),
            refusal,
            slots: Mutex::new(BTreeMap::from([(DEFAULT.to_owned(), None)])),
        }
    }

    /// The session of the workspace `name`, which is opened if it is closed.
    pub fn get(&self, name: &str) -> Result<Session, AuthError> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get_mut(name).ok_or(ErrorCode::UnknownWorkspace)?;
        if let Some(open) = slot {
            return Ok(open.session.clone());
        }
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        // Only the process that owns the windows may open a session.
        let instance = self.app.state::<SingleInstance>();
        instance.claim(&self.app, Duration::ZERO)?;
        let open = open_one(&self.app, name).inspect_err(|error| {
            tracing::error!(%error, workspace = name, "a workspace stays closed");
        })?;
        let session = open.session.clone();
        session_events::forward(self.app.clone(), &session);
        *slot = Some(open);
        Ok(session)
    }

    /// What the administrator's policy did when the workspace `name` was opened; `None` where there is
    /// no policy or the workspace is closed.
    pub fn policy(&self, name: &str) -> Option<PolicyInfo> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(name)?.as_ref()?.policy.clone()
    }
}

/// Opens a workspace. Its records are under the app's data folder, its tokens in the operating
/// system's keyring under the app's identifier.
fn open_one(app: &AppHandle, name: &str) -> Result<Open, AuthError> {
    let settings = backend_profile::load(app, name)
        .map_err(|error| AuthError::with_message(ErrorCode::Misconfigured, error.to_string()))?;
    let folder = app.path().app_local_data_dir().map_err(|error| {
        tracing::error!(%error, "the system names no folder for the app's data");
        AuthError::new(ErrorCode::Internal)
    })?;
    let config = Config {
        workspace: name.to_owned(),
        profile: settings.profile,
        folder: folder.join("workspaces").join(name),
        store: Arc::new(Keyring::new(app.config().identifier.clone())),
        product: product(app),
    };
    // A command may call this on a thread outside the runtime, and opening a session starts tasks.
    let runtime = async_runtime::handle();
    let _entered = runtime.inner().enter();
    Ok(Open {
        session: Session::open_with_network(settings.network, config)?,
        policy: settings.policy,
    })
}

/// The app's name and version, which the backend sees as the device's browser.
fn product(app: &AppHandle) -> String {
    let package = app.package_info();
    let name = app
        .config()
        .product_name
        .as_deref()
        .unwrap_or(&package.name);
    format!("{name} {}", package.version)
}
