//! Runs the core against real servers from other projects, installed from npm, PyPI and Debian.
//!
//! The program `servers` of `tests/servers` signs in there, or has the doctor find a profile, and prints
//! a table. Only Better Auth is a
//! step of `cargo xtask test`: the packages of the others are many, and installing compiles some of
//! them.

use std::ffi::OsString;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::setup::packages::Choice;
use crate::setup::{self, For};
use crate::{compile, console, process};

/// A server.
#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name for that program.
    pub name: &'static str,
    /// The folder with its packages.
    pub folder: &'static str,
    /// Where they come from.
    source: Source,
    /// How long installing them takes, in words.
    takes: &'static str,
}

/// Where a server's packages come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// npm.
    Npm,
    /// npm, and a database from Debian.
    NpmAndDebian(&'static [Choice]),
    /// PyPI.
    Pip,
}

/// PostgreSQL with PostGIS, by release of Debian and Ubuntu.
const POSTGIS: &[Choice] = &[&[
    "postgresql-15-postgis-3",
    "postgresql-17-postgis-3",
    "postgresql-16-postgis-3",
    "postgresql-14-postgis-3",
]];

/// The option that leaves a server out.
const SKIP: &str = "--skip";
/// The option that has the doctor find a profile at each.
const DOCTOR: &str = "--doctor";
/// The option that prints JSON.
const JSON: &str = "--json";

const fn server(
    name: &'static str,
    folder: &'static str,
    source: Source,
    takes: &'static str,
) -> Server {
    Server {
        name,
        folder,
        source,
        takes,
    }
}

/// Every server. The list is here too, so that only the requested ones are installed.
pub const SERVERS: [Server; 16] = [
    server(
        "better-auth",
        "tests/servers/better-auth",
        Source::Npm,
        "some seconds",
    ),
    server(
        "directus",
        "tests/servers/directus",
        Source::Npm,
        "some minutes: its database is compiled",
    ),
    server(
        "dj-rest-auth",
        "tests/servers/dj-rest-auth",
        Source::Pip,
        "half a minute",
    ),
    server(
        "djoser",
        "tests/servers/djoser",
        Source::Pip,
        "half a minute",
    ),
    server(
        "django-oauth-toolkit",
        "tests/servers/django-oauth-toolkit",
        Source::Pip,
        "half a minute",
    ),
    server(
        "fastapi-users",
        "tests/servers/fastapi-users",
        Source::Pip,
        "half a minute",
    ),
    server(
        "strapi",
        "tests/servers/strapi",
        Source::Npm,
        "some minutes: 1,400 packages",
    ),
    server(
        "strapi-sessions",
        "tests/servers/strapi",
        Source::Npm,
        "some minutes: 1,400 packages",
    ),
    server(
        "parse",
        "tests/servers/parse",
        Source::NpmAndDebian(POSTGIS),
        "a minute",
    ),
    server(
        "feathers",
        "tests/servers/feathers",
        Source::Npm,
        "some minutes: its database is compiled",
    ),
    server(
        "oidc-provider",
        "tests/servers/oidc-provider",
        Source::Npm,
        "some seconds",
    ),
    server(
        "better-auth-desktop",
        "tests/servers/better-auth-desktop",
        Source::Npm,
        "some seconds",
    ),
    server(
        "better-auth-generic-oauth",
        "tests/servers/better-auth-desktop",
        Source::Npm,
        "some seconds",
    ),
    server(
        "better-auth-issuer",
        "tests/servers/better-auth-desktop",
        Source::Npm,
        "some seconds",
    ),
    server(
        "django-oauth-toolkit-oidc",
        "tests/servers/django-oauth-toolkit",
        Source::Pip,
        "half a minute",
    ),
    server(
        "django-oauth-toolkit-oauth2",
        "tests/servers/django-oauth-toolkit",
        Source::Pip,
        "half a minute",
    ),
];

impl Server {
    /// Its folder, if its packages come from npm.
    #[cfg(test)]
    pub fn npm(&self) -> Option<&'static str> {
        (self.source != Source::Pip).then_some(self.folder)
    }

    /// Its folder, if its packages come from PyPI.
    #[cfg(test)]
    pub fn python(&self) -> Option<&'static str> {
        (self.source == Source::Pip).then_some(self.folder)
    }

    fn install(&self) -> Outcome {
        match self.source {
            Source::Pip => return setup::python::ready_in(self.folder, self.takes),
            // A PostgreSQL of the user's own.
            Source::NpmAndDebian(_) if std::env::var_os("PG_BIN").is_some() => {}
            Source::NpmAndDebian(packages) => {
                setup::system::debian_packages("PostgreSQL with PostGIS", packages)?;
            }
            Source::Npm => {}
        }
        setup::npm::ready_in(self.folder, self.takes)
    }
}

/// What the command line may hold: names, and the options of the program.
pub fn words() -> impl Iterator<Item = &'static str> + Clone {
    SERVERS
        .iter()
        .map(|server| server.name)
        .chain([DOCTOR, SKIP, JSON])
}

/// Prepares the machine and runs the servers that the arguments name, or all of them. What cannot be
/// installed here is told to the program, which says so in its table and fails.
pub fn run(arguments: &[OsString]) -> Outcome {
    setup::ready(For::Development)?;
    let mut absent: Vec<String> = Vec::new();
    for server in wanted(arguments) {
        match server.install() {
            Ok(()) => {}
            Err(interrupted @ Failure::Interrupted(_)) => return Err(interrupted),
            Err(failure) => {
                console::step(format_args!(
                    "{} cannot be installed: {failure}",
                    server.name
                ));
                let folder = server.folder.rsplit('/').next().unwrap_or_default();
                absent.push(format!("{folder}={failure}"));
            }
        }
    }
    console::step("building the program that signs in there");
    let servers = compile::binary("servers", &["--workspace"])?;
    let mut servers = Command::new(servers);
    servers
        .args(arguments)
        .env("VESTIBULE_SERVERS_VENVS", setup::python::environments());
    if arguments.iter().any(|word| *word == *DOCTOR) {
        console::step("building the doctor");
        let doctor = compile::binary("vestibule-doctor", &["--workspace"])?;
        servers.env("VESTIBULE_SERVERS_DOCTOR", doctor);
    }
    for why in absent {
        servers.args(["--absent", &why]);
    }
    process::run(&mut servers)
}

/// The servers to install: those that are named, or all; never one after `--skip`.
fn wanted(arguments: &[OsString]) -> impl Iterator<Item = &'static Server> {
    let (mut named, mut skipped) = (Vec::new(), Vec::new());
    let mut words = arguments
        .iter()
        .filter(|word| *word != JSON && *word != DOCTOR);
    while let Some(word) = words.next() {
        match word == SKIP {
            true => skipped.extend(words.next()),
            false => named.push(word),
        }
    }
    SERVERS.iter().filter(move |server| {
        let is_in = |names: &[&OsString]| names.iter().any(|name| **name == *server.name);
        (named.is_empty() || is_in(&named)) && !is_in(&skipped)
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
        assert_eq!(names(&["--json", "directus"]), ["directus"]);
        assert_eq!(names(&["--doctor", "directus"]), ["directus"]);
        assert_eq!(names(&[]), SERVERS.map(|server| server.name));
        assert_eq!(names(&["--json"]).len(), SERVERS.len());
        let rest = names(&["--skip", "parse", "--skip", "strapi"]);
        assert_eq!(rest.len(), SERVERS.len() - 2);
        assert!(!rest.contains(&"parse"));
    }

    #[test]
    fn the_names_are_those_of_the_program() {
        let program = root::root().join("tests/servers/src/backends.rs");
        let program = std::fs::read_to_string(program).unwrap();
        let values = |key: &str| -> Vec<_> {
            let lines = program
                .lines()
                .filter_map(|line| line.trim().strip_prefix(key));
            let values = lines.map(|rest| rest.trim_matches([' ', '"', ',']).to_owned());
            values
                .filter(|value| !value.is_empty() && !value.contains('&'))
                .collect()
        };
        assert_eq!(values("name:"), SERVERS.map(|server| server.name));
        let folders = SERVERS.map(|server| server.folder.trim_start_matches("tests/servers/"));
        assert_eq!(values("folder:"), folders);
    }
}
