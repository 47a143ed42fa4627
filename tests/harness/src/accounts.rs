//! An installed app with several accounts, its windows played by the test.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tempfile::TempDir;
use vestibule_backend::Backend;
use vestibule_core::accounts::{AccountHost, AccountPlace, Accounts, AccountsConfig};
use vestibule_core::profile::Profile;
use vestibule_core::session::{Config, Session, WeakSession};
use vestibule_core::testing::{
    Clock as _, Durability, FolderRecords, HeldLock, Machine, RecordStore, SinceBoot,
};
use vestibule_core::transport::HttpTransport;
use vestibule_core::wire::{AccountSummary, SignInOutcome};
use vestibule_core::{AccountId, AuthError, ErrorCode, SecretStore};

use crate::browser::sign_in_by_browser;
use crate::clock::{TestClock, clock};
use crate::desktop::TestDesktop;
use crate::profile::profile;
use crate::session::login;
use crate::store::TestStore;
use crate::wait::{eventually, soon};

/// The most accounts that an app allows.
const MOST: u32 = 50;
/// What the product is called in requests.
const PRODUCT: &str = "Vestibule 0.1.0";

/// Opens the sessions of all accounts with one keyring and one clock, and notes what it was asked for.
pub struct TestHost {
    /// The keyring of all accounts, unless there is another.
    pub store: Arc<TestStore>,
    keyring: Arc<dyn SecretStore>,
    /// The clock of all accounts.
    pub clock: Arc<TestClock>,
    workspaces: Mutex<BTreeMap<String, (Profile, Arc<HttpTransport>)>>,
    opened: Mutex<Vec<(AccountId, WeakSession)>>,
    desktops: Mutex<BTreeMap<AccountId, Arc<TestDesktop>>>,
    reloads: Mutex<Vec<String>>,
    left: Mutex<Vec<String>>,
    crossed: Mutex<BTreeMap<AccountId, PathBuf>>,
    syncs: Arc<AtomicUsize>,
}

impl TestHost {
    /// A host whose accounts may be in these workspaces.
    pub fn new(clock: Arc<TestClock>, workspaces: &[(&str, &Backend)]) -> Self {
        let store: Arc<TestStore> = Arc::default();
        let host = Self {
            keyring: store.clone(),
            store,
            clock,
            workspaces: Mutex::default(),
            opened: Mutex::default(),
            desktops: Mutex::default(),
            reloads: Mutex::default(),
            left: Mutex::default(),
            crossed: Mutex::default(),
            syncs: Arc::default(),
        };
        for (name, backend) in workspaces {
            host.set_workspace(name, backend);
        }
        host
    }

    /// The same with another keyring.
    pub fn with_keyring(self, keyring: Arc<dyn SecretStore>) -> Self {
        Self { keyring, ..self }
    }

    /// Sets the backend of a workspace.
    pub fn set_workspace(&self, name: &str, backend: &Backend) {
        let profile = profile(&backend.url(), backend.carrier(), json!({}));
        self.set_profile(name, profile.unwrap_or_else(|lost| panic!("{lost}")));
    }

    /// Sets the profile of a workspace.
    pub fn set_profile(&self, name: &str, profile: Profile) {
        let transport = HttpTransport::new(&profile.backend, "test").expect("a client");
        let known = (profile, Arc::new(transport));
        lock(&self.workspaces).insert(name.to_owned(), known);
    }

    /// Makes a workspace unknown, so that none of its accounts can be opened.
    pub fn forget_workspace(&self, name: &str) {
        lock(&self.workspaces).remove(name);
    }

    /// Plants a mistake: from its next start on, the account's session works on this folder.
    pub fn cross(&self, id: AccountId, folder: PathBuf) {
        lock(&self.crossed).insert(id, folder);
    }

    /// How often a session was opened.
    pub fn opens(&self) -> usize {
        lock(&self.opened).len()
    }

    /// The accounts whose sessions are open now.
    pub fn open_now(&self) -> Vec<AccountId> {
        let opened = lock(&self.opened);
        let open = opened.iter().filter(|(_, it)| it.upgrade().is_some());
        open.map(|(id, _)| *id).collect()
    }

    /// The newest session of an account, if it is open.
    pub fn session_of(&self, id: AccountId) -> Option<Session> {
        let opened = lock(&self.opened);
        let mut of = opened.iter().rev().filter(|(of, _)| *of == id);
        of.find_map(|(_, session)| session.upgrade())
    }

    /// What an account's session finds as the desktop.
    pub fn desktop_of(&self, id: AccountId) -> Arc<TestDesktop> {
        lock(&self.desktops).entry(id).or_default().clone()
    }

    /// The windows whose pages were to be loaded since the last call.
    pub fn take_reloads(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.reloads))
    }

    /// The workspaces that were removed and whose accounts are gone.
    pub fn left(&self) -> Vec<String> {
        lock(&self.left).clone()
    }

    /// How many writes of sessions' records have waited for the disk.
    pub fn syncs(&self) -> usize {
        self.syncs.load(Ordering::SeqCst)
    }
}

impl AccountHost for TestHost {
    fn open(&self, place: &AccountPlace) -> Result<Session, AuthError> {
        let known = lock(&self.workspaces).get(&place.workspace).cloned();
        let (profile, transport) = known.ok_or(ErrorCode::UnknownWorkspace)?;
        let crossed = lock(&self.crossed).get(&place.id).cloned();
        let folder = crossed.unwrap_or_else(|| place.folder.clone());
        let unusable = |error: io::Error| vestibule_core::unusable_folder(&folder, &error);
        let records = CountedRecords {
            records: FolderRecords::open(&folder).map_err(unusable)?,
            syncs: self.syncs.clone(),
        };
        let config = Config {
            workspace: place.workspace.clone(),
            profile,
            folder,
            store: self.keyring.clone(),
            product: PRODUCT.into(),
            desktop: self.desktop_of(place.id),
            others: place.others.clone(),
        };
        let machine = Machine {
            clock: self.clock.clone(),
            records: Arc::new(records),
            transport,
        };
        let session = Session::open_on(config, machine)?;
        lock(&self.opened).push((place.id, session.downgrade()));
        Ok(session)
    }

    fn reload(&self, window: &str, requested: Box<dyn FnOnce() + Send>) {
        lock(&self.reloads).push(window.to_owned());
        requested();
    }

    fn workspace_left(&self, workspace: &str) -> Result<(), AuthError> {
        lock(&self.left).push(workspace.to_owned());
        Ok(())
    }
}

/// The records of an account, which count the writes that wait for the disk.
struct CountedRecords {
    records: FolderRecords,
    syncs: Arc<AtomicUsize>,
}

impl CountedRecords {
    fn count(&self) {
        self.syncs.fetch_add(1, Ordering::SeqCst);
    }
}

impl RecordStore for CountedRecords {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.records.read(name)
    }
    fn write(&self, name: &str, value: &[u8], durability: Durability) -> io::Result<()> {
        if durability == Durability::Synced {
            self.count();
        }
        self.records.write(name, value, durability)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.count();
        self.records.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.count();
        self.records.remove(name)
    }
    fn exists(&self, name: &str) -> io::Result<bool> {
        self.records.exists(name)
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.records.list()
    }
    fn try_lock(&self, name: &str) -> io::Result<Option<Box<dyn HeldLock>>> {
        self.records.try_lock(name)
    }
}

/// An installed app with several accounts. Dropping it ends its process and deletes its records.
pub struct AccountApp {
    /// `None` while the app does not run.
    accounts: Option<Accounts>,
    /// What opens sessions. Another start can have another.
    pub host: Arc<TestHost>,
    /// How many accounts the next start allows.
    pub most: u32,
    /// The folder of all workspaces.
    pub folder: PathBuf,
    _temporary: TempDir,
}

impl AccountApp {
    /// The app at its first start.
    pub fn new(workspaces: &[(&str, &Backend)]) -> Self {
        let mut app = Self::installed(workspaces);
        app.start();
        app
    }

    /// The app before its first start.
    pub fn installed(workspaces: &[(&str, &Backend)]) -> Self {
        let temporary = tempfile::tempdir().expect("a folder");
        Self {
            accounts: None,
            host: Arc::new(TestHost::new(clock(), workspaces)),
            most: MOST,
            folder: temporary.path().join("workspaces"),
            _temporary: temporary,
        }
    }

    /// Starts the app.
    pub fn start(&mut self) {
        let config = AccountsConfig {
            folder: self.folder.clone(),
            product: PRODUCT.into(),
            most: self.most,
            host: self.host.clone(),
        };
        let opened = Accounts::open_with_clock(config, self.host.clock.clone());
        let opened = opened.unwrap_or_else(|error| panic!("the accounts do not open: {error}"));
        self.accounts = Some(opened);
    }

    /// Ends the app and waits until none of its sessions is open. A test must not hold one.
    pub async fn quit(&mut self) {
        self.accounts = None;
        eventually("the sessions of the app that has quit to close", || {
            self.host.open_now().is_empty()
        })
        .await;
    }

    /// Starts the app again: what is stored remains, nothing is in memory.
    pub async fn restart(&mut self) {
        self.quit().await;
        self.start();
    }

    /// All accounts.
    pub fn accounts(&self) -> &Accounts {
        self.accounts.as_ref().expect("the app runs")
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<TestClock> {
        &self.host.clock
    }

    /// The time since boot by that clock.
    pub fn clock_now(&self) -> SinceBoot {
        self.clock().since_boot()
    }

    /// The keyring.
    pub fn store(&self) -> &TestStore {
        &self.host.store
    }

    /// The session of a window, whose page has begun.
    pub fn page(&self, window: &str) -> (AccountId, Session) {
        self.accounts().page_began(window);
        let session = self.accounts().session(window);
        session.unwrap_or_else(|error| panic!("{window} has no session: {error}"))
    }

    /// Lets a window add an account, and signs in to it.
    pub async fn add(&self, window: &str, workspace: &str, email: &str) -> AccountId {
        let id = self.accounts().add(window, workspace);
        let id = id.unwrap_or_else(|error| panic!("no account can be added: {error}"));
        self.sign_in(window, email).await;
        id
    }

    /// Signs in to the account of a window.
    pub async fn sign_in(&self, window: &str, email: &str) -> AccountId {
        let (id, session) = self.page(window);
        let outcome = soon("a sign-in", session.login(login(email))).await;
        assert_eq!(
            outcome,
            Ok(SignInOutcome::SignedIn),
            "{email} can sign in with the right password"
        );
        self.until_named(email).await;
        id
    }

    /// The same by the browser, at the bundled backend as the provider; the workspace's profile says so.
    pub async fn sign_in_by_browser(&self, window: &str, email: &str) -> AccountId {
        let (id, session) = self.page(window);
        let outcome = sign_in_by_browser(&session, &self.host.desktop_of(id), email).await;
        assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
        self.until_named(email).await;
        id
    }

    async fn until_named(&self, email: &str) {
        self.until_listed("the person who signed in", |list| {
            list.iter().any(|it| owner_of(it) == Some(email))
        })
        .await;
    }

    /// The accounts that a person sees.
    pub fn list(&self) -> Vec<AccountSummary> {
        self.accounts().list().1
    }

    /// The account in the list.
    pub fn summary(&self, id: AccountId) -> Option<AccountSummary> {
        self.list().into_iter().find(|it| it.id == id)
    }

    /// The e-mail addresses in the list, in its order; an account of nobody is an empty text.
    pub fn emails(&self) -> Vec<String> {
        let list = self.list();
        let emails = list.iter().map(|it| owner_of(it).unwrap_or_default());
        emails.map(str::to_owned).collect()
    }

    /// Waits until the list is `wanted`.
    pub async fn until_listed(&self, what: &str, wanted: impl Fn(&[AccountSummary]) -> bool) {
        eventually(what, || wanted(&self.list())).await;
    }

    /// Waits for a condition while the clock advances, by `step` at each look.
    pub async fn while_passing(
        &self,
        step: std::time::Duration,
        what: &str,
        mut holds: impl FnMut(&Self) -> bool,
    ) {
        eventually(what, || {
            let is_there = holds(self);
            if !is_there {
                self.clock().advance(step);
            }
            is_there
        })
        .await;
    }

    /// The folder of a workspace.
    pub fn workspace(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The files below the folder of all workspaces in which this text stands.
    pub fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        search(&self.folder, text.as_bytes(), &mut found);
        found
    }
}

fn search(folder: &Path, text: &[u8], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            search(&path, text, found);
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text)
        {
            found.push(path);
        }
    }
}

fn owner_of(account: &AccountSummary) -> Option<&str> {
    account.owner.as_ref().map(|owner| owner.email.as_str())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
