//! Paths under the base address, as a profile names them.

/// Refuses what is not a plain path. The reason does not repeat the path.
pub(super) fn check(path: &str) -> Result<(), String> {
    if !path.starts_with('/') || path.starts_with("//") {
        return Err("must begin with one slash".into());
    }
    let strange = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '#');
    if path.contains(strange) {
        return Err(
            "holds a character that no path can: a space, a backslash, `#` or the like".into(),
        );
    }
    if segments(path).any(is_dots) {
        return Err("holds a segment `.` or `..`, which leads to another path".into());
    }
    Ok(())
}

/// Whether a segment means this folder or the one above, also to a server that decodes it.
pub(super) fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    matches!(plain.as_str(), "." | "..")
}

/// Whether one path can match both of these. `*` and `$placeholders` match one segment. A slash at
/// the end makes no difference to many servers.
pub(super) fn overlap(allowed: &str, endpoint: &str) -> bool {
    let is_any = |segment: &str| segment == "*" || segment.contains('$');
    let mut allowed = names_in(allowed);
    let mut endpoint = names_in(endpoint);
    loop {
        match (allowed.next(), endpoint.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) || is_any(a) || is_any(b) => {}
            _ => return false,
        }
    }
}

/// The segments of a path, without an empty one at the end.
pub(crate) fn names_in(path: &str) -> impl Iterator<Item = &str> {
    let mut segments = segments(path).peekable();
    std::iter::from_fn(move || {
        let segment = segments.next()?;
        (!segment.is_empty() || segments.peek().is_some()).then_some(segment)
    })
}

/// The segments of a path, without its query.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.split('?').next().unwrap_or_default();
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass() {
        for path in [
            "/login",
            "/auth/v1/token?grant_type=password",
            "/u/$identifier",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
        for path in [
            "",
            "login",
            "//x",
            "/a b",
            "/a\\b",
            "/a#b",
            "/a/../b",
            "/%2E%2e/b",
            "/.",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_star_covers_what_it_must_not() {
        assert!(overlap("/auth/*", "/auth/login"));
        assert!(overlap(
            "/auth/v1/token",
            "/auth/v1/token?grant_type=password"
        ));
        assert!(overlap("/u/ann", "/u/$identifier"));
        assert!(overlap("/Login", "/login"), "to some servers");
        assert!(overlap("/login/", "/login") && overlap("/login", "/login/"));
        assert!(overlap("/auth/*/", "/auth/login"));
        assert!(!overlap("/login//", "/login"));
        assert!(!overlap("/auth/*", "/login"));
        assert!(!overlap("/me", "/me/x"));
    }
}
