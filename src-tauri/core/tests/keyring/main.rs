//! The real keyring: gnome-keyring on a session bus of its own.
//!
//! Each test runs itself once more on a bus of its own, with empty XDG folders and a
//! keyring daemon that it may kill: the developer's own keyring is never touched. Without
//! these programs a test fails and says which is missing.

#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod coy;
mod daemon;
mod items;
mod sessions;
mod twins;
