//! Named places at which a test can stop or kill the process. Without the feature `failpoints` they
//! compile to nothing.

/// A place between two writes. The crash tests kill the process at each of them.
#[cfg(feature = "failpoints")]
macro_rules! failpoint {
    ($name:literal) => {
        fail::fail_point!($name);
    };
}

#[cfg(not(feature = "failpoints"))]
macro_rules! failpoint {
    ($name:literal) => {};
}

pub(crate) use failpoint;

/// Whether a test has switched this check off, to show that the model test with two people notices
/// its absence.
#[cfg(feature = "failpoints")]
macro_rules! mutant {
    ($name:literal) => {
        (|| {
            fail::fail_point!($name, |_| true);
            false
        })()
    };
}

#[cfg(not(feature = "failpoints"))]
macro_rules! mutant {
    ($name:literal) => {
        false
    };
}

pub(crate) use mutant;

/// Every failpoint of everyday use, in the order in which a session reaches them.
#[cfg(any(test, feature = "testing"))]
pub const FAILPOINTS: [&str; 15] = [
    "login.journaled",
    "login.kept",
    "login.recorded",
    "rotation.locked",
    "rotation.journaled",
    "rotation.answered",
    "rotation.kept",
    "rotation.read",
    "rotation.body_kept",
    "rotation.recorded",
    "logout.marked",
    "logout.shown",
    "logout.slotted",
    "logout.deleted",
    "logout.told",
];

/// Every failpoint of the list of accounts: while one is added, shown, noted and removed.
#[cfg(any(test, feature = "testing"))]
pub const ACCOUNT_FAILPOINTS: [&str; 8] = [
    "accounts.folder_made",
    "accounts.listed",
    "accounts.shown",
    "accounts.noting",
    "accounts.leaving",
    "accounts.folder_removed",
    "accounts.forgotten",
    "accounts.workspace_left",
];
