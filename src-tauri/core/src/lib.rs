//! Sessions without a window.
//!
//! A [`session::Session`] signs a person in against a backend that a [`profile::Profile`]
//! describes, keeps the refresh token in the operating system's keyring and the access token
//! in memory, and publishes what changes. It knows nothing of Tauri and is tested without a
//! window; the shell in `src-tauri/src` hands commands in and events out.
//!
//! Dependencies run one way: [`session`] uses [`backend`], [`vault`], [`device`], [`journal`]
//! and [`state`]; none of them knows `session`.

pub mod backend;
pub mod clock;
pub mod cookies;
pub mod device;
pub mod error;
pub mod exchanges;
pub mod expiry;
pub mod journal;
pub mod keyring;
pub mod lock;
pub mod plan;
pub mod profile;
pub mod records;
pub mod reply;
pub mod roles;
pub mod schedule;
pub mod secrets;
pub mod session;
pub mod state;
pub mod steps;
pub mod token;
pub mod unusable;
pub mod vault;
pub mod wire;
