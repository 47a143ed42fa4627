//! Short forms, controls and counts of what is measured of windows. They are one program, so that
//! they run side by side. They need the builds of the app and of what it is compared with; `cargo
//! xtask test --only acceptance` makes them and runs this.

#![cfg(target_os = "linux")]

mod accounts;
mod controls;
mod messages;
mod screen;
mod short_forms;
