//! Which headers of a page's call go out.

use reqwest::header::{HeaderMap, HeaderName};

use crate::header_text;
use crate::profile::Profile;

/// Headers that a page may not set: they carry credentials, frame the message, or make some servers
/// take it for a request to another path, with another method, from another address or by another
/// person.
const RESERVED: [&str; 42] = [
    "accept-encoding",
    "authorization",
    "client-ip",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "expect",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "remote-addr",
    "remote-user",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "via",
    "x-appengine-user-ip",
    "x-authenticated-user",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-originating-ip",
    "x-real-ip",
    "x-real-port",
    "x-remote-addr",
    "x-remote-ip",
    "x-remote-user",
    "x-rewrite-url",
    "x-true-client-ip",
];
const RESERVED_PREFIXES: [&str; 9] = [
    "cf-",
    "proxy-",
    "sec-",
    "x-amzn-oidc-",
    "x-envoy-",
    "x-forwarded",
    "x-ms-client-principal",
    "x-original-",
    "x-remote-group",
];

/// The headers of a page's call without those that it may not set, those that the profile sets, and
/// those that no message can hold. The profile's are left out even where the profile's own value is
/// not known for this call: the page's must not take its place.
pub(super) fn kept(headers: &[(String, String)], profile: &Profile) -> HeaderMap {
    let set_by_profile = profile.headers.keys().chain(profile.api.headers.keys());
    let set_by_profile: Vec<_> = set_by_profile
        .map(|key| as_servers_see_it(key.as_str()))
        .collect();
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        let seen = as_servers_see_it(name);
        if is_reserved(&seen) || set_by_profile.contains(&seen) {
            continue;
        }
        if let (Ok(name), Some(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            header_text::from_page(value),
        ) {
            kept.insert(name, value);
        }
    }
    kept
}

/// A name as some servers compare it: what runs behind CGI or WSGI takes an underscore for a hyphen
/// (RFC 3875 §4.1.18).
fn as_servers_see_it(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

fn is_reserved(name: &str) -> bool {
    let mut prefixes = RESERVED_PREFIXES.iter();
    RESERVED.contains(&name) || prefixes.any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(given: &[&str]) -> Vec<String> {
        let profile = Profile::from_json(json!({
            "headers": {"x-tenant": "one", "apikey": "publishable"},
            "api": {"headers": {"X-Session": "$access_token"}},
        }))
        .expect("a profile");
        let given: Vec<_> = given
            .iter()
            .map(|name| ((*name).to_owned(), "v".to_owned()))
            .collect();
        let kept = kept(&given, &profile);
        kept.keys().map(|name| name.as_str().to_owned()).collect()
    }

    #[test]
    fn what_the_profile_sets_no_page_sets() {
        let none: [&str; 0] = [];
        assert_eq!(
            names(&["X-Tenant", "APIKEY", "x_tenant", "x-session", "X-SESSION"]),
            none
        );
        assert_eq!(names(&["x-tenant-2", "Accept"]), ["x-tenant-2", "accept"]);
    }

    #[test]
    fn no_page_says_from_where_it_calls_or_what() {
        let none: [&str; 0] = [];
        for name in [
            "X-Real-IP",
            "True-Client-IP",
            "X-Original-URI",
            "x-original-url",
            "X-Forwarded",
            "X-Forwarded-For",
            "X_Forwarded_For",
            "x_real_ip",
            "CF-Connecting-IP",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "Fastly-Client-IP",
            "Forwarded",
            "X-Envoy-External-Address",
            "X-Remote-User",
            "Remote_User",
            "Cookie",
            "Authorization",
            "Host",
        ] {
            assert_eq!(names(&[name]), none, "{name}");
        }
        let fine = [
            "content-type",
            "x-request-id",
            "idempotency-key",
            "if-match",
            "range",
        ];
        assert_eq!(names(&fine), fine);
    }
}
