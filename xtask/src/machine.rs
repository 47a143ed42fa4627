//! Checks what this machine lacks, and for which purpose. Changes nothing.

use std::process::Command;

use crate::failure::{Outcome, said};
use crate::setup::packages::Family;
use crate::setup::tools::WEBDRIVER;
use crate::setup::{For, node, npm, system};
use crate::{display, ports, process, room};

enum MachineState {
    Good,
    /// Everything works, but something will be different.
    Note,
    /// Development or tests do not work without it.
    Missing,
}

struct Finding {
    what: &'static str,
    state: MachineState,
    /// What the check found.
    found: String,
    /// What the developer can do about it.
    advice: String,
}

/// Prints the findings; fails if something is missing.
pub fn run() -> Outcome {
    let mut findings = vec![
        node(),
        linker(),
        packages("packages to build", For::Development),
        npm_packages(),
        disk(),
    ];
    if cfg!(target_os = "linux") {
        findings.extend([
            packages("packages to test", For::Tests),
            webdriver(),
            screen(),
            keyring(),
        ]);
    }
    findings.extend([
        port(ports::BACKEND, "port of the backend"),
        port(ports::FRONTEND, "port of Next"),
    ]);
    let mut missing = 0;
    for Finding {
        what,
        state,
        found,
        advice,
    } in findings
    {
        let word = match state {
            MachineState::Good => "ok",
            MachineState::Note => "note",
            MachineState::Missing => {
                missing += 1;
                "MISSING"
            }
        };
        println!("{word:<8} {what:<22} {found}");
        if !advice.is_empty() {
            println!("{:32}{advice}", "");
        }
    }
    if missing > 0 {
        return Err(said(format!(
            "{missing} things are missing; `cargo xtask setup` gets what it can"
        )));
    }
    Ok(())
}

fn good(what: &'static str, found: impl Into<String>) -> Finding {
    Finding {
        what,
        state: MachineState::Good,
        found: found.into(),
        advice: String::new(),
    }
}

fn note(what: &'static str, found: impl Into<String>, advice: &str) -> Finding {
    Finding {
        what,
        state: MachineState::Note,
        found: found.into(),
        advice: advice.into(),
    }
}

fn missing(what: &'static str, found: impl Into<String>, advice: &str) -> Finding {
    Finding {
        what,
        state: MachineState::Missing,
        found: found.into(),
        advice: advice.into(),
    }
}

fn node() -> Finding {
    match node::check() {
        Ok(version) => good("Node.js", version.to_string()),
        Err(failure) => missing("Node.js", failure.to_string(), ""),
    }
}

fn disk() -> Finding {
    const WHAT: &str = "room on the disk";
    let Some(free) = room::for_builds() else {
        return note(WHAT, "not known", "");
    };
    let found = format!("{} GB", free >> 30);
    if free < room::OF_ALL_TESTS {
        let advice = format!(
            "all tests take about {} GB where nothing is built yet",
            room::OF_ALL_TESTS >> 30
        );
        return note(WHAT, found, &advice);
    }
    good(WHAT, found)
}

fn linker() -> Finding {
    if cfg!(windows) {
        // This program was linked on this machine.
        return good("linker", "MSVC; WebView2 comes with Windows 10 and newer");
    }
    match process::find("cc") {
        Some(path) => good("C linker", path.display().to_string()),
        None => missing(
            "C linker",
            "no `cc` on the PATH",
            "on Debian and Ubuntu: apt-get install build-essential",
        ),
    }
}

fn packages(what: &'static str, purpose: For) -> Finding {
    if !cfg!(target_os = "linux") {
        return match system::ready(purpose) {
            Ok(()) => good(what, "complete"),
            Err(failure) => missing(what, failure.to_string(), ""),
        };
    }
    told(what, purpose, system::missing(purpose))
}

fn told(
    what: &'static str,
    purpose: For,
    missing_here: Outcome<Option<(Family, Vec<String>)>>,
) -> Finding {
    match missing_here {
        Ok(Some((_, names))) if names.is_empty() => good(what, "complete"),
        Ok(Some((family, names))) => missing(what, names.join(" "), &family.by_hand(&names)),
        Ok(None) => note(
            what,
            "this distribution is not known here",
            &format!("needed: {}", system::needed(purpose)),
        ),
        Err(failure) => missing(what, failure.to_string(), ""),
    }
}

fn npm_packages() -> Finding {
    match npm::installed() {
        Ok(true) => good("npm packages", "as frontend/package-lock.json says"),
        Ok(false) => missing(
            "npm packages",
            "not installed, or others than the lock file names",
            "cargo xtask setup",
        ),
        Err(failure) => missing("npm packages", failure.to_string(), ""),
    }
}

fn webdriver() -> Finding {
    match (WEBDRIVER.is_installed(), process::find("WebKitWebDriver")) {
        (true, Some(native)) => good(
            "WebDriver",
            format!("tauri-driver and {}", native.display()),
        ),
        (false, _) => missing(
            "WebDriver",
            "tauri-driver is not installed",
            "cargo xtask setup",
        ),
        (_, None) => missing(
            "WebDriver",
            "no WebKitWebDriver on the PATH",
            "cargo xtask setup",
        ),
    }
}

fn screen() -> Finding {
    match display::check() {
        Ok(()) => good("display", "there"),
        Err(_) => note(
            "display",
            "neither DISPLAY nor WAYLAND_DISPLAY is set",
            "tests bring their own; for development: xvfb-run cargo xtask dev",
        ),
    }
}

fn keyring() -> Finding {
    const WHAT: &str = "keyring";
    const MEMORY: &str =
        "the app works, but forgets the session when it ends; tests bring their own keyring";
    if process::find("dbus-send").is_none() {
        return note(WHAT, "cannot tell: dbus-send is not installed", MEMORY);
    }
    let ask = |method: &str| {
        let mut command = Command::new("dbus-send");
        command.args([
            "--session",
            "--print-reply=literal",
            "--reply-timeout=3000",
            "--dest=org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            &format!("org.freedesktop.DBus.{method}"),
        ]);
        process::capture(&mut command)
    };
    let names = match (ask("ListNames"), ask("ListActivatableNames")) {
        (Ok(running), Ok(startable)) if running.ok => running.text + &startable.text,
        _ => return note(WHAT, "no D-Bus session", MEMORY),
    };
    if names.contains("org.freedesktop.secrets") {
        good(WHAT, "a Secret Service is there or starts when asked")
    } else {
        note(WHAT, "no Secret Service on the session bus", MEMORY)
    }
}

fn port(port: u16, what: &'static str) -> Finding {
    if ports::is_taken(port) {
        note(
            what,
            format!("{port} is taken"),
            &ports::holder_in_words(port),
        )
    } else {
        good(what, format!("{port} is free"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_distribution_that_is_not_known_the_libraries_are_named() {
        for (purpose, wanted) in [
            (For::Development, &["WebKitGTK 4.1", "librsvg"][..]),
            (
                For::Tests,
                &["WebKitGTK 4.1", "WebKitWebDriver", "Xvfb", "gnome-keyring"],
            ),
        ] {
            let advice = told("packages", purpose, Ok(None)).advice;
            for one in wanted {
                assert!(advice.contains(one), "{one}: {advice}");
            }
            assert!(!advice.contains("README"), "{advice}");
        }
    }
}
