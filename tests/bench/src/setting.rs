//! What an entry may use while it measures.

use std::path::PathBuf;

use tokio::sync::OnceCell;

use crate::launch::Shipped;
use crate::registry::Outcome;

/// How thoroughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A few samples of each, judged by nobody: shows that the instrument runs.
    Short,
    /// What `cargo xtask bench` prints.
    Usual,
    /// That, and what takes hours of use or minutes of idling.
    Long,
}

/// What an entry may use.
pub struct Setting {
    /// How thoroughly.
    pub form: Form,
    /// The program `bench`, for an entry that needs a process of its own.
    pub program: PathBuf,
    /// Where plots and whatever else stays are put.
    pub folder: PathBuf,
    shipped: OnceCell<Shipped>,
}

impl Setting {
    /// For a run of this form.
    #[must_use]
    pub fn new(form: Form, program: PathBuf, folder: PathBuf) -> Self {
        Self {
            form,
            program,
            folder,
            shipped: OnceCell::new(),
        }
    }

    /// The app as it ships beside a blank window: one sign-in for all entries that start them.
    ///
    /// # Errors
    /// If a build is missing, or the sign-in fails.
    pub async fn shipped(&self) -> Outcome<&Shipped> {
        self.shipped.get_or_try_init(Shipped::signed_in).await
    }

    /// How many samples to take where `usual` are taken in earnest.
    #[must_use]
    pub fn rounds(&self, usual: usize) -> usize {
        match self.form {
            Form::Short => usual.min(3),
            Form::Usual | Form::Long => usual,
        }
    }

    /// The same where one takes seconds: a short form takes one, and warms nothing up.
    #[must_use]
    pub fn rounds_of_seconds(&self, usual: usize) -> std::ops::RangeInclusive<usize> {
        match self.form {
            Form::Short => 1..=1,
            // The first finds nothing in any cache and counts for nothing.
            Form::Usual | Form::Long => 0..=usual,
        }
    }

    /// Whether this is the short form.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.form == Form::Short
    }

    /// Says how far something long has come, on standard error, on one line.
    pub fn progress(&self, what: &str, done: usize, of: usize) {
        use std::io::Write as _;
        let mut stderr = std::io::stderr().lock();
        let end = if done == of { "\n" } else { "" };
        let _ = write!(stderr, "\r{what}: {done} of {of}{end}");
        let _ = stderr.flush();
    }
}
