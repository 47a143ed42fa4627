//! Compiles all test programs of the workspace by one call of cargo, so that every package has the
//! same features and no dependency is compiled twice. Clippy checks them in the same run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::failure::{Outcome, io, said};
use crate::{compile, process, root};

/// A program with tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The folder of its package, relative to the work tree, and the target's name.
    pub name: String,
    /// The path of the program.
    pub executable: PathBuf,
    /// The folder of its package, in which cargo would run it.
    pub folder: PathBuf,
}

/// A call of `cargo test` for all packages except the `left_out` ones.
fn cargo_test(left_out: &[&str]) -> Command {
    let mut cargo = root::cargo();
    compile::under_clippy(&mut cargo);
    // The shipped app has this feature switched off, so nothing else would check it.
    cargo.args(["test", "--workspace", "--features", "vestibule/sentry"]);
    for package in left_out {
        cargo.args(["--exclude", package]);
    }
    cargo
}

/// Compiles the examples in the documentation of these packages, and runs those that can be run.
pub fn examples(left_out: &[&str]) -> Outcome {
    process::run(cargo_test(left_out).args(["--doc", "--quiet"]))
}

/// Compiles the tests of all packages except the `left_out` ones; returns the programs.
pub fn compile(left_out: &[&str]) -> Outcome<Vec<Program>> {
    let mut cargo = cargo_test(left_out);
    cargo.arg("--no-run");
    let messages = compile::messages(&mut cargo, "the test programs")?;
    let programs: Vec<_> = messages.iter().filter_map(Program::announced).collect();
    if programs.is_empty() {
        return Err(said("cargo compiled no test program"));
    }
    Ok(programs)
}

impl Program {
    /// The program with tests that a message of cargo announces, if it does.
    fn announced(message: &Value) -> Option<Self> {
        let has_tests =
            message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
        let executable = message["executable"].as_str().filter(|_| has_tests)?;
        let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
        let target = &message["target"];
        let kind = target["kind"][0].as_str().filter(|kind| *kind != "test");
        let words = [
            folder
                .strip_prefix(root::root())
                .unwrap_or(folder)
                .to_str()?,
            target["name"].as_str()?,
            kind.unwrap_or_default(),
        ];
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        Some(Self {
            name: words.join(" "),
            executable: executable.into(),
            folder: folder.to_owned(),
        })
    }

    /// Whether its package is in this folder, relative to the work tree.
    pub fn is_in(&self, folder: &str) -> bool {
        self.folder == root::root().join(folder)
    }
}

/// Writes a list of programs for [`read`].
pub fn write(list: &Path, programs: &[Program]) -> Outcome {
    let entries: Vec<_> = programs
        .iter()
        .map(|program| json!([program.name, program.executable, program.folder]))
        .collect();
    fs::write(list, Value::from(entries).to_string())
        .map_err(io(format_args!("writing {}", list.display())))
}

/// Reads such a list.
pub fn read(list: &Path) -> Outcome<Vec<Program>> {
    let text = fs::read_to_string(list).map_err(io(format_args!("reading {}", list.display())))?;
    let entries = serde_json::from_str::<Vec<[String; 3]>>(&text);
    let entries = entries.map_err(|_| said(format!("{} lists no programs", list.display())))?;
    Ok(entries
        .into_iter()
        .map(|[name, executable, folder]| Program {
            name,
            executable: executable.into(),
            folder: folder.into(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, test: bool) -> Value {
        json!({
            "reason": "compiler-artifact",
            "manifest_path": root::root().join("src-tauri/core/Cargo.toml"),
            "target": {"name": "session", "kind": [kind]},
            "profile": {"test": test},
            "executable": "/t/session-1f",
        })
    }

    #[test]
    fn only_what_has_tests_is_a_test_program() {
        let program = Program::announced(&message("test", true)).unwrap();
        assert_eq!(program.name, "src-tauri/core session");
        assert!(program.is_in("src-tauri/core") && !program.is_in("src-tauri"));
        let unit_tests = Program::announced(&message("lib", true)).unwrap();
        assert_eq!(unit_tests.name, "src-tauri/core session lib");
        assert_eq!(Program::announced(&message("bin", false)), None);
        assert_eq!(
            Program::announced(&json!({"reason": "build-finished"})),
            None
        );
    }

    #[test]
    fn a_list_of_programs_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.json");
        let programs = [Program::announced(&message("test", true)).unwrap()];
        write(&list, &programs).unwrap();
        assert_eq!(read(&list).unwrap(), programs);
        fs::write(&list, "{}").unwrap();
        assert!(read(&list).unwrap_err().to_string().contains("list.json"));
    }
}
