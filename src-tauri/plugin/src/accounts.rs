//! The accounts of this app, and how the session of each is opened.
//!
//! An account whose workspace's settings are not valid stays closed and its session is not touched, so
//! that nothing is sent to a backend that may be the wrong one. A command for it is answered with the
//! file and the key that are wrong, and the next command reads the files again. The same holds for
//! a problem that keeps the whole app from starting: the window shows it and asks again.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tauri::ipc::{CommandArg, CommandItem, InvokeError};
use tauri::{AppHandle, Manager as _, Runtime, async_runtime};
use vestibule_core::accounts::{AccountHost, AccountPlace, Accounts, AccountsConfig};
use vestibule_core::session::{Config, Session};
use vestibule_core::transport::HttpTransport;
use vestibule_core::wire::{AccountList, PolicyInfo};
use vestibule_core::{AccountId, AuthError, ErrorCode, Keyring};

use crate::single_instance::SingleInstance;
use crate::{account_list, backend_profile, session_events, windows};

/// The session of the window that calls a command: an argument of the command.
pub struct WindowSession {
    account: AccountId,
    session: Session,
}

impl WindowSession {
    /// The account whose session it is.
    pub fn account(&self) -> AccountId {
        self.account
    }
}

impl Deref for WindowSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl<'de, R: Runtime> CommandArg<'de, R> for WindowSession {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let webview = command.message.webview_ref();
        let session = webview.state::<AppAccounts>().session(webview.label());
        session.map_err(InvokeError::from)
    }
}

/// All accounts, once the app owns its windows.
pub struct AppAccounts {
    app: AppHandle,
    /// The mistake in what this app was built with, which keeps every account closed.
    refusal: Option<AuthError>,
    opened: Mutex<Option<Accounts>>,
    host: Arc<Host>,
}

/// Opens sessions for the accounts, and loads pages anew.
struct Host {
    app: AppHandle,
    /// What the administrator's policy did when a workspace was last opened.
    policies: Mutex<BTreeMap<String, PolicyInfo>>,
    /// One client for each backend.
    transports: Mutex<BTreeMap<String, Arc<HttpTransport>>>,
}

impl AppAccounts {
    /// All accounts, closed. With a `refusal` they stay closed, and it is what every command answers.
    pub fn closed(app: &AppHandle, refusal: Option<AuthError>) -> Self {
        let host = Host {
            app: app.clone(),
            policies: Mutex::default(),
            transports: Mutex::default(),
        };
        Self {
            app: app.clone(),
            refusal,
            opened: Mutex::default(),
            host: Arc::new(host),
        }
    }

    /// The accounts, which are opened if they are closed.
    ///
    /// # Errors
    /// If the app cannot start, or its settings are not valid: the error says why.
    pub fn get(&self) -> Result<Accounts, AuthError> {
        let mut opened = lock(&self.opened);
        if let Some(accounts) = &*opened {
            return Ok(accounts.clone());
        }
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        // Only the process that owns the windows may open a session.
        let instance = self.app.state::<SingleInstance>();
        instance.claim(&self.app, Duration::ZERO)?;
        let folder = self.app.path().app_local_data_dir().map_err(|error| {
            tracing::error!(%error, "the system names no folder for the app's data");
            AuthError::new(ErrorCode::Internal)
        })?;
        let config = AccountsConfig {
            folder: folder.join("workspaces"),
            product: product(&self.app),
            most: most_accounts(&self.app)?,
            host: self.host.clone(),
        };
        // A command may call this on a thread outside the runtime.
        let runtime = async_runtime::handle();
        let _entered = runtime.inner().enter();
        let accounts = Accounts::open(config)?;
        account_list::forward(self.app.clone(), &accounts);
        *opened = Some(accounts.clone());
        Ok(accounts)
    }

    /// The accounts if they are open, for what only follows a window.
    pub fn opened(&self) -> Option<Accounts> {
        lock(&self.opened).clone()
    }

    /// The session that a window shows.
    ///
    /// # Errors
    /// If the app cannot start, the window shows no account, or the account stays closed: the error
    /// says why.
    pub fn session(&self, window: &str) -> Result<WindowSession, AuthError> {
        let runtime = async_runtime::handle();
        let _entered = runtime.inner().enter();
        let (account, session) = self.get()?.session(window)?;
        Ok(WindowSession { account, session })
    }

    /// The list of accounts for a window.
    ///
    /// # Errors
    /// If the app cannot start.
    pub fn list(&self, window: &str) -> Result<AccountList, AuthError> {
        let accounts = self.get()?;
        let current = accounts.of_window(window)?;
        let (revision, list) = accounts.list();
        Ok(AccountList {
            revision,
            current,
            accounts: list,
            workspaces: workspaces(&self.app),
            most: u32::try_from(accounts.most()).unwrap_or(u32::MAX),
            adding: false,
        })
    }

    /// Refuses a workspace that no account can be added to.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownWorkspace`].
    pub fn require_workspace(&self, workspace: &str) -> Result<(), AuthError> {
        let known = workspaces(&self.app);
        match known.iter().any(|known| known.id == workspace) {
            true => Ok(()),
            false => Err(ErrorCode::UnknownWorkspace.into()),
        }
    }

    /// What the administrator's policy did when this workspace was last opened; `None` where there is no
    /// policy.
    pub fn policy(&self, workspace: &str) -> Option<PolicyInfo> {
        lock(&self.host.policies).get(workspace).cloned()
    }
}

impl AccountHost for Host {
    /// Opens a session. Its records are in the account's folder, its tokens in the operating system's
    /// keyring under the app's identifier.
    fn open(&self, place: &AccountPlace) -> Result<Session, AuthError> {
        let app = &self.app;
        let settings = backend_profile::load(app, &place.workspace).map_err(|error| {
            AuthError::with_message(ErrorCode::Misconfigured, error.to_string())
        })?;
        let mut policies = lock(&self.policies);
        match settings.policy {
            Some(policy) => policies.insert(place.workspace.clone(), policy),
            None => policies.remove(&place.workspace),
        };
        let config = Config {
            workspace: place.workspace.clone(),
            profile: settings.profile,
            folder: place.folder.clone(),
            store: Arc::new(Keyring::new(app.config().identifier.clone())),
            product: product(app),
        };
        let origin = config.profile.origin();
        let mut transports = lock(&self.transports);
        let transport = match transports.get(&origin) {
            Some(transport) => transport.clone(),
            None => config.transport(settings.network)?,
        };
        transports.insert(origin, transport.clone());
        let session = Session::open_over(transport, config)?;
        session_events::forward(app.clone(), place.id, &session);
        Ok(session)
    }

    fn reload(&self, window: &str) {
        windows::load_anew(&self.app, window);
    }

    fn workspace_left(&self, _workspace: &str) {}
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn most_accounts(_app: &AppHandle) -> Result<u32, AuthError> {
    Ok(std::env::var("VESTIBULE_ACCOUNTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1))
}

fn workspaces(_app: &AppHandle) -> Vec<vestibule_core::wire::WorkspaceSummary> {
    vec![vestibule_core::wire::WorkspaceSummary {
        id: "default".into(),
        name: "default".into(),
        host: String::new(),
        added: false,
    }]
}
