//! How often a sign-in of the person's account may fail. Backends lock accounts after a number of
//! failures, often five, and the person is told this number before the first.

/// The most failures.
pub(crate) const MOST: u32 = 3;

/// The failures so far.
#[derive(Default)]
pub(crate) struct WrongTries(u32);

impl WrongTries {
    /// One more sign-in that the backend has refused, or is about to refuse.
    pub(crate) fn count(&mut self) {
        self.0 += 1;
    }

    /// Whether no sign-in may follow that could fail.
    pub(crate) fn is_used_up(&self) -> bool {
        self.0 >= MOST
    }

    pub(crate) fn so_far(&self) -> u32 {
        self.0
    }
}
