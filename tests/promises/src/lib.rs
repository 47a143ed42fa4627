//! The promises of a session, each shown by injecting the failure that it is about.
//!
//! Each promise has a short form, which the test command runs, and a long form, which prints its
//! figure; see [`registry`] for the list and for how to add one. The part under test is never
//! replaced: sockets are real, processes are real, and the keyring is the system's wherever a
//! promise is about it.

#[cfg(target_os = "linux")]
mod account_kills;
#[cfg(target_os = "linux")]
mod app;
#[cfg(target_os = "linux")]
mod canaries;
mod carrier;
pub mod children;
mod client;
mod clocks;
#[cfg(target_os = "linux")]
pub mod crash;
mod definite;
pub mod fleet;
#[cfg(target_os = "linux")]
mod isolation;
#[cfg(target_os = "linux")]
mod keyring;
#[cfg(target_os = "linux")]
mod launches;
mod network_faults;
mod not_definite;
mod origin;
#[cfg(target_os = "linux")]
mod page_limits;
mod parsers;
mod plans;
mod pool;
#[cfg(target_os = "linux")]
mod process_race;
mod proxy;
pub mod registry;
pub mod report;
mod response_limits;
#[cfg(target_os = "linux")]
mod right_person;
mod secrecy;
mod single_flight;
mod state_machine;
mod transient;
