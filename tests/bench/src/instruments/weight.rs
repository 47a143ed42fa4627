//! The size of files, packages, and the scripts that a page of a Next export loads first.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::registry::Outcome;

/// The size of a file, in bytes.
///
/// # Errors
/// If the file does not exist.
pub fn file(path: &Path) -> Outcome<f64> {
    let metadata = fs::metadata(path);
    let metadata = metadata.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(metadata.len() as f64)
}

/// The scripts that a page of an export loads first.
#[derive(Debug, Default, PartialEq)]
pub struct Scripts {
    /// How many scripts.
    pub files: usize,
    /// Their size with gzip's best compression, in bytes.
    pub zipped: f64,
    /// The part of that size that only browsers without modules load, which no webview is.
    pub for_old_browsers: f64,
}

/// Compresses the scripts that a page names, each once.
///
/// # Errors
/// If the page or one of its scripts does not exist, or it names none.
pub fn scripts(export: &Path, page: &str) -> Outcome<Scripts> {
    let path = export.join(page);
    let html = fs::read_to_string(&path);
    let html = html.map_err(|error| format!("{}: {error}", path.display()))?;
    let named: BTreeSet<_> = sources(&html).into_iter().collect();
    if named.is_empty() {
        return Err(format!("{} names no script", path.display()));
    }
    let mut found = Scripts::default();
    for (source, for_old_browsers) in named {
        let zipped = zipped(&export.join(source.trim_start_matches('/')))?;
        found.files += 1;
        found.zipped += zipped;
        if for_old_browsers {
            found.for_old_browsers += zipped;
        }
    }
    Ok(found)
}

/// The address of each script in a page, and whether it has `nomodule`.
fn sources(html: &str) -> Vec<(String, bool)> {
    let tags = html.split("<script").skip(1);
    let tags = tags.filter_map(|rest| Some(rest.split_once('>')?.0));
    let named = tags.filter_map(|tag| {
        let (_, rest) = tag.split_once(" src=\"")?;
        let (source, _) = rest.split_once('"')?;
        Some((source.to_owned(), tag.to_lowercase().contains("nomodule")))
    });
    named.collect()
}

/// The size of a file after gzip.
fn zipped(path: &Path) -> Outcome<f64> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let content = fs::read(path).map_err(told)?;
    let mut gzip = Command::new("gzip")
        .args(["-9", "-n", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("gzip: {error}"))?;
    let mut into = gzip.stdin.take().ok_or("gzip has no input")?;
    // Written by another thread, since gzip writes output before it has read all input.
    let writing = std::thread::spawn(move || into.write_all(&content));
    let made = gzip.wait_with_output().map_err(told)?;
    let written = writing.join().map_err(|_| "gzip did not get all input")?;
    written.map_err(told)?;
    match made.status.success() {
        true => Ok(made.stdout.len() as f64),
        false => Err(format!("gzip of {} fails", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<script src=\"/a.js\" async=\"\"></script>\
        <script>inline()</script><script src=\"/old.js\" noModule=\"\"></script>";

    #[test]
    fn scripts_with_an_address_are_found() {
        let found = sources(PAGE);
        assert_eq!(found, [("/a.js".into(), false), ("/old.js".into(), true)]);
    }

    /// The control: five kilobytes that cannot be compressed keep their size.
    #[test]
    fn five_kilobytes_more_are_seen() {
        let export = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| fs::write(export.path().join(name), text).unwrap();
        write("one.html", PAGE.as_bytes());
        write(
            "two.html",
            format!("{PAGE}{PAGE}<script src=\"/b.js\"></script>").as_bytes(),
        );
        for name in ["a.js", "old.js"] {
            write(name, &b"void 0;\n".repeat(1000));
        }
        write("b.js", &noise(5000));
        let before = scripts(export.path(), "one.html").unwrap();
        let after = scripts(export.path(), "two.html").unwrap();
        assert_eq!((before.files, after.files), (2, 3), "each counts once");
        assert!(
            before.for_old_browsers > 0.0 && before.zipped < 500.0,
            "{before:?}"
        );
        let more = after.zipped - before.zipped;
        assert!((5000.0..5200.0).contains(&more), "{more}");
        assert!(scripts(export.path(), "none.html").is_err());
    }

    /// Pseudo-random bytes (xorshift).
    fn noise(many: usize) -> Vec<u8> {
        let mut state = 88_172_645_463_325_252_u64;
        let next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        std::iter::repeat_with(next).take(many).collect()
    }
}
