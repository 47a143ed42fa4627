//! Building binaries of the workspace and learning where cargo put them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::failure::{Failure, Outcome, said};
use crate::{process, root};

/// Builds one binary with `cargo build` and further arguments; returns its path. With `--workspace`
/// among them it shares its dependencies with all other such builds: the features of dependencies
/// follow from the selected packages, not from those that are built.
pub fn binary(name: &str, arguments: &[&str]) -> Outcome<PathBuf> {
    binary_by(&mut root::cargo(), name, arguments)
}

/// Builds one binary with a prepared cargo command; returns its path.
pub fn binary_by(cargo: &mut Command, name: &str, arguments: &[&str]) -> Outcome<PathBuf> {
    cargo.args(["build", "--bin", name]).args(arguments);
    let messages = messages(cargo, name)?;
    let built = messages
        .iter()
        .rev()
        .find_map(|message| executable(message, name));
    built.ok_or_else(|| said(format!("cargo built {name} but did not say where")))
}

/// Makes cargo run clippy on the workspace's own crates while compiling them, and stop at any
/// warning. `cargo clippy` finds the same, but it only checks: every dependency would be checked
/// for it and then compiled again.
pub fn under_clippy(cargo: &mut Command) {
    cargo
        .env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")
        .env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
}

/// Runs a cargo command that compiles; returns its JSON messages. `what` is the name of the build
/// in the error.
pub fn messages(cargo: &mut Command, what: &str) -> Outcome<Vec<Value>> {
    cargo
        .args(["--message-format", "json-render-diagnostics"])
        .stdout(Stdio::piped());
    let mut child = process::spawn(cargo)?;
    let stdout = child.stdout.take();
    // Standard output has lines of JSON; messages for people go to standard error.
    let reader = std::thread::spawn(move || {
        stdout
            .into_iter()
            .flat_map(process::lossy_lines)
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect::<Vec<_>>()
    });
    let status = process::wait(&mut child)?;
    let messages = reader.join().unwrap_or_default();
    if !status.success() {
        return Err(Failure::Tool {
            name: format!("building {what}"),
            code: status.code().unwrap_or(1),
        });
    }
    Ok(messages)
}

/// The path in a message of cargo, if the message announces this binary.
fn executable(message: &Value, name: &str) -> Option<PathBuf> {
    let is_it = message["reason"] == "compiler-artifact"
        && message["target"]["name"] == name
        && message["target"]["kind"]
            .as_array()?
            .iter()
            .any(|kind| kind == "bin");
    is_it
        .then(|| message["executable"].as_str().map(PathBuf::from))
        .flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_message_about_the_binary_itself_names_it() {
        let message = |reason: &str, name: &str, kind: &str| json!({"reason": reason, "target": {"name": name, "kind": [kind]}, "executable": "/t/app"});
        let path = Some(PathBuf::from("/t/app"));
        assert_eq!(
            executable(&message("compiler-artifact", "app", "bin"), "app"),
            path
        );
        assert_eq!(
            executable(&message("compiler-artifact", "app", "lib"), "app"),
            None
        );
        assert_eq!(
            executable(&message("compiler-artifact", "other", "bin"), "app"),
            None
        );
        assert_eq!(
            executable(&message("build-script-executed", "app", "bin"), "app"),
            None
        );
    }
}
