//! The core through servers that others wrote, run for real from their npm packages.
//!
//! The program `servers` of `tests/servers` does the work. It is no step of `cargo xtask test`:
//! the packages are many, and some are compiled when they are installed.

use std::ffi::OsString;

use crate::failure::Outcome;
use crate::setup::{self, For};
use crate::{compile, process, say};

/// A server that there is.
#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    /// As that program knows it.
    pub name: &'static str,
    /// Where its packages are named.
    pub folder: &'static str,
    /// What getting them takes.
    takes: &'static str,
}

/// All of them. Known here too, so that only what is asked for is installed.
pub const SERVERS: [Server; 2] = [
    Server {
        name: "better-auth",
        folder: "tests/servers/better-auth",
        takes: "some seconds",
    },
    Server {
        name: "directus",
        folder: "tests/servers/directus",
        takes: "some minutes: its database is compiled",
    },
];

/// Makes everything ready and runs the servers that the arguments name, or all.
pub fn run(arguments: &[OsString]) -> Outcome {
    setup::ready(For::Development)?;
    for server in wanted(arguments) {
        setup::npm::ready_in(server.folder, server.takes)?;
    }
    say::step("building the program that signs in there");
    let servers = compile::binary("servers", &["--workspace"])?;
    let mut servers = std::process::Command::new(servers);
    process::run(servers.args(arguments))
}

fn wanted(arguments: &[OsString]) -> impl Iterator<Item = &'static Server> {
    SERVERS.iter().filter(move |server| {
        arguments.is_empty() || arguments.iter().any(|argument| argument == server.name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root;

    #[test]
    fn only_what_is_asked_for_is_installed() {
        let names = |arguments: &[&str]| -> Vec<_> {
            let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
            wanted(&arguments).map(|server| server.name).collect()
        };
        assert_eq!(names(&["better-auth"]), ["better-auth"]);
        assert_eq!(names(&["directus"]), ["directus"]);
        assert_eq!(names(&[]), ["better-auth", "directus"]);
    }

    #[test]
    fn the_names_are_those_of_the_program() {
        let program = root::root().join("tests/servers/src/main.rs");
        let program = std::fs::read_to_string(program).unwrap();
        let line = program.lines().find(|line| line.starts_with("const NAMES"));
        let (_, list) = line.unwrap().split_once(" = ").unwrap();
        assert_eq!(list, format!("{:?};", SERVERS.map(|server| server.name)));
    }
}
