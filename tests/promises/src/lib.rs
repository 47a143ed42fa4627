//! What the session promises, shown by injecting the failure.
//!
//! Each promise has a short form, which the test command runs, and a long one that prints its
//! figure; see [`registry`] for the list and for how to add one. Nothing here stands in for
//! the part under test: sockets are real, processes are real, the keyring is the system's
//! wherever a promise is about it.

pub mod bounded;
#[cfg(target_os = "linux")]
pub mod canaries;
mod cargo;
#[cfg(target_os = "linux")]
mod carrier;
pub mod clocks;
#[cfg(target_os = "linux")]
pub mod crash;
pub mod definite;
pub mod fleet;
#[cfg(target_os = "linux")]
pub mod keyring;
#[cfg(target_os = "linux")]
pub mod launches;
pub mod origin;
#[cfg(target_os = "linux")]
pub mod page_bounds;
pub mod parsers;
pub mod parts;
pub mod plans;
mod pool;
pub mod proxy;
pub mod registry;
pub mod report;
pub mod rig;
#[cfg(target_os = "linux")]
pub mod right_person;
#[cfg(target_os = "linux")]
pub mod rivals;
pub mod secrecy;
pub mod sequences;
pub mod single_flight;
pub mod transient;
pub mod troubles;
