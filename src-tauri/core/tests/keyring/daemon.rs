//! A private session bus for one test, with a keyring that it may kill.

use std::process::Command;

use vestibule_bus::{Bus, Keyring as Daemon};
use vestibule_core::Keyring;

/// `None` in the outer process, once the test has passed in a child process on a bus; `Some` in
/// that child. A process whose threads run cannot be moved to another bus.
pub fn enter(test: &str) -> Option<Bus> {
    if let Some(bus) = Bus::here() {
        return Some(bus);
    }
    let bus = Bus::start().unwrap_or_else(|error| panic!("{error}"));
    let mut inside = Command::new(std::env::current_exe().expect("our own path"));
    inside.args([test, "--exact", "--nocapture", "--test-threads", "1"]);
    let output = bus
        .apply_environment(&mut inside)
        .output()
        .expect("it can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{test} inside its own bus: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    None
}

/// The same with an unlocked keyring.
pub fn with_keyring(test: &str) -> Option<Bus> {
    let mut bus = enter(test)?;
    start(&mut bus);
    Some(bus)
}

/// Starts a daemon whose keyring is unlocked.
pub fn start(bus: &mut Bus) {
    let started = bus.start_keyring(Daemon::Unlocked);
    started.unwrap_or_else(|error| panic!("{error}"));
}

/// Starts a daemon whose keyring stays locked.
pub fn start_locked(bus: &mut Bus) {
    let started = bus.start_keyring(Daemon::Locked);
    started.unwrap_or_else(|error| panic!("{error}"));
}

/// Starts a daemon that has no collection yet.
pub fn start_empty(bus: &mut Bus) {
    let started = bus.start_keyring(Daemon::Empty);
    started.unwrap_or_else(|error| panic!("{error}"));
}

/// Kills the daemon as a crash would.
pub fn kill(bus: &mut Bus) {
    bus.kill_keyring().expect("it ends");
}

/// A keyring with a service name of its own.
pub fn keyring() -> Keyring {
    Keyring::new(format!("vestibule-test-{}", uuid::Uuid::new_v4()))
}
