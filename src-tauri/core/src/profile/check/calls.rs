//! Which placeholders may be sent where: each call is checked against the values that it may carry.

use std::collections::BTreeMap;

use super::{Checked, mistake};
use crate::profile::encoding::Encoding;
use crate::profile::header::HeaderKey;
use crate::profile::model::{Endpoint, Method};
use crate::profile::placeholder::Placeholder as P;
use crate::profile::template::Template;
use crate::profile::{Profile, Verb, paths};

/// Why a key is refused that says how a body is written.
const NO_BODY: &str = "is given, but there is no body";

impl Profile {
    pub(super) fn check_endpoints(&self) -> Checked {
        if self.endpoints.login.get().is_none() {
            return mistake("endpoints.login", "is missing: nobody could sign in");
        }
        for (verb, endpoint) in self.endpoints.all() {
            let key = format!("endpoints.{}", verb.name());
            check_endpoint(&key, endpoint, &verb.placeholders())?;
        }
        check_headers("headers", &self.headers, &[P::Origin, P::DeviceId])?;
        let carries = [P::AccessToken, P::Origin, P::DeviceId];
        check_headers("api.headers", &self.api.headers, &carries)
    }
}

fn check_endpoint(key: &str, endpoint: &Endpoint, known: &[P]) -> Checked {
    let path_key = format!("{key}.path");
    if endpoint.path.is_empty() {
        return mistake(path_key, "is missing");
    }
    if let Err(reason) = paths::check(&endpoint.path.source()) {
        return mistake(path_key, reason);
    }
    for placeholder in endpoint.path.placeholders() {
        check_known(&path_key, placeholder, known)?;
        if placeholder.is_credential() || placeholder == P::Origin {
            let reason = format!(
                "holds `{}`: the backend and the proxies before it log addresses",
                placeholder.sign()
            );
            return mistake(path_key, reason);
        }
        if placeholder == P::Device {
            return mistake(path_key, "holds `$device`, which is a table");
        }
    }
    check_headers(&format!("{key}.headers"), &endpoint.headers, known)?;
    if let Some(body) = endpoint.body.get() {
        let key = format!("{key}.body");
        if endpoint.method == Method::Get {
            return mistake(key, "cannot be sent with a GET");
        }
        for (place, placeholder) in body.placeholders() {
            check_known(&format!("{key}{place}"), placeholder, known)?;
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

fn check_headers(key: &str, headers: &BTreeMap<HeaderKey, Template>, known: &[P]) -> Checked {
    for (name, value) in headers {
        let key = format!("{key}.{}", name.as_str());
        for placeholder in value.placeholders() {
            check_known(&key, placeholder, known)?;
            if placeholder == P::Device {
                return mistake(key, "holds `$device`, which is a table");
            }
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
