//! Building binaries of the workspace and learning where cargo put them.

use std::path::PathBuf;
use std::process::Stdio;

use crate::failure::{Failure, Outcome, said};
use crate::{process, root};

/// Builds one binary with `cargo build` and further arguments; answers its path.
pub fn binary(name: &str, arguments: &[&str]) -> Outcome<PathBuf> {
    let mut cargo = root::cargo();
    cargo
        .args([
            "build",
            "--bin",
            name,
            "--message-format",
            "json-render-diagnostics",
        ])
        .args(arguments)
        .stdout(Stdio::piped());
    let mut built = None;
    let mut child = process::spawn(&mut cargo)?;
    let stdout = child.stdout.take();
    // Lines of JSON; what a person needs goes to standard error by itself.
    let reader = std::thread::spawn(move || {
        stdout
            .into_iter()
            .flat_map(process::lossy_lines)
            .collect::<Vec<_>>()
    });
    let status = process::wait(&mut child)?;
    for line in reader.join().unwrap_or_default() {
        built = executable(&line, name).or(built);
    }
    if !status.success() {
        return Err(Failure::Tool {
            name: format!("building {name}"),
            code: status.code().unwrap_or(1),
        });
    }
    built.ok_or_else(|| said(format!("cargo built {name} but did not say where")))
}

/// The path in one of cargo's messages, if it announces this binary.
fn executable(message: &str, name: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
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
    use super::*;

    #[test]
    fn only_the_message_about_the_binary_itself_names_it() {
        let message = |reason: &str, name: &str, kind: &str| {
            format!(
                r#"{{"reason":"{reason}","target":{{"name":"{name}","kind":["{kind}"]}},"executable":"/t/app"}}"#
            )
        };
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
        assert_eq!(executable("warning: not json", "app"), None);
    }
}
