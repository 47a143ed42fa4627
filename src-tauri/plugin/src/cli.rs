//! The programs that this binary contains, and which of them the command line names.

use std::ffi::OsStr;

/// What this process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CliCommand {
    /// The app with its windows.
    App,
    /// The examination of a backend in a terminal.
    Doctor,
    /// The list of the arguments, printed.
    Help,
    /// The version, printed.
    Version,
}

impl CliCommand {
    /// The program that the first argument names. An unknown argument opens the window, because
    /// desktops add arguments of their own.
    #[must_use]
    pub fn from_argument(first: Option<&OsStr>) -> Self {
        match first.and_then(OsStr::to_str) {
            Some("doctor") => Self::Doctor,
            Some("help" | "--help" | "-h") => Self::Help,
            Some("--version" | "-V") => Self::Version,
            _ => Self::App,
        }
    }

    /// The help text of a product with this name and version.
    pub(crate) fn help(product: &str, version: &str) -> String {
        format!(
            "{product} {version}\n\n\
             Usage: vestibule              open the app, or bring it to the front\n       \
             vestibule doctor ...   examine an auth backend; `vestibule doctor --help` says how\n\n  \
             -h, --help       print this\n  \
             -V, --version    print the version\n"
        )
    }
}

/// Lets this process write to the terminal that it was started from. Windows does not connect a
/// program with windows to a terminal, and its shells do not wait for such a program. That is
/// enough to print a few lines, but not for the doctor, which asks questions.
#[cfg(windows)]
#[allow(unsafe_code)]
pub(crate) fn attach_terminal() {
    const PARENT: u32 = u32::MAX;
    unsafe extern "system" {
        fn AttachConsole(process: u32) -> i32;
    }
    // SAFETY: the function accepts any number. It fails where there is no terminal, which changes
    // nothing.
    unsafe { AttachConsole(PARENT) };
}

/// Does nothing: here a process can always write to the terminal that it was started from.
#[cfg(not(windows))]
pub(crate) fn attach_terminal() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_word_of_ours_opens_the_window() {
        let named = |first: &str| CliCommand::from_argument(Some(OsStr::new(first)));
        assert_eq!(named("doctor"), CliCommand::Doctor);
        assert_eq!(named("--version"), CliCommand::Version);
        for other in ["", "-psn_0_1", "vestibule://x", "Doctor", "--doctor"] {
            assert_eq!(named(other), CliCommand::App, "{other}");
        }
        assert_eq!(CliCommand::from_argument(None), CliCommand::App);
    }
}
