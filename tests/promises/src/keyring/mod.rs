//! Failures of the keyring, tested with the real `gnome-keyring-daemon` on a private bus and the
//! real core in a child process. A stand-in replaces the daemon only where the keyring must never
//! answer.

pub mod deaths;
mod resident;
pub mod silence;
mod troubles;
