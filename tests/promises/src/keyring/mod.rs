//! Failures of the keyring, tested with the real `gnome-keyring-daemon` on a private bus and the
//! real core in a child process. A stand-in replaces the daemon only where the keyring must never
//! answer.

mod child;
pub mod daemon_deaths;
mod faults;
pub mod silent_keyring;
