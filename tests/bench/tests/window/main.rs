//! What is measured of windows: short forms, controls and counts. In one program, so that they run
//! beside each other. They run where `cargo xtask test` has built the app and what it is compared
//! with; `cargo xtask test --only acceptance` does all of that.

#![cfg(target_os = "linux")]

mod controls;
mod messages;
mod screen;
mod short_forms;
