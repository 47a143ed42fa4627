//! The scheme of an app's links.

/// Schemes that are the system's, the browser's or Tauri's own.
const TAKEN: [&str; 21] = [
    "about",
    "asset",
    "blob",
    "chrome",
    "data",
    "file",
    "ftp",
    "http",
    "https",
    "ipc",
    "irc",
    "javascript",
    "mailto",
    "ms-settings",
    "sms",
    "ssh",
    "tauri",
    "tel",
    "view-source",
    "ws",
    "wss",
];

/// A scheme, in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme(String);

impl Scheme {
    /// Reads a scheme without its colon.
    ///
    /// # Errors
    /// If no app can have it. The words say why, behind where it is named.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        let mut letters = name.bytes();
        // RFC 3986 §3.1. Desktops compare the scheme as it is registered, so it is in small letters.
        let begins = letters.next().is_some_and(|it| it.is_ascii_lowercase());
        let goes_on = letters.all(|it| {
            it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, b'+' | b'-' | b'.')
        });
        if !begins || !goes_on {
            return Err(
                "is no scheme: it begins with a small letter, and small letters, digits, `+`, `-` and \
                 `.` follow, such as `com.example.app`; the colon is not a part of it",
            );
        }
        match TAKEN.contains(&name) {
            true => Err(
                "is a scheme of the system or of browsers; take one of your own, such as \
                 `com.example.app`",
            ),
            false => Ok(Self(name.to_owned())),
        }
    }

    /// The scheme without its colon.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether a text begins with this scheme and a colon. Capital letters are the same (RFC 3986 §3.1).
    /// Returns what is behind the colon.
    pub fn strip<'a>(&self, link: &'a [u8]) -> Option<&'a [u8]> {
        let (scheme, rest) = link.split_at_checked(self.0.len())?;
        let is_this = scheme.eq_ignore_ascii_case(self.0.as_bytes());
        is_this.then(|| rest.strip_prefix(b":"))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_scheme_and_a_colon_is_a_link() {
        let scheme = Scheme::parse("com.example.app").expect("a scheme");
        for link in ["com.example.app:/x", "COM.Example.APP:/x"] {
            assert_eq!(scheme.strip(link.as_bytes()), Some(&b"/x"[..]), "{link}");
        }
        for other in [
            "",
            "com.example.app",
            "com.example.app.dev:/x",
            "com.example.ap:/x",
            " com.example.app:/x",
        ] {
            assert_eq!(scheme.strip(other.as_bytes()), None, "{other}");
        }
    }
}
