//! Each instrument measures what is planted for it: a delay, memory, a request, a keyring call, a
//! change on the disk, another refresh. For times, these tests check only what holds on any
//! machine.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vestibule_backend::{Effect, Fault};
use vestibule_bench::child::User;
use vestibule_bench::counts::{CountingStore, Counts, Disk, counted};
use vestibule_bench::fixture::{self, Connection, Fixture, fetch};
use vestibule_bench::floors::synced_record;
use vestibule_bench::registry::{Outcome, runtime};
use vestibule_bench::rows::callers::{Crowd, Token};
use vestibule_bench::rows::{controls, refresh, sign_in};
use vestibule_core::testing::MemoryStore;
use vestibule_core::{SecretBytes, SecretStore, StoreError};

/// The planted delay: longer than any of the work takes by itself.
const PLANTED: Duration = Duration::from_millis(100);
const ROUNDS: usize = 5;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn on_a_fixture(work: impl AsyncFnOnce(&Fixture) -> Outcome<()>) {
    let done = runtime().block_on(async {
        let fixture = Fixture::start(Connection::Plain, folder()).await?;
        work(&fixture).await
    });
    assert_eq!(done, Ok(()));
}

/// A store whose writes take long.
#[derive(Default)]
struct Slow(MemoryStore);

impl SecretStore for Slow {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.0.read(account)
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        std::thread::sleep(PLANTED);
        self.0.write(account, value)
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        self.0.delete(account)
    }
}

/// Of bare reqwest's time and the core's, the first.
fn bare((bare, _): (f64, f64)) -> f64 {
    bare
}

/// Of bare reqwest's time and the core's, the second.
fn core((_, core): (f64, f64)) -> f64 {
    core
}

fn memory() -> Arc<dyn SecretStore> {
    Arc::<MemoryStore>::default()
}

fn slow() -> Arc<dyn SecretStore> {
    Arc::<Slow>::default()
}

/// Measures with a delay and without one in turns, as everything in the suite does.
async fn held(mut once: impl AsyncFnMut(bool) -> Outcome<f64>) -> Outcome<()> {
    let mut heard = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        heard[0].push(once(false).await?);
        heard[1].push(once(true).await?);
    }
    controls::held(PLANTED, &heard)
}

#[test]
fn a_slow_backend_shows_in_a_refresh_and_in_a_sign_in() {
    on_a_fixture(async |fixture| {
        // One delay for bare reqwest, and one for the core.
        let plant = |path: &str, late: bool| {
            let ms = match late {
                true => PLANTED.as_millis() as u64,
                false => 0,
            };
            let delay = Fault::on("POST", path, Effect::Delay { ms });
            fixture.backend.faults().add(delay.times(2));
        };
        for which in [bare, core] {
            let mut bench = refresh::Bench::open(fixture, memory()).await?;
            held(async |late| {
                plant("/refresh-token", late);
                bench.round().await.map(which)
            })
            .await?;
            held(async |late| {
                plant("/login", late);
                sign_in::first(fixture, memory()).await.map(which)
            })
            .await?;
        }
        Ok(())
    });
}

#[test]
fn a_slow_store_shows_in_what_the_core_takes() {
    on_a_fixture(async |fixture| {
        let mut quick = refresh::Bench::open(fixture, memory()).await?;
        let mut slow_one = refresh::Bench::open(fixture, slow()).await?;
        held(async |late| {
            let bench = match late {
                true => &mut slow_one,
                false => &mut quick,
            };
            bench.round().await.map(core)
        })
        .await?;
        held(async |late| {
            let store = match late {
                true => slow(),
                false => memory(),
            };
            sign_in::first(fixture, store).await.map(core)
        })
        .await
    });
}

#[test]
fn one_request_more_and_one_call_of_each_kind_more_are_counted() {
    on_a_fixture(async |fixture| {
        let store = Arc::new(CountingStore::before(Arc::<MemoryStore>::default()));
        let subject = fixture.subject(store.clone()).await?;
        fixture::sign_in(&subject.session).await?;
        let count = async |work: &dyn Fn()| {
            let work = async {
                fixture::refresh(&subject.session).await?;
                work();
                Ok(())
            };
            counted(&fixture.backend, &store, &subject.folder, work).await
        };
        let plain = count(&|| {}).await?;
        let failed = |_| "a memory store does not fail";
        let more = |counts: Counts, of: fn(&mut Counts)| {
            let mut expected = plain;
            of(&mut expected);
            match counts == expected {
                true => Ok(()),
                false => Err(format!("{counts:?} was counted, and not {expected:?}")),
            }
        };
        let read = count(&|| {
            let _ = store.read("planted");
        })
        .await?;
        more(read, |counts| counts.reads += 1)?;
        let write = count(&|| {
            let _ = store.write("planted", b"x");
        })
        .await?;
        more(write, |counts| counts.writes += 1)?;
        let delete = count(&|| {
            let _ = store.delete("planted");
        })
        .await?;
        more(delete, |counts| counts.deletions += 1)?;
        assert_eq!(store.read("planted").map_err(failed)?, None);
        let two = async {
            fixture::refresh(&subject.session).await?;
            fetch(&subject.session, "/me").await
        };
        let two = counted(&fixture.backend, &store, &subject.folder, two).await?;
        more(two, |counts| counts.requests += 1)
    });
}

#[test]
fn each_change_on_the_disk_is_counted_as_what_it_is() {
    let folder = tempfile::tempdir_in(folder()).expect("a folder");
    let path = folder.path();
    let below = path.join("below");
    std::fs::create_dir(&below).expect("a folder");
    let heard = |work: &dyn Fn()| {
        let disk = Disk::watch(path).expect("a watch");
        work();
        disk.heard().expect("an account")
    };
    let write = |name: &str| std::fs::write(path.join(name), "x").expect("written");
    let remove = |name: &str| std::fs::remove_file(path.join(name)).expect("removed");
    let none = Counts::default();
    assert_eq!(heard(&|| {}), none);
    let replaced = heard(&|| synced_record(path).expect("a record"));
    assert_eq!(
        replaced,
        Counts {
            replaced: 1,
            ..none
        }
    );
    let twice = heard(&|| {
        synced_record(&below).expect("a record");
        synced_record(path).expect("a record");
    });
    assert_eq!(
        twice,
        Counts {
            replaced: 2,
            ..none
        }
    );
    let in_place = heard(&|| {
        write("plain");
        write("plain");
    });
    assert_eq!(
        in_place,
        Counts {
            in_place: 1,
            ..none
        }
    );
    assert_eq!(heard(&|| remove("plain")), Counts { removed: 1, ..none });
    let given_up = heard(&|| {
        write("x.tmp");
        remove("x.tmp");
    });
    assert_eq!(given_up, none);
}

#[test]
fn five_megabytes_more_are_weighed() {
    const PLANTED: usize = 5_000_000;
    on_a_fixture(async |fixture| {
        let own = fixture.folder().join("user");
        let program = Path::new(env!("CARGO_BIN_EXE_bench"));
        let mut user = User::start(program, &fixture.backend.url(), &own).await?;
        user.some_use().await?;
        user.some_use().await?;
        let before = user.weight()?;
        user.hold(PLANTED).await?;
        let more = user.weight()? - before;
        let bounds = PLANTED as f64 * 0.9..PLANTED as f64 * 1.4;
        match bounds.contains(&more) {
            true => Ok(()),
            false => Err(format!("{more} more bytes were measured")),
        }
    });
}

#[test]
fn a_second_refresh_for_the_callers_is_counted() {
    on_a_fixture(async |fixture| {
        let crowd = Crowd::gather(fixture).await?;
        let refreshes = || fixture.backend.requests("POST", "/refresh-token");
        let before = refreshes();
        crowd.call(Token::Fresh).await?;
        assert_eq!(refreshes() - before, 0, "a valid token needs no refresh");
        crowd.call(Token::Spent).await?;
        assert_eq!(
            refreshes() - before,
            1,
            "an expired token needs one refresh"
        );
        crowd.call(Token::Spent).await?;
        assert_eq!(refreshes() - before, 2, "spent again, another");
        Ok(())
    });
}
