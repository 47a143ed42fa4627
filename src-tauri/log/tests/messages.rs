//! The message of every event is a fixed text in the source; values are in fields with a name and a
//! type. Reports may hold messages only because of that.

use std::fs;
use std::path::{Path, PathBuf};

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

#[test]
fn no_message_is_put_together_from_values() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    for folder in ["src", "core/src", "log/src"] {
        collect(&root.join(folder), &mut sources);
    }
    let mut seen = 0;
    for path in sources {
        let text = fs::read_to_string(&path).expect("a source");
        for event in events(&text) {
            seen += 1;
            assert!(!event.contains('{'), "{}: {event}", path.display());
        }
    }
    assert!(seen > 20, "the events of the app are found: {seen}");
}

#[test]
fn an_event_is_found_whole() {
    let text = r#"tracing::warn!(kind, why = f("a)b"), "one"); tracing::info!("{two}");"#;
    let found: Vec<_> = events(text).collect();
    assert_eq!(found, [r#"kind, why = f("a)b"), "one""#, r#""{two}""#]);
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            into.push(path);
        }
    }
}

/// The text between the parentheses of every `tracing::warn!(…)` and its siblings.
fn events(text: &str) -> impl Iterator<Item = &str> {
    let starts = LEVELS.iter().flat_map(move |level| {
        let name = format!("tracing::{level}!(");
        text.match_indices(&name)
            .map(|(at, name)| at + name.len())
            .collect::<Vec<_>>()
    });
    starts.map(|at| &text[at..at + length(&text[at..])])
}

fn length(text: &str) -> usize {
    let (mut depth, mut quoted) = (1, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}
