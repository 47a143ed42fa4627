//! Which events get into the log.
//!
//! The app's own crates may log at every level, because their secrets are types that cannot be
//! printed. Other crates are logged only from [`OTHERS`] up: at lower levels `cookie_store` prints
//! values, `reqwest` and `hyper` print headers, and `zbus` prints arguments. Any library may start
//! to do so in its next release, so this is a list of the crates that may log more, not of those
//! that may not. No environment variable changes it.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterFn, LevelFilter, Targets};

/// The app's own crates.
pub const OURS: [&str; 5] = [
    "vestibule",
    "vestibule_core",
    "vestibule_lib",
    "tauri_plugin_vestibule",
    "vestibule_log",
];

/// The lowest level at which other crates are logged.
pub const OTHERS: Level = Level::WARN;

/// The levels in `RUST_LOG`, or `info`, which is enough to understand a user's log.
pub fn chosen() -> Targets {
    let asked = std::env::var("RUST_LOG").unwrap_or_default();
    read(&asked).unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}

/// Levels by crate and module, such as `info,vestibule_core=debug`, for which the app needs no engine for
/// regular expressions. `None` where there is none, or one cannot be read.
fn read(asked: &str) -> Option<Targets> {
    // Spans and fields need that engine. Taken for names, they would fit no crate.
    if asked.contains(['[', ']', '{', '}']) {
        return None;
    }
    // An empty name would fit every crate.
    let parts = asked.split(',').map(str::trim);
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(",").parse().ok().filter(|_| !parts.is_empty())
}

/// Drops what may never get into the log, whatever `RUST_LOG` asks for.
pub fn capped() -> FilterFn {
    FilterFn::new(may_be_heard)
}

fn may_be_heard(said: &Metadata<'_>) -> bool {
    *said.level() <= OTHERS || is_ours(said.target())
}

/// Whether `target` is one of the app's own crates, or a module of one.
fn is_ours(target: &str) -> bool {
    let root = target.split("::").next().unwrap_or(target);
    OURS.contains(&root)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::{is_ours, read};

    #[test]
    fn levels_are_read_by_crate_and_what_cannot_be_read_asks_for_nothing() {
        let ours = "vestibule_core::session";
        for (asked, level) in [
            ("info", Level::INFO),
            ("info, vestibule_core=debug,", Level::DEBUG),
            ("trace,vestibule_core::session=warn", Level::WARN),
            ("hyper=trace,error", Level::ERROR),
        ] {
            let levels = read(asked).expect(asked);
            let most = [
                Level::TRACE,
                Level::DEBUG,
                Level::INFO,
                Level::WARN,
                Level::ERROR,
            ];
            let most = most.iter().find(|most| levels.would_enable(ours, most));
            assert_eq!(most, Some(&level), "{asked}");
        }
        for nothing in [
            "",
            " ",
            ",",
            "vestibule_core=all",
            "a=b=c",
            "vestibule_core[refresh]=debug",
        ] {
            assert!(read(nothing).is_none(), "{nothing:?}");
        }
    }

    #[test]
    fn only_our_own_crates_are_ours() {
        for target in ["vestibule", "vestibule_core::backend::client"] {
            assert!(is_ours(target), "{target}");
        }
        for target in [
            "cookie_store::cookie_store",
            "hyper_util::client",
            "reqwest::connect",
            "vestibule_backend::dispatch",
            "vestibule_corex",
            "log",
            "",
        ] {
            assert!(!is_ours(target), "{target}");
        }
    }
}
