//! What the app says about itself: lines on standard error and in a bounded file, and reports
//! of failures to whoever the adopter names.
//!
//! No secret gets into either, and that does not hang on patterns: secrets are types that
//! cannot be printed, libraries that print what passes through them are not heard (see
//! [`filter`]), a panic tells its place and not its values, and a [`report::Report`] has no
//! field for free text. Promise P9 runs the faults of P1 through this very crate.

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

/// The process's log.
#[derive(Clone)]
pub struct Log {
    file: Rolling,
    reports: Reports,
}

/// Starts the log of this process: from now on events and panics are told. `RUST_LOG` chooses
/// how much our own crates say; nothing makes others say more than [`filter::OTHERS`]. What
/// is said before [`Log::keep_in`] waits for it.
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
    /// Keeps the log in `folder`, which only this user can look into.
    ///
    /// # Errors
    /// If the folder or the file cannot be made; the log then goes on without them.
    pub fn keep_in(&self, folder: &Path) -> io::Result<()> {
        self.file.open(folder)
    }

    /// Puts what was said so far at the end of the log in `folder`, and leaves that to the
    /// process whose log it is: for one that has to say why it cannot be that process.
    ///
    /// # Errors
    /// If the folder or the file cannot be made.
    pub fn leave_word_in(&self, folder: &Path) -> io::Result<()> {
        self.file.leave_word(folder)
    }

    /// Sends reports of failures to `reporter` from now on, or to nobody.
    pub fn report_to(&self, reporter: Option<Arc<dyn Reporter>>) {
        self.reports.send_to(reporter);
    }

    /// Waits until the reports so far are on their way, at most for `limit`.
    pub fn flush(&self, limit: Duration) {
        if let Some(reporter) = self.reports.reporter() {
            reporter.flush(limit);
        }
    }
}
