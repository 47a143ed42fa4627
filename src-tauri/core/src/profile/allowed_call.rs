//! An entry of `api.allow`: a path, with or without a method before it. A path alone is for reading,
//! so that a list of what a page shows does not let an injected script change anything.

use super::mistake::nearest;
use super::paths;

/// The methods that a page's call can have.
pub(crate) const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// The methods that only read (RFC 9110 §9.2.1).
const READING: [&str; 2] = ["GET", "HEAD"];

/// What one entry allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AllowedCall<'a> {
    method: Option<&'a str>,
    path: &'a str,
}

impl<'a> AllowedCall<'a> {
    /// Reads an entry. What is no method is refused by [`Self::check`] and matches nothing.
    pub(crate) fn of(entry: &'a str) -> Self {
        match entry.split_once(' ') {
            Some((method, path)) => Self {
                method: Some(method),
                path: path.trim_start(),
            },
            None => Self {
                method: None,
                path: entry,
            },
        }
    }

    /// The path, in which `*` stands for a segment.
    pub(crate) fn path(self) -> &'a str {
        self.path
    }

    /// Whether it allows this method. What may be read may also be asked for its headers alone.
    pub(crate) fn allows(self, method: &str) -> bool {
        match self.method {
            None | Some("GET") => READING.contains(&method),
            Some(allowed) => allowed == method,
        }
    }

    /// Says what is wrong with it. The reason does not repeat the path.
    pub(super) fn check(self) -> Result<(), String> {
        if let Some(method) = self.method
            && !METHODS.contains(&method)
        {
            let near = nearest(method, METHODS);
            let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
            return Err(format!(
                "begins with what is none of the methods {}{near}",
                METHODS.join(", ")
            ));
        }
        paths::check(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_alone_is_for_reading() {
        let allowed = |entry| {
            let call = AllowedCall::of(entry);
            METHODS
                .into_iter()
                .filter(|method| call.allows(method))
                .collect::<Vec<_>>()
        };
        assert_eq!(allowed("/me"), ["GET", "HEAD"]);
        assert_eq!(allowed("GET /me"), ["GET", "HEAD"]);
        assert_eq!(allowed("HEAD /me"), ["HEAD"]);
        assert_eq!(allowed("PATCH /me"), ["PATCH"]);
        assert_eq!(AllowedCall::of("DELETE  /me/*").path(), "/me/*");
    }

    #[test]
    fn what_is_wrong_is_said_and_the_nearest_method_named() {
        let wrong = |entry| AllowedCall::of(entry).check().expect_err(entry);
        assert!(wrong("get /me").ends_with("did you mean GET?"));
        assert!(wrong("PSOT /me").ends_with("did you mean POST?"));
        assert!(wrong("/me GET").contains("methods GET, HEAD"));
        assert!(wrong("GET me").contains("slash"));
        assert!(wrong("GET /a b").contains("a space"));
        assert!(wrong("").contains("slash"));
        assert_eq!(AllowedCall::of("GET /orders/").check(), Ok(()));
    }
}
