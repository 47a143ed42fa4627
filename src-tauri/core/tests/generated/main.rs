//! What is generated from Rust and committed: the TypeScript twin of `vestibule_core::wire`, the page's
//! functions for the plugin's commands, the groups of their permissions, and the names of the app's
//! rights. These tests check that they are current; `cargo xtask types` writes them.

#[path = "../../../plugin/src/command_list.rs"]
mod command_list;
mod commands;
mod rights;
mod wire;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes the file, whose path is relative to the repository, or compares it with what it must be.
fn keep(file: &str, wanted: &str, source: &str) {
    let path = root().join(file);
    if std::env::var_os("VESTIBULE_WRITE_TYPES").is_some() {
        std::fs::write(&path, wanted).unwrap_or_else(|error| panic!("{file}: {error}"));
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed.replace("\r\n", "\n") == wanted,
        "{file} differs from {source}: run `cargo xtask types` and commit it"
    );
}
