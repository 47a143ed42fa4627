//! Checks second factors: each method that is named has an endpoint, and each endpoint has a method
//! that an answer can name.

use super::{Checked, mistake};
use crate::profile::{Placeholder as P, Profile};
use crate::wire::CodeMethod;

impl Profile {
    pub(super) fn check_otp(&self) -> Checked {
        let endpoints = &self.endpoints;
        if !self.otp.wanted.is_empty() && self.methods().next().is_none() {
            let reason = "is missing, as are `verify_totp` and `verify_recovery`, but `otp.wanted` says \
                          when a code is wanted";
            return mistake("endpoints.verify_otp", reason);
        }
        let is_wanted = !self.otp.wanted.is_empty();
        for (name, call) in [
            ("send_otp", &endpoints.send_otp),
            ("resend_otp", &endpoints.resend_otp),
        ] {
            if is_wanted && call.get().is_some() && endpoints.verify_otp.get().is_none() {
                let reason = "sends codes, but there is no `verify_otp` that takes them";
                return mistake(format!("endpoints.{name}"), reason);
            }
        }
        let mut calls = endpoints.all();
        let asking = calls.find(|(_, endpoint)| endpoint.asks_for(P::Challenge));
        if let Some((verb, _)) = asking
            && self.otp.challenge.is_empty()
        {
            let name = verb.name();
            let reason = format!("is empty, but `endpoints.{name}` sends `$challenge`");
            return mistake("otp.challenge", reason);
        }
        if self.otp.resend_after_s > 3600 {
            return mistake("otp.resend_after_s", "must be from 0 to 3600 seconds");
        }
        if self.otp.methods_separator.as_deref() == Some("") {
            let reason = "is empty: nothing stands between names";
            return mistake("otp.methods_separator", reason);
        }
        for (index, method) in self.otp.default_methods.iter().enumerate() {
            if is_wanted && endpoints.verify(*method).is_none() {
                let reason = format!("has no endpoint: there is no `{}`", method.verb().name());
                return mistake(format!("otp.default_methods[{index}]"), reason);
            }
        }
        for method in CodeMethod::ALL {
            self.check_method(method)?;
        }
        self.check_trust()
    }

    fn check_method(&self, method: CodeMethod) -> Checked {
        let key = format!("otp.codes.{}", method.key());
        let code = self.otp.code(method);
        let endpoint = method.verb().name();
        let Some(call) = self.endpoints.verify(method) else {
            if *code == Default::default() {
                return Ok(());
            }
            let reason =
                format!("describes codes that no endpoint takes: there is no `{endpoint}`");
            return mistake(key, reason);
        };
        if !call.asks_for(P::Otp) {
            let reason = "does not send `$otp`: the backend would never see the code";
            return mistake(format!("endpoints.{endpoint}"), reason);
        }
        let length = code.length.as_ref().and_then(|length| length.get());
        if length.is_some_and(|length| !(4..=64).contains(length)) {
            let reason = "must be from 4 to 64 characters, or `false`";
            return mistake(format!("{key}.length"), reason);
        }
        let names = code.names.as_deref();
        if let Some(index) = names.and_then(|names| names.iter().position(String::is_empty)) {
            return mistake(format!("{key}.names[{index}]"), "is empty");
        }
        let otp = &self.otp;
        let is_default = otp.default_methods.is_empty() || otp.default_methods.contains(&method);
        let is_named = !otp.methods.is_empty() && names != Some(&[]);
        if !is_default && !is_named {
            let reason = "is never called: `otp.default_methods` does not have its method, and no \
                          answer can name it (`otp.methods`)";
            return mistake(format!("endpoints.{endpoint}"), reason);
        }
        Ok(())
    }

    fn check_trust(&self) -> Checked {
        let asks = self.endpoints.any_verify_asks_for(P::TrustDevice);
        if let Some(days) = self.otp.trust_days {
            if !(1..=3650).contains(&days) {
                return mistake("otp.trust_days", "must be from 1 to 3650 days");
            }
            if !asks {
                let reason = "is given, but no endpoint that takes a code sends `$trust_device`";
                return mistake("otp.trust_days", reason);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::profile::Profile;

    /// A profile over the contract, of which only what the table names differs.
    fn refused(profile: Value) -> (String, String) {
        let error = Profile::from_json(profile).expect_err("a mistake");
        (error.key.clone(), error.reason.clone())
    }

    #[test]
    fn a_method_without_an_endpoint_is_refused_with_its_key() {
        for (profile, key) in [
            (
                json!({"endpoints": {"verify_totp": false}, "otp": {"codes": {"totp": {"length": 8}}}}),
                "otp.codes.totp",
            ),
            (
                json!({"endpoints": {"verify_otp": false, "resend_otp": false}}),
                "otp.default_methods[0]",
            ),
            (
                json!({"endpoints": {"verify_otp": false}, "otp": {"default_methods": []}}),
                "endpoints.resend_otp",
            ),
            (
                json!({
                    "endpoints": {
                        "verify_otp": false, "verify_totp": false, "verify_recovery": false,
                        "resend_otp": false,
                    },
                    "otp": {"default_methods": []},
                }),
                "endpoints.verify_otp",
            ),
        ] {
            assert_eq!(refused(profile).0, key);
        }
    }

    #[test]
    fn an_endpoint_that_no_method_reaches_is_refused_with_its_key() {
        for (otp, key) in [
            (json!({"methods": []}), "endpoints.verify_totp"),
            (
                json!({"codes": {"recovery": {"names": []}}}),
                "endpoints.verify_recovery",
            ),
        ] {
            let (refused, reason) = refused(json!({"otp": otp}));
            assert_eq!(refused, key);
            assert!(reason.contains("otp.methods"), "{reason}");
        }
        let all = json!({"otp": {"methods": [], "default_methods": []}});
        assert!(Profile::from_json(all).is_ok(), "each is one by default");
    }

    #[test]
    fn what_is_out_of_range_or_leads_nowhere_is_refused_with_its_key() {
        let mut rows = vec![
            (
                json!({"otp": {"methods_separator": ""}}),
                "otp.methods_separator",
            ),
            (
                json!({"otp": {"codes": {"otp": {"names": ["a", ""]}}}}),
                "otp.codes.otp.names[1]",
            ),
            (
                json!({"endpoints": {"verify_totp": {"body": {"code": "123456"}}}}),
                "endpoints.verify_totp",
            ),
            (json!({"otp": {"trust_days": 30}}), "otp.trust_days"),
            (
                json!({
                    "otp": {"trust_days": 0},
                    "endpoints": {"verify_totp": {"body": {"c": "$otp", "t": "$trust_device"}}},
                }),
                "otp.trust_days",
            ),
            (
                json!({"cookies": {"trust": ["__refresh_token"]}}),
                "cookies.trust[0]",
            ),
            (json!({"cookies": {"trust": ["a b"]}}), "cookies.trust[0]"),
        ];
        for length in [0, 3, 65, 255] {
            let otp = json!({"otp": {"codes": {"totp": {"length": length}}}});
            rows.push((otp, "otp.codes.totp.length"));
        }
        for (profile, key) in rows {
            assert_eq!(refused(profile).0, key);
        }
    }
}
