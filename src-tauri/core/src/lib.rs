//! Sessions without a window.
//!
//! A [`session::Session`] signs a person in against a backend that a [`profile::Profile`]
//! describes, keeps the refresh token in the operating system's keyring and the access token
//! in memory, and publishes what changes. It knows nothing of Tauri and is tested without a
//! window; the shell in `src-tauri/src` hands commands in and events out.
//!
//! Dependencies run one way: [`session`] uses [`backend`], [`storage`], [`device`] and
//! [`state`]; none of them knows `session`. What a machine provides comes in through four
//! traits: [`clock::Clock`], [`secrets::SecretStore`], [`storage::records::RecordStore`] and
//! [`transport::Transport`].

pub mod backend;
pub mod backend_calls;
pub mod clock;
pub mod cookies;
pub mod device;
pub mod error;
pub mod failpoints;
pub mod folder_advice;
pub mod identity;
pub mod obstacle;
pub mod plan;
pub mod policy;
pub mod profile;
pub mod response_fields;
pub mod roles;
pub mod schedule;
pub mod secrets;
pub mod session;
pub mod single_instance;
pub mod state;
pub mod status;
pub mod storage;
pub mod token;
pub mod token_expiry;
pub mod transport;
pub mod wire;
