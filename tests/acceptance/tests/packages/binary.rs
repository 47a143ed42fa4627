//! The contents of the shipped binary: no symbols, no inspector of the web engine, nothing of tests.

use std::path::Path;
use std::process::Command;

use crate::unpacked::Unpacked;

#[test]
fn the_binary_has_no_symbols() {
    for package in [Unpacked::deb(), Unpacked::rpm()] {
        let sections = readelf("--sections", &package.app());
        assert!(sections.contains(".dynsym"), "it is a program: {sections}");
        for told in [".symtab", ".debug_"] {
            assert!(!sections.contains(told), "{told} in {sections}");
        }
    }
    // The control: this test program was built with them, and they are found.
    let own = std::env::current_exe().expect("this program");
    let sections = readelf("--sections", &own);
    assert!(sections.contains(".symtab"), "{sections}");
}

/// Tauri's feature `devtools` links the inspector's functions; in a debug build it is on.
#[test]
fn the_binary_does_not_know_the_inspector() {
    let package = Unpacked::deb();
    let imports = readelf("--dyn-syms", &package.app());
    assert!(
        imports.contains("webkit_web_view_load_uri"),
        "it imports the web engine: {imports}"
    );
    let inspector: Vec<_> = imports
        .lines()
        .filter(|line| line.contains("webkit_web_inspector") || line.contains("get_inspector"))
        .collect();
    assert!(inspector.is_empty(), "{inspector:?}");
}

/// `capabilities-e2e` lets pages fetch the public content of any backend on this computer.
#[test]
fn the_binary_has_no_capability_of_tests() {
    let allows_any = |binary: &Path| {
        let bytes = std::fs::read(binary).expect("the binary can be read");
        let pattern = b"http://127.0.0.1:*/public/*";
        bytes.windows(pattern.len()).any(|bytes| bytes == pattern)
    };
    assert!(!allows_any(&Unpacked::deb().app()));
    // The control: the build for tests has it.
    assert!(allows_any(&vestibule_acceptance::app()));
}

/// Runs `readelf`, which belongs to the binutils and comes with the linker.
fn readelf(what: &str, binary: &Path) -> String {
    let said = Command::new("readelf")
        .args(["--wide", what])
        .arg(binary)
        .output()
        .expect("readelf, which comes with the linker");
    assert!(said.status.success(), "{} can be read", binary.display());
    String::from_utf8_lossy(&said.stdout).into_owned()
}
