//! The session over loopback, against the bundled backend: what is true after each answer,
//! what is kept, and how many requests it took.

#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod codes;
mod confirm;
mod device;
mod disk;
mod fetch;
mod lock;
mod outbox;
mod races;
mod refresh_cookies;
mod refresh_ends;
mod refresh_faults;
mod refresh_waits;
mod restore;
mod roles;
mod sign_in;
mod sign_out;
mod single_flight;
mod storage;
mod unlock;
