//! The app without a window, in a process of its own: the real core over the system's own keyring,
//! on the bus that its environment names. A test can kill the process, or break the keyring under
//! it, and starts it again with the same folder and keyring.

pub mod child;
mod home;
mod protocol;
mod window;

pub use home::{App, AppHome};
pub use protocol::{AppReport, Command, Probe};
