//! Tests of the product's promises in the real window.
//!
//! A [`scenario`] gets a [`Stage`]: a private desktop (D-Bus session, unlocked keyring, virtual
//! screen, empty home) and a backend of its own. It starts the [`App`] there and finds elements by
//! role and name as a person does. However it ends, every process that it started ends too.
//!
//! Run it with plain `cargo test -p vestibule-acceptance`: at most [`scenario::AT_ONCE`] scenarios
//! run at a time, whatever the number of test threads. The app and the driver must have been built;
//! `cargo xtask test` does that. Nothing is skipped: a test that cannot run fails and names the
//! command that helps. Linux only, since there is no WebDriver for the window elsewhere.
//!
//! No test waits for time to pass: every wait is for a condition and has a limit.

pub mod account_screens;
mod administrator;
mod app;
pub mod browser_screens;
mod desktop;
mod driver;
mod element;
pub mod endings;
mod external_network;
mod facade;
pub mod hard_cases;
mod keyboard;
mod mouse;
mod other_server;
mod page;
mod paths;
mod process_group;
mod record;
pub mod scenario;
mod screen;
mod system_browser;
pub mod tokens;
pub mod tour;
mod wait;

pub use administrator::Administrator;
pub use app::App;
pub use browser_screens::issuer_profile;
pub use desktop::Desktop;
pub use driver::Driver;
pub use element::{Name, Role, containing, focused};
pub use external_network::{Host, Outside, Packet, with_outside};
pub use facade::bundle;
pub use keyboard::Keyboard;
pub use mouse::{Mouse, Point, on_screen};
pub use other_server::OtherServer;
pub use page::run_async;
pub use paths::{adopter, app, artifacts, bundles, repository, screens};
pub use process_group::ProcessGroup;
pub use record::{Answer, Page, Record, Violation};
pub use scenario::{Stage, scenario, scenario_of_one_account, scenario_with};
pub use screen::Screen;
pub use system_browser::{Chromium, SystemBrowser};
pub use vestibule_bus::Keyring;
pub use vestibule_harness::{ADMIN, DEMO, OTP, PASSWORD};
pub use wait::{CONDITION_TIMEOUT, until};

/// The display name of [`DEMO`].
pub const DEMO_NAME: &str = "Dana Demo";
/// The display name of [`ADMIN`].
pub const ADMIN_NAME: &str = "Ada Admin";
/// The demo account with an authenticator app.
pub const TOTP: &str = "totp@vestibule.test";
/// The display name of [`OTP`].
pub const OTP_NAME: &str = "Otto Post";
