//! Declares the app's own command to Tauri's access control, builds the profile and the names of the
//! rights into the app, and leaves out of it what it has no use for.

use std::env;
use std::path::Path;
use std::process::Command;

/// Tells the linker to drop the tables with which a panic unwinds: an eighth of the binary, for which an app
/// that aborts on a panic has no use. Without them `RUST_BACKTRACE` adds no stack to a panic in the log; that
/// stack has no names in a binary without symbols.
const NO_UNWINDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src-tauri/no-unwinding.ld");

fn main() {
    vestibule_build::build();
    let commands = tauri_build::AppManifest::new().commands(&["export_people"]);
    let capabilities = match cfg!(feature = "e2e") {
        true => "capabilities*/*.json",
        false => "capabilities/*.json",
    };
    let attributes = tauri_build::Attributes::new()
        .app_manifest(commands)
        .capabilities_path_pattern(capabilities);
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's configuration is not valid: {error:#}");
    }
    println!("cargo::rerun-if-changed=capabilities");
    println!("cargo::rerun-if-changed=capabilities-e2e");
    println!("cargo::rerun-if-changed={NO_UNWINDING}");
    println!("cargo::rustc-check-cfg=cfg(no_unwinding)");
    if is("PROFILE", "release") && is_linked_by_rustc() {
        println!("cargo::rustc-link-arg-bins=-T");
        println!("cargo::rustc-link-arg-bins={NO_UNWINDING}");
        println!("cargo::rustc-cfg=no_unwinding");
        // Keeps one copy of functions that have the same machine code.
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}

/// Whether rustc links with LLD, which it brings along. The options above are LLD's: mold does not read the
/// file, and GNU's linker does not know `--icf`.
fn is_linked_by_rustc() -> bool {
    let is_set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty());
    is("TARGET", "x86_64-unknown-linux-gnu")
        && !is_set("RUSTC_LINKER")
        && !is_set("CARGO_ENCODED_RUSTFLAGS")
        && brings_lld().unwrap_or_default()
}

/// A rustc that a distribution has built links with the system's linker, and has no other.
fn brings_lld() -> Option<bool> {
    let mut rustc = Command::new(env::var_os("RUSTC")?);
    let told = rustc.args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(told.stdout).ok()?;
    let own = "lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/ld.lld";
    Some(Path::new(sysroot.trim()).join(own).is_file())
}

fn is(name: &str, value: &str) -> bool {
    env::var(name).is_ok_and(|set| set == value)
}
