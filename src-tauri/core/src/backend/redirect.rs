//! Whether a call of the API is redirected, and to where: a redirect is followed to another path
//! of the same backend that the page may call too. Methods change as the Fetch standard says
//! (HTTP-redirect fetch).

use reqwest::{Method, StatusCode};
use url::Url;

use super::api_path;
use super::error::BackendError;
use crate::profile::Profile;
use crate::status::{Class, class};

/// The next request of a call that is redirected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RedirectTarget {
    pub method: Method,
    /// Relative to the base address, with its query.
    pub path: String,
    /// Whether the caller's body goes along.
    pub with_body: bool,
}

/// Where an answer leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// The answer is no redirect.
    None,
    /// A redirect to another path of the backend, which is followed.
    To(RedirectTarget),
    /// A redirect that is not followed, and why.
    Refused(&'static str),
    /// A redirect to another origin. A portal or a proxy between this app and its backend says
    /// such things.
    OtherOrigin,
}

/// Reads an answer to a request with `method` at `from`.
pub(super) fn read_redirect(
    profile: &Profile,
    status: StatusCode,
    location: Option<Result<String, BackendError>>,
    from: &Url,
    method: &Method,
) -> Redirect {
    if class(status.as_u16()) != Class::Redirect {
        return Redirect::None;
    }
    let location = match location {
        None => return Redirect::None,
        Some(Ok(location)) => location,
        Some(Err(_)) => return Redirect::Refused("it names several targets"),
    };
    let Ok(target) = from.join(&location) else {
        return Redirect::Refused("its Location is not an address");
    };
    if target.origin() != profile.backend.origin() {
        return Redirect::OtherOrigin;
    }
    if !target.username().is_empty() || target.password().is_some() {
        return Redirect::Refused("its Location holds a user name or a password");
    }
    let base = profile.backend.path().trim_end_matches('/');
    let Some(below) = target.path().strip_prefix(base) else {
        return Redirect::Refused("its target is not under the base address");
    };
    let path = match target.query() {
        Some(query) => format!("{below}?{query}"),
        None => below.to_owned(),
    };
    let (method, with_body) = match (status.as_u16(), method) {
        (301 | 302, &Method::POST) => (Method::GET, false),
        (303, method) if *method != Method::GET && *method != Method::HEAD => (Method::GET, false),
        (_, method) => (method.clone(), true),
    };
    if api_path::refuse(method.as_str(), &path, profile).is_err() {
        return Redirect::Refused("the profile does not let a page call its target");
    }
    Redirect::To(RedirectTarget {
        method,
        path,
        with_body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile;

    fn profile(base: &str) -> Profile {
        let mut profile = Profile::default().with_backend(base).expect("a base");
        let paths = ["/me", "/plans/*", "/login"];
        let entries = |path| profile::METHODS.map(|method| format!("{method} {path}"));
        profile.api.allow = paths.into_iter().flat_map(entries).collect();
        profile
    }

    fn asked(base: &str, status: u16, method: &str, location: &str) -> Redirect {
        let profile = profile(base);
        let method: Method = method.parse().expect("a method");
        let status = StatusCode::from_u16(status).expect("a status");
        let from = profile.url("/plans/team?x=1");
        read_redirect(
            &profile,
            status,
            Some(Ok(location.to_owned())),
            &from,
            &method,
        )
    }

    fn hop(method: &str, path: &str, with_body: bool) -> Redirect {
        Redirect::To(RedirectTarget {
            method: method.parse().expect("a method"),
            path: path.into(),
            with_body,
        })
    }

    #[test]
    fn methods_change_as_the_fetch_standard_says() {
        let base = "https://api.example.com";
        for (status, method, then, with_body) in [
            (301, "POST", "GET", false),
            (302, "POST", "GET", false),
            (301, "PUT", "PUT", true),
            (302, "DELETE", "DELETE", true),
            (303, "POST", "GET", false),
            (303, "PUT", "GET", false),
            (303, "GET", "GET", true),
            (307, "POST", "POST", true),
            (308, "PATCH", "PATCH", true),
            (308, "GET", "GET", true),
        ] {
            assert_eq!(
                asked(base, status, method, "/me"),
                hop(then, "/me", with_body),
                "{status} {method}"
            );
        }
        for status in [200, 204, 300, 304, 305, 306, 400] {
            assert_eq!(
                asked(base, status, "GET", "/me"),
                Redirect::None,
                "{status}"
            );
        }
    }

    #[test]
    fn only_paths_that_a_window_may_call_are_led_to() {
        let base = "https://api.example.com/v1";
        for (location, path) in [
            ("/v1/me", "/me"),
            ("https://api.example.com/v1/me?a=b#c", "/me?a=b"),
            ("https://api.example.com:443/v1/me", "/me"),
            ("business", "/plans/business"),
            ("../me", "/me"),
            ("?y=2", "/plans/team?y=2"),
            ("//api.example.com/v1/me", "/me"),
        ] {
            assert_eq!(
                asked(base, 302, "GET", location),
                hop("GET", path, true),
                "{location}"
            );
        }
        for location in [
            "https://evil.example/v1/me",
            "//evil.example/v1/me",
            "\\\\evil.example\\v1\\me",
            "/\\evil.example/v1/me",
            "http://api.example.com/v1/me",
            "https://api.example.com:444/v1/me",
            "https://api.example.com.evil.example/v1/me",
            "https://api.example.com@evil.example/v1/me",
            "https://u:p@api.example.com/v1/me",
            "/me",
            "/v10/me",
            "/v1/login",
            "/v1/plans/../login",
            "/v1/plans/%2e%2e/login",
            "/v1/plans/%2e%2e%2flogin",
            "/v1/nowhere",
            "/v1",
            "/v1/",
            "file:///v1/me",
            "javascript:alert(1)",
            "data:text/plain,x",
            "ws://api.example.com/v1/me",
            "https://",
            "https://[::1",
        ] {
            let lead = asked(base, 302, "GET", location);
            let is_gone = matches!(lead, Redirect::Refused(_) | Redirect::OtherOrigin);
            assert!(is_gone, "{location}: {lead:?}");
        }
    }

    #[test]
    fn no_location_is_an_answer_and_a_broken_one_is_none() {
        let profile = profile("https://api.example.com");
        let from = profile.url("/me");
        let read =
            |location| read_redirect(&profile, StatusCode::FOUND, location, &from, &Method::GET);
        assert_eq!(read(None), Redirect::None);
        assert!(matches!(
            read(Some(Err(BackendError::BadAnswer))),
            Redirect::Refused(_)
        ));
    }
}
