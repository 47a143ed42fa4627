//! Who is heard, and how much of it.
//!
//! Our own crates, whose secrets are types without a text, may say anything. Everyone else is
//! heard from [`OTHERS`] up only: `cookie_store` prints values, `reqwest` and `hyper` print
//! headers, `zbus` prints arguments, each as soon as they are allowed to be chatty, and the
//! next release of any library may join them. So this is a list of who may speak, not of who
//! may not, and no variable of the environment changes it.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterFn};

/// The crates that are the app.
pub const OURS: [&str; 4] = [
    "vestibule",
    "vestibule_core",
    "vestibule_lib",
    "vestibule_log",
];

/// The least important that others may say.
pub const OTHERS: Level = Level::WARN;

/// What `RUST_LOG` asks for; without it, what matters to whoever reads a user's log.
pub fn chosen() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"))
}

/// What may be heard at all, whatever was asked for.
pub fn capped() -> FilterFn {
    FilterFn::new(may_be_heard)
}

fn may_be_heard(said: &Metadata<'_>) -> bool {
    *said.level() <= OTHERS || is_ours(said.target())
}

/// Whether `target` is one of our crates, or a module of one.
fn is_ours(target: &str) -> bool {
    let root = target.split("::").next().unwrap_or(target);
    OURS.contains(&root)
}

#[cfg(test)]
mod tests {
    use super::is_ours;

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
