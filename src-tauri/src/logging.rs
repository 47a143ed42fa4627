//! What the app says on standard error. `RUST_LOG` chooses how much, within limits: some
//! libraries print tokens or cookies when they are verbose, and stay capped whatever it says.

use std::io::IsTerminal as _;

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, FilterFn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

const CAPPED: [&str; 9] = [
    "cookie",
    "cookie_store",
    "h2",
    "hyper",
    "keyring",
    "reqwest",
    "rustls",
    "secret_service",
    "zbus",
];

/// Starts logging for the process. A second start is ignored.
pub fn start() {
    let chosen = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let capped =
        FilterFn::new(|metadata| *metadata.level() <= Level::INFO || !is_capped(metadata.target()));
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_filter(chosen)
        .with_filter(capped);
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

fn is_capped(target: &str) -> bool {
    let root = target.split("::").next().unwrap_or(target);
    CAPPED.iter().any(|name| {
        root == *name
            || root
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('_'))
    })
}

#[cfg(test)]
mod tests {
    use super::is_capped;

    #[test]
    fn libraries_that_print_secrets_are_capped() {
        for target in [
            "cookie_store::cookie_store",
            "hyper_util::client",
            "reqwest::connect",
        ] {
            assert!(is_capped(target), "{target}");
        }
        for target in ["vestibule_core::session", "hyperbole"] {
            assert!(!is_capped(target), "{target}");
        }
    }
}
