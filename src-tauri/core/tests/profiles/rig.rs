//! A session with a profile of its own, and a backend that replays a recording.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;
use vestibule_core::profile::{Layer, Profile, load};
use vestibule_core::session::{Config, Session};
use vestibule_core::testing::ManualClock;
use vestibule_core::wire::{LoginInput, Phase, SessionState, SignInOutcome, SignedOutReason};
use vestibule_core::{SecretBytes, SecretStore as _};
use vestibule_recordings::{Player, Recording};

use crate::support::{TestStore, WORKSPACE, eventually, until, user, why};

/// A session with everything that it needs.
pub struct Played {
    pub player: Arc<Player>,
    pub profile: Profile,
    pub store: Arc<TestStore>,
    pub session: Session,
    pub clock: Arc<ManualClock>,
    folder: TempDir,
    /// The session's record at each time when the item was read by a test.
    records: Mutex<Vec<(SecretBytes, Vec<u8>)>>,
}

/// The record of the session.
const RECORD: &str = "session.json";

impl Played {
    /// A session in which nobody has signed in yet. `at` is the end of the base address; the
    /// backend accepts members named in `ignored`, although the recording does not show them.
    pub async fn playing(
        recording: Recording,
        mut profile: Value,
        at: &str,
        ignored: &[&str],
    ) -> Self {
        let player = Player::start(recording, ignored).await.expect("a port");
        profile["backend"] = json!(format!("{}{at}", player.url()));
        let profile = Profile::from_json(profile).expect("a shipped profile");
        let played = Self::with(Arc::new(player), profile, None);
        played
            .until("the start to be over", |state| why(state).is_some())
            .await;
        played
    }

    /// A session whose profile names its own backend; the player gets no request.
    pub async fn elsewhere(profile: Value) -> Self {
        let nothing = Recording::parse(&said("POST /nothing", "200 OK", &[], "{}"));
        let player = Player::start(nothing, &[]).await;
        let profile = Profile::from_json(profile).unwrap_or_else(|error| panic!("{error}"));
        let played = Self::with(Arc::new(player.expect("a port")), profile, None);
        played
            .until("the start to be over", |state| why(state).is_some())
            .await;
        played
    }

    /// A session with a profile of an adopter: the text of a file.
    pub async fn described(name: &str, text: &str, exchanges: &[String]) -> Self {
        let recording = Recording::parse(&exchanges.concat());
        let player = Player::start(recording, &[]).await.expect("a port");
        let address = Layer::inline("the test", json!({"backend": player.url()}));
        let file = Layer::text(format!("{name}.toml"), text);
        let profile = file.and_then(|file| load(&[file, address]));
        let profile = profile.unwrap_or_else(|error| panic!("{error}"));
        let played = Self::with(Arc::new(player), profile, None);
        played
            .until("the start to be over", |state| why(state).is_some())
            .await;
        played
    }

    fn with(player: Arc<Player>, profile: Profile, item: Option<(&Self, &SecretBytes)>) -> Self {
        let store = Arc::new(TestStore::default());
        let folder = tempfile::tempdir().expect("a folder");
        if let Some((of, item)) = item {
            let name = of.session.item_name();
            store.bare().write(name, item).expect("memory");
            of.copy_records(&folder.path().join(WORKSPACE), item);
        }
        let clock = Arc::new(ManualClock::new(SystemTime::now()));
        let session = open(&profile, &store, &folder, &clock);
        Self {
            player,
            profile,
            store,
            session,
            clock,
            folder,
            records: Mutex::default(),
        }
    }

    /// A copy of the whole installation as it was with this keyring item, to test an old token.
    pub fn copy(&self, item: &SecretBytes) -> Self {
        Self::with(
            self.player.clone(),
            self.profile.clone(),
            Some((self, item)),
        )
    }

    /// Copies the records as they were when the item was read.
    fn copy_records(&self, to: &Path, item: &SecretBytes) {
        let from = self.folder.path().join(WORKSPACE);
        std::fs::create_dir_all(to).expect("a folder");
        for name in ["install.json", "device.json"] {
            std::fs::copy(from.join(name), to.join(name)).expect("a record");
        }
        let records = self.records.lock().expect("no panic");
        let then = records.iter().find(|(held, _)| held == item);
        let (_, record) = then.expect("the item was read by the test");
        std::fs::write(to.join(RECORD), record).expect("written");
    }

    /// Starts the app again.
    pub fn restart(&mut self) {
        self.session = open(&self.profile, &self.store, &self.folder, &self.clock);
    }

    /// Whether there is a record of this name.
    pub fn has_record(&self, name: &str) -> bool {
        self.folder.path().join(WORKSPACE).join(name).exists()
    }

    /// A record as it is on the disk.
    pub fn record(&self, name: &str) -> Value {
        let path = self.folder.path().join(WORKSPACE).join(name);
        let bytes = std::fs::read(path).expect("a record");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// Removes a record, as a damaged disk can.
    pub fn lose_record(&self, name: &str) {
        let path = self.folder.path().join(WORKSPACE).join(name);
        std::fs::remove_file(path).expect("it was there");
    }

    /// The keyring's item, for [`Played::copy`].
    pub fn item(&self) -> SecretBytes {
        let name = self.session.item_name();
        let item = self.store.bare().read(name).expect("memory");
        let item = item.expect("the keyring holds the token");
        let record = std::fs::read(self.folder.path().join(WORKSPACE).join(RECORD));
        let mut records = self.records.lock().expect("no panic");
        records.push((item.clone(), record.expect("a record")));
        item
    }

    /// The token in the keyring, as text.
    pub fn kept(&self) -> String {
        let item: Value = serde_json::from_slice(&self.item()).expect("JSON");
        let token = &item["token"];
        let text = token["body"].as_str().or(token[0]["value"].as_str());
        text.expect("a token").to_owned()
    }

    pub async fn until(
        &self,
        what: &str,
        wanted: impl FnMut(&SessionState) -> bool,
    ) -> SessionState {
        until(&self.session, what, wanted).await
    }

    /// Waits until nobody is signed in, and returns why.
    pub async fn until_signed_out(&self) -> SignedOutReason {
        self.until_signed_out_in_time().await
    }

    pub async fn sign_in(&self, email: &str, password: &str) {
        let outcome = self.session.login(LoginInput::new(email, password)).await;
        assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    }

    /// Lets time pass until nobody is signed in. After a failed refresh, a rejection is
    /// confirmed by a second request some seconds later; a rejection by the status alone takes
    /// three requests, over half a minute.
    pub async fn until_signed_out_in_time(&self) -> SignedOutReason {
        eventually("a sign-out", || {
            self.clock.advance(Duration::from_secs(1));
            why(&self.session.snapshot().state).is_some()
        })
        .await;
        why(&self.session.snapshot().state).expect("signed out")
    }

    pub fn name(&self) -> String {
        let state = self.session.snapshot().state;
        user(&state).expect("someone is signed in").name.clone()
    }

    /// When the session ends, as the window shows it.
    pub fn expires_at(&self) -> Option<String> {
        match self.session.snapshot().state.phase {
            Phase::SignedIn { session, .. } => session.expires_at,
            _ => None,
        }
    }

    /// How often `path` was answered.
    pub fn asked(&self, path: &str) -> usize {
        let played = self.player.played();
        played.iter().filter(|wanted| wanted.path == path).count()
    }

    /// Fails if a request was not in the recording.
    pub fn check_no_strays(&self) {
        let strays = self.player.strays();
        assert!(
            strays.is_empty(),
            "requests that were not recorded: {strays:?}"
        );
    }
}

fn open(
    profile: &Profile,
    store: &Arc<TestStore>,
    folder: &TempDir,
    clock: &Arc<ManualClock>,
) -> Session {
    let config = Config {
        workspace: WORKSPACE.into(),
        profile: profile.clone(),
        folder: folder.path().join(WORKSPACE),
        store: store.clone(),
        product: "Vestibule 0.1.0".into(),
    };
    Session::open_with_clock(config, clock.clone()).expect("the session opens")
}

/// One exchange of a script; `request` is what follows the address in a `curl` command.
pub fn said(request: &str, status: &str, headers: &[&str], body: &str) -> String {
    let lines: String = headers.iter().map(|header| format!("{header}\n")).collect();
    let (method, rest) = request.split_once(' ').expect("a method and a path");
    format!(
        "\n$ curl -si -X {method} http://127.0.0.1:1{rest}\nHTTP/1.1 {status}\n\
         Content-Type: application/json\n{lines}\n{body}\n"
    )
}
