//! Checks that Node.js is installed and new enough. It is not installed from here, since developers
//! install it in different ways.

use std::fmt;
use std::process::Command;

use crate::failure::{Outcome, said};
use crate::process;

/// The oldest Node.js that the frontend's packages run on.
pub const OLDEST: Version = Version(20, 20, 0);

/// A version of Node.js.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version(pub u32, pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Fails with one line unless Node.js and npm are installed and new enough.
pub fn check() -> Outcome<Version> {
    let version = installed()?;
    if version < OLDEST {
        return Err(said(format!(
            "Node.js {version} is too old: {}.{} or newer is needed. Install one and run this again.",
            OLDEST.0, OLDEST.1
        )));
    }
    if process::find("npm").is_none() {
        return Err(said(
            "npm is missing: it comes with Node.js, on some systems as a package `npm` of its own.",
        ));
    }
    Ok(version)
}

fn installed() -> Outcome<Version> {
    let missing = || {
        said(format!(
            "Node.js is missing: {}.{} or newer is needed. Install it and run this again.",
            OLDEST.0, OLDEST.1
        ))
    };
    process::find("node").ok_or_else(missing)?;
    let answer = process::capture(Command::new("node").arg("--version"))?;
    parse(&answer.text).ok_or_else(|| {
        said(format!(
            "the output of `node --version` is not a version: {}",
            answer.text.trim()
        ))
    })
}

/// Parses the output of `node --version`.
pub fn parse(text: &str) -> Option<Version> {
    let text = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with('v'))?;
    let numbers = text.strip_prefix('v')?;
    // A nightly is v23.0.0-nightly2024…; what follows the dash is ignored.
    let numbers = numbers.split(['-', '+']).next()?;
    let mut parts = numbers.split('.').map(str::parse::<u32>);
    let version = Version(
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_node_prints_them() {
        assert_eq!(parse("v20.20.2\n"), Some(Version(20, 20, 2)));
        assert_eq!(
            parse("v23.0.0-nightly20240901ab\n"),
            Some(Version(23, 0, 0))
        );
        assert_eq!(
            parse("(node:1) Warning: x\nv22.1.0\n"),
            Some(Version(22, 1, 0))
        );
        assert_eq!(parse("20.20.2"), None);
        assert_eq!(parse("v20.20"), None);
        assert_eq!(parse("v20.20.2.1"), None);
        assert_eq!(parse("vxyz"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn age_is_compared_by_number_not_by_text() {
        assert!(Version(20, 9, 0) < OLDEST);
        assert!(Version(18, 20, 8) < OLDEST);
        assert!(Version(20, 20, 0) >= OLDEST);
        assert!(Version(100, 0, 0) >= OLDEST);
    }
}
