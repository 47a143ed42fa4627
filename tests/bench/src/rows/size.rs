//! What a user downloads: the shipped binary, the package, and the scripts that the first pages
//! load first.

use std::path::PathBuf;

use vestibule_acceptance::bundles;

use crate::built;
use crate::instruments::weight::{self, Scripts};
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

/// How many bytes the binary may have.
const BINARY: f64 = 9e6;
/// How many bytes the package may have.
const PACKAGE: f64 = 5e6;
/// How many times the size of a blank export's scripts these scripts may have.
const SCRIPTS: f64 = 1.3;
const HOME: &str = "index.html";
/// The pages that a user sees first.
const PAGES: [(&str, &str, &str); 2] = [
    ("home", "home", HOME),
    ("sign-in", "sign-in", "auth/login/index.html"),
];

/// The binary, compared with the blank window's.
pub async fn binary(_: &Setting) -> Outcome<Vec<Row>> {
    let this = weight::file(&built::shipped()?)?;
    let blank = weight::file(&built::blank_window()?)?;
    let row = Row::new("binary", "binary as shipped, stripped", Unit::Bytes)
        .this("the app", vec![this])
        .floor("a blank window", vec![blank])
        .target(Target::AtMost(BINARY));
    Ok(vec![row])
}

/// The Debian package.
pub async fn package(_: &Setting) -> Outcome<Vec<Row>> {
    let this = weight::file(&package_file()?)?;
    let row = Row::new("deb", ".deb", Unit::Bytes)
        .this("the app", vec![this])
        .target(Target::AtMost(PACKAGE));
    Ok(vec![row])
}

fn package_file() -> Outcome<PathBuf> {
    let folder = bundles().join("deb");
    let files = std::fs::read_dir(&folder);
    let files = files.map_err(|error| format!("{}: {error}", folder.display()))?;
    let is_one = |path: &PathBuf| path.extension().is_some_and(|end| end == "deb");
    let found: Vec<_> = files
        .flatten()
        .map(|file| file.path())
        .filter(is_one)
        .collect();
    match &found[..] {
        [one] => Ok(one.clone()),
        _ => Err(format!("{} packages in {}", found.len(), folder.display())),
    }
}

/// The scripts of home and of sign-in, each compared with those of a blank export.
pub async fn scripts(_: &Setting) -> Outcome<Vec<Row>> {
    let (export, blank_export) = (built::export()?, built::blank_export()?);
    let blank = weight::scripts(&blank_export, HOME)?;
    let row = |(id, name, page): (&str, &str, &str)| {
        let this = weight::scripts(&export, page)?;
        let loaded = |scripts: &Scripts| scripts.zipped - scripts.for_old_browsers;
        let note = format!(
            "{} files; without what only browsers without modules load {}, {:.2}× the blank export",
            this.files,
            Unit::Bytes.show(loaded(&this)),
            loaded(&this) / loaded(&blank)
        );
        let figure = format!("first-load JS of {name}, gzipped");
        Ok(Row::new(format!("first-load-js/{id}"), figure, Unit::Bytes)
            .this("the app", vec![this.zipped])
            .floor("a blank Next export", vec![blank.zipped])
            .target(Target::TimesFloor(SCRIPTS))
            .note(note))
    };
    PAGES.into_iter().map(row).collect()
}
