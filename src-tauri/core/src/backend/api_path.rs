//! Which paths a page may call: relative ones that read the same for every server, on the
//! profile's allowlist, and none at which a call could bring a token or end the session.

use crate::error::ErrorCode;
use crate::profile::{AllowedCall, METHODS, Profile, names_in, segments};

/// Refuses a call that is not on the profile's list, a path that some server could take for another
/// one, and the endpoints of the session itself, whatever the list says. Returns the path of the
/// list that fits: a trace may show that, but not the path of the call.
///
/// # Errors
/// [`ErrorCode::PathRefused`].
pub fn refuse(method: &str, path: &str, profile: &Profile) -> Result<String, ErrorCode> {
    if !METHODS.contains(&method) || !is_plain(path) || is_auth(path, profile) {
        return Err(ErrorCode::PathRefused);
    }
    let allow = profile.api.allow.iter();
    let mut allow = allow.map(|entry| AllowedCall::of(entry));
    let fits = allow.find(|entry| entry.allows(method) && is_like(path, entry.path()));
    fits.map(|entry| entry.path().to_owned())
        .ok_or(ErrorCode::PathRefused)
}

/// Whether a server might take this path for an endpoint of the session: one that decodes it,
/// that drops what follows a semicolon, and that ignores case or a slash at the end.
fn is_auth(path: &str, profile: &Profile) -> bool {
    let reduced = |segment: &str| {
        let decoded = decoded(segment).unwrap_or_else(|| segment.to_owned());
        let name = decoded.split(';').next().unwrap_or_default();
        name.to_lowercase()
    };
    let names = |path: &str| -> Vec<String> {
        let segments = names_in(path);
        segments.map(reduced).collect()
    };
    let given = names(path);
    profile.auth_paths().any(|(_, endpoint)| {
        let wanted = names(&endpoint);
        let is_one = |(wanted, given): (&String, &String)| wanted == given || wanted.contains('$');
        wanted.len() == given.len() && wanted.iter().zip(&given).all(is_one)
    })
}

fn is_plain(path: &str) -> bool {
    let strange = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '#' | '@');
    if !path.starts_with('/') || path.contains(strange) {
        return false;
    }
    // A slash at the end belongs to the path (RFC 3986 §3.3), and to some servers it is another one.
    names_in(path).all(is_one_name)
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
            (Some("*"), Some(given)) if !given.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
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
        assert!(refuse("HEAD", "/me", &profile).is_ok());
        assert!(refuse("get", "/me", &profile).is_err());
    }

    #[test]
    fn a_slash_at_the_end_is_sent_as_written_if_it_is_listed_so() {
        let profile = allowing(&["/orders/", "/orders/*/", "/me", "/login/", "/"]);
        let passes = |path| refuse("GET", path, &profile).is_ok();
        for path in ["/orders/", "/orders/7/", "/orders/?page=2", "/"] {
            assert!(passes(path), "{path}");
        }
        for path in [
            "/orders",
            "/me/",
            "/orders//",
            "/orders/7",
            "//",
            "/login/",
            "/LOGIN;x/",
        ] {
            assert!(!passes(path), "{path}");
        }
        let url = profile.url("/orders/?page=2");
        assert!(url.as_str().ends_with("/orders/?page=2"), "{url}");
    }

    #[test]
    fn only_a_listed_method_changes_anything() {
        let profile = allowing(&[
            "/users/me",
            "PATCH /profile",
            "GET /orders",
            "DELETE /orders/*",
        ]);
        let passes = |method, path| refuse(method, path, &profile).is_ok();
        assert!(passes("GET", "/users/me") && passes("HEAD", "/users/me"));
        assert!(passes("PATCH", "/profile") && passes("DELETE", "/orders/7"));
        for (method, path) in [
            ("PATCH", "/users/me"),
            ("POST", "/users/me"),
            ("GET", "/profile"),
            ("PUT", "/profile"),
            ("POST", "/orders"),
            ("GET", "/orders/7"),
        ] {
            assert!(!passes(method, path), "{method} {path}");
        }
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
        let paths = [
            "/*",
            "/*/*",
            "/login",
            "/logout",
            "/LOGIN",
            "/v1/auth/*",
            "/*/",
        ];
        let entries = |path| METHODS.map(|method| format!("{method} {path}"));
        profile.api.allow = paths.into_iter().flat_map(entries).collect();
        for path in [
            "/login",
            "/LOGIN",
            "/Login?x=1",
            "/log%69n",
            "/login;v=2",
            "/login/",
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
