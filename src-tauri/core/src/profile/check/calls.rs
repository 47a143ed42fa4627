//! Which placeholders may be sent where: each call is checked against the values that it may carry.

use std::collections::BTreeMap;

use super::{Checked, mistake};
use crate::profile::encoding::Encoding;
use crate::profile::header::HeaderKey;
use crate::profile::mistake::nearest;
use crate::profile::model::{Endpoint, Method};
use crate::profile::placeholder::Placeholder as P;
use crate::profile::template::Template;
use crate::profile::{Profile, Verb, paths};

/// Why a key is refused that says how a body is written.
const NO_BODY: &str = "is given, but there is no body";

impl Profile {
    pub(super) fn check_endpoints(&self) -> Checked {
        if self.endpoints.login.get().is_none() && self.browser.get().is_none() {
            let reason = "is missing, and so is `browser`: nobody could sign in";
            return mistake("endpoints.login", reason);
        }
        for (verb, endpoint) in self.endpoints.all() {
            let key = format!("endpoints.{}", verb.name());
            if !endpoint.keep.is_empty() {
                let reason = "is of a step before a call: write it in `before`";
                return mistake(format!("{key}.keep"), reason);
            }
            let mut may = MayHold {
                placeholders: &verb.placeholders(),
                kept: &[],
                cookies: self.cookies.enabled && endpoint.origin.is_none(),
            };
            let kept: Vec<&str>;
            if let Some(step) = endpoint.before.get() {
                let key = format!("{key}.before");
                if step.before.get().is_some() {
                    return mistake(format!("{key}.before"), "is a step before a step");
                }
                let cookies = self.cookies.enabled && step.origin.is_none();
                check_endpoint(&key, step, MayHold { cookies, ..may })?;
                kept = step.keep.keys().map(String::as_str).collect();
                may.kept = &kept;
            }
            check_endpoint(&key, endpoint, may)?;
        }
        let cookies = self.cookies.enabled;
        let everywhere = MayHold {
            placeholders: &[P::Origin, P::DeviceId],
            kept: &[],
            cookies,
        };
        check_headers("headers", &self.headers, everywhere)?;
        let carries = MayHold {
            placeholders: &[P::AccessToken, P::Origin, P::DeviceId],
            ..everywhere
        };
        check_headers("api.headers", &self.api.headers, carries)
    }
}

/// What the templates of one call may hold.
#[derive(Clone, Copy)]
struct MayHold<'a> {
    placeholders: &'a [P],
    /// The names that the step before keeps.
    kept: &'a [&'a str],
    /// Whether cookies, which are the backend's alone.
    cookies: bool,
}

impl MayHold<'_> {
    fn check(self, key: &str, text: &Template) -> Checked {
        for placeholder in text.placeholders() {
            check_known(key, placeholder, self.placeholders)?;
        }
        if let Some(name) = text.kept().find(|name| !self.kept.contains(name)) {
            let reason = match nearest(name, self.kept.iter().copied()) {
                Some(near) => format!("holds `$kept.{name}`; did you mean `$kept.{near}`?"),
                None => format!("holds `$kept.{name}`, which no step before this call keeps"),
            };
            return mistake(key, reason);
        }
        if let Some(name) = text.cookies().next()
            && !self.cookies
        {
            let reason = format!(
                "holds `$cookie.{name}`, but there are no cookies: `cookies.enabled` is false, or \
                 the endpoint has an origin of its own"
            );
            return mistake(key, reason);
        }
        Ok(())
    }
}

fn check_endpoint(key: &str, endpoint: &Endpoint, may: MayHold<'_>) -> Checked {
    let path_key = format!("{key}.path");
    if endpoint.path.is_empty() {
        return mistake(path_key, "is missing");
    }
    if let Err(reason) = paths::check(&endpoint.path.source()) {
        return mistake(path_key, reason);
    }
    may.check(&path_key, &endpoint.path)?;
    let logged = "the backend and the proxies before it log addresses";
    for placeholder in endpoint.path.placeholders() {
        if placeholder.is_credential() || placeholder == P::Origin {
            let reason = format!("holds `{}`: {logged}", placeholder.sign());
            return mistake(path_key, reason);
        }
        if placeholder == P::Device {
            return mistake(path_key, "holds `$device`, which is a table");
        }
    }
    if let Some(name) = endpoint.path.cookies().next() {
        return mistake(path_key, format!("holds `$cookie.{name}`: {logged}"));
    }
    check_headers(&format!("{key}.headers"), &endpoint.headers, may)?;
    if let Some(body) = endpoint.body.get() {
        let key = format!("{key}.body");
        if endpoint.method == Method::Get {
            return mistake(key, "cannot be sent with a GET");
        }
        for (place, text) in body.texts() {
            may.check(&format!("{key}{place}"), text)?;
        }
        if let Err((place, reason)) = endpoint.encoding.check(body) {
            return mistake(format!("{key}{place}"), reason);
        }
    }
    check_content_type(key, endpoint)
}

fn check_content_type(key: &str, endpoint: &Endpoint) -> Checked {
    let has_body = endpoint.body.get().is_some();
    if !has_body && endpoint.encoding != Encoding::default() {
        return mistake(format!("{key}.encoding"), NO_BODY);
    }
    let Some(content_type) = &endpoint.content_type else {
        return Ok(());
    };
    let key = format!("{key}.content_type");
    if !has_body {
        return mistake(key, NO_BODY);
    }
    match endpoint.encoding.check_type(content_type) {
        Ok(()) => Ok(()),
        Err(reason) => mistake(key, reason),
    }
}

fn check_headers(key: &str, headers: &BTreeMap<HeaderKey, Template>, may: MayHold<'_>) -> Checked {
    for (name, value) in headers {
        let key = format!("{key}.{}", name.as_str());
        may.check(&key, value)?;
        if value
            .placeholders()
            .any(|placeholder| placeholder == P::Device)
        {
            return mistake(key, "holds `$device`, which is a table");
        }
        if !value.goes_into_a_header() {
            return mistake(key, "holds characters that no header can hold");
        }
    }
    Ok(())
}

fn check_known(key: &str, placeholder: P, known: &[P]) -> Checked {
    if known.contains(&placeholder) {
        return Ok(());
    }
    let sign = placeholder.sign();
    let reason = match placeholder {
        P::Password => {
            let names: Vec<_> = Verb::that_may_hold(placeholder).map(Verb::name).collect();
            let (last, others) = names.split_last().expect("a password goes somewhere");
            format!(
                "holds `{sign}`, which goes to {} and {last} only",
                others.join(", ")
            )
        }
        _ => {
            let signs: Vec<_> = known.iter().map(|p| format!("`{}`", p.sign())).collect();
            format!(
                "holds `{sign}`, which is not known there: there are {}",
                signs.join(", ")
            )
        }
    };
    mistake(key, reason)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::profile::Profile;

    fn refused(login: Value) -> (String, String) {
        let profile = Profile::from_json(json!({"endpoints": {"login": login}}));
        let error = profile.expect_err("a mistake");
        (error.key, error.reason)
    }

    #[test]
    fn a_form_is_flat() {
        for (body, place) in [
            (json!({"a": "x", "user": {"email": "$identifier"}}), ".user"),
            (json!({"scope": ["openid"]}), ".scope"),
            (json!({"device": "$device"}), ".device"),
            (json!(["$identifier"]), ""),
        ] {
            let (key, reason) = refused(json!({"encoding": "form", "body": body}));
            assert_eq!(key, format!("endpoints.login.body{place}"), "{reason}");
            assert!(reason.contains("form"), "{reason}");
        }
        let (key, _) = refused(json!({"encoding": "form"}));
        assert_eq!(key, "endpoints.login.body.fingerprint", "the contract's");
        let (key, reason) = refused(json!({"encoding": "xml"}));
        assert_eq!(key, "endpoints.login.encoding");
        assert!(reason.contains("`json`, `form`"), "{reason}");
        let (key, _) = refused(json!({"encoding": "form", "body": false}));
        assert_eq!(key, "endpoints.login.encoding");
        let flat = json!({"encoding": "form", "body": {"a": "so $identifier", "n": 1, "b": true}});
        assert!(Profile::from_json(json!({"endpoints": {"login": flat}})).is_ok());
    }

    #[test]
    fn a_step_keeps_what_the_call_names() {
        let step = || json!({"path": "/step", "keep": {"flow": "/id"}});
        for (login, key, reason) in [
            (
                json!({"headers": {"x": "$kept.flow"}}),
                "headers.x",
                "no step",
            ),
            (
                json!({"before": step(), "body": {"a": ["$kept.flw"]}}),
                "body.a[0]",
                "did you mean `$kept.flow`?",
            ),
            (
                json!({"before": {"path": "/x/$kept.flow", "keep": {"flow": "/id"}}}),
                "before.path",
                "no step",
            ),
            (json!({"keep": {"flow": "/id"}}), "keep", "in `before`"),
            (
                json!({"before": {"path": "/a", "before": {"path": "/b"}}}),
                "before.before",
                "a step before a step",
            ),
            (
                json!({"before": {"path": "/a", "body": {"o": "$otp"}}}),
                "before.body.o",
                "not known",
            ),
            (json!({"before": {"path": "a"}}), "before.path", "one slash"),
            (json!({"before": {}}), "before.path", "is missing"),
            (json!({"path": "/x/$cookie.a"}), "path", "log addresses"),
            (
                json!({"origin": "https://b.example", "headers": {"x": "$cookie.a"}}),
                "headers.x",
                "an origin of its own",
            ),
            (json!({"origin": "http://b.example"}), "origin", "use https"),
            (
                json!({"origin": "https://b.example/v1"}),
                "origin",
                "has a path",
            ),
            (
                json!({"origin": "https://a:b@c.example"}),
                "origin",
                "a user name",
            ),
        ] {
            let (at, why) = refused(login);
            assert_eq!(at, format!("endpoints.login.{key}"), "{why}");
            assert!(why.contains(reason), "{why}");
        }
        for headers in [
            json!({"headers": {"x": "$kept.a"}}),
            json!({"api": {"headers": {"x": "$kept.a"}}}),
        ] {
            assert!(Profile::from_json(headers).is_err());
        }
        let fine = json!({
            "path": "/login?flow=$kept.flow", "before": step(),
            "headers": {"x-csrf": "$cookie.csrftoken"}, "body": {"f": "$kept.flow"},
        });
        let profile = json!({
            "headers": {"x": "$cookie.a"}, "api": {"headers": {"y": "$cookie.b"}},
            "endpoints": {"login": fine},
        });
        assert!(Profile::from_json(profile).is_ok());
    }

    #[test]
    fn no_page_reads_what_a_step_keeps() {
        let profile = |keep, origin| {
            let step = json!({"path": "/step", "keep": keep, "origin": origin});
            Profile::from_json(json!({
                "api": {"allow": ["/step"]},
                "endpoints": {"login": {"before": step}},
            }))
        };
        let error = profile(json!({"flow": "/id"}), json!(null)).expect_err("an endpoint");
        assert_eq!(error.key, "api.allow[0]", "{error}");
        assert!(profile(json!({}), json!(null)).is_ok());
        let elsewhere = json!("https://b.example");
        assert!(
            profile(json!({"flow": "/id"}), elsewhere).is_ok(),
            "another /step"
        );
    }

    #[test]
    fn a_type_belongs_to_a_body() {
        for login in [
            json!({"content_type": "x"}),
            json!({"content_type": "application/x-www-form-urlencoded"}),
            json!({"content_type": "application/x-amz-json-1.1", "body": false}),
        ] {
            assert_eq!(refused(login).0, "endpoints.login.content_type");
        }
        let login = json!({"content_type": "application/x-amz-json-1.1"});
        assert!(Profile::from_json(json!({"endpoints": {"login": login}})).is_ok());
    }
}
