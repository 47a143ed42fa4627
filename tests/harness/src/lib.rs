//! What tests of the core are made of. The core is real, and so are its sockets and files; the clock
//! is advanced by hand, and the keyring is replaced where a test is not about it.
//!
//! [`Installation`] is one installed app: a session with its store, clock and records. [`Harness`]
//! adds a backend on loopback. [`Setup`] is a backend and a keyring that several installations
//! share. [`AccountApp`] is an installed app with several accounts. [`child`] is how a test speaks with a process that it has started.
//!
//! What a test waits for is a condition, never time. A wait panics if the condition does not come
//! true; its twin that begins with `try_` returns a [`Lost`], for tests that count what is lost.

mod accounts;
mod backend;
mod browser;
pub mod child;
mod clock;
mod desktop;
mod disk;
mod front;
mod harness;
mod profile;
mod session;
mod setup;
mod state;
mod store;
mod wait;

pub use accounts::{AccountApp, TestHost};
pub use backend::{account, alive, answer, refusal, start_backend, success};
pub use browser::{Decision, come_back, decide, sign_in_by_browser, use_device_code};
pub use clock::{Pace, TestClock, clock, passing};
pub use desktop::TestDesktop;
#[cfg(target_os = "linux")]
pub use disk::Cramped;
#[cfg(unix)]
pub use disk::Unreadable;
pub use disk::files_of;
pub use front::{Authority, Front, Shows};
pub use harness::Harness;
pub use profile::{merge, profile, tokens_in_bodies};
pub use session::{Installation, Stored, config, get, item_name, login, owner, verify, verify_by};
pub use setup::Setup;
pub use state::{
    code, identity, is_fresh, is_stale, outage, remembered, retry_in, shown, user, why,
};
pub use store::{Block, TestStore, is_session_item};
pub use wait::{Lost, eventually, soon, try_eventually, try_until, until, until_idle};

/// The demo account of the bundled backend that needs no code.
pub const DEMO: &str = "demo@vestibule.test";
/// The demo account that gets a code by mail at each sign-in.
pub const OTP: &str = "otp@vestibule.test";
/// The demo account of an administrator.
pub const ADMIN: &str = "admin@vestibule.test";
/// The password of every demo account, and of those that tests create.
pub const PASSWORD: &str = "vestibule-demo";
/// The workspace, in whose name the session's item is stored.
pub const WORKSPACE: &str = "default";
/// The path to which refreshes are sent.
pub const REFRESH: &str = "/refresh-token";
/// The token endpoint of the bundled backend as a provider, to which refreshes of a session are sent that
/// the browser has begun.
pub const TOKEN: &str = "/oidc/token";
/// The cookie with the refresh token.
pub const COOKIE: &str = "__refresh_token";
/// Longer than the lifetime of an access token of the bundled backend.
pub const A_LIFE: std::time::Duration = std::time::Duration::from_secs(16 * 60);
