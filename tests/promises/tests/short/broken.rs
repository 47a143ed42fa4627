//! The keyring daemon of the kill tests: when it ends by itself once, the run is repeated and
//! nothing is lost; when it always does, the missing runs are lost.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use vestibule_bus::{Bus, Keyring};
use vestibule_promises::crash::{grace, sign_outs};
use vestibule_promises::registry::{self, Setting};
use vestibule_promises::report::Row;

/// How often a condition is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Runs `kills` while calling `meanwhile` with the bus again and again, until that returns true.
/// Returns the row of the kills.
fn during(
    kills: impl AsyncFnOnce(&Setting, &Arc<Bus>) -> Row,
    meanwhile: impl Fn(&Bus) -> bool + Sync,
) -> Row {
    let setting = Setting {
        program: PathBuf::from(env!("CARGO_BIN_EXE_soak")),
    };
    let mut bus = Bus::start().expect("a bus");
    bus.start_keyring(Keyring::Unlocked).expect("a keyring");
    let (bus, over) = (Arc::new(bus), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) && !meanwhile(&bus) {
                std::thread::sleep(POLL_INTERVAL);
            }
        });
        let row = registry::runtime().block_on(kills(&setting, &bus));
        over.store(true, Ordering::Release);
        row
    })
}

/// Crashes the daemon once, when a few clients have begun.
fn crash_under_way(bus: &Bus) -> bool {
    let clients = std::fs::read_dir(bus.home()).expect("its folder");
    let client = |name: &str| name.starts_with("vestibule-promise-");
    let clients = clients.filter(|entry| {
        let name = entry.as_ref().expect("an entry").file_name();
        name.to_str().is_some_and(client)
    });
    clients.count() >= 4 && bus.trap_keyring().is_ok()
}

/// Crashes every daemon as soon as it runs.
fn crash_always(bus: &Bus) -> bool {
    // An error means that no daemon runs at this moment.
    let _ = bus.trap_keyring();
    false
}

#[test]
fn kills_during_which_the_daemon_crashes_are_repeated() {
    let row = during(
        async |setting, bus| grace::few(setting, bus, 12).await,
        crash_under_way,
    );
    assert_eq!((row.runs, row.losses), (27, 0), "{row:?}");
    assert!(row.holds, "{row:?}");
    assert!(row.what.contains("broken keyring daemons: 1,"), "{row:?}");
}

#[test]
fn sign_outs_during_which_the_daemon_crashes_are_repeated() {
    let row = during(
        async |setting, bus| sign_outs::few(setting, bus, 14).await,
        crash_under_way,
    );
    assert_eq!((row.runs, row.losses), (14, 0), "{row:?}");
    assert!(row.what.contains("broken keyring daemons: 1,"), "{row:?}");
}

#[test]
fn a_daemon_that_always_crashes_is_a_loss() {
    let row = during(
        async |setting, bus| grace::few(setting, bus, 4).await,
        crash_always,
    );
    assert_eq!((row.runs, row.losses), (9, 9), "{row:?}");
    assert!(!row.holds, "{row:?}");
    assert!(row.what.contains("then given up"), "{row:?}");
}
