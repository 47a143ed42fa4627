//! A panic is logged with its place and without its values. The test runs in a process of its own,
//! because the log belongs to the whole process.

use std::fs;

fn unlucky(refused: Result<(), &str>) {
    refused.expect("a text of the source");
}

#[test]
fn a_panic_is_told_without_its_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = vestibule_log::start();
    log.keep_in(folder.path()).expect("a file");
    let secret = "token-in-a-panic-0123456789";
    for work in [
        Box::new(move || unlucky(Err(secret))) as Box<dyn FnOnce() + Send>,
        Box::new(move || panic!("made with {secret}")),
        Box::new(|| panic!("only the source")),
        Box::new(move || std::panic::panic_any(secret.to_owned())),
        Box::new(|| std::panic::panic_any(42)),
    ] {
        let ended = std::thread::Builder::new()
            .name("unlucky".into())
            .spawn(work)
            .expect("a thread")
            .join();
        assert!(ended.is_err(), "it panicked");
    }
    let told = fs::read_to_string(folder.path().join("vestibule.log")).expect("a log");
    let lines: Vec<_> = told.lines().filter(|it| it.contains("a panic")).collect();
    assert_eq!(lines.len(), 5, "{told}");
    for line in &lines {
        assert!(
            line.contains("panics.rs:") && line.contains("unlucky"),
            "the place and the thread: {line}"
        );
    }
    assert!(lines[2].contains("only the source"), "{}", lines[2]);
    assert!(lines[4].contains("no text"), "{}", lines[4]);
    assert!(!told.contains(secret), "{told}");
}
