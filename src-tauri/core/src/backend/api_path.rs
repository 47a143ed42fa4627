//! Which paths the window may call: relative, plain, and on the profile's allowlist.

use crate::error::ErrorCode;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Refuses what is not on `allow`, or what could mean another place than it looks like.
pub fn refuse(method: &str, path: &str, allow: &[String]) -> Result<(), ErrorCode> {
    if METHODS.contains(&method) && is_plain(path) && is_allowed(path, allow) {
        Ok(())
    } else {
        Err(ErrorCode::PathRefused)
    }
}

fn is_plain(path: &str) -> bool {
    let strange = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '#' | '@');
    if !path.starts_with('/') || path.contains(strange) {
        return false;
    }
    segments(path).all(is_one_name)
}

/// Whether a segment is one name for every server on the way: for one that decodes it once
/// more, and for one that takes what follows a semicolon away before it looks.
fn is_one_name(segment: &str) -> bool {
    let Some(decoded) = decoded(segment) else {
        return false;
    };
    let name = decoded.split(';').next().unwrap_or_default();
    let strange = |c: char| c.is_control() || matches!(c, '/' | '\\' | '%');
    !matches!(name, "" | "." | "..") && !decoded.contains(strange)
}

/// Percent-decoded; `None` where a percent sign stands alone or the bytes are no text, which
/// different servers read differently.
fn decoded(segment: &str) -> Option<String> {
    let hex = |byte: Option<u8>| char::from(byte?).to_digit(16);
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => u8::try_from(hex(rest.next())? * 16 + hex(rest.next())?).ok()?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn is_allowed(path: &str, allow: &[String]) -> bool {
    allow.iter().any(|pattern| {
        let mut wanted = segments(pattern);
        let mut given = segments(path);
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted == "*" || wanted == given => {}
                _ => return false,
            }
        }
    })
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.split('?').next().unwrap_or_default();
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_on_the_list_pass() {
        let allow = ["/me", "/plans/*", "/plans/*/purchase"].map(str::to_owned);
        let passes = |path| refuse("GET", path, &allow).is_ok();
        for path in [
            "/me",
            "/me?x=1&y=%2F",
            "/plans/team",
            "/plans/t%20m/purchase",
            "/plans/t%C3%A9am;v=2",
        ] {
            assert!(passes(path), "{path}");
        }
        for path in [
            "",
            "me",
            "/",
            "/login",
            "//me",
            "/me/",
            "/plans",
            "/plans/",
            "/plans/../login",
            "/plans/./x",
            "/plans/%2e%2e",
            "/plans/a%2Fb",
            "/plans/a%5Cb",
            "/plans/%252e",
            "/plans/..;/purchase",
            "/plans/%2E.%3Bx/purchase",
            "/plans/;x",
            "/plans/%c0%ae%c0%ae/purchase",
            "/plans/%",
            "/plans/%2",
            "/plans/%+1",
            "/plans/%00",
            "http://evil.example/me",
            "/\\evil.example",
            "/me#x",
            "/@me",
            "/me\n",
            "/plans/a/b/c",
        ] {
            assert!(!passes(path), "{path}");
        }
        assert!(refuse("TRACE", "/me", &allow).is_err());
        assert!(refuse("get", "/me", &allow).is_err());
    }
}
