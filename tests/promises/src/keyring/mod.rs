//! What may befall the keyring, shown on the real one: `gnome-keyring-daemon` on a bus of
//! its own, under the real core in a process of its own. Only what is on the other side of
//! the bus is ever a stand-in, where it has to stay mute.

pub mod deaths;
mod resident;
pub mod silence;
mod troubles;
