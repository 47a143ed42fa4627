//! `cargo xtask doctor --backend …` becomes the doctor itself: Ctrl-C reaches it directly, and no
//! parent kills it while it still signs out.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn program(folder: &Path, name: &str, script: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may be run");
    path
}

#[test]
fn the_doctor_takes_the_place_of_xtask() {
    let folder = tempfile::tempdir().expect("a folder");
    let doctor = program(folder.path(), "doctor", "echo \"$$ $*\"; exit 7");
    // The message that cargo prints once it has built the doctor.
    let message = serde_json::json!({
        "reason": "compiler-artifact",
        "target": {"name": "vestibule-doctor", "kind": ["bin"]},
        "executable": doctor,
    });
    let cargo = program(folder.path(), "cargo", &format!("echo '{message}'"));
    let xtask = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["doctor", "--backend", "http://127.0.0.1:9"])
        .env("CARGO", cargo)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let id = xtask.id();
    let ended = xtask.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(said, format!("{id} --backend http://127.0.0.1:9\n"));
    assert_eq!(
        ended.status.code(),
        Some(7),
        "the exit status is the doctor's"
    );
}
