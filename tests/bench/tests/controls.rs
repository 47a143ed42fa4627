//! Each instrument hears what is planted for it: a delay, memory, a request, a keyring call, a
//! change on the disk, another refresh. With it and without it are compared, so that no test
//! here depends on how fast the machine is.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vestibule_backend::{Effect, Fault};
use vestibule_bench::counts::{CountingStore, Counts, Disk, counted};
use vestibule_bench::floors::synced_record;
use vestibule_bench::parts::User;
use vestibule_bench::registry::{Outcome, runtime};
use vestibule_bench::rows::callers::{Crowd, Token};
use vestibule_bench::rows::{refresh, sign_in};
use vestibule_bench::stand::{self, Road, Stand, fetch};
use vestibule_bench::summary::median;
use vestibule_core::secrets::{MemoryStore, SecretBytes, SecretStore, StoreError};

/// What is planted, and what must show of it at least.
const PLANTED_MS: u64 = 20;
const SHOWS_MS: f64 = 15.0;
const ROUNDS: usize = 15;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn on_a_stand(work: impl AsyncFnOnce(&Stand) -> Outcome<()>) {
    let done = runtime().block_on(async {
        let stand = Stand::start(Road::Plain, folder()).await?;
        work(&stand).await
    });
    assert_eq!(done, Ok(()));
}

/// A store that takes its time to write.
#[derive(Default)]
struct Slow(MemoryStore);

impl SecretStore for Slow {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.0.read(account)
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        std::thread::sleep(Duration::from_millis(PLANTED_MS));
        self.0.write(account, value)
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        self.0.delete(account)
    }
}

fn memory() -> Arc<dyn SecretStore> {
    Arc::<MemoryStore>::default()
}

fn slow() -> Arc<dyn SecretStore> {
    Arc::<Slow>::default()
}

/// With what is planted and without it take turns, as everything in the suite does; the median
/// of what the rounds say must show it.
async fn shows(mut round: impl AsyncFnMut() -> Outcome<(f64, f64)>) -> Outcome<()> {
    let mut more = Vec::new();
    for _ in 0..ROUNDS {
        let (with, without) = round().await?;
        more.push(with - without);
    }
    match median(&more).is_some_and(|more| more >= SHOWS_MS) {
        true => Ok(()),
        false => Err(format!("{PLANTED_MS} ms were planted, and shown: {more:?}")),
    }
}

#[test]
fn a_slow_backend_shows_in_a_refresh_and_in_a_sign_in() {
    on_a_stand(async |stand| {
        // One for bare reqwest, and one for the core.
        let plant = |path: &str| {
            let delay = Effect::Delay { ms: PLANTED_MS };
            stand
                .backend
                .faults()
                .add(Fault::on("POST", path, delay).times(2));
        };
        let mut bench = refresh::Bench::open(stand, memory()).await?;
        shows(async || {
            let (_, without) = bench.round().await?;
            plant("/refresh-token");
            let (_, with) = bench.round().await?;
            Ok((with, without))
        })
        .await?;
        shows(async || {
            let (_, without) = sign_in::first(stand, memory()).await?;
            plant("/login");
            let (_, with) = sign_in::first(stand, memory()).await?;
            Ok((with, without))
        })
        .await
    });
}

#[test]
fn a_slow_store_shows_in_what_the_core_adds() {
    on_a_stand(async |stand| {
        let over = |(bare, core): (f64, f64)| core - bare;
        let mut quick = refresh::Bench::open(stand, memory()).await?;
        let mut late = refresh::Bench::open(stand, slow()).await?;
        shows(async || Ok((over(late.round().await?), over(quick.round().await?)))).await?;
        shows(async || {
            let without = sign_in::first(stand, memory()).await?;
            let with = sign_in::first(stand, slow()).await?;
            Ok((over(with), over(without)))
        })
        .await
    });
}

#[test]
fn one_request_more_and_one_call_of_each_kind_more_are_counted() {
    on_a_stand(async |stand| {
        let store = Arc::new(CountingStore::before(Arc::<MemoryStore>::default()));
        let seat = stand.seat(store.clone()).await?;
        stand::sign_in(&seat.session).await?;
        let count = async |work: &dyn Fn()| {
            let work = async {
                stand::refresh(&seat.session).await?;
                work();
                Ok(())
            };
            counted(&stand.backend, &store, &seat.folder, work).await
        };
        let plain = count(&|| {}).await?;
        let failed = |_| "a memory store does not fail";
        let more = |counts: Counts, of: fn(&mut Counts)| {
            let mut expected = plain;
            of(&mut expected);
            match counts == expected {
                true => Ok(()),
                false => Err(format!("{counts:?}, and not {expected:?}")),
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
            stand::refresh(&seat.session).await?;
            fetch(&seat.session, "/me").await
        };
        let two = counted(&stand.backend, &store, &seat.folder, two).await?;
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
    on_a_stand(async |stand| {
        let own = stand.folder().join("user");
        let program = Path::new(env!("CARGO_BIN_EXE_bench"));
        let mut user = User::start(program, &stand.backend.url(), &own).await?;
        user.some_use().await?;
        user.some_use().await?;
        let before = user.weight()?;
        user.hold(PLANTED).await?;
        let more = user.weight()? - before;
        let bounds = PLANTED as f64 * 0.9..PLANTED as f64 * 1.4;
        match bounds.contains(&more) {
            true => Ok(()),
            false => Err(format!("{more} bytes more were weighed")),
        }
    });
}

#[test]
fn a_second_refresh_for_the_callers_is_counted() {
    on_a_stand(async |stand| {
        let crowd = Crowd::gather(stand).await?;
        let refreshes = || stand.backend.requests("POST", "/refresh-token");
        let before = refreshes();
        crowd.call(Token::Fresh).await?;
        assert_eq!(refreshes() - before, 0, "a fresh token needs none");
        crowd.call(Token::Spent).await?;
        assert_eq!(refreshes() - before, 1, "a spent one needs one");
        crowd.call(Token::Spent).await?;
        assert_eq!(refreshes() - before, 2, "spent again, another");
        Ok(())
    });
}
