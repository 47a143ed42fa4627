//! A session over the system's own keyring, on the bus of this process, while that keyring is open,
//! locked, dead and back: for [`super::logging`], whose output is searched for secrets. A secret
//! that the keyring protects must not be in the log either.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;
use vestibule_backend::{Backend, Carrier, Config};
use vestibule_bus::{Bus, Keyring};
use vestibule_core::session::Session;
use vestibule_core::testing::{BoundedStore, WriteOrder};
use vestibule_core::wire::{LoginInput, SessionChanged, StorageStatus};
use vestibule_core::{SecretBytes, SecretStore, StoreError};
use vestibule_harness::{
    Lost, PASSWORD, TestClock, WORKSPACE, account, clock, config, is_fresh, profile, try_until, why,
};

use crate::proxy::Proxy;
use crate::secrecy::captured;

/// Runs the session through all of it.
pub async fn live() -> Result<(), Lost> {
    let mut bus = Bus::here().ok_or("this process has no bus")?;
    // Nobody answers a prompt for the password.
    let _nobody = on(&mut bus, |bus| bus.ignore_prompts())?;
    on(&mut bus, |bus| bus.start_keyring(Keyring::Unlocked))?;
    let backend = Backend::start(Config::default()).await;
    let backend = backend.map_err(|error| error.to_string())?;
    let proxy = Proxy::start(backend.address()).await;
    let proxy = proxy.map_err(|error| error.to_string())?;
    let run = KeyringRun::begin(&proxy.url(), account(&backend)?).await?;

    run.touch(1, "open", true).await?;
    on(&mut bus, |bus| bus.lock_keyring())?;
    run.touch(2, "locked", false).await?;
    on(&mut bus, |bus| bus.unlock_keyring())?;
    run.heal().await?;
    on(&mut bus, |bus| bus.kill_keyring())?;
    run.touch(3, "dead", false).await?;
    run.session.logout().await;
    on(&mut bus, |bus| bus.start_keyring(Keyring::Unlocked))?;
    captured::value(&run.session.snapshot());
    Ok(())
}

/// Runs something with the bus on a blocking thread, since it starts other programs.
fn on<T>(bus: &mut Bus, work: impl FnOnce(&mut Bus) -> std::io::Result<T>) -> Result<T, Lost> {
    tokio::task::block_in_place(|| work(bus)).map_err(|error| error.to_string())
}

struct KeyringRun {
    session: Session,
    clock: Arc<TestClock>,
    /// An item of its own, with which single calls are made.
    probe: BoundedStore,
    _folder: tempfile::TempDir,
}

impl KeyringRun {
    async fn begin(address: &str, email: String) -> Result<Self, Lost> {
        let service = format!("vestibule-promise-{}", Uuid::new_v4());
        let store = Arc::new(RecordingStore(vestibule_core::Keyring::new(service)));
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let clock = clock();
        let profile = profile(address, Carrier::Cookie, json!({}))?;
        let config = config(profile, &folder.path().join(WORKSPACE), store.clone());
        let session = Session::open_with_clock(config, clock.clone());
        let run = Self {
            session: captured::result(session).map_err(|error| error.to_string())?,
            clock,
            probe: BoundedStore::new(store, "probe"),
            _folder: folder,
        };
        let started = |now: &SessionChanged| why(&now.state).is_some();
        try_until(&run.session, "the start to be over", started).await?;
        let input = LoginInput::new(email, PASSWORD);
        let signed_in = captured::result(run.session.login(input).await);
        signed_in.map_err(|error| format!("cannot sign in: {error}"))?;
        Ok(run)
    }

    /// Makes a rotation, and every call of the keyring with a secret. Each must succeed or fail as
    /// the state of the keyring demands.
    async fn touch(&self, time: u64, how: &str, works: bool) -> Result<(), Lost> {
        let _ = captured::result(self.session.refresh().await);
        captured::value(&self.session.snapshot());
        let text = format!("probe-of-a-{how}-keyring-0123456789abcdef");
        captured::secret(&text);
        let value = SecretBytes::new(text.into_bytes());
        captured::value(&value);
        let results = [
            ("unlock", self.probe.unlock().await),
            (
                "write",
                self.probe
                    .write(WriteOrder::write(1, time.into()), value)
                    .await,
            ),
            (
                "read",
                self.probe.read().await.map(|it| captured::value(&it)),
            ),
        ];
        for (what, result) in results {
            if captured::result(result).is_ok() != works {
                return Err(format!("{what} of a keyring that is {how}"));
            }
        }
        let kept = |now: &SessionChanged| (now.state.storage == StorageStatus::Ok) == works;
        try_until(&self.session, &format!("a state that says {how}"), kept).await?;
        Ok(())
    }

    /// Waits until the session is in the keyring again.
    async fn heal(&self) -> Result<(), Lost> {
        let healed = async {
            while !self.is_kept() {
                self.clock.advance(std::time::Duration::from_secs(1));
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        let limit = std::time::Duration::from_secs(60);
        let healed = tokio::time::timeout(limit, healed).await;
        healed.map_err(|_| {
            format!(
                "the session does not get back into the keyring: {:?}",
                self.session.snapshot()
            )
        })
    }

    fn is_kept(&self) -> bool {
        let now = self.session.snapshot();
        is_fresh(&now.state) && now.state.storage == StorageStatus::Ok
    }
}

/// The keyring; logs the result of each call.
struct RecordingStore(vestibule_core::Keyring);

impl SecretStore for RecordingStore {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        let read = captured::result(self.0.read(account));
        captured::value(&read);
        read
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        captured::result(self.0.write(account, value))
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        captured::result(self.0.delete(account))
    }

    fn unlock(&self) -> Result<(), StoreError> {
        captured::result(self.0.unlock())
    }
}
