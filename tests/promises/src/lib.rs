//! The promises of a session, each shown by injecting the failure that it is about.
//!
//! Each promise has a short form, which the test command runs, and a long form, which prints its
//! figure; see [`registry`] for the list and for how to add one. The part under test is never
//! replaced: sockets are real, processes are real, and the keyring is the system's wherever a
//! promise is about it.

mod bounded;
#[cfg(target_os = "linux")]
mod canaries;
mod cargo;
#[cfg(target_os = "linux")]
mod carrier;
mod clocks;
#[cfg(target_os = "linux")]
pub mod crash;
mod definite;
pub mod fleet;
#[cfg(target_os = "linux")]
mod keyring;
#[cfg(target_os = "linux")]
mod launches;
mod origin;
#[cfg(target_os = "linux")]
mod page_bounds;
mod parsers;
pub mod parts;
mod plans;
mod pool;
mod proxy;
pub mod registry;
pub mod report;
mod rig;
#[cfg(target_os = "linux")]
mod right_person;
#[cfg(target_os = "linux")]
mod rivals;
mod secrecy;
mod sequences;
mod single_flight;
mod transient;
mod troubles;
