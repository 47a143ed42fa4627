//! Sessions without a window.
//!
//! A [`session::Session`] signs a person in against a backend that a [`profile::Profile`]
//! describes, keeps the refresh token in the operating system's keyring and the access token
//! in memory, and publishes what changes. It knows nothing of Tauri and is tested without a
//! window; the plugin in `src-tauri/plugin` hands commands in and changes out.
//!
//! Dependencies run one way: `session` uses `backend`, `storage`, `device` and `state`; none of
//! them knows `session`. What a machine provides comes in through four traits: `Clock`,
//! [`SecretStore`], `RecordStore` and [`transport::Transport`].
//!
//! What leaves the crate is named here, or in the `mod.rs` of a public folder: a folder's names
//! stand in its module, those of a single file at the root. The feature `testing` adds the module
//! `testing` for this repository's tests; the app never switches it on. With it every export is
//! there, so only then can rustc tell which `pub` reaches nobody.
//!
//! Without the feature `session` there are [`profile`] and the types that stand in one: a build script
//! checks a profile and needs no network, keyring or runtime.
#![cfg_attr(feature = "testing", warn(unreachable_pub))]
#![cfg_attr(
    not(feature = "session"),
    allow(dead_code, unused_imports, reason = "what reads a profile is left out")
)]

#[cfg(feature = "session")]
pub mod accounts;
#[cfg(feature = "session")]
pub mod backend;
#[cfg(feature = "session")]
mod backend_calls;
#[cfg(feature = "session")]
mod beside_body;
#[cfg(feature = "session")]
pub mod browser;
#[cfg(feature = "session")]
mod clock;
#[cfg(feature = "session")]
mod cookie_date;
#[cfg(feature = "session")]
mod cookies;
#[cfg(feature = "session")]
pub mod deep_links;
mod device;
mod error;
#[cfg(feature = "session")]
mod failpoints;
#[cfg(feature = "session")]
mod folder_advice;
mod header_text;
mod identity;
#[cfg(feature = "session")]
mod invisible;
#[cfg(feature = "session")]
mod json_text;
mod json_value;
#[cfg(feature = "session")]
mod jwt;
#[cfg(feature = "session")]
mod moment;
mod obstacle;
#[cfg(feature = "session")]
mod plan;
#[cfg(feature = "session")]
mod policy;
pub mod profile;
#[cfg(feature = "session")]
mod published;
#[cfg(feature = "session")]
pub mod reading;
#[cfg(feature = "session")]
mod response_fields;
mod roles;
#[cfg(feature = "session")]
mod schedule;
mod secrets;
#[cfg(feature = "session")]
pub mod session;
#[cfg(feature = "session")]
mod session_entries;
#[cfg(feature = "session")]
pub mod single_instance;
#[cfg(feature = "session")]
mod state;
mod status;
#[cfg(feature = "session")]
mod storage;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(feature = "session")]
mod token;
#[cfg(feature = "session")]
mod token_expiry;
#[cfg(feature = "session")]
pub mod transport;
#[cfg(feature = "session")]
mod user_object;
pub mod wire;
#[cfg(feature = "session")]
pub mod workspaces;

#[cfg(feature = "session")]
pub use backend_calls::BackendCalls;
#[cfg(feature = "session")]
pub use cookies::{RefreshChange, RefreshCookie};
pub use device::Device;
pub use error::{AuthError, ErrorCode, PageCode, PageError};
#[cfg(feature = "session")]
pub use folder_advice::unusable_folder;
pub use identity::{AccountId, BrowserSignInId, ChallengeId, ListedSessionId, SessionId};
#[cfg(feature = "session")]
pub use invisible::is_invisible;
pub use obstacle::{Obstacle, ObstacleText, Responsible};
#[cfg(feature = "session")]
pub use policy::Policy;
#[cfg(feature = "session")]
pub use response_fields::{AccessToken, ResponseFields};
pub use roles::Roles;
pub use secrets::{Secret, SecretBytes, SecretStore, StoreError};
#[cfg(feature = "session")]
pub use session_entries::{LeftOut, SessionEntries, SessionEntry};
pub use status::is_absent_endpoint;
#[cfg(feature = "session")]
pub use storage::keyring::Keyring;
#[cfg(feature = "session")]
pub use token::{BodyToken, ProviderToken, RefreshToken};
#[cfg(feature = "session")]
pub use token_expiry::token_lifetime;
