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
use vestibule_bench::row::Row;
use vestibule_bench::rows::callers::{Crowd, Token};
use vestibule_bench::rows::{refresh, sign_in};
use vestibule_bench::stand::{self, Road, Stand, fetch};
use vestibule_bench::unit::Unit;
use vestibule_core::secrets::{MemoryStore, SecretBytes, SecretStore, StoreError};

/// What is planted, and what must show of it at least.
const PLANTED_MS: u64 = 20;
const SHOWS_MS: f64 = 15.0;
const ROUNDS: usize = 7;

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

/// A row of so many rounds, by the pipeline of the refresh figures.
async fn refreshes(stand: &Stand, store: Arc<dyn SecretStore>) -> Outcome<Row> {
    let mut bench = refresh::Bench::open(stand, store).await?;
    let (mut bare, mut core) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (one_bare, one_core) = bench.round().await?;
        bare.push(one_bare);
        core.push(one_core);
    }
    Ok(row(bare, core))
}

/// The same by that of the sign-in figures.
async fn sign_ins(stand: &Stand, store: impl Fn() -> Arc<dyn SecretStore>) -> Outcome<Row> {
    let (mut bare, mut core) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (one_bare, one_core) = sign_in::first(stand, store()).await?;
        bare.push(one_bare);
        core.push(one_core);
    }
    Ok(row(bare, core))
}

fn row(bare: Vec<f64>, core: Vec<f64>) -> Row {
    let row = Row::new("control", "a control", Unit::Ms);
    row.this("core", core).floor("bare", bare).in_turns()
}

fn median(row: &Row) -> f64 {
    row.this.as_ref().map_or(0.0, |this| this.median)
}

fn shows(with: f64, without: f64) -> Outcome<()> {
    match with - without >= SHOWS_MS {
        true => Ok(()),
        false => Err(format!(
            "{PLANTED_MS} ms were planted: {with} with, {without} without"
        )),
    }
}

#[test]
fn a_slow_backend_shows_in_a_refresh_and_in_a_sign_in() {
    on_a_stand(async |stand| {
        let memory = || Arc::<MemoryStore>::default() as Arc<dyn SecretStore>;
        let quick = (
            refreshes(stand, memory()).await?,
            sign_ins(stand, memory).await?,
        );
        for path in ["/refresh-token", "/login"] {
            let delay = Effect::Delay { ms: PLANTED_MS };
            stand.backend.faults().add(Fault::on("POST", path, delay));
        }
        let slow = (
            refreshes(stand, memory()).await?,
            sign_ins(stand, memory).await?,
        );
        shows(median(&slow.0), median(&quick.0))?;
        shows(median(&slow.1), median(&quick.1))
    });
}

#[test]
fn a_slow_store_shows_in_what_the_core_adds() {
    on_a_stand(async |stand| {
        let memory = || Arc::<MemoryStore>::default() as Arc<dyn SecretStore>;
        let slow = || Arc::<Slow>::default() as Arc<dyn SecretStore>;
        let over = |row: Row| row.over_floor().ok_or("nothing to compare");
        let quick = over(refreshes(stand, memory()).await?)?;
        shows(over(refreshes(stand, slow()).await?)?, quick)?;
        let quick = over(sign_ins(stand, memory).await?)?;
        shows(over(sign_ins(stand, slow).await?)?, quick)
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
        let read = count(&|| drop(store.read("planted"))).await?;
        more(read, |counts| counts.reads += 1)?;
        let write = count(&|| drop(store.write("planted", b"x"))).await?;
        more(write, |counts| counts.writes += 1)?;
        let delete = count(&|| drop(store.delete("planted"))).await?;
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
