//! P5 and P14: what a crash may lose, and what it must not bring back.
//!
//! The real core runs in a child process, with the system's keyring on a private bus. The process
//! is ended with SIGKILL: at random moments, and at each step that the core names
//! ([`vestibule_core::failpoints`]). Then another process is started with the same folder and
//! keyring, and its state is checked. Several clients run side by side.

mod blow;
mod click;
pub mod farewell;
pub mod grace;
mod instrument;
mod lane;
mod leaver;
mod life;
mod side_by_side;
pub mod strict;
mod survival;
pub mod two_people;

pub(crate) use instrument::Instrument;
pub(crate) use life::{Heard, Home, Life};
pub(crate) use survival::{backend, bus};
