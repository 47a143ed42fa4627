//! One session with its folder, a store that counts and a clock that is set by hand, alone or
//! behind a proxy. Waits for conditions, never for time. A condition that does not come true is a
//! [`Lost`].

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use vestibule_backend::Backend;
use vestibule_core::profile::Profile;
use vestibule_core::session::{self, Session};
use vestibule_core::testing::{Item, ManualClock, MemoryStore};
use vestibule_core::wire::{
    FetchRequest, Freshness, LoginInput, Outage, Phase, SessionChanged, SessionState,
    SignInOutcome, SignedOutReason,
};
use vestibule_core::{AuthError, ChallengeId, Secret, SecretBytes, SecretStore, StoreError};

use crate::proxy::Proxy;

/// Why a run is lost, as text.
pub type Lost = String;

/// The password of every account.
pub const PASSWORD: &str = "vestibule-demo";
/// The endpoint that most faults apply to.
pub const REFRESH: &str = "/refresh-token";
/// Longer than the lifetime of an access token of the bundled backend.
pub const A_LIFE: Duration = Duration::from_secs(16 * 60);

/// The workspace, in whose name the session's item is stored.
pub const WORKSPACE: &str = "default";
/// Far longer than anything takes, including the core's own limits.
const STATE_TIMEOUT: Duration = Duration::from_secs(120);

/// A store that counts how often the session's item was deleted. Pending sign-outs have items of
/// their own in it, which are not counted.
#[derive(Default)]
pub struct CountingStore {
    inner: MemoryStore,
    deletions: AtomicUsize,
}

impl CountingStore {
    /// How many deletions there were.
    pub fn deletions(&self) -> usize {
        self.deletions.load(Ordering::SeqCst)
    }

    /// Whether it holds no session.
    pub fn is_empty(&self) -> bool {
        !self.inner.names().iter().any(|name| is_session_item(name))
    }
}

impl SecretStore for CountingStore {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.inner.read(account)
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        self.inner.write(account, value)
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        let session = usize::from(is_session_item(account));
        self.deletions.fetch_add(session, Ordering::SeqCst);
        self.inner.delete(account)
    }
}

/// The record of the session.
const RECORD: &str = "session.json";

/// A copy of what an installation stores of its session.
pub struct Copied {
    item: SecretBytes,
    record: Vec<u8>,
}

/// A session with everything that it needs except a proxy.
pub struct Client {
    /// The store with its refresh token.
    pub store: Arc<CountingStore>,
    pub clock: Arc<ManualClock>,
    pub session: Session,
    pub email: String,
    folder: TempDir,
    address: String,
}

impl Client {
    /// A session in which nobody has signed in yet.
    pub async fn new(address: String, email: String) -> Result<Self, Lost> {
        let folder = tempfile::Builder::new()
            .prefix("vestibule-promise-")
            .tempdir()
            .map_err(|error| format!("no folder: {error}"))?;
        let store = Arc::new(CountingStore::default());
        let clock = Arc::new(ManualClock::new(SystemTime::now()));
        let session = open(&address, &store, folder.path(), &clock)?;
        let client = Self {
            store,
            clock,
            session,
            email,
            folder,
            address,
        };
        client.until_started().await?;
        Ok(client)
    }

    /// Signs in with the password.
    pub async fn sign_in(&self) -> Result<(), Lost> {
        let input = LoginInput::new(&self.email, PASSWORD);
        let signed_in = self.session.login(input).await;
        signed_in.map_err(|error| format!("cannot sign in: {error}"))?;
        self.until("a fresh session", |now| is_fresh(&now.state))
            .await?;
        Ok(())
    }

    /// Starts the app again: the same folder, store and clock, and nothing in memory.
    pub fn restart(&mut self) -> Result<(), Lost> {
        self.session = open(&self.address, &self.store, self.folder.path(), &self.clock)?;
        Ok(())
    }

    /// Starts the app again with another origin in the profile. Nothing of the old one must be
    /// kept.
    pub async fn move_to(&mut self, to: &str) -> Result<(), Lost> {
        self.address = to.to_owned();
        self.restart()?;
        self.until_started().await
    }

    /// Starts the app again with another origin in the profile and in everything that is stored, as
    /// if that had always been the origin.
    pub fn displace(&mut self, to: &str) -> Result<(), Lost> {
        let from = std::mem::replace(&mut self.address, to.to_owned());
        let host = |origin: &str| {
            let host = origin.split("//").nth(1).unwrap_or_default();
            format!(r#""host":"{}""#, host.split(':').next().unwrap_or_default())
        };
        let moved = |text: &[u8]| {
            let text = String::from_utf8_lossy(text);
            let text = text.replace(&from, to);
            text.replace(&host(&from), &host(to)).into_bytes()
        };
        let unusable = |error: &dyn std::fmt::Display| format!("cannot displace: {error}");
        let name = self.session.item_name().to_owned();
        let item = self.store.read(&name).map_err(|e| unusable(&e))?;
        let item = item.ok_or("the store holds no item")?;
        let item = moved(&item);
        self.store.write(&name, &item).map_err(|e| unusable(&e))?;
        let records = std::fs::read_dir(records(self.folder.path())).map_err(|e| unusable(&e))?;
        for file in records.flatten() {
            if file.path().extension().is_some_and(|ext| ext == "json") {
                let text = std::fs::read(file.path()).map_err(|e| unusable(&e))?;
                std::fs::write(file.path(), moved(&text)).map_err(|e| unusable(&e))?;
            }
        }
        self.restart()
    }

    /// A copy of everything that this installation stores of its session.
    pub fn copy(&self) -> Result<Copied, Lost> {
        let unusable = |error: &dyn std::fmt::Display| format!("no copy: {error}");
        let item = self.store.read(self.session.item_name());
        let item = item.map_err(|e| unusable(&e))?.ok_or("there is no item")?;
        let record = std::fs::read(records(self.folder.path()).join(RECORD));
        let record = record.map_err(|e| unusable(&e))?;
        Ok(Copied { item, record })
    }

    /// Replaces what is stored by this copy.
    pub fn put_back(&self, copied: &Copied) -> Result<(), Lost> {
        let unusable = |error: &dyn std::fmt::Display| format!("not put back: {error}");
        let written = self.store.write(self.session.item_name(), &copied.item);
        written.map_err(|e| unusable(&e))?;
        let path = records(self.folder.path()).join(RECORD);
        std::fs::write(path, &copied.record).map_err(|e| unusable(&e))
    }

    /// Waits for a start that finds nobody signed in.
    pub async fn until_started(&self) -> Result<(), Lost> {
        let over = |now: &SessionChanged| why(&now.state).is_some();
        self.until("the start to be over", over).await.map(drop)
    }

    /// Waits for a snapshot that is `wanted`.
    pub async fn until(
        &self,
        what: &str,
        wanted: impl FnMut(&SessionChanged) -> bool,
    ) -> Result<SessionChanged, Lost> {
        until(&self.session, what, wanted).await
    }

    /// Waits for a snapshot after `revision` in which a refresh has failed and the next is planned.
    pub async fn until_failed(&self, revision: u64) -> Result<SessionChanged, Lost> {
        let failed = |now: &SessionChanged| {
            now.revision > revision && (retry_in(&now.state).is_some() || why(&now.state).is_some())
        };
        let now = self.until("a refresh to fail", failed).await?;
        match why(&now.state) {
            Some(why) => Err(format!("signed out, {why:?}")),
            None => Ok(now),
        }
    }

    /// Advances the clock to each planned refresh until one succeeds.
    pub async fn until_fresh(&self) -> Result<SessionChanged, Lost> {
        let mut changes = self.session.subscribe();
        let passing = async {
            loop {
                let now = changes.borrow_and_update().clone();
                if is_fresh(&now.state) {
                    return Ok(now);
                }
                if let Some(why) = why(&now.state) {
                    return Err(format!("signed out, {why:?}"));
                }
                self.pass_to_the_next_try();
                // The plan may not be in a snapshot yet; then time passes in small steps.
                let soon = Duration::from_millis(50);
                if tokio::time::timeout(soon, changes.changed()).await.is_err() {
                    self.clock.advance(Duration::from_secs(1));
                }
            }
        };
        let fresh = tokio::time::timeout(STATE_TIMEOUT, passing).await;
        fresh.unwrap_or_else(|_| {
            Err(format!(
                "waited for a fresh session, but it is {:?}",
                self.session.snapshot()
            ))
        })
    }

    /// Waits until nobody is signed in, while time passes, and returns why.
    pub async fn until_signed_out(&self) -> Result<SignedOutReason, Lost> {
        let passing = async {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.clock.advance(Duration::from_millis(500));
            }
        };
        tokio::select! {
            biased;
            now = self.until("nobody signed in", |now| why(&now.state).is_some()) => {
                now.map(|now| why(&now.state).unwrap_or(SignedOutReason::Never))
            }
            () = passing => unreachable!("the loop that advances the clock has no end"),
        }
    }

    /// Advances the clocks to the planned refresh, if there is one.
    pub fn pass_to_the_next_try(&self) {
        if let Some(wait) = retry_in(&self.session.snapshot().state) {
            self.clock.advance(Duration::from_millis(wait + 1));
        }
    }
}

/// A [`Client`] behind a proxy, with an account of its own.
pub struct Rig {
    /// The proxy between the session and the backend.
    pub proxy: Arc<Proxy>,
    client: Client,
}

impl Deref for Rig {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Rig {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Rig {
    /// A signed-in rig. Several rigs can share a `backend`.
    pub async fn signed_in(backend: &Backend) -> Result<Self, Lost> {
        let (proxy, email) = way(backend).await?;
        let client = Client::new(proxy.url(), email).await?;
        client.sign_in().await?;
        Ok(Self { proxy, client })
    }
}

/// Creates a new account.
pub fn account(backend: &Backend) -> Result<String, Lost> {
    static ACCOUNTS: AtomicUsize = AtomicUsize::new(0);
    let number = ACCOUNTS.fetch_add(1, Ordering::Relaxed);
    let email = format!("run-{number}@vestibule.test");
    if !backend.add_account(&email, PASSWORD, "A run", &["user"]) {
        return Err(format!("the account {email} cannot be created"));
    }
    Ok(email)
}

/// A proxy in front of `backend`, and a new account there.
pub async fn way(backend: &Backend) -> Result<(Arc<Proxy>, String), Lost> {
    let email = account(backend)?;
    let proxy = Proxy::start(backend.address()).await;
    let proxy = proxy.map_err(|error| format!("no proxy: {error}"))?;
    Ok((Arc::new(proxy), email))
}

fn records(folder: &Path) -> std::path::PathBuf {
    folder.join(WORKSPACE)
}

/// Whether an item of this name belongs to a session, and not to a pending sign-out.
pub fn is_session_item(name: &str) -> bool {
    name.starts_with(WORKSPACE) && !name.contains(".revoke.")
}

/// The name of the session's item according to the records in `folder`; `None` before the first
/// start there.
pub fn item_name(folder: &Path) -> Option<String> {
    let bytes = std::fs::read(folder.join("install.json")).ok()?;
    let names: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    let id = |name: &str| uuid::Uuid::parse_str(names[name].as_str()?).ok();
    let (install, account) = (id("install")?, id("account")?);
    Some(Item::name(WORKSPACE, install.into(), account.into()))
}

fn open(
    address: &str,
    store: &Arc<CountingStore>,
    folder: &Path,
    clock: &Arc<ManualClock>,
) -> Result<Session, Lost> {
    let profile = Profile::default().with_backend(address);
    let config = session::Config {
        workspace: WORKSPACE.into(),
        profile: profile.map_err(|error| error.to_string())?,
        folder: records(folder),
        store: store.clone(),
        product: "Vestibule 0.1.0".into(),
    };
    Session::open_with_clock(config, clock.clone()).map_err(|error| error.to_string())
}

/// Sends a code for the current challenge, or for one that does not exist if there is none.
pub async fn verify(session: &Session, code: Secret) -> Result<SignInOutcome, AuthError> {
    let shown = match session.snapshot().state.phase {
        Phase::OtpPending { challenge } => challenge.id,
        _ => ChallengeId::new(),
    };
    session.verify_otp(shown, code).await
}

/// A GET of the adopter's API.
pub fn get(path: &str) -> FetchRequest {
    FetchRequest {
        path: path.into(),
        method: "GET".into(),
        headers: Vec::new(),
        body: None,
    }
}

/// Waits for a snapshot that is `wanted`.
pub async fn until(
    session: &Session,
    what: &str,
    mut wanted: impl FnMut(&SessionChanged) -> bool,
) -> Result<SessionChanged, Lost> {
    let mut changes = session.subscribe();
    let found = tokio::time::timeout(STATE_TIMEOUT, changes.wait_for(|now| wanted(now))).await;
    match found {
        Ok(Ok(now)) => Ok(now.clone()),
        _ => Err(format!(
            "waited for {what}, but it is {:?}",
            session.snapshot()
        )),
    }
}

/// Waits for a condition whose changes nobody announces, by checking it again and again.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), Lost> {
    let looking = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let found = tokio::time::timeout(STATE_TIMEOUT, looking).await;
    found.map_err(|_| format!("waited for {what}"))
}

/// Whether somebody is signed in with a valid access token.
pub fn is_fresh(state: &SessionState) -> bool {
    matches!(
        state.phase,
        Phase::SignedIn {
            freshness: Freshness::Fresh,
            ..
        }
    )
}

/// Why nobody is signed in, if that is so.
pub fn why(state: &SessionState) -> Option<SignedOutReason> {
    match state.phase {
        Phase::SignedOut { why } => Some(why),
        _ => None,
    }
}

/// When the refresh after a failed one is due; `None` also while one is in progress.
pub fn retry_in(state: &SessionState) -> Option<u64> {
    match state.phase {
        Phase::SignedIn {
            freshness: Freshness::Stale(Outage { retry_in_ms, .. }),
            ..
        } => retry_in_ms,
        Phase::Restoring { outage, .. } => outage?.retry_in_ms,
        _ => None,
    }
}

/// Who is signed in, and in which session.
pub fn identity(state: &SessionState) -> Option<(String, String)> {
    match &state.phase {
        Phase::SignedIn { user, session, .. } => Some((user.id.clone(), session.id.to_string())),
        _ => None,
    }
}
