//! A sign-in through the core with a store in memory, compared with the same request by bare
//! reqwest.
//!
//! Two kinds: the first sign-in of a new process, where both have no connection yet, and a sign-in
//! over an existing session, where both have one.

use std::sync::Arc;

use vestibule_core::SecretStore;
use vestibule_core::testing::MemoryStore;

use crate::bare::Bare;
use crate::counts::{CountingStore, Counts, counted};
use crate::fixture::{Connection, Fixture, sign_in, timed};
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

const ROUNDS: usize = 100;
/// How many milliseconds more than bare reqwest the core may take.
const MOST_OVER: f64 = 5.0;

/// Measures both kinds.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let fixture = Fixture::start(Connection::Tls, &setting.folder).await?;
    let rounds = setting.rounds(ROUNDS);
    let (mut bare, mut core) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (one_bare, one_core) = first(&fixture, Arc::<MemoryStore>::default()).await?;
        bare.push(one_bare);
        core.push(one_core);
    }
    let mut row = Row::new("sign-in/first", "sign-in, the first of a process", Unit::Ms)
        .this("core, store in memory", core)
        .floor("bare reqwest, without a connection", bare)
        .in_turns()
        .target(Target::OverFloor(MOST_OVER));
    row.counts = counts(&fixture).await?.told();

    let (bare, core) = again(&fixture, rounds).await?;
    let again = Row::new(
        "sign-in/again",
        "sign-in, over a session that stands",
        Unit::Ms,
    )
    .this("core, store in memory", core)
    .floor("bare reqwest, with a connection", bare)
    .in_turns()
    .target(Target::OverFloor(MOST_OVER));
    Ok(vec![row, again])
}

/// The first sign-in of a new client and of a new session, in milliseconds.
///
/// # Errors
/// If a sign-in is refused.
pub async fn first(fixture: &Fixture, store: Arc<dyn SecretStore>) -> Outcome<(f64, f64)> {
    let mut client = Bare::new(&fixture.url())?;
    let subject = fixture.subject(store).await?;
    let bare = timed(client.sign_in()).await?;
    let core = timed(sign_in(&subject.session)).await?;
    Ok((bare, core))
}

/// Sign-ins of one client and one session, in turns.
async fn again(fixture: &Fixture, rounds: usize) -> Outcome<(Vec<f64>, Vec<f64>)> {
    let mut client = Bare::new(&fixture.url())?;
    let subject = fixture.subject(Arc::<MemoryStore>::default()).await?;
    client.sign_in().await?;
    sign_in(&subject.session).await?;
    let (mut bare, mut core) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        bare.push(timed(client.sign_in()).await?);
        let before = fixture.backend.requests("POST", "/logout");
        core.push(timed(sign_in(&subject.session)).await?);
        // The replaced session is revoked meanwhile; no caller waits for that.
        fixture.backend.reached("POST", "/logout", before + 1).await;
    }
    Ok((bare, core))
}

/// What the first sign-in makes the core do.
///
/// # Errors
/// If the sign-in is refused, or cannot be counted.
pub async fn counts(fixture: &Fixture) -> Outcome<Counts> {
    let store = Arc::new(CountingStore::before(Arc::<MemoryStore>::default()));
    let subject = fixture.subject(store.clone()).await?;
    counted(
        &fixture.backend,
        &store,
        &subject.folder,
        sign_in(&subject.session),
    )
    .await
}
