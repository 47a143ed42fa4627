//! What a sign-in outside of the app needs of the machine: the desktop, which opens an address, and a
//! port of this computer, to which the browser comes back (RFC 8252 §7.3). Nothing here knows the
//! session or the provider.

mod desktop;
mod done_page;
pub(crate) mod listener;
mod other_user;

pub use desktop::{Desktop, NoDesktop};
pub use done_page::DonePage;
pub use listener::Listener;

/// The longest address with which the browser comes back, in bytes: codes of some providers are JWTs.
pub const LONGEST_REDIRECT: usize = 16 * 1024;
