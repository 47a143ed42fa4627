//! Sessions without a window.
//!
//! A [`session::Session`] signs a person in against a backend that a [`profile::Profile`]
//! describes, keeps the refresh token in the operating system's keyring and the access token
//! in memory, and publishes what changes. It knows nothing of Tauri and is tested without a
//! window; the shell in `src-tauri/src` hands commands in and events out.
//!
//! Dependencies run one way: `session` uses `backend`, `storage`, `device` and `state`; none of
//! them knows `session`. What a machine provides comes in through four traits: `Clock`,
//! [`SecretStore`], `RecordStore` and [`transport::Transport`].
//!
//! What leaves the crate is named here, or in the `mod.rs` of a public folder: a folder's names
//! stand in its module, those of a single file at the root. The feature `testing` adds the module
//! `testing` for this repository's tests; the app never switches it on. With it every export is
//! there, so only then can rustc tell which `pub` reaches nobody.
#![cfg_attr(feature = "testing", warn(unreachable_pub))]

pub mod backend;
mod backend_calls;
mod clock;
mod cookies;
mod device;
mod error;
mod failpoints;
mod folder_advice;
mod identity;
mod obstacle;
mod plan;
mod policy;
pub mod profile;
mod response_fields;
mod roles;
mod schedule;
mod secrets;
pub mod session;
pub mod single_instance;
mod state;
mod status;
mod storage;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod token;
mod token_expiry;
pub mod transport;
pub mod wire;

pub use backend_calls::BackendCalls;
pub use cookies::{RefreshChange, RefreshCookie};
pub use device::Device;
pub use error::{AuthError, ErrorCode, PageCode, PageError};
pub use folder_advice::unusable_folder;
pub use identity::{ChallengeId, SessionId};
pub use obstacle::{Obstacle, ObstacleText, Responsible};
pub use policy::Policy;
pub use response_fields::{AccessToken, ResponseFields};
pub use roles::Roles;
pub use secrets::{Secret, SecretBytes, SecretStore, StoreError};
pub use status::is_absent_endpoint;
pub use storage::keyring::Keyring;
pub use token::{BodyToken, RefreshToken};
pub use token_expiry::token_lifetime;
