//! Checks the app's dependencies by the rules in `.cargo/deny.toml`: licences, sources, and one
//! HTTP and TLS stack. Then checks a made-up app that breaks the rules, as a control that they find
//! something.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::{Outcome, io, said};
use crate::setup::tools::DENY;
use crate::{process, root};

const RULES: &str = ".cargo/deny.toml";

/// A package of the made-up app: an empty one with the name of a banned package.
struct DenyCheck {
    folder: &'static str,
    name: &'static str,
    version: &'static str,
    licence: &'static str,
    /// The folders of its dependencies.
    needs: &'static [&'static str],
}

const fn made(folder: &'static str, name: &'static str, version: &'static str) -> DenyCheck {
    DenyCheck {
        folder,
        name,
        version,
        licence: "MIT",
        needs: &[],
    }
}

const CONTROL: [DenyCheck; 6] = [
    DenyCheck {
        needs: &["openssl-sys", "reqwest", "second", "copyleft"],
        ..made("control", "control", "1.0.0")
    },
    made("openssl-sys", "openssl-sys", "0.9.1"),
    made("reqwest", "reqwest", "0.12.1"),
    DenyCheck {
        needs: &["newer"],
        ..made("second", "second", "1.0.0")
    },
    made("newer", "reqwest", "0.13.1"),
    DenyCheck {
        licence: "GPL-3.0-only",
        ..made("copyleft", "copyleft", "1.0.0")
    },
];

/// The mistakes that must be found: their kinds and packages.
const WRONG: [(&str, &str); 3] = [
    ("banned", "openssl-sys"),
    ("duplicate", "reqwest"),
    ("rejected", "copyleft"),
];

/// Checks the app and the made-up app.
pub fn check() -> Outcome<String> {
    DENY.ready()?;
    let mut ours = deny(&root::root().join("Cargo.toml"));
    ours.args(["--locked", "check", "licenses", "sources", "bans"]);
    process::run(&mut ours)?;

    let manifest = control().map_err(io("making the control of the rules"))?;
    let mut control = deny(&manifest);
    control.args(["--offline", "--format", "json", "check", "licenses", "bans"]);
    let told = process::capture(&mut control)?;
    let found = mistakes(&told.text);
    for (kind, package) in WRONG {
        let is_it = |mistake: &(String, String)| mistake.0 == kind && mistake.1 == package;
        if told.ok || !found.iter().any(is_it) {
            process::show(&told.text);
            return Err(said(format!(
                "{RULES} accepts `{package}`, which it must refuse ({kind})"
            )));
        }
    }
    Ok(String::new())
}

fn deny(manifest: &Path) -> Command {
    let mut deny = Command::new(DENY.path());
    deny.current_dir(root::root())
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--config")
        .arg(root::root().join(RULES));
    deny
}

/// Writes the made-up app; returns the path of its manifest.
fn control() -> std::io::Result<PathBuf> {
    let top = root::records().join("deny-control");
    for package in &CONTROL {
        let DenyCheck {
            folder,
            name,
            version,
            licence,
            needs,
        } = package;
        let folder = top.join(folder);
        // Each is a workspace, so that none belongs to the workspace above it.
        let mut text = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\
             license = \"{licence}\"\npublish = false\n[workspace]\n[dependencies]\n"
        );
        for need in CONTROL.iter().filter(|other| needs.contains(&other.folder)) {
            text += &format!("{} = {{ path = \"../{}\" }}\n", need.name, need.folder);
        }
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), text)?;
        fs::write(folder.join("src/lib.rs"), "")?;
    }
    Ok(top.join("control/Cargo.toml"))
}

/// The mistakes in cargo-deny's output, a line of JSON each: their kinds and packages.
fn mistakes(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines
        .filter_map(|line: Value| {
            let fields = &line["fields"];
            let kind = fields["code"].as_str()?;
            let package = fields["graphs"][0]["Krate"]["name"].as_str()?;
            (fields["severity"] == "error").then(|| (kind.to_owned(), package.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_and_warnings_are_not() {
        let line = |severity: &str| {
            format!(
                r#"{{"fields":{{"code":"banned","severity":"{severity}","graphs":[{{"Krate":{{"name":"openssl"}}}}]}},"type":"diagnostic"}}"#
            )
        };
        let text = format!("not JSON\n{}\n{}\n{{}}\n", line("error"), line("warning"));
        assert_eq!(
            mistakes(&text),
            [("banned".to_owned(), "openssl".to_owned())]
        );
    }
}
