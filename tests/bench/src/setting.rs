//! What an entry may use while it measures.

use std::path::PathBuf;

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
#[derive(Clone, Debug)]
pub struct Setting {
    /// How thoroughly.
    pub form: Form,
    /// The program `bench`, for an entry that needs a process of its own.
    pub program: PathBuf,
    /// Where plots and whatever else stays are put.
    pub folder: PathBuf,
}

impl Setting {
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
