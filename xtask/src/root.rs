//! Paths in the work tree.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The top of the work tree.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // Cargo sets the variable for `cargo run`; a binary that is started directly uses the
        // compiled-in value.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map(PathBuf::from)
            .filter(|folder| folder.ends_with("xtask"))
            .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        manifest
            .parent()
            .map_or(manifest.clone(), Path::to_path_buf)
    })
}

/// The Next.js app.
pub fn frontend() -> PathBuf {
    root().join("frontend")
}

/// Cargo's target folder, wherever the environment or a configuration puts it.
pub fn target() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| asked_of_cargo().unwrap_or_else(|| root().join("target")))
}

/// The folder for this tool's own stamps and locks.
pub fn records() -> PathBuf {
    target().join("xtask")
}

/// The cargo that runs this tool, so that nested calls use the same toolchain.
pub fn cargo() -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    forget_our_package(&mut command);
    command.current_dir(root());
    command
}

/// Removes from a command the variables that cargo set for this package. Build scripts of others
/// would see a change, and ring and everything that depends on it would be built again.
pub fn forget_our_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

fn asked_of_cargo() -> Option<PathBuf> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    metadata["target_directory"].as_str().map(PathBuf::from)
}
