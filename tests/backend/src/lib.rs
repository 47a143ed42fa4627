//! The reference backend of Vestibule.
//!
//! A small, real authentication backend: accounts with argon2id passwords, rotating
//! refresh tokens with reuse detection, one-time codes, roles, a device list, on
//! one SQLite file. It also misbehaves on demand, which is what tests need.

mod access;
mod accounts;
mod app;
mod backend;
mod clock;
mod config;
mod cookies;
mod demo;
mod dispatch;
mod error;
mod faults;
mod input;
mod limits;
mod mailbox;
mod otp;
mod password;
mod routes;
mod secret;
mod seen;
mod server;
mod sessions;
mod socket;
mod store;
mod totp;
mod tries;

pub use backend::{Backend, SessionRecord, StartError};
pub use config::{Config, DeviceBinding, Hashing, Registration};
pub use faults::{Cut, Effect, Fault, FaultBook, FaultId, Point, When};
pub use seen::SeenRequest;
