//! The short form of each entry that needs a window or a build, measured but not compared with its
//! target. Runs where `cargo xtask test` has made those builds.

use std::path::Path;
use std::process::Command;

use vestibule_bench::registry::ENTRIES;
use vestibule_bench::report::Report;

/// Makes a test of each entry that needs a build.
macro_rules! measured {
    ($($test:ident: $names:expr,)+) => {
        $(#[test]
        fn $test() {
            measures(&$names);
        })+

        const MEASURED: &[&[&str]] = &[$(&$names),+];
    };
}

measured! {
    sizes: ["binary", "deb", "first-load-js"],
    // These start the app on one desktop, where one sign-in serves all of them.
    starts_and_idling: ["start", "memory", "idle"],
    reads: ["reads"],
    fetch: ["fetch"],
    windows: ["windows"],
    click: ["click"],
    switch: ["switch"],
    accounts: ["accounts-start", "accounts-memory"],
    controls: ["controls"],
    hour: ["app-hour"],
}

fn measures(names: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.json");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench.args(["--short", "--json"]).arg(&file).args(names);
    let output = bench.output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report = Report::read(Path::new(&file)).expect("a report");
    for name in names {
        let of_it = |id: &str| id.split('/').next() == Some(name);
        let rows: Vec<_> = report.rows.iter().filter(|row| of_it(&row.id)).collect();
        assert!(!rows.is_empty(), "{name} has a row");
        for row in rows {
            assert!(row.this.is_some(), "{} was measured: {}", row.id, row.note);
            assert_eq!(
                row.holds, None,
                "{} is not compared with its target",
                row.id
            );
        }
    }
}

#[test]
fn every_entry_that_needs_a_build_is_measured_here() {
    let needy = ENTRIES.iter().filter(|entry| !entry.needs.is_empty());
    let mut needy: Vec<_> = needy.map(|entry| entry.id).collect();
    let mut measured = MEASURED.concat();
    needy.sort_unstable();
    measured.sort_unstable();
    assert_eq!(measured, needy);
}
