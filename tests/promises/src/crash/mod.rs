//! P5 and P14: what a crash may take, and what it must not bring back.
//!
//! The core is real and in a process of its own, the keyring is the system's on a bus of its
//! own, and the process is ended with SIGKILL: at random moments, and on coming to each step
//! that the core names ([`vestibule_core::failpoints`]). Then another is started on the same folder
//! and keyring, and what it says is what counts. Several go on side by side.

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
