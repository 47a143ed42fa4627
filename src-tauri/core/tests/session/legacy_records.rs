//! Records and a keyring item in the format of commit ff703f2, converted at the first start of this
//! version: nobody is signed out by that, wherever it is interrupted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use vestibule_backend::Config;
use vestibule_core::profile::Profile;
use vestibule_core::session::Session;
use vestibule_core::testing::{
    Durability, FolderRecords, HeldLock, Machine, MemoryStore, RecordStore,
};
use vestibule_core::transport::HttpTransport;
use vestibule_core::wire::{Phase, SignedOutReason};
use vestibule_core::{SecretBytes, SecretStore, StoreError};
use vestibule_harness::*;

/// The session's id in the fixture, which must stay.
const SESSION: &str = "7a4c4c5e-0f0b-4f0a-8c0e-2d8c9a1b3c4d";
const SLOT: &str = "3e0d6f5a-7f1d-4d43-9e51-6f7f6c1f2a10";

/// The records and items at one moment.
struct Left {
    folder: TempDir,
    items: Vec<(String, Vec<u8>)>,
    moment: String,
}

/// A disk and a keyring that copy everything after each change, as a kill at that moment leaves it.
struct Camera {
    records: FolderRecords,
    folder: PathBuf,
    keyring: MemoryStore,
    lefts: Mutex<Vec<Left>>,
}

impl Camera {
    fn on(folder: &Path, keyring: MemoryStore) -> Self {
        Self {
            records: FolderRecords::open(folder).expect("a folder"),
            folder: folder.to_owned(),
            keyring,
            lefts: Mutex::default(),
        }
    }

    fn take(&self, moment: String) {
        let folder = tempfile::tempdir().expect("a folder");
        for name in files_of(&self.folder) {
            let _ = fs::copy(self.folder.join(&name), folder.path().join(&name));
        }
        let left = Left {
            folder,
            items: items(&self.keyring),
            moment,
        };
        self.lefts.lock().expect("no panic").push(left);
    }
}

fn items(keyring: &MemoryStore) -> Vec<(String, Vec<u8>)> {
    let of = |name: String| {
        let value = keyring
            .read(&name)
            .expect("memory")
            .expect("the item exists");
        (name, value.to_vec())
    };
    keyring.names().into_iter().map(of).collect()
}

impl RecordStore for Camera {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.records.read(name)
    }
    fn write(&self, name: &str, value: &[u8], durability: Durability) -> io::Result<()> {
        self.records.write(name, value, durability)?;
        self.take(format!("after {name} was written"));
        Ok(())
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.records.rename(from, to)?;
        self.take(format!("after {from} became {to}"));
        Ok(())
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        let was_there = self.records.exists(name)?;
        self.records.remove(name)?;
        if was_there {
            self.take(format!("after {name} was removed"));
        }
        Ok(())
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

impl SecretStore for Camera {
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.keyring.read(name)
    }
    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.keyring.write(name, value)?;
        self.take(format!("after the item {name} was written"));
        Ok(())
    }
    fn delete(&self, name: &str) -> Result<(), StoreError> {
        let was_there = self.keyring.read(name)?.is_some();
        self.keyring.delete(name)?;
        if was_there {
            self.take(format!("after the item {name} was deleted"));
        }
        Ok(())
    }
}

/// A session at the backend, and the values to put into the fixture for it.
async fn values(setup: &Setup) -> Vec<(&'static str, String)> {
    let elsewhere = setup.install_elsewhere().await;
    elsewhere.sign_in(DEMO).await;
    let sent = setup.backend.last_request("POST", "/login").expect("one");
    let device = sent.json().expect("JSON")["fingerprint"].clone();
    let Phase::SignedIn { user, .. } = elsewhere.state().phase else {
        panic!("signed in");
    };
    let token = elsewhere.kept().expect("a token");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    vec![
        ("{origin}", setup.backend.url()),
        ("{user}", user.id),
        ("{fingerprint}", text(&device["fingerprint"])),
        ("{os}", text(&device["os"])),
        ("{token}", token),
    ]
}

fn fixture(name: &str, values: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ff703f2");
    let text = fs::read_to_string(path.join(name)).expect("a fixture");
    let fill = |text: String, (name, value): &(&str, String)| text.replace(name, value);
    values.iter().fold(text, fill)
}

/// A folder and a keyring in the old format: these records, and the item if asked for.
async fn left(setup: &Setup, records: &[(&str, &str)], with_item: bool) -> (TempDir, MemoryStore) {
    let values = values(setup).await;
    let folder = tempfile::tempdir().expect("a folder");
    for (name, from) in records {
        fs::write(folder.path().join(name), fixture(from, &values)).expect("written");
    }
    let keyring = MemoryStore::default();
    let item = fixture("item.json", &values);
    if with_item {
        keyring.write(WORKSPACE, item.as_bytes()).expect("memory");
    }
    if records.iter().any(|(name, _)| *name == "outbox.json") {
        let slot = format!("{WORKSPACE}.revoke.{SLOT}");
        keyring.write(&slot, item.as_bytes()).expect("memory");
    }
    (folder, keyring)
}

const USUAL: [(&str, &str); 4] = [
    ("journal.json", "journal.json"),
    ("user.json", "user.json"),
    ("device.json", "device.json"),
    ("signed-out.spare", "signed-out.json"),
];

fn open(setup: &Setup, camera: &Arc<Camera>) -> (Session, Arc<TestClock>) {
    let clock = clock();
    let profile = Profile::from_json(json!({"backend": setup.backend.url()})).expect("a profile");
    let transport = HttpTransport::new(&profile.backend, "test").expect("a client");
    let mut config = config(profile, &camera.folder, camera.clone());
    config.product = "Vestibule 0.2.0".into();
    let machine = Machine {
        clock: clock.clone(),
        records: camera.clone(),
        transport: Arc::new(transport),
    };
    let session = Session::open_on(config, machine).expect("opens");
    (session, clock)
}

/// A backend whose grace window covers all restarts of a test.
fn forgiving() -> Config {
    Config {
        grace: Duration::from_secs(3600),
        ..Config::default()
    }
}

async fn settled(session: &Session, clock: &Arc<TestClock>) -> Option<SignedOutReason> {
    let over = until(session, "the start to be over", |state| {
        is_fresh(state) || why(state).is_some()
    });
    why(&passing(clock, Pace::FAST, over).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_under_its_id_and_nothing_old_is_left() {
    for journal in ["journal.json", "journal-rotating.json"] {
        let setup = Setup::new(forgiving()).await;
        let mut records = USUAL;
        records[0].1 = journal;
        let (folder, keyring) = left(&setup, &records, true).await;
        let camera = Arc::new(Camera::on(folder.path(), keyring));
        let (session, clock) = open(&setup, &camera);
        assert_eq!(settled(&session, &clock).await, None, "{journal}");
        let Phase::SignedIn {
            user,
            session: info,
            ..
        } = session.snapshot().state.phase
        else {
            panic!("{journal}: signed in");
        };
        assert_eq!(user.email, DEMO);
        assert_eq!(info.id.to_string(), SESSION, "{journal}: the same session");
        let names = camera.keyring.names();
        assert_eq!(names, [session.item_name()], "{journal}: moved");
        for old in ["journal.json", "user.json"] {
            assert!(!folder.path().join(old).exists(), "{journal}: {old}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_each_step_of_the_take_over_signs_nobody_out() {
    let setup = Setup::new(forgiving()).await;
    let (folder, keyring) = left(&setup, &USUAL, true).await;
    let camera = Arc::new(Camera::on(folder.path(), keyring));
    let (session, clock) = open(&setup, &camera);
    assert_eq!(settled(&session, &clock).await, None);
    drop(session);
    let lefts = std::mem::take(&mut *camera.lefts.lock().expect("no panic"));
    assert!(lefts.len() >= 7, "{} moments", lefts.len());
    for left in lefts {
        let keyring = MemoryStore::default();
        for (name, value) in &left.items {
            keyring.write(name, value).expect("memory");
        }
        let again = Arc::new(Camera::on(left.folder.path(), keyring));
        let (session, clock) = open(&setup, &again);
        let over = settled(&session, &clock).await;
        assert_eq!(over, None, "{}", left.moment);
        assert_eq!(shown(&session.snapshot().state).as_deref(), Some(DEMO));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_of_then_is_told_and_what_it_left_is_gone() {
    for is_cut_short in [false, true] {
        let setup = Setup::new(forgiving()).await;
        let mut records = vec![USUAL[0], USUAL[2], ("signed-out.json", "signed-out.json")];
        if !is_cut_short {
            records.push(("outbox.json", "outbox.json"));
        }
        let (folder, keyring) = left(&setup, &records, is_cut_short).await;
        let camera = Arc::new(Camera::on(folder.path(), keyring));
        let (session, clock) = open(&setup, &camera);
        let by_user = Some(SignedOutReason::ByUser);
        assert_eq!(settled(&session, &clock).await, by_user, "{is_cut_short}");
        let told = || {
            clock.advance(Duration::from_secs(1));
            setup.alive(DEMO) == 0 && camera.keyring.names().is_empty()
        };
        eventually("the backend to receive the sign-out", told).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_computer_does_not_take_over_what_it_never_wrote() {
    let setup = Setup::new(forgiving()).await;
    let (_, keyring) = left(&setup, &USUAL, true).await;
    let folder = tempfile::tempdir().expect("a folder");
    let camera = Arc::new(Camera::on(folder.path(), keyring));
    let (session, clock) = open(&setup, &camera);
    let never = Some(SignedOutReason::Never);
    assert_eq!(settled(&session, &clock).await, never);
    assert_eq!(camera.keyring.names(), [WORKSPACE], "left alone");
    assert_eq!(setup.alive(DEMO), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_item_is_told_although_somebody_signs_in_before_it_could_be_read() {
    let setup = Setup::new(forgiving()).await;
    let (folder, keyring) = left(&setup, &USUAL, true).await;
    let store = Arc::new(TestStore::default());
    for (name, value) in items(&keyring) {
        store.put(&name, &value);
    }
    store.block(Block::Fail(StoreError::Locked));
    let clock = clock();
    let session = setup.open_with(folder.path(), &clock, store.clone());
    until(&session, "a start that waits", |state| {
        outage(state).is_some()
    })
    .await;
    assert_eq!(setup.alive(DEMO), 1);
    session.login(login(ADMIN)).await.expect("signed in");
    store.heal();
    let over = || {
        clock.advance(Duration::from_secs(1));
        setup.alive(DEMO) == 0 && store.items().len() == 1
    };
    eventually("the end of the old session, and one item", over).await;
    assert_eq!(owner(&session).await.as_deref(), Some(ADMIN));
}
