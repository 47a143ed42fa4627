//! The packages of the operating system: libraries to link against, and for tests a virtual
//! display, a keyring and the webview's driver.
//!
//! On Debian and Ubuntu, missing packages are installed if that needs no password; elsewhere the
//! exact command is printed, and this tool stops.

use std::fs;
use std::process::Command;

use super::For;
use super::packages::{self, Choice, Family};
use crate::failure::{Outcome, said};
use crate::{console, process};

/// Installs the missing packages, or prints how to.
pub fn ready(purpose: For) -> Outcome {
    match std::env::consts::OS {
        "linux" => linux(purpose),
        "macos" => macos(),
        _ => Ok(()),
    }
}

/// The packages that are missing on this machine, with their family; `None` where that cannot be
/// determined.
pub fn missing(purpose: For) -> Outcome<Option<(Family, Vec<String>)>> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let Some(family) = Family::of(&release) else {
        return Ok(None);
    };
    let wanted = family.wanted(purpose == For::Tests);
    Ok(Some((family, missing_of(family, &wanted)?)))
}

/// Those of the wanted packages that are missing on this machine.
fn missing_of(family: Family, wanted: &[Choice]) -> Outcome<Vec<String>> {
    let names = wanted.iter().flat_map(|choice| choice.iter().copied());
    let answer = process::capture(family.query().args(names))?;
    let absent = family.missing(&answer.text, wanted).into_iter();
    Ok(absent.map(|choice| available(family, choice)).collect())
}

/// Installs packages of Debian or Ubuntu that one command needs, or says how to.
pub fn debian_packages(what_for: &str, wanted: &[Choice]) -> Outcome {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    match Family::of(&release) {
        Some(family @ Family::Debian) => install(family, wanted),
        _ => Err(said(format!(
            "{what_for} is installed from Debian's or Ubuntu's packages, and this system is neither"
        ))),
    }
}

/// What is needed, in words, for a distribution whose package names are not known here.
pub fn needed(purpose: For) -> &'static str {
    match purpose {
        For::Development => {
            "a C compiler, pkg-config, and WebKitGTK 4.1, libxdo, OpenSSL, libayatana-appindicator \
             and librsvg with their headers"
        }
        For::Tests => {
            "what building needs (WebKitGTK 4.1 …), and WebKitWebDriver, Xvfb, xauth, D-Bus, \
             gnome-keyring, secret-tool, xdotool, bsdtar, desktop-file-utils, and ip of iproute2"
        }
    }
}

fn linux(purpose: For) -> Outcome {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let Some(family) = Family::of(&release) else {
        console::step(format_args!(
            "this Linux distribution is not known here; if something fails, install {}",
            needed(purpose)
        ));
        return Ok(());
    };
    install(family, &family.wanted(purpose == For::Tests))
}

/// Installs those of the wanted packages that are missing, or says how to.
fn install(family: Family, wanted: &[Choice]) -> Outcome {
    let missing = missing_of(family, wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = family.by_hand(&missing);
    let prefix: &[&str] = match (family, may_install()) {
        (Family::Debian, Some(prefix)) => prefix,
        _ => {
            return Err(said(format!(
                "{} system packages are missing. Install them and run this again:\n  {by_hand}",
                missing.len()
            )));
        }
    };
    console::step(format_args!(
        "installing {} system packages with apt-get (a few minutes): {}",
        missing.len(),
        missing.join(" ")
    ));
    // A failing package source may be irrelevant here, and apt-get reports success without a
    // network. So only the result of the installation counts.
    let update = process::capture(apt(prefix).args(["update", "-q"]))?;
    // With the new list of packages, another of the alternative names may be available.
    let missing = missing_of(family, wanted)?;
    let installed = process::quiet(apt(prefix).args(["install", "-q", "-y"]).args(&missing));
    if installed.is_err() {
        process::show(&update.text);
        if process::is_network_failure(&update.text) {
            return Err(said(
                "No network: apt-get could not reach the package sources (its output is above). Connect and run this again.",
            ));
        }
    }
    installed?;
    let left = missing_of(family, wanted)?;
    if left.is_empty() {
        return Ok(());
    }
    Err(said(format!(
        "apt-get ran but these are still missing: {}",
        left.join(" ")
    )))
}

fn macos() -> Outcome {
    let tools = process::capture(Command::new("xcode-select").arg("-p"));
    if tools.is_ok_and(|tools| tools.ok) {
        return Ok(());
    }
    Err(said(
        "Apple's command line tools are missing. Run this and then try again:\n  xcode-select --install",
    ))
}

/// The command in front of `apt-get`, or `None` if this tool may not install packages.
fn may_install() -> Option<&'static [&'static str]> {
    if packages::is_root() {
        return Some(&[]);
    }
    let sudo = process::find("sudo").is_some()
        && process::capture(Command::new("sudo").args(["-n", "true"]))
            .is_ok_and(|answer| answer.ok);
    sudo.then_some(&["sudo", "-n"])
}

fn apt(prefix: &[&str]) -> Command {
    let mut words =
        prefix
            .iter()
            .copied()
            .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    let mut command = Command::new(words.next().unwrap_or("env"));
    command.args(words);
    command
}

/// Of the alternative names of a package, the one that this release has.
fn available(family: Family, choice: &'static [&'static str]) -> String {
    let first = choice.first().copied().unwrap_or_default();
    if family != Family::Debian || choice.len() < 2 {
        return first.to_owned();
    }
    choice
        .iter()
        .find(|name| {
            process::capture(Command::new("apt-cache").args(["show", "--no-all-versions", name]))
                .is_ok_and(|answer| answer.ok && answer.text.contains("Package:"))
        })
        .copied()
        .unwrap_or(first)
        .to_owned()
}
