//! A refresh through the core, with a store in memory and with the real keyring, compared with bare
//! reqwest and with the least that storing the new token can cost.

use std::sync::Arc;

use vestibule_core::testing::MemoryStore;
use vestibule_core::{Keyring, SecretStore};

use crate::bare::Bare;
use crate::counts::{CountingStore, Counts, counted};
use crate::fixture::{Connection, Fixture, Subject, refresh, sign_in, timed};
use crate::floors::{ItemInKeyring, synced_record};
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::summary::median;
use crate::target::Target;
use crate::unit::Unit;

const ROUNDS: usize = 200;
/// How many times bare reqwest a refresh with a store in memory may take.
const MOST_OVER: f64 = 1.6;
/// How many times bare reqwest and one keyring write a refresh with the keyring may take.
const MOST_OVER_KEYRING: f64 = 2.0;
const SERVICE: &str = "vestibule-bench";

/// Measures both and their floors, in turns.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let fixture = Fixture::start(Connection::Tls, &setting.folder).await?;
    let bench = Bench::open(&fixture, Arc::<MemoryStore>::default()).await?;
    let item = Arc::new(blocking(ItemInKeyring::connect).await?);
    let keyring = signed_in(&fixture, Arc::new(Keyring::new(SERVICE))).await?;
    let mut bench = bench;
    let [mut bare, mut memory, mut real, mut record, mut write] = [const { Vec::new() }; 5];
    for _ in 0..setting.rounds(ROUNDS) {
        let (one_bare, one_core) = bench.round().await?;
        bare.push(one_bare);
        memory.push(one_core);
        real.push(timed(refresh(&keyring.session)).await?);
        let folder = fixture.folder().to_owned();
        record.push(timed(blocking(move || synced_record(&folder))).await?);
        let item = item.clone();
        write.push(timed(blocking(move || item.write())).await?);
    }
    let record = median(&record).unwrap_or_default();
    let mut in_memory = Row::new("refresh/memory", "refresh, store in memory", Unit::Ms)
        .this("core, store in memory", memory)
        .floor("bare reqwest", bare.clone())
        .in_turns()
        .target(Target::OverFloor(MOST_OVER))
        .note(format!("one synced record took {}", Unit::Ms.show(record)));
    in_memory.counts = counts(&fixture, Arc::<MemoryStore>::default())
        .await?
        .told();
    let mut in_keyring = Row::new("refresh/keyring", "refresh, real keyring", Unit::Ms)
        .this("core, real keyring", real)
        .floor("bare reqwest", bare)
        .floor("one keyring write", write)
        .in_turns()
        .target(Target::OverFloor(MOST_OVER_KEYRING));
    in_keyring.counts = counts(&fixture, Arc::new(Keyring::new(SERVICE)))
        .await?
        .told();
    Ok(vec![in_memory, in_keyring])
}

/// A client and a session that refresh in turns.
pub struct Bench {
    client: Bare,
    subject: Subject,
}

impl Bench {
    /// Signs both in.
    ///
    /// # Errors
    /// If a sign-in is refused.
    pub async fn open(fixture: &Fixture, store: Arc<dyn SecretStore>) -> Outcome<Self> {
        let mut client = Bare::new(&fixture.url())?;
        client.sign_in().await?;
        Ok(Self {
            client,
            subject: signed_in(fixture, store).await?,
        })
    }

    /// One refresh of each: the milliseconds by bare reqwest and through the core.
    ///
    /// # Errors
    /// If a refresh is refused.
    pub async fn round(&mut self) -> Outcome<(f64, f64)> {
        let bare = timed(self.client.refresh()).await?;
        let core = timed(refresh(&self.subject.session)).await?;
        Ok((bare, core))
    }
}

async fn signed_in(fixture: &Fixture, store: Arc<dyn SecretStore>) -> Outcome<Subject> {
    let subject = fixture.subject(store).await?;
    sign_in(&subject.session).await?;
    Ok(subject)
}

/// What one refresh makes the core do.
///
/// # Errors
/// If the refresh is refused, or cannot be counted.
pub async fn counts(fixture: &Fixture, store: Arc<dyn SecretStore>) -> Outcome<Counts> {
    let store = Arc::new(CountingStore::before(store));
    let subject = signed_in(fixture, store.clone()).await?;
    counted(
        &fixture.backend,
        &store,
        &subject.folder,
        refresh(&subject.session),
    )
    .await
}

/// Runs blocking work on a thread for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Outcome<T> + Send + 'static,
) -> Outcome<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| format!("a thread: {error}"))?
}
