//! Which paths a page may call: relative ones that read the same for every server, on the
//! profile's allowlist, and none at which a call could bring a token or end the session.

use crate::error::ErrorCode;
use crate::profile::Profile;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Refuses a path that is not on the profile's list, one that some server could take for another
/// path, and the endpoints of the session itself, whatever the list says. Returns the entry of
/// the list that names the path: a trace may show the entry, but not the path.
///
/// # Errors
/// [`ErrorCode::PathRefused`].
pub fn refuse(method: &str, path: &str, profile: &Profile) -> Result<String, ErrorCode> {
    if !METHODS.contains(&method) || !is_plain(path) || is_auth(path, profile) {
        return Err(ErrorCode::PathRefused);
    }
    let allow = &profile.api.allow;
    let fits = allow.iter().find(|pattern| is_like(path, pattern));
    fits.cloned().ok_or(ErrorCode::PathRefused)
}

/// Whether a server might take this path for an endpoint of the session: one that decodes it,
/// that drops what follows a semicolon, and that ignores case.
fn is_auth(path: &str, profile: &Profile) -> bool {
    let reduced = |segment: &str| {
        let decoded = decoded(segment).unwrap_or_else(|| segment.to_owned());
        let name = decoded.split(';').next().unwrap_or_default();
        name.to_lowercase()
    };
    let given: Vec<String> = segments(path).map(reduced).collect();
    profile.auth_paths().any(|endpoint| {
        let wanted: Vec<String> = segments(&endpoint).map(reduced).collect();
        let is_one = |(wanted, given): (&String, &String)| wanted == given || wanted.contains('$');
        wanted.len() == given.len() && wanted.iter().zip(&given).all(is_one)
    })
}

fn is_plain(path: &str) -> bool {
    let strange = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '#' | '@');
    if !path.starts_with('/') || path.contains(strange) {
        return false;
    }
    segments(path).all(is_one_name)
}

/// Whether a segment is the same name for every server on the way: for one that decodes it once
/// more, and for one that drops what follows a semicolon.
fn is_one_name(segment: &str) -> bool {
    let Some(decoded) = decoded(segment) else {
        return false;
    };
    let name = decoded.split(';').next().unwrap_or_default();
    let strange = |c: char| c.is_control() || matches!(c, '/' | '\\' | '%');
    !matches!(name, "" | "." | "..") && !decoded.contains(strange)
}

/// A segment with its percent signs decoded; `None` if one of them stands alone or the bytes are
/// not UTF-8, which servers read in different ways.
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

fn is_like(path: &str, pattern: &str) -> bool {
    let mut wanted = segments(pattern);
    let mut given = segments(path);
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == "*" || wanted == given => {}
            _ => return false,
        }
    }
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
        let profile = allowing(&["/me", "/plans/*", "/plans/*/purchase"]);
        let passes = |path| refuse("GET", path, &profile).is_ok();
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
        assert!(refuse("TRACE", "/me", &profile).is_err());
        assert!(refuse("get", "/me", &profile).is_err());
    }

    #[test]
    fn a_path_is_told_by_the_entry_that_fits() {
        let profile = allowing(&["/me", "/plans/*"]);
        let entry = refuse("GET", "/plans/one@two?secret=x", &profile);
        assert!(entry.is_err(), "not a plain path");
        let entry = refuse("GET", "/plans/team?secret=x", &profile);
        assert_eq!(entry.as_deref(), Ok("/plans/*"));
    }

    #[test]
    fn the_sessions_own_endpoints_are_refused_whatever_the_list_says() {
        let renew = serde_json::json!({"refresh": {"path": "/v1/auth/renew?mode=json"}});
        let mut profile = Profile::from_json(serde_json::json!({"endpoints": renew})).unwrap();
        let allow = ["/*", "/*/*", "/login", "/logout", "/LOGIN", "/v1/auth/*"];
        profile.api.allow = allow.map(str::to_owned).to_vec();
        for path in [
            "/login",
            "/LOGIN",
            "/Login?x=1",
            "/log%69n",
            "/login;v=2",
            "/%4Cogout",
            "/register",
            "/verify-otp",
            "/resend-otp",
            "/v1/auth/renew",
            "/v1/AUTH/renew?mode=form",
        ] {
            for method in METHODS {
                assert!(refuse(method, path, &profile).is_err(), "{method} {path}");
            }
        }
        for path in ["/logins", "/login/x", "/v1/auth/renewals", "/refresh-token"] {
            assert!(refuse("GET", path, &profile).is_ok(), "{path}");
        }
    }

    fn allowing(allow: &[&str]) -> Profile {
        let mut profile = Profile::default();
        profile.api.allow = allow.iter().map(|path| (*path).to_owned()).collect();
        profile
    }
}
