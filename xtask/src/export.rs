//! The static export of the frontend, made again only when its sources have changed.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Outcome, io, said};
use crate::{console, process, root};

/// Files that are not sources: tools make them, or this command does.
const MADE: [&str; 10] = [
    "node_modules",
    ".next",
    "out",
    "coverage",
    "dist",
    "gen",
    "packed",
    "next-env.d.ts",
    "tsconfig.tsbuildinfo",
    ".DS_Store",
];

/// Makes the export unless there is one of the current sources. Returns whether it made one.
pub fn ready() -> Outcome<bool> {
    let frontend = root::frontend();
    let page = frontend.join("out/index.html");
    let stamp = root::records().join("export.stamp");
    let sources = digest(&frontend)?;
    if page.is_file() && fs::read_to_string(&stamp).is_ok_and(|known| known == sources) {
        return Ok(false);
    }
    console::step("exporting the frontend (about half a minute)");
    // Without the stamp, an interrupted export counts as not made.
    let _ = fs::remove_file(&stamp);
    let mut next = Command::new(process::npm());
    next.args(["run", "--silent", "build"])
        .current_dir(&frontend)
        .env("NEXT_TELEMETRY_DISABLED", "1");
    process::quiet(&mut next)?;
    if !page.is_file() {
        return Err(said(
            "Next built the frontend but frontend/out/index.html is not there",
        ));
    }
    fs::create_dir_all(root::records()).map_err(io("creating the folder for records"))?;
    fs::write(&stamp, sources).map_err(io("recording the export"))?;
    Ok(true)
}

/// A digest of every source file's path and content.
pub fn digest(folder: &Path) -> Outcome<String> {
    let mut hasher = DefaultHasher::new();
    for file in sources(folder)? {
        let content = fs::read(&file).map_err(io(format_args!("reading {}", file.display())))?;
        let name = file.strip_prefix(folder).unwrap_or(&file);
        hasher.write(name.as_os_str().as_encoded_bytes());
        // The lengths keep a name and its content from being confused.
        hasher.write_usize(content.len());
        hasher.write(&content);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Every file of a folder that is a source, in order.
pub fn sources(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    let entries = fs::read_dir(folder).map_err(io(format_args!("reading {}", folder.display())))?;
    for entry in entries {
        let entry = entry.map_err(io(format_args!("reading {}", folder.display())))?;
        if MADE.iter().any(|made| entry.file_name() == *made) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_follows_sources_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("app/page.tsx", "one");
        let first = digest(folder.path()).unwrap();
        assert_eq!(
            digest(folder.path()).unwrap(),
            first,
            "the same sources, the same digest"
        );

        for made in [
            "node_modules/a/index.js",
            "vestibule/dist/index.js",
            ".next/trace",
            "out/index.html",
            "next-env.d.ts",
        ] {
            write(made, "made");
        }
        assert_eq!(
            digest(folder.path()).unwrap(),
            first,
            "files that tools make do not change the digest"
        );

        write("app/page.tsx", "two");
        let second = digest(folder.path()).unwrap();
        assert_ne!(second, first, "a changed file changes the digest");

        fs::rename(
            folder.path().join("app/page.tsx"),
            folder.path().join("app/other.tsx"),
        )
        .unwrap();
        assert_ne!(
            digest(folder.path()).unwrap(),
            second,
            "a renamed file changes the digest"
        );
    }
}
