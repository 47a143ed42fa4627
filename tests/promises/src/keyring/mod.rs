//! Failures of the keyring, tested with the real `gnome-keyring-daemon` on a private bus and the
//! real core in a child process. A stand-in replaces the daemon only where the keyring must never
//! answer.

pub mod daemon_deaths;
mod faults;
pub mod silent_keyring;

use vestibule_backend::Backend;
use vestibule_bus::Bus;
use vestibule_core::wire::{SessionState, StorageStatus};
use vestibule_harness::{Lost, account, remembered};

use crate::app::AppHome;
use crate::carrier::Carrier;
use crate::registry::Setting;

/// An installation whose keyring will fail.
fn home(
    setting: &Setting,
    backend: &Backend,
    bus: &Bus,
    carrier: Carrier,
) -> Result<AppHome, Lost> {
    let email = account(backend)?;
    let home = AppHome::new(setting, bus, backend.url(), carrier.word(), email);
    Ok(home.with_a_window())
}

/// Whether somebody is signed in, and still would be after a restart.
fn is_kept(state: &SessionState) -> bool {
    remembered(state) == Some(true) && state.storage == StorageStatus::Ok
}
