//! Named steps at which a test can stop or kill the process. Without the feature
//! `failpoints` they are not there.

/// A place between two writes; see the tests that kill the process at each.
#[cfg(feature = "failpoints")]
macro_rules! step {
    ($name:literal) => {
        fail::fail_point!($name);
    };
}

#[cfg(not(feature = "failpoints"))]
macro_rules! step {
    ($name:literal) => {};
}

pub(crate) use step;

/// Whether a check is taken out, to show that the model of two people notices.
#[cfg(feature = "failpoints")]
macro_rules! without {
    ($name:literal) => {
        (|| {
            fail::fail_point!($name, |_| true);
            false
        })()
    };
}

#[cfg(not(feature = "failpoints"))]
macro_rules! without {
    ($name:literal) => {
        false
    };
}

pub(crate) use without;

/// Every step of everyday use, in the order in which a session goes through them.
pub const ALL: [&str; 15] = [
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

/// The steps of a start that takes over what commit ff703f2 left, which is once.
pub const TAKE_OVER: [&str; 4] = [
    "takeover.recorded",
    "takeover.tidied",
    "takeover.item_written",
    "takeover.item_deleted",
];
