//! Installations that share one keyring and one backend: two computers with a synchronised keyring,
//! or two people at one computer.
//!
//! The tests ask the backend to whom the session's token belongs. They know nothing of the format
//! of the keyring's item and of the records.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;
use vestibule_backend::{Backend, Carrier, Config};
use vestibule_core::SecretStore;
use vestibule_core::profile::Profile;
use vestibule_core::session::{self, Session};
use vestibule_core::testing::ManualClock;
use vestibule_core::wire::{Phase, SessionState, SignInOutcome, SignedOutReason};

use super::{TestStore, WORKSPACE, get, is_fresh, login, until, user, why};

/// One backend and one keyring.
pub struct World {
    pub backend: Arc<Backend>,
    pub store: Arc<TestStore>,
    profile: Value,
}

impl World {
    /// A world with the contract's profile.
    pub async fn new(config: Config) -> Self {
        Self::with_profile(config, json!({})).await
    }

    /// The same with `more` merged into the contract's profile; the carrier of tokens follows the
    /// backend.
    pub async fn with_profile(config: Config, more: Value) -> Self {
        let carrier = config.carrier;
        let backend = Arc::new(Backend::start(config).await.expect("the backend starts"));
        let mut profile = match carrier {
            Carrier::Cookie => json!({}),
            Carrier::Body => in_bodies(),
        };
        merge(&mut profile, more);
        Self {
            backend,
            store: Arc::default(),
            profile,
        }
    }

    /// Another backend with the same keyring.
    pub async fn beside(&self, config: Config) -> Self {
        let backend = Arc::new(Backend::start(config).await.expect("the backend starts"));
        Self {
            backend,
            store: self.store.clone(),
            profile: self.profile.clone(),
        }
    }

    /// An installation after the app's first start, in a folder of its own.
    pub async fn install(&self) -> Install {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::new(SystemTime::now()));
        let records = folder.path().join(WORKSPACE);
        let session = self.open(&records, &clock);
        let install = Install {
            records,
            _folder: folder,
            store: self.store.clone(),
            clock,
            session,
        };
        install
            .until("the first start", |state| {
                !matches!(state.phase, Phase::Restoring { .. })
            })
            .await;
        install
    }

    /// An installation that shares nothing: another keyring, other records.
    pub async fn install_elsewhere(&self) -> Install {
        let apart = Self {
            backend: self.backend.clone(),
            store: Arc::default(),
            profile: self.profile.clone(),
        };
        apart.install().await
    }

    /// Starts the app with these records.
    pub fn open(&self, records: &Path, clock: &Arc<ManualClock>) -> Session {
        self.open_with(records, clock, self.store.clone())
    }

    /// The same with another keyring.
    pub fn open_with(
        &self,
        records: &Path,
        clock: &Arc<ManualClock>,
        store: Arc<dyn SecretStore>,
    ) -> Session {
        self.try_open(records, clock, store)
            .expect("the session opens")
    }

    /// The same where opening the session can fail because of the disk.
    pub fn try_open(
        &self,
        records: &Path,
        clock: &Arc<ManualClock>,
        store: Arc<dyn SecretStore>,
    ) -> Result<Session, vestibule_core::AuthError> {
        let mut profile = json!({"backend": self.backend.url()});
        merge(&mut profile, self.profile.clone());
        let config = session::Config {
            workspace: WORKSPACE.into(),
            profile: Profile::from_json(profile).expect("a profile"),
            folder: records.to_owned(),
            store,
            product: "Vestibule 0.1.0".into(),
        };
        Session::open_with_clock(config, clock.clone())
    }

    /// How many sessions of this account are valid.
    pub fn alive(&self, email: &str) -> usize {
        let sessions = self.backend.sessions(email);
        sessions.iter().filter(|held| held.ended.is_none()).count()
    }

    /// Why the sessions of this account ended, oldest first; `None` for a valid one.
    pub fn ends(&self, email: &str) -> Vec<Option<String>> {
        let sessions = self.backend.sessions(email);
        sessions.into_iter().map(|held| held.ended).collect()
    }
}

/// One installation of the app. Dropping it ends its process.
pub struct Install {
    pub session: Session,
    pub clock: Arc<ManualClock>,
    pub records: PathBuf,
    store: Arc<dyn SecretStore>,
    _folder: TempDir,
}

impl Install {
    /// The refresh cookie in the keyring.
    pub fn refresh_token(&self) -> String {
        let item = self.store.read(self.session.item_name()).expect("memory");
        let item: Value = serde_json::from_slice(&item.expect("an item")).expect("JSON");
        let token = item["token"][0]["value"].as_str();
        token.expect("a cookie").to_owned()
    }

    /// Starts the app again with what is stored.
    pub fn restart(&mut self, world: &World) {
        self.session = world.open(&self.records, &self.clock);
    }

    pub async fn sign_in(&self, email: &str) {
        let outcome = self.session.login(login(email)).await;
        assert_eq!(outcome, Ok(SignInOutcome::SignedIn), "{email} signs in");
    }

    pub fn state(&self) -> SessionState {
        self.session.snapshot().state
    }

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

    /// Ends the process; only its calls to the keyring that are in progress still take effect.
    pub async fn quit(&mut self, world: &World) {
        self.session = world.install_elsewhere().await.session.clone();
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

    /// Lets time pass until this has ended.
    pub async fn passing<T>(&self, work: impl Future<Output = T>) -> T {
        let passing = async {
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.pass(Duration::from_secs(1));
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            () = passing => unreachable!("the loop that advances the clock has no end"),
        }
    }
}

/// The owner of the token that the session's calls carry, as the backend answers; `None` if there
/// is none.
pub async fn owner(session: &Session) -> Option<String> {
    let reply = session.fetch(get("/me")).await.ok()?;
    let body: Value = serde_json::from_str(&reply.body).ok()?;
    Some(body["user"]["email"].as_str()?.to_owned())
}

/// The person whom the state shows.
pub fn shown(state: &SessionState) -> Option<String> {
    user(state).map(|user| user.email.clone())
}

fn in_bodies() -> Value {
    json!({
        "cookies": {"refresh": []},
        "endpoints": {
            "refresh": {"body": {"refreshToken": "$refresh_token", "fingerprint": "$device"}},
            "logout": {"body": {"refreshToken": "$refresh_token"}},
        },
        "answer": {
            "login": {"refresh_token": ["/tokens/refreshToken"]},
            "refresh": {"refresh_token": ["/tokens/refreshToken"]},
        },
    })
}

/// Merges the members of `more` into `base`, recursively.
fn merge(base: &mut Value, more: Value) {
    match (base, more) {
        (Value::Object(base), Value::Object(more)) => {
            for (name, value) in more {
                merge(base.entry(name).or_insert(Value::Null), value);
            }
        }
        (base, more) => *base = more,
    }
}
