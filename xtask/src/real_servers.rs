//! Runs the core against real servers from other projects, installed from their npm packages.
//!
//! The program `servers` of `tests/servers` signs in there. It is not a step of `cargo xtask test`:
//! the packages are many, and installing compiles some of them.

use std::ffi::OsString;

use crate::failure::Outcome;
use crate::setup::{self, For};
use crate::{compile, console, process};

/// A server.
#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name for that program.
    pub name: &'static str,
    /// The folder with its `package.json`.
    pub folder: &'static str,
    /// How long installing its packages takes, in words.
    takes: &'static str,
}

/// Every server. The list is here too, so that only the requested ones are installed.
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

/// Prepares the machine and runs the servers that the arguments name, or all of them.
pub fn run(arguments: &[OsString]) -> Outcome {
    setup::ready(For::Development)?;
    for server in wanted(arguments) {
        setup::npm::ready_in(server.folder, server.takes)?;
    }
    console::step("building the program that signs in there");
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
