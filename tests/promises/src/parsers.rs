//! No input makes a parser panic.
//!
//! Short: the fuzz targets over their committed seeds, each cut off at every length, as a broken
//! connection leaves it. The figure comes from `cargo xtask fuzz`.

use std::path::{Path, PathBuf};

use crate::registry::Setting;
use crate::report::Row;

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

/// A target with fewer seeds is not tested.
const SEEDS: u64 = 10;

/// Runs the committed seeds.
pub async fn short(_: &Setting) -> Row {
    let run = tokio::task::spawn_blocking(over_the_seeds).await;
    // Only a panic outside of the targets ends the run early.
    let (runs, losses) = run.unwrap_or((0, 1));
    Row {
        what: "the committed seeds, cut off at every length".into(),
        runs,
        losses,
        bound: "0 crashes",
        holds: runs > 0 && losses == 0,
    }
}

fn over_the_seeds() -> (u64, u64) {
    let (mut runs, mut losses) = (0, 0);
    for (name, target) in targets::TARGETS {
        let mut seeds = 0;
        for seed in files(&seeds_of(name)) {
            seeds += 1;
            let bytes = std::fs::read(&seed).unwrap_or_default();
            for end in 0..=bytes.len() {
                runs += 1;
                let input = &bytes[..end];
                if std::panic::catch_unwind(|| target(input)).is_err() {
                    losses += 1;
                    eprintln!(
                        "parsers: {name} panics on the first {end} bytes of {}",
                        seed.display()
                    );
                }
            }
        }
        if seeds < SEEDS {
            losses += 1;
            eprintln!("parsers: {name} has {seeds} seeds");
        }
    }
    (runs, losses)
}

fn seeds_of(target: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    folder.join(target)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}
