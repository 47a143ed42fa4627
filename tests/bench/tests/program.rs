//! The program itself: its short form over every entry that needs no window, the file that it
//! writes, and the command lines that it refuses.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Output};

use vestibule_bench::publish::Published;
use vestibule_bench::registry::{ENTRIES, Entry};
use vestibule_bench::report::Report;

fn bench(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(arguments)
        .output();
    output.expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The entries that need no build.
fn of_the_core() -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter().filter(|entry| entry.needs.is_empty())
}

#[test]
fn the_short_form_measures_every_entry_of_the_core_and_judges_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.json");
    let file = file.to_str().expect("a path in UTF-8");
    let mut arguments = vec!["--short", "--json", file];
    arguments.extend(of_the_core().map(|entry| entry.id));
    let output = bench(&arguments);
    let (said, told) = (text(&output.stderr), text(&output.stdout));
    assert!(output.status.success(), "{told}\n{said}");
    let report = Report::read(Path::new(file)).expect("a report");
    for entry in of_the_core() {
        let of_it = |id: &str| id.split('/').next() == Some(entry.id);
        let rows: Vec<_> = report.rows.iter().filter(|row| of_it(&row.id)).collect();
        assert!(!rows.is_empty(), "{} has a row:\n{told}", entry.id);
        for row in rows {
            assert!(row.this.is_some(), "{} was measured: {}", row.id, row.note);
            assert_eq!(
                row.holds, None,
                "{} is not compared with its target",
                row.id
            );
            assert!(
                told.contains(&row.figure),
                "{} is in the table:\n{told}",
                row.id
            );
        }
    }
    for said_of_the_run in ["measures ", "measured in "] {
        let (_, account) = said.split_once(said_of_the_run).expect("an account");
        for entry in of_the_core() {
            assert!(
                account.contains(entry.id),
                "{} is in the output:\n{said}",
                entry.id
            );
        }
    }
    let again = bench(&["--short", "refresh", "--against", file, "--markdown"]);
    let told = text(&again.stdout);
    assert!(again.status.success(), "{told}\n{}", text(&again.stderr));
    assert!(told.contains("| refresh, store in memory |"), "{told}");
    let compared = told.lines().filter(|line| line.starts_with("refresh, "));
    assert_eq!(compared.count(), 2, "{told}");
}

/// `--publish` writes both files; neither is changed by hand or alone.
#[test]
fn the_readme_says_what_the_published_run_does() {
    if let Err(differs) = Published::here().agree() {
        panic!("{differs}");
    }
}

#[test]
fn every_entry_is_listed() {
    let told = text(&bench(&["--list"]).stdout);
    for entry in ENTRIES {
        assert!(
            told.lines().any(|line| line.starts_with(entry.id)),
            "{told}"
        );
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for arguments in [
        &["sing-in"][..],
        &["--shrot"],
        &["--json"],
        &["--short", "--publish"],
    ] {
        let output = bench(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains("--against FILE"), "{said}");
    }
    let output = bench(&["--short", "refresh", "--against", "no-such-file.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no-such-file.json"));
}
