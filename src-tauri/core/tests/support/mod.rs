//! One session, one backend on loopback and one folder, for all integration tests of the core.
//! Waits for conditions, never for time: the schedule's clock is advanced by hand.

// Each test binary uses only a part of this.
#![allow(dead_code)]

mod disk;
mod store;
mod world;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;
use vestibule_backend::{Backend, Config, Effect, Fault};
use vestibule_core::profile::Profile;
use vestibule_core::session::{self, Session};
use vestibule_core::testing::ManualClock;
use vestibule_core::wire::{
    FetchReply, FetchRequest, Freshness, LoginInput, Outage, Phase, SessionState, SignInOutcome,
    SignedOutReason, User,
};
use vestibule_core::{AuthError, ChallengeId, ErrorCode, Secret, SecretStore as _};

#[allow(unused_imports)]
pub use disk::{Cramped, Unreadable, files_of};
#[allow(unused_imports)]
pub use store::{Block, TestStore};
#[allow(unused_imports)]
pub use world::{Install, World, owner, shown};

pub const PLAIN: &str = "demo@vestibule.test";
pub const MAILED: &str = "otp@vestibule.test";
pub const ADMIN: &str = "admin@vestibule.test";
pub const PASSWORD: &str = "vestibule-demo";
pub const WORKSPACE: &str = "default";
pub const REFRESH: &str = "/refresh-token";
pub const COOKIE: &str = "__refresh_token";

/// Far longer than anything here takes, so that only a wrong state exceeds it.
const STATE_TIMEOUT: Duration = Duration::from_secs(25);

pub struct Rig {
    pub backend: Arc<Backend>,
    pub store: Arc<TestStore>,
    pub folder: TempDir,
    pub clock: Arc<ManualClock>,
    pub session: Session,
}

impl Rig {
    /// A session in which nobody has signed in yet.
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        let backend = Arc::new(Backend::start(config).await.expect("the backend starts"));
        let store = Arc::new(TestStore::default());
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::new(SystemTime::now()));
        let session = open(&backend.url(), &store, &folder, &clock);
        let rig = Self {
            backend,
            store,
            folder,
            clock,
            session,
        };
        rig.until("the start to be over", |state| {
            !matches!(state.phase, Phase::Restoring { .. })
        })
        .await;
        rig
    }

    /// A session with the plain demo account signed in.
    pub async fn signed_in() -> Self {
        Self::signed_in_with(Config::default()).await
    }

    pub async fn signed_in_with(config: Config) -> Self {
        let rig = Self::with(config).await;
        rig.sign_in(PLAIN).await;
        rig
    }

    pub async fn sign_in(&self, email: &str) {
        let outcome = self.session.login(login(email)).await;
        assert_eq!(
            outcome,
            Ok(SignInOutcome::SignedIn),
            "{email} can sign in with the right password"
        );
    }

    /// Starts the app again: the same folder and keyring, nothing in memory.
    pub fn restart(&mut self) {
        self.session = open(&self.backend.url(), &self.store, &self.folder, &self.clock);
    }

    /// The folder with the session's records.
    pub fn records(&self) -> std::path::PathBuf {
        config(&self.backend.url(), &self.store, &self.folder).folder
    }

    /// Advances the schedule's clock.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub async fn until(
        &self,
        what: &str,
        wanted: impl FnMut(&SessionState) -> bool,
    ) -> SessionState {
        until(&self.session, what, wanted).await
    }

    /// Lets time pass until a planned refresh has succeeded.
    pub async fn until_fresh(&self) -> SessionState {
        let passing = async {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                self.pass(Duration::from_secs(1));
            }
        };
        tokio::select! {
            biased;
            state = self.until("a fresh session", is_fresh) => state,
            () = passing => unreachable!("the loop that advances the clock has no end"),
        }
    }

    pub async fn until_signed_out(&self) -> SignedOutReason {
        let state = self
            .until("nobody signed in", |state| why(state).is_some())
            .await;
        why(&state).expect("signed out")
    }

    pub fn state(&self) -> SessionState {
        self.session.snapshot().state
    }

    /// The session's item in the keyring.
    pub fn item(&self) -> Option<Value> {
        let name = self.session.item_name();
        let bytes = self.store.bare().read(name).expect("a memory store");
        bytes.map(|bytes| serde_json::from_slice(&bytes).expect("the item is JSON"))
    }

    /// The refresh token in the keyring.
    pub fn kept(&self) -> Option<String> {
        let item = self.item()?;
        Some(item["token"][0]["value"].as_str()?.to_owned())
    }

    /// Whether the keyring has an item for the session, valid or not.
    pub fn item_is_there(&self) -> bool {
        !self.store.items().is_empty()
    }

    /// Waits until the keyring has no item for the session.
    pub async fn until_nothing_kept(&self) {
        eventually("an empty keyring", || self.item().is_none()).await;
    }

    /// How many refreshes the backend has received.
    pub fn refreshes(&self) -> usize {
        self.backend.requests("POST", REFRESH)
    }

    /// Waits until the backend has received this many requests.
    pub async fn reached(&self, path: &str, count: usize) {
        let what = format!("request {count} to {path}");
        soon(&what, self.backend.reached("POST", path, count)).await;
    }

    pub fn strike(&self, path: &str, effect: Effect) {
        self.backend
            .faults()
            .add(Fault::on("POST", path, effect).times(1));
    }

    pub async fn get(&self, path: &str) -> Result<FetchReply, AuthError> {
        self.session.fetch(get(path)).await
    }
}

pub fn open(
    url: &str,
    store: &Arc<TestStore>,
    folder: &TempDir,
    clock: &Arc<ManualClock>,
) -> Session {
    let config = config(url, store, folder);
    Session::open_with_clock(config, clock.clone()).expect("the session opens")
}

pub fn config(url: &str, store: &Arc<TestStore>, folder: &TempDir) -> session::Config {
    session::Config {
        workspace: WORKSPACE.into(),
        profile: Profile::from_json(serde_json::json!({
            "backend": url,
            "roles": {"admin": ["people.see", "people.export"]},
        }))
        .expect("a loopback address"),
        folder: folder.path().join(WORKSPACE),
        store: store.clone(),
        product: "Vestibule 0.1.0".into(),
    }
}

pub async fn until(
    session: &Session,
    what: &str,
    mut wanted: impl FnMut(&SessionState) -> bool,
) -> SessionState {
    let mut changes = session.subscribe();
    let found =
        tokio::time::timeout(STATE_TIMEOUT, changes.wait_for(|now| wanted(&now.state))).await;
    match found {
        Ok(Ok(change)) => change.state.clone(),
        Ok(Err(_)) => panic!("waited for {what}, but the session was dropped"),
        Err(_) => panic!("waited for {what}, but it is {:?}", session.snapshot()),
    }
}

/// Sends a code for the current challenge, or for one that does not exist if there is none.
pub async fn verify(session: &Session, code: Secret) -> Result<SignInOutcome, AuthError> {
    let shown = match session.snapshot().state.phase {
        Phase::OtpPending { challenge } => challenge.id,
        _ => ChallengeId::new(),
    };
    session.verify_otp(shown, code).await
}

/// Waits for a condition whose changes nobody announces, by checking it again and again.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let looking = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let found = tokio::time::timeout(STATE_TIMEOUT, looking).await;
    assert!(found.is_ok(), "waited for {what}");
}

/// Waits for `work` with a time limit.
pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(STATE_TIMEOUT, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited for {what}"),
    }
}

pub fn login(email: &str) -> LoginInput {
    LoginInput::new(email, PASSWORD)
}

pub fn get(path: &str) -> FetchRequest {
    FetchRequest {
        path: path.into(),
        method: "GET".into(),
        headers: Vec::new(),
        body: None,
    }
}

pub fn is_fresh(state: &SessionState) -> bool {
    matches!(
        state.phase,
        Phase::SignedIn {
            freshness: Freshness::Fresh,
            ..
        }
    )
}

pub fn is_stale(state: &SessionState) -> bool {
    outage(state).is_some() && user(state).is_some()
}

pub fn outage(state: &SessionState) -> Option<Outage> {
    match state.phase {
        Phase::SignedIn {
            freshness: Freshness::Stale(outage),
            ..
        } => Some(outage),
        Phase::Restoring { outage, .. } => outage,
        _ => None,
    }
}

pub fn user(state: &SessionState) -> Option<&User> {
    match &state.phase {
        Phase::SignedIn { user, .. } => Some(user),
        _ => None,
    }
}

pub fn why(state: &SessionState) -> Option<SignedOutReason> {
    match state.phase {
        Phase::SignedOut { why } => Some(why),
        _ => None,
    }
}

pub fn code<T: std::fmt::Debug>(result: &Result<T, AuthError>) -> Option<ErrorCode> {
    result.as_ref().err().map(|error| error.code)
}

/// An answer with this status, JSON and headers.
pub fn answer(status: u16, body: Value, headers: &[(&str, &str)]) -> Effect {
    Effect::Status {
        status,
        code: None,
        message: None,
        body: Some(body),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// A refusal with this error code.
pub fn refusal(status: u16, code: &str) -> Effect {
    answer(
        status,
        serde_json::json!({"message": "no", "code": code}),
        &[],
    )
}

/// The body of a successful sign-in or refresh in the contract.
pub fn success() -> Value {
    serde_json::json!({
        "user": {"id": "u-1", "name": "Una", "email": "una@example.com"},
        "tokens": {"token": "access-of-una", "expires": "2030-01-01T00:00:00Z", "expiresIn": 900},
    })
}
