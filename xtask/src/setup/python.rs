//! The packages from PyPI that a folder of the repository needs, each folder's in a virtual
//! environment of its own under the target folder.
//!
//! Whether they are up to date is asked of pip itself, as for npm.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Outcome, io, said};
use crate::{console, process, root};

/// The folder of the virtual environments.
pub fn environments() -> PathBuf {
    root::target().join("servers")
}

/// Installs the packages of `requirements.txt` in a folder of the repository, unless they are
/// installed; `takes` is how long that takes, in words.
pub fn ready_in(folder: &str, takes: &str) -> Outcome {
    let requirements = root::root().join(folder).join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)
        .map_err(io(format_args!("reading {}", requirements.display())))?;
    let name = folder.rsplit('/').next().unwrap_or(folder);
    let environment = environments().join(name);
    if installed(&environment)?.is_some_and(|have| holds(&have, &wanted)) {
        return Ok(());
    }
    console::step(format_args!(
        "installing the Python packages of {folder} ({takes})"
    ));
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&environment);
    process::quiet(&mut venv).map_err(|failure| {
        said(format!(
            "{failure}\nPython makes no virtual environment here. On Debian and Ubuntu: \
             apt-get install -y python3-venv"
        ))
    })?;
    let mut pip = pip(&environment);
    pip.args(["install", "--quiet", "--disable-pip-version-check", "-r"]);
    process::quiet(pip.arg(&requirements))?;
    match installed(&environment)? {
        Some(have) if holds(&have, &wanted) => Ok(()),
        _ => Err(said(format!(
            "pip installed other packages than {folder}/requirements.txt names. Remove {} and run this again.",
            environment.display()
        ))),
    }
}

fn pip(environment: &std::path::Path) -> Command {
    let python = if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    };
    let mut pip = Command::new(environment.join(python));
    pip.args(["-m", "pip"]);
    pip
}

/// What is installed, as pip lists it; `None` without an environment.
fn installed(environment: &std::path::Path) -> Outcome<Option<String>> {
    if !environment.is_dir() {
        return Ok(None);
    }
    let listed = process::capture(pip(environment).args(["freeze", "--disable-pip-version-check"]));
    Ok(listed
        .ok()
        .filter(|listed| listed.ok)
        .map(|listed| listed.text))
}

/// Whether every wanted package is there in its version.
fn holds(have: &str, wanted: &str) -> bool {
    let mut wanted = wanted
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    wanted.all(|package| have.lines().any(|line| line.trim() == package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_is_missing_or_another_version_is_noticed() {
        let wanted = "a==1.0\nb==2.0\n";
        assert!(holds("a==1.0\nb==2.0\nc==3.0\n", wanted));
        for have in ["", "a==1.0\n", "a==1.0\nb==2.0.1\n", "a==1.01\nb==2.0\n"] {
            assert!(!holds(have, wanted), "{have:?}");
        }
    }

    /// `pip install -r` would take whatever version is newest of a package without one.
    #[test]
    fn the_committed_requirements_name_one_version_of_each_package() {
        let servers = crate::real_servers::SERVERS.iter();
        let python: Vec<_> = servers
            .filter_map(crate::real_servers::Server::python)
            .collect();
        assert_eq!(python.len(), 6);
        for folder in python {
            let file = root::root().join(folder).join("requirements.txt");
            let text = fs::read_to_string(file).unwrap();
            for line in text.lines() {
                let (name, version) = line.split_once("==").unwrap_or_default();
                assert!(!name.is_empty() && !version.is_empty(), "{folder}: {line}");
            }
        }
    }
}
