//! Text that may go to a terminal. What comes from outside may hold sequences by which a terminal
//! changes its title, its clipboard or what stands on the screen, and signs by which text reads other
//! than it is. [`Shown`] holds none of them: they are shown as escapes, and nothing is printed that is
//! not a `Shown`.

use std::borrow::Borrow;
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::ops::Deref;

use serde::Serialize;

/// A text without any sign that a terminal acts upon.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Shown(String);

impl Shown {
    /// One line: a line break in it is shown too.
    pub fn line(text: &str) -> Self {
        Self(escaped(text, |sign| is_unsafe(sign) || sign == '\n'))
    }

    /// Several lines of ours.
    pub fn lines(text: &str) -> Self {
        Self(escaped(text, is_unsafe))
    }

    /// JSON as it was serialised: what it holds stays the same for who reads it.
    pub fn json(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        for sign in text.chars() {
            if is_unsafe(sign) {
                let mut units = [0; 2];
                for unit in sign.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            } else {
                out.push(sign);
            }
        }
        Self(out)
    }

    /// Writes the text.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(self.0.as_bytes())
    }
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        if is_escaped(sign) {
            out.extend(sign.escape_unicode());
        } else {
            out.push(sign);
        }
    }
    out
}

/// Whether a sign is shown as an escape. A line break is ours to judge.
pub(crate) fn is_unsafe(sign: char) -> bool {
    sign != '\n' && vestibule_core::is_invisible(sign)
}

impl Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// So that several can be joined.
impl Borrow<str> for Shown {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq<str> for Shown {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Shown {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_it_can_speak_to_a_terminal() {
        let text = "a\u{1b}]0;title\u{7}\u{9b}2J\r\t\u{202e}gnp\u{2066}\u{200b}\u{feff}\u{7f}\u{e0041}ü 日本";
        for shown in [Shown::line(text), Shown::lines(text), Shown::json(text)] {
            assert!(!shown.chars().any(is_unsafe), "{shown:?}");
            assert!(shown.ends_with("ü 日本"), "letters stay: {shown:?}");
        }
        assert!(Shown::line(text).contains("\\u{1b}]0;title\\u{7}"));
        assert_eq!(Shown::line("a\nb"), "a\\u{a}b");
        assert_eq!(Shown::lines("a\nb"), "a\nb");
    }

    #[test]
    fn json_means_the_same() {
        let value = serde_json::json!({"a\u{9b}": "\u{1b}\u{202e}\u{e0041}"});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let shown = Shown::json(&text);
        let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(back, value);
    }
}
