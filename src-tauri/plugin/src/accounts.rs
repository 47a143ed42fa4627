//! The accounts of this app, and how the session of each is opened.
//!
//! An account whose workspace's settings are not valid stays closed and its session is not touched, so
//! that nothing is sent to a backend that may be the wrong one. A command for it is answered with the
//! file and the key that are wrong, and the next command reads the files again. The same holds for
//! a problem that keeps the whole app from starting: the window shows it and asks again.

use std::collections::BTreeMap;
use std::io;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tauri::ipc::{CommandArg, CommandItem, InvokeError};
use tauri::{AppHandle, Manager as _, Runtime, async_runtime};
use vestibule_core::accounts::{AccountHost, AccountPlace, Accounts, AccountsConfig};
use vestibule_core::profile::DEFAULT_WORKSPACE;
use vestibule_core::session::{Config, Session};
use vestibule_core::transport::HttpTransport;
use vestibule_core::wire::{AccountList, FoundWorkspace, PolicyInfo, WorkspaceSummary};
use vestibule_core::workspaces::address::{self, Address};
use vestibule_core::workspaces::{self, Workspaces};
use vestibule_core::{AccountId, AuthError, ErrorCode, Keyring, Policy};

use crate::app_desktop::AppDesktop;
use crate::backend_profile::{BackendSettings, BuiltIn};
use crate::browser_sign_ins::BrowserSignIns;
use crate::commands::internal_error;
use crate::question::{self, Question, Refusals};
use crate::single_instance::SingleInstance;
use crate::window_pages::WindowPages;
use crate::{account_list, backend_profile, builder, session_events, windows};

/// The session of the window that calls a command: an argument of the command. It is that of the account
/// whose page has sent the command, so a command of the app's own takes it too.
pub struct WindowSession {
    account: AccountId,
    session: Session,
}

impl WindowSession {
    /// The account that the session belongs to.
    pub(crate) fn account(&self) -> AccountId {
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
        let pages = webview.state::<WindowPages>();
        let is_current = pages.require_current(webview.label(), command.message.headers());
        let accounts = webview.state::<AppAccounts>();
        let session = is_current.and_then(|()| accounts.session(webview.label()));
        session.map_err(InvokeError::from)
    }
}

/// All accounts and workspaces, once the app owns its windows.
pub struct AppAccounts {
    app: AppHandle,
    /// The mistake in what this app was built with, which keeps every account closed.
    refusal: Option<AuthError>,
    opened: Mutex<Option<Opened>>,
    refusals: Refusals,
}

#[derive(Clone)]
struct Opened {
    accounts: Accounts,
    host: Arc<Host>,
}

/// Opens sessions for the accounts, and loads pages anew.
struct Host {
    app: AppHandle,
    /// The folder of all workspaces.
    folder: PathBuf,
    workspaces: Workspaces,
    /// The settings of the app's own workspace.
    own: BackendSettings,
    /// What the administrator's policy did when another workspace was last opened.
    policies: Mutex<BTreeMap<String, PolicyInfo>>,
    /// One client for each backend.
    transports: Mutex<BTreeMap<String, Arc<HttpTransport>>>,
}

impl AppAccounts {
    /// All accounts, closed. With a `refusal` they stay closed, and it is what every command answers.
    pub fn closed(app: &AppHandle, refusal: Option<AuthError>) -> Self {
        Self {
            app: app.clone(),
            refusal,
            opened: Mutex::default(),
            refusals: Refusals::default(),
        }
    }

    /// The accounts, which are opened if they are closed.
    ///
    /// # Errors
    /// If the app cannot start, or its settings are not valid: the error says why.
    pub fn get(&self) -> Result<Accounts, AuthError> {
        self.open().map(|opened| opened.accounts)
    }

    /// The accounts if they are open, for what only follows a window.
    pub fn opened(&self) -> Option<Accounts> {
        let opened = lock(&self.opened);
        opened.as_ref().map(|opened| opened.accounts.clone())
    }

    fn open(&self) -> Result<Opened, AuthError> {
        let mut opened = lock(&self.opened);
        if let Some(opened) = &*opened {
            return Ok(opened.clone());
        }
        let new = self.open_new().inspect_err(|error| {
            tracing::error!(%error, "the accounts stay closed");
        })?;
        Ok(opened.insert(new).clone())
    }

    fn open_new(&self) -> Result<Opened, AuthError> {
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
        let folder = folder.join("workspaces");
        let host = Arc::new(Host::new(&self.app, folder.clone())?);
        let config = AccountsConfig {
            folder,
            product: product(&self.app),
            most: host.most_accounts(),
            host: host.clone(),
        };
        // A command may call this on a thread outside the runtime.
        let runtime = async_runtime::handle();
        let _entered = runtime.inner().enter();
        let accounts = Accounts::open(config)?;
        account_list::forward(self.app.clone(), &accounts);
        Ok(Opened { accounts, host })
    }

    /// The session that a window of the plugin shows.
    ///
    /// # Errors
    /// If the app cannot start, the window shows no account, or the account stays closed: the error
    /// says why.
    pub fn session(&self, window: &str) -> Result<WindowSession, AuthError> {
        let (account, session) = self.get()?.session(window)?;
        Ok(WindowSession { account, session })
    }

    /// The list of accounts for a window.
    ///
    /// # Errors
    /// If the app cannot start.
    pub fn list(&self, window: &str) -> Result<AccountList, AuthError> {
        let Opened { accounts, host } = self.open()?;
        let current = accounts.of_window(window)?;
        let (revision, list) = accounts.list();
        let leaving = accounts.leaving_workspaces();
        let workspaces = host.workspaces.all().into_iter();
        Ok(AccountList {
            revision,
            current,
            accounts: list,
            workspaces: workspaces.filter(|it| !leaving.contains(&it.id)).collect(),
            most: host.most_accounts(),
            adding: host.workspaces.adding(),
        })
    }

    /// The workspaces, if they are open.
    pub fn workspaces(&self) -> Vec<WorkspaceSummary> {
        let host = lock(&self.opened)
            .as_ref()
            .map(|opened| opened.host.clone());
        host.map_or_else(Vec::new, |host| host.workspaces.all())
    }

    /// Refuses to begin a sign-in for a window that has closed, or shows another account by now.
    ///
    /// # Errors
    /// [`ErrorCode::BrowserSignInOver`]; or if the app cannot start.
    pub fn require_shown(&self, window: &str, account: AccountId) -> Result<(), AuthError> {
        match self.get()?.is_shown_in(window, account) {
            true => Ok(()),
            false => Err(ErrorCode::BrowserSignInOver.into()),
        }
    }

    /// Refuses where nobody may add a workspace.
    ///
    /// # Errors
    /// In words; or if the app cannot start.
    pub fn check_adding(&self) -> Result<(), AuthError> {
        let Opened { host, .. } = self.open()?;
        host.workspaces.check_adding()?;
        match host.most_accounts() {
            1 => Err(workspaces::no_adding()),
            _ => Ok(()),
        }
    }

    /// Adds an account in a workspace, and lets the window show it.
    ///
    /// # Errors
    /// If there is no such workspace, if there are too many accounts, or if the disk does not take it.
    pub fn add(&self, window: &str, workspace: &str) -> Result<(), AuthError> {
        let Opened { accounts, host } = self.open()?;
        let leaving = accounts.leaving_workspaces();
        if leaving.iter().any(|it| it == workspace) {
            let words =
                "This workspace is being removed. Try again once its accounts are signed out.";
            return Err(AuthError::with_message(ErrorCode::Busy, words));
        }
        host.workspaces.section_of(workspace)?;
        accounts.add(window, workspace).map(drop)
    }

    /// Looks at an address, if the person says that this server may be contacted: a page that could
    /// contact any server could tell it what it knows.
    ///
    /// # Errors
    /// If it is not an address, if nobody may add one, or if the person refuses.
    pub async fn look(&self, window: &str, typed: &str) -> Result<FoundWorkspace, AuthError> {
        let Opened { host, .. } = self.open()?;
        let Host {
            workspaces, own, ..
        } = &*host;
        if workspaces.adding() {
            let address = address::parse(typed)?;
            self.refusals.wait()?;
            let question = may_contact(&address, &product_name(&self.app));
            let is_accepted = question::is_accepted(&self.app, window, question).await;
            self.refusals.note(is_accepted);
            if !is_accepted {
                let words = "The server was not contacted.";
                return Err(AuthError::with_message(ErrorCode::NotAllowed, words));
            }
        }
        let product = product(&self.app);
        workspaces.look(typed, own.network.clone(), &product).await
    }

    /// Adds the workspace at an address that was looked at, and an account in it, which the window shows.
    ///
    /// # Errors
    /// If it was not looked at or does not fit, if there are too many accounts, or if the disk does not
    /// take it.
    pub fn add_workspace(&self, window: &str, address: &str) -> Result<(), AuthError> {
        let Opened { accounts, host } = self.open()?;
        accounts.check_room(window)?;
        let workspace = host.workspaces.add(address)?;
        self.add(window, &workspace)
    }

    /// Signs out of all accounts of a workspace that was added, and removes it.
    ///
    /// # Errors
    /// If it was not added, or the disk does not take it.
    pub fn remove_workspace(&self, workspace: &str) -> Result<(), AuthError> {
        let Opened { accounts, host } = self.open()?;
        let all = host.workspaces.all();
        let added = all.iter().find(|it| it.id == workspace && it.added);
        added.ok_or(ErrorCode::UnknownWorkspace)?;
        accounts.remove_workspace(workspace)
    }

    /// What the administrator's policy did when this workspace was last opened; `None` where there is no
    /// policy.
    pub fn policy(&self, workspace: &str) -> Option<PolicyInfo> {
        let host = lock(&self.opened).as_ref()?.host.clone();
        lock(&host.policies).get(workspace).cloned()
    }
}

impl Host {
    fn new(app: &AppHandle, folder: PathBuf) -> Result<Self, AuthError> {
        let own = backend_profile::load(app, DEFAULT_WORKSPACE)?;
        let section = backend_profile::section(app.config())?;
        let of_own = own.policy.clone().into_iter();
        let of_own = of_own.map(|policy| (DEFAULT_WORKSPACE.to_owned(), policy));
        let config = workspaces::Config {
            section: section.unwrap_or_default(),
            built: app.state::<BuiltIn>().profile,
            policy: Policy::find(&app.config().identifier)?,
            own: own.profile.clone(),
            folder: folder.clone(),
        };
        Ok(Self {
            app: app.clone(),
            folder,
            workspaces: Workspaces::open(config)?,
            own,
            policies: Mutex::new(of_own.collect()),
            transports: Mutex::default(),
        })
    }

    fn most_accounts(&self) -> u32 {
        match may_be_several(&self.app) {
            true => self.workspaces.most_accounts(),
            false => 1,
        }
    }

    fn settings(&self, workspace: &str) -> Result<BackendSettings, AuthError> {
        if workspace == DEFAULT_WORKSPACE {
            return Ok(self.own.clone());
        }
        let section = self.workspaces.section_of(workspace)?;
        let settings = backend_profile::load_by(&self.app, &section, workspace)?;
        let mut policies = lock(&self.policies);
        match settings.policy.clone() {
            Some(policy) => policies.insert(workspace.to_owned(), policy),
            None => policies.remove(workspace),
        };
        Ok(settings)
    }
}

impl AccountHost for Host {
    /// Opens a session. Its records are in the account's folder, its tokens in the operating system's
    /// keyring under the app's identifier.
    fn open(&self, place: &AccountPlace) -> Result<Session, AuthError> {
        let settings = self.settings(&place.workspace)?;
        let config = Config {
            workspace: place.workspace.clone(),
            profile: settings.profile,
            folder: place.folder.clone(),
            store: Arc::new(Keyring::new(self.app.config().identifier.clone())),
            product: product(&self.app),
            desktop: Arc::new(AppDesktop::new(&self.app, place.id)),
            others: place.others.clone(),
        };
        let origin = config.profile.origin();
        let mut transports = lock(&self.transports);
        let transport = match transports.get(&origin) {
            Some(transport) => transport.clone(),
            None => config.transport(settings.network)?,
        };
        transports.insert(origin, transport.clone());
        let session = Session::open_over(transport, config)?;
        session_events::forward(self.app.clone(), place.id, &session);
        Ok(session)
    }

    fn reload(&self, window: &str, requested: Box<dyn FnOnce() + Send>) {
        // Its page goes, and with it all that shows the sign-in.
        BrowserSignIns::give_up(&self.app, window);
        windows::load_anew(&self.app, window, requested);
    }

    fn workspace_left(&self, workspace: &str) -> Result<(), AuthError> {
        match self.workspaces.remove(workspace) {
            // A crash came between the two steps.
            Err(error) if error.code == ErrorCode::UnknownWorkspace => {}
            removed => removed?,
        }
        // Its device too: a server that is added again does not know this computer.
        match std::fs::remove_dir_all(self.folder.join(workspace)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(internal_error(error)),
            _ => Ok(()),
        }
    }
}

/// Whether this app has several accounts. A mistake in its settings is told when they are opened.
pub fn are_several(app: &AppHandle) -> bool {
    let section = backend_profile::section(app.config()).ok().flatten();
    let settings = section.and_then(|section| section.workspaces().ok());
    settings.is_some_and(|settings| settings.most_accounts > 1) && may_be_several(app)
}

/// Several processes would each have a list of accounts of their own, so only one account is possible
/// then.
fn may_be_several(app: &AppHandle) -> bool {
    app.state::<SingleInstance>().is_on() && builder::is_on("accounts")
}

fn may_contact(address: &Address, product: &str) -> Question {
    let host = address.host();
    let warning = match address.is_disguised() {
        true => {
            "\n\nThe name of this server has letters that look like others. Go on only if you know it."
        }
        false => "",
    };
    Question {
        title: format!("Contact {host}?"),
        text: format!(
            "{product} asks this server whether it can be used. It has not contacted it yet.{warning}"
        ),
        accept: "Contact",
    }
}

/// The app's name for people.
pub fn product_name(app: &AppHandle) -> String {
    let named = app.config().product_name.clone();
    named.unwrap_or_else(|| app.package_info().name.clone())
}

/// The app's name and version, which the backend sees as the device's browser.
fn product(app: &AppHandle) -> String {
    format!("{} {}", product_name(app), app.package_info().version)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
