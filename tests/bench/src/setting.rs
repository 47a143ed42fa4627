//! What an entry has to work with while it measures.

use std::path::PathBuf;

use tokio::sync::OnceCell;

use crate::launch::Shipped;
use crate::registry::Outcome;

/// How thorough a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A few samples of each, not compared with targets: shows that the instruments work.
    Short,
    /// The run of `cargo xtask bench`.
    Usual,
    /// The same, and entries with hours of use or minutes of idling.
    Long,
}

/// What an entry has to work with.
pub struct Setting {
    /// How thorough the run is.
    pub form: Form,
    /// The program `bench`, for an entry that needs a child process.
    pub program: PathBuf,
    /// The folder for plots and other files that stay.
    pub folder: PathBuf,
    shipped: OnceCell<Shipped>,
}

impl Setting {
    /// The setting for a run of this form.
    #[must_use]
    pub fn new(form: Form, program: PathBuf, folder: PathBuf) -> Self {
        Self {
            form,
            program,
            folder,
            shipped: OnceCell::new(),
        }
    }

    /// The shipped app and a blank window: one sign-in for all entries that start them.
    ///
    /// # Errors
    /// If a build is missing, or the sign-in fails.
    pub async fn shipped(&self) -> Outcome<&Shipped> {
        self.shipped.get_or_try_init(Shipped::signed_in).await
    }

    /// How many samples to take where the usual form takes `usual`.
    #[must_use]
    pub fn rounds(&self, usual: usize) -> usize {
        match self.form {
            Form::Short => usual.min(3),
            Form::Usual | Form::Long => usual,
        }
    }

    /// The same where a sample takes seconds: a short form takes one, without a warm-up.
    #[must_use]
    pub fn rounds_of_seconds(&self, usual: usize) -> std::ops::RangeInclusive<usize> {
        match self.form {
            Form::Short => 1..=1,
            // The first sample finds all caches empty and is not counted.
            Form::Usual | Form::Long => 0..=usual,
        }
    }

    /// Whether this is the short form.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.form == Form::Short
    }

    /// Shows the progress of something long on one line of standard error.
    pub fn progress(&self, what: &str, done: usize, of: usize) {
        use std::io::Write as _;
        let mut stderr = std::io::stderr().lock();
        let end = if done == of { "\n" } else { "" };
        let _ = write!(stderr, "\r{what}: {done} of {of}{end}");
        let _ = stderr.flush();
    }
}
