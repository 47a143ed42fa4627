//! One installation of the app: a session with its store, its clock and its records.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use vestibule_core::browser::NoDesktop;
use vestibule_core::profile::Profile;
use vestibule_core::session::{self, NoOtherAccounts, Session};
use vestibule_core::testing::Item;
use vestibule_core::wire::{
    CodeMethod, FetchReply, FetchRequest, LoginInput, OtpInput, Phase, SessionState, SignInOutcome,
    SignedOutReason,
};
use vestibule_core::{AuthError, ChallengeId, Secret, SecretBytes, SecretStore};

use crate::clock::{Pace, TestClock, clock, passing};
use crate::desktop::TestDesktop;
use crate::state::{is_fresh, shown, why};
use crate::store::TestStore;
use crate::wait::{Lost, eventually, until};
use crate::{PASSWORD, WORKSPACE};

/// What a session is opened with: this profile, records in this folder, and this store.
pub fn config(profile: Profile, records: &Path, store: Arc<dyn SecretStore>) -> session::Config {
    session::Config {
        workspace: WORKSPACE.into(),
        profile,
        folder: records.to_owned(),
        store,
        product: "Vestibule 0.1.0".into(),
        desktop: Arc::new(NoDesktop),
        others: Arc::new(NoOtherAccounts),
    }
}

/// One installation of the app. Dropping it ends its process and deletes its records.
pub struct Installation {
    /// The session of the process that runs.
    pub session: Session,
    /// The keyring, which other installations may share.
    pub store: Arc<TestStore>,
    /// The clock, which a test advances.
    pub clock: Arc<TestClock>,
    /// The desktop, which a test plays.
    pub desktop: Arc<TestDesktop>,
    /// The profile with which the next start opens the session.
    pub profile: Profile,
    /// The folder with the session's records.
    pub records: PathBuf,
    _folder: TempDir,
}

/// A copy of what an installation stores of its session.
#[derive(Clone)]
pub struct Stored {
    name: String,
    item: SecretBytes,
    records: Vec<(String, Vec<u8>)>,
}

impl Installation {
    /// An installation after the app's first start, with a keyring of its own.
    pub async fn new(profile: Profile) -> Self {
        Self::beside(Arc::default(), profile).await
    }

    /// The same with a keyring that it shares with others.
    pub async fn beside(store: Arc<TestStore>, profile: Profile) -> Self {
        let opened = Self::open(store, profile, None);
        let installation = opened.unwrap_or_else(|lost| panic!("{lost}"));
        installation.until_started().await;
        installation
    }

    /// An installation whose session has just been opened, with what is `stored`.
    pub fn open(
        store: Arc<TestStore>,
        profile: Profile,
        stored: Option<&Stored>,
    ) -> Result<Self, Lost> {
        let folder = tempfile::tempdir().map_err(|error| format!("no folder: {error}"))?;
        let (records, clock) = (folder.path().join(WORKSPACE), clock());
        if let Some(stored) = stored {
            stored.write(&store, &stored.name, &records)?;
        }
        let desktop = Arc::new(TestDesktop::default());
        let config = session::Config {
            desktop: desktop.clone(),
            ..config(profile.clone(), &records, store.clone())
        };
        let session = Session::open_with_clock(config, clock.clone());
        Ok(Self {
            session: session.map_err(|error| error.to_string())?,
            store,
            clock,
            desktop,
            profile,
            records,
            _folder: folder,
        })
    }

    /// What the next start opens the session with; a test can change it.
    pub fn config(&self) -> session::Config {
        session::Config {
            desktop: self.desktop.clone(),
            ..config(self.profile.clone(), &self.records, self.store.clone())
        }
    }

    /// Another process over the same records, store and clock; the one that runs goes on.
    pub fn another_process(&self) -> Session {
        self.opened(self.config())
    }

    /// The same with what a test has changed.
    pub fn opened(&self, config: session::Config) -> Session {
        let opened = Session::open_with_clock(config, self.clock.clone());
        opened.unwrap_or_else(|error| panic!("the session does not open: {error}"))
    }

    /// Starts the app again: what is stored remains, nothing is in memory.
    pub fn restart(&mut self) {
        self.session = self.another_process();
    }

    /// Ends the process; only its calls to the keyring that are in progress still take effect.
    pub async fn quit(&mut self) {
        let elsewhere = Self::new(self.profile.clone()).await;
        self.session = elsewhere.session.clone();
    }

    /// Signs in with the password of the demo accounts.
    pub async fn sign_in(&self, email: &str) {
        let outcome = self.session.login(login(email)).await;
        assert_eq!(
            outcome,
            Ok(SignInOutcome::SignedIn),
            "{email} can sign in with the right password"
        );
    }

    /// The current state.
    pub fn state(&self) -> SessionState {
        self.session.snapshot().state
    }

    /// Advances the schedule's clock.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Lets time pass until this has ended.
    pub async fn passing<T>(&self, work: impl Future<Output = T>) -> T {
        passing(&self.clock, Pace::FAST, work).await
    }

    /// Waits for a state that is `wanted`.
    pub async fn until(
        &self,
        what: &str,
        wanted: impl FnMut(&SessionState) -> bool,
    ) -> SessionState {
        until(&self.session, what, wanted).await
    }

    /// Waits until the start has looked for an earlier session.
    pub async fn until_started(&self) {
        self.until("the start to be over", |state| {
            !matches!(state.phase, Phase::Restoring { .. })
        })
        .await;
    }

    /// Lets time pass until a planned refresh has succeeded.
    pub async fn until_fresh(&self) -> SessionState {
        self.passing(self.until("a fresh session", is_fresh)).await
    }

    /// Waits until the session has ended. Returns the reason.
    pub async fn until_signed_out(&self) -> SignedOutReason {
        let is_out = |state: &SessionState| why(state).is_some();
        let state = self.until("nobody signed in", is_out).await;
        why(&state).expect("signed out")
    }

    /// Lets time pass until it is known whether anybody is signed in. Checks that the person shown
    /// owns the session whose token calls carry.
    pub async fn settle(&self, name: &str) -> Result<String, SignedOutReason> {
        self.passing(self.until("an end of the start", |state| {
            is_fresh(state) || why(state).is_some()
        }))
        .await;
        if let Some(why) = why(&self.state()) {
            return Err(why);
        }
        let owner = owner(&self.session).await;
        let shown = shown(&self.state());
        if let Some(why) = why(&self.state()) {
            return Err(why);
        }
        assert_eq!(shown, owner, "{name}: the person shown owns the session");
        Ok(shown.expect("somebody is signed in"))
    }

    /// The session's item in the keyring.
    pub fn item(&self) -> Option<Value> {
        let name = self.session.item_name();
        let bytes = self.store.bare().read(name).expect("a memory store");
        bytes.map(|bytes| serde_json::from_slice(&bytes).expect("the item is JSON"))
    }

    /// The refresh token in the keyring.
    pub fn kept(&self) -> Option<String> {
        let token = self.item()?["token"].take();
        let at_provider = token["provider"]["token"].as_str();
        let text = token["body"]
            .as_str()
            .or(token[0]["value"].as_str())
            .or(at_provider);
        text.map(str::to_owned)
    }

    /// Whether the keyring has an item for the session, valid or not.
    pub fn item_is_there(&self) -> bool {
        !self.store.items().is_empty()
    }

    /// Waits until the keyring has no item for the session.
    pub async fn until_nothing_kept(&self) {
        eventually("an empty keyring", || self.item().is_none()).await;
    }

    /// A copy of everything that is stored of the session.
    pub fn stored(&self) -> Result<Stored, Lost> {
        let unusable = |error: &dyn std::fmt::Display| format!("no copy: {error}");
        let name = self.session.item_name().to_owned();
        let item = self.store.bare().read(&name).map_err(|e| unusable(&e))?;
        let item = item.ok_or("the keyring holds no item")?;
        let mut records = Vec::new();
        for record in crate::files_of(&self.records) {
            let bytes = std::fs::read(self.records.join(&record));
            records.push((record, bytes.map_err(|e| unusable(&e))?));
        }
        Ok(Stored {
            name,
            item,
            records,
        })
    }

    /// Replaces the session's item and its records by this copy.
    pub fn put_back(&self, stored: &Stored) -> Result<(), Lost> {
        stored.write(&self.store, self.session.item_name(), &self.records)
    }

    /// Makes a call of the backend's API.
    pub async fn get(&self, path: &str) -> Result<FetchReply, AuthError> {
        self.session.fetch(get(path)).await
    }
}

impl Stored {
    fn write(&self, store: &TestStore, name: &str, records: &Path) -> Result<(), Lost> {
        let unusable = |error: &dyn std::fmt::Display| format!("not written: {error}");
        store.put(name, &self.item);
        std::fs::create_dir_all(records).map_err(|e| unusable(&e))?;
        for (name, bytes) in &self.records {
            std::fs::write(records.join(name), bytes).map_err(|e| unusable(&e))?;
        }
        Ok(())
    }
}

/// The name of the session's item according to these records; `None` before the first start.
pub fn item_name(records: &Path) -> Option<String> {
    let bytes = std::fs::read(records.join("install.json")).ok()?;
    let names: Value = serde_json::from_slice(&bytes).ok()?;
    let id = |name: &str| uuid::Uuid::parse_str(names[name].as_str()?).ok();
    let (install, account) = (id("install")?, id("account")?);
    Some(Item::name(WORKSPACE, install.into(), account.into()))
}

/// Sends a code for the current challenge, or for one that does not exist if there is none.
pub async fn verify(session: &Session, code: Secret) -> Result<SignInOutcome, AuthError> {
    let shown = match session.snapshot().state.phase {
        Phase::OtpPending { challenge } => challenge.id,
        _ => ChallengeId::new(),
    };
    session.verify_otp(OtpInput::new(shown, code)).await
}

/// Answers the open challenge by this method.
///
/// # Errors
/// If the code is not accepted, or none is asked for.
pub async fn verify_by(
    session: &Session,
    method: CodeMethod,
    code: Secret,
) -> Result<SignInOutcome, AuthError> {
    let shown = match session.snapshot().state.phase {
        Phase::OtpPending { challenge } => challenge.id,
        _ => ChallengeId::new(),
    };
    let input = OtpInput::new(shown, code).by(method);
    session.verify_otp(input).await
}

/// What a sign-in of this account sends.
pub fn login(email: &str) -> LoginInput {
    LoginInput::new(email, PASSWORD)
}

/// A GET of the backend's API.
pub fn get(path: &str) -> FetchRequest {
    FetchRequest {
        path: path.into(),
        method: "GET".into(),
        headers: Vec::new(),
        body: None,
    }
}

/// The owner of the token that the session's calls carry, as the backend answers; `None` if there
/// is none.
pub async fn owner(session: &Session) -> Option<String> {
    let reply = session.fetch(get("/me")).await.ok()?;
    let body: Value = serde_json::from_str(&reply.body).ok()?;
    Some(body["user"]["email"].as_str()?.to_owned())
}
