//! The real keyring: gnome-keyring on a session bus of its own.
//!
//! Each test runs itself again in a child process on a private bus, with empty XDG folders and a
//! keyring daemon that it may kill. The developer's own keyring is never touched. If one of the
//! programs is missing, the test fails and names it.

#![cfg(target_os = "linux")]

mod daemon;
mod duplicates;
mod items;
mod prompts;
mod sessions;
