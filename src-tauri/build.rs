//! Declares the app's own command to Tauri's access control, builds the profile and the names of the
//! rights into the app, and leaves out of it what it has no use for.

use std::env;
use std::path::Path;
use std::process::Command;

/// For the linker.
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
        // Functions of the same machine code are kept once.
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}

/// Whether rustc links with the linker that it brings along, which is LLD. Others may not know what it is told
/// above: mold does not read the file, and GNU's has no such option.
///
/// An app that aborts on a panic never unwinds, and the tables for it are an eighth of its binary. What is
/// lost with them is the stack that `RUST_BACKTRACE` adds to a panic in the log, and that has no names in a
/// binary without symbols.
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
