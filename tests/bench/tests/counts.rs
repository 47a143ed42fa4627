//! What a sign-in and a refresh make the core do: requests to the backend, calls of the keyring,
//! changes on the disk. A change of the core that changes one of these numbers changes it here too.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::Arc;

use vestibule_bench::counts::Counts;
use vestibule_bench::fixture::{Connection, Fixture};
use vestibule_bench::registry::runtime;
use vestibule_bench::rows::{refresh, sign_in};
use vestibule_core::testing::MemoryStore;

/// The first sign-in of a new process.
const SIGN_IN: Counts = Counts {
    requests: 1,
    reads: 0,
    writes: 1,
    deletions: 0,
    replaced: 3,
    removed: 0,
    in_place: 0,
};

/// A refresh.
const REFRESH: Counts = Counts {
    requests: 1,
    reads: 1,
    writes: 1,
    deletions: 0,
    replaced: 2,
    removed: 0,
    in_place: 0,
};

fn on_a_fixture<T>(work: impl AsyncFnOnce(&Fixture) -> T) -> T {
    runtime().block_on(async {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let fixture = Fixture::start(Connection::Plain, folder)
            .await
            .expect("a fixture");
        work(&fixture).await
    })
}

#[test]
fn a_sign_in_does_so_much() {
    let counts = on_a_fixture(async |fixture| sign_in::counts(fixture).await);
    assert_eq!(counts, Ok(SIGN_IN));
}

#[test]
fn a_refresh_does_so_much() {
    let counts =
        on_a_fixture(async |fixture| refresh::counts(fixture, Arc::<MemoryStore>::default()).await);
    assert_eq!(counts, Ok(REFRESH));
}
