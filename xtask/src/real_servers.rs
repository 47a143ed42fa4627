//! The core through servers that others wrote, run for real from their npm packages.
//!
//! The program `servers` of `tests/servers` does the work. It is no step of `cargo xtask test`:
//! the packages are many, and some are compiled when they are installed.

use std::ffi::OsString;

use crate::failure::Outcome;
use crate::setup::{self, For};
use crate::{compile, process, say};

/// Where their packages are named, and what getting them takes.
pub const FOLDERS: [(&str, &str); 2] = [
    ("tests/servers/better-auth", "some seconds"),
    (
        "tests/servers/directus",
        "some minutes: its database is compiled",
    ),
];

/// Makes everything ready and runs the servers that the arguments name, or all.
pub fn run(arguments: &[OsString]) -> Outcome {
    setup::ready(For::Development)?;
    for (folder, takes) in FOLDERS {
        setup::npm::ready_in(folder, takes)?;
    }
    say::step("building the program that signs in there");
    let servers = compile::binary("servers", &["--package", "vestibule-servers"])?;
    let mut servers = std::process::Command::new(servers);
    process::run(servers.args(arguments))
}
