//! The app's log, on standard error and in bounded files, and reports of failures to a service that
//! the adopter names.
//!
//! No secret gets into the log or a report. That does not depend on patterns: secrets are types
//! that cannot be printed, the chatty levels of libraries are not logged (see [`filter`]), a panic
//! is logged with its place and without its values, and a [`report::Report`] has no field for free
//! text. The promise that no secret is said runs every transient fault with this crate.

#![warn(unreachable_pub)]

mod file;
pub mod filter;
mod panics;
pub mod report;
#[cfg(feature = "sentry")]
pub mod sentry;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracing_subscriber::fmt;
use tracing_subscriber::fmt::writer::MakeWriterExt as _;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

pub use file::Bounds;
use file::Rolling;
use report::{Reporter, Reports};

/// The log of this process.
#[derive(Clone)]
pub struct Log {
    file: Rolling,
    reports: Reports,
}

/// Starts the log of this process: events and panics are logged from now on. `RUST_LOG` chooses the
/// level of the app's own crates; other crates are never logged below [`filter::OTHERS`]. Lines
/// that are logged before [`Log::keep_in`] wait for the file.
pub fn start() -> Log {
    let log = Log {
        file: Rolling::new(Bounds::default()),
        reports: Reports::default(),
    };
    let lines = fmt::layer()
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(io::stderr.and(log.file.clone()));
    let heard = lines
        .and_then(log.reports.clone())
        .with_filter(filter::chosen())
        .with_filter(filter::capped());
    let started = tracing_subscriber::registry().with(heard).try_init();
    if started.is_ok() {
        panics::tell(log.clone());
    }
    log
}

impl Log {
    /// Keeps the log in `folder`, which only this user can read. One process at a time writes there; the
    /// lines of another wait, up to a bound, until the first has ended.
    ///
    /// # Errors
    /// If the folder or the file cannot be made, or another process writes it. The log then continues on
    /// standard error.
    pub fn keep_in(&self, folder: &Path) -> io::Result<()> {
        self.file.open(folder)
    }

    /// Appends the log so far to the log in `folder`, which belongs to another process. A launch
    /// that cannot take that process's place leaves the reason there.
    ///
    /// # Errors
    /// If the folder or the file cannot be made.
    pub fn append_to_owners_log(&self, folder: &Path) -> io::Result<()> {
        self.file.append_to_owners_log(folder)
    }

    /// Sends reports of failures to `reporter` from now on, or to nobody.
    pub fn report_to(&self, reporter: Option<Arc<dyn Reporter>>) {
        self.reports.send_to(reporter);
    }

    /// Waits until the reports so far have been sent, but no longer than `limit`.
    pub fn flush(&self, limit: Duration) {
        if let Some(reporter) = self.reports.reporter() {
            reporter.flush(limit);
        }
    }
}
