//! What a crash may lose, and what it must not bring back.
//!
//! The real core runs in a child process, with the system's keyring on a private bus. The process
//! is ended with SIGKILL: at random moments, and at each step that the core names
//! ([`vestibule_core::failpoints`]). Then another process is started with the same folder and
//! keyring, and its state is checked. Several clients run side by side.

mod daemon_monitor;
pub mod grace;
mod job_queue;
mod kill_point;
mod sign_out_case;
mod sign_out_worker;
pub mod sign_outs;
pub mod strict;
mod survival;
pub mod two_people;
mod worker;

pub(crate) use daemon_monitor::DaemonMonitor;
pub(crate) use job_queue::Queue;
pub(crate) use survival::{backend, bus};
