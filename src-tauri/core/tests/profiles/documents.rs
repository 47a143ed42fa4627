//! Examples in the documents that people copy: the settings can be loaded, and the tables name the
//! shipped profiles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vestibule_core::profile::{SHIPPED, Section};

const README: &str = include_str!("../../../../README.md");
const BACKEND: &str = include_str!("../../../../docs/backend.md");

/// The code blocks of this language in a document.
fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let parts = document.split(&fence).skip(1);
    parts.filter_map(|part| part.split("```").next()).collect()
}

/// The settings that a document shows, each with what a person writes around them. Blocks of other files
/// have the file's name after the language.
fn settings(document: &str) -> Vec<Value> {
    let read = |block: &str| {
        let value: Value = serde_json::from_str(&format!("{{{block}}}"))
            .unwrap_or_else(|error| panic!("{error}: {block}"));
        let settings = value.pointer("/plugins/vestibule").unwrap_or(&value);
        settings.clone()
    };
    blocks(document, "json").into_iter().map(read).collect()
}

#[test]
fn the_settings_of_the_readme_load() {
    let mut seen = BTreeSet::new();
    for mut settings in settings(README) {
        let keys = settings.as_object().expect("a table").keys().cloned();
        seen.extend(keys);
        // The other blocks are next to this setting.
        settings["backend"] = "https://api.example.com/v1".into();
        let checked = Section::new("README.md", settings).check(None);
        assert_eq!(checked, Ok(true), "it has the address");
    }
    for key in ["api", "browser", "workspaces", "roles"] {
        assert!(seen.contains(key), "the control: it shows `{key}`");
    }
}

/// A page about a provider is copied as it stands.
#[test]
fn the_settings_of_the_guides_load() {
    let mut with_browser = 0;
    for guide in guides() {
        let text = std::fs::read_to_string(&guide).expect("a guide");
        let place = guide.display().to_string();
        for settings in settings(&text) {
            let signs_in_by_browser = settings.get("browser").is_some();
            let checked = Section::new(place.as_str(), settings).check(None);
            assert_eq!(checked, Ok(true), "{place}: it has the address");
            with_browser += usize::from(signs_in_by_browser);
        }
    }
    assert!(
        with_browser >= 7,
        "the control: the general page and six providers"
    );
}

/// The guides, by path.
fn guides() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides");
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut guides: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    guides.sort();
    guides
}

#[test]
fn the_profiles_that_ship_are_the_ones_that_the_tables_name() {
    for (document, text) in [("README.md", README), ("docs/backend.md", BACKEND)] {
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
        let named: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
        for shipped in SHIPPED {
            assert!(
                named.contains(&shipped.name),
                "{}: {document}",
                shipped.name
            );
        }
        let files = text.split("core/profiles/").skip(1);
        for file in files.filter_map(|rest| rest.split_once(".toml)")) {
            let known = SHIPPED.iter().any(|shipped| shipped.name == file.0);
            assert!(known, "{document} points to {}.toml", file.0);
        }
    }
}

/// Every file that a document links to exists.
#[test]
fn the_documents_point_to_what_is_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let others = [
        "README.md",
        "SECURITY.md",
        "docs/architecture.md",
        "docs/backend.md",
    ];
    let others = others.map(|document| top.join(document));
    for path in others.into_iter().chain(guides()) {
        let document = path.display().to_string();
        let text = std::fs::read_to_string(&path).expect(&document);
        let folder = path.parent().expect("a folder");
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let mut seen = 0;
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            assert!(folder.join(file).exists(), "{document} points to {file}");
            if file.ends_with(".md") && !anchor.is_empty() {
                let target = std::fs::read_to_string(folder.join(file)).expect(file);
                assert!(
                    headings(&target).contains(&anchor.to_owned()),
                    "{document}: {link}"
                );
            }
            seen += 1;
        }
        let anchors = text
            .split("](#")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for anchor in anchors {
            assert!(
                headings(&text).contains(&anchor.to_owned()),
                "{document}: #{anchor}"
            );
            seen += 1;
        }
        assert!(seen > 0, "the control: {document} has links");
    }
}

/// Every file that the architecture names without a link is there: by its path in the repository,
/// in the frontend or in `src-tauri`. Names of functions and files of a user have no slash, or
/// begin with one; patterns hold a sign that no path here holds.
#[test]
fn the_architecture_names_files_that_are_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(top.join("docs/architecture.md")).expect("it is there");
    let prose = text.split("```").step_by(2);
    let quoted = prose.flat_map(|part| part.split('`').skip(1).step_by(2));
    let is_path = |name: &&str| {
        name.contains('/') && !name.starts_with('/') && !name.contains(['<', '*', '$', '(', ' '])
    };
    let mut seen = 0;
    for name in quoted.filter(is_path) {
        let mut places = ["", "frontend", "src-tauri"].iter();
        let is_there = places.any(|place| top.join(place).join(name).exists());
        assert!(is_there, "docs/architecture.md names {name}");
        seen += 1;
    }
    assert!(seen > 0, "the control: it names files");
}

/// The anchors of a document's headings.
fn headings(text: &str) -> Vec<String> {
    let titles = text.lines().filter_map(|line| line.strip_prefix('#'));
    let anchor = |title: &str| {
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    };
    titles.map(anchor).collect()
}
