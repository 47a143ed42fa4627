//! Why a command stopped, in words for the person at the terminal.
//!
//! There are no error codes and no error chains: no code branches on a failure of a development
//! tool, a person reads it.

use std::fmt;

/// Why a command stopped.
#[derive(Debug)]
pub enum Failure {
    /// One line that says what is wrong and what to do.
    Said(String),
    /// A tool failed after printing its own reasons; its exit code is passed on.
    Tool { name: String, code: i32 },
    /// A signal asked this tool to stop; everything it started has been ended.
    Interrupted(i32),
}

/// The result of every fallible step of this crate.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// The exit code of this process for this failure.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Said(_) => 1,
            Self::Tool { code, .. } => u8::try_from(*code).ok().filter(|c| *c != 0).unwrap_or(1),
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(130),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(line) => f.write_str(line),
            Self::Tool { name, code } => write!(f, "{name} failed (exit code {code})"),
            Self::Interrupted(_) => f.write_str("interrupted"),
        }
    }
}

/// A failure that is one line of text.
pub fn said(line: impl Into<String>) -> Failure {
    Failure::Said(line.into())
}

/// An error of the operating system, with what was being done.
pub fn io(doing: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| Failure::Said(format!("{doing}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_tool_passes_its_code_on_but_never_success() {
        let code = |code| {
            Failure::Tool {
                name: "x".into(),
                code,
            }
            .exit_code()
        };
        assert_eq!(code(101), 101);
        assert_eq!(code(0), 1);
        assert_eq!(code(-1), 1, "a program killed by a signal has no exit code");
        assert_eq!(Failure::Interrupted(2).exit_code(), 130);
    }
}
