//! Checks that each list of places has such places at which its value can be.

use super::{Checked, mistake};
use crate::profile::mistake::Mistake;
use crate::profile::place::check_kept_name;
use crate::profile::{Place, Profile};

impl Profile {
    pub(super) fn check_places(&self) -> Checked {
        let answer = &self.answer;
        for (name, fields) in [
            ("answer.login", &answer.login),
            ("answer.refresh", &answer.refresh),
            ("answer.me", &answer.me),
        ] {
            let is_table = |place: &Place| matches!(place, Place::Json(_) | Place::Claims(_));
            let reason = "must be a place in the JSON, or `claims:PLACE`: a user is a table";
            self.check_list(&format!("{name}.user"), &fields.user, reason, is_table)?;
            for (key, list) in [
                ("access_token", &fields.access_token),
                ("refresh_token", &fields.refresh_token),
            ] {
                self.check_list(&format!("{name}.{key}"), list, TABLE, is_text)?;
            }
        }
        self.check_list("otp.challenge", &self.otp.challenge, TABLE, is_text)?;
        for (key, list) in [
            ("answer.message", &answer.message),
            ("answer.code", &answer.code),
            ("otp.email", &self.otp.email),
        ] {
            let reason = "must be in the JSON, in a header or the whole text: cookies and kept \
                          values are secrets, and claims are a table";
            let is_open = |place: &Place| is_text(place) && !place.is_secret();
            self.check_list(key, list, reason, is_open)?;
        }
        for (verb, call) in self.endpoints.all() {
            for (name, place) in call.before.get().iter().flat_map(|step| &step.keep) {
                let key = format!("endpoints.{}.before.keep.{name}", verb.name());
                if let Err(reason) = check_kept_name(name) {
                    return mistake(key, reason);
                }
                if matches!(place, Place::Kept(_)) {
                    return mistake(key, "is the place of what this very step keeps");
                }
                self.check_list(&key, std::slice::from_ref(place), TABLE, is_text)
                    .map_err(|mistake| Mistake { key, ..mistake })?;
            }
        }
        Ok(())
    }

    fn check_list(
        &self,
        key: &str,
        list: &[Place],
        reason: &str,
        fits: impl Fn(&Place) -> bool,
    ) -> Checked {
        for (index, place) in list.iter().enumerate() {
            let key = format!("{key}[{index}]");
            if !fits(place) {
                return mistake(key, reason);
            }
            match place.source() {
                Place::Cookie(_) if !self.cookies.enabled => {
                    return mistake(key, "is a cookie, but `cookies.enabled` is false");
                }
                Place::Kept(name) if !self.keeps(name) => {
                    return mistake(key, "is a kept value, but no step before a call keeps it");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a step before a call keeps a value of this name.
    fn keeps(&self, name: &str) -> bool {
        let mut steps = (self.endpoints.all()).filter_map(|(_, call)| call.before.get());
        steps.any(|step| step.keep.contains_key(name))
    }
}

const TABLE: &str = "is a table, but the value is a text";

fn is_text(place: &Place) -> bool {
    !matches!(place, Place::Claims(_))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::profile::Profile;

    #[test]
    fn a_value_is_where_it_can_be() {
        let step = |keep| json!({"endpoints": {"login": {"before": {"path": "/x", "keep": keep}}}});
        for (profile, key, reason) in [
            (
                json!({"answer": {"login": {"user": ["header:x-user"]}}}),
                "answer.login.user[0]",
                "a user is a table",
            ),
            (
                json!({"answer": {"me": {"user": ["", "text"]}}}),
                "answer.me.user[1]",
                "a user is a table",
            ),
            (
                json!({"answer": {"login": {"access_token": ["claims:/t"]}}}),
                "answer.login.access_token[0]",
                "is a table",
            ),
            (
                json!({"answer": {"message": ["/m", "cookie:session"]}}),
                "answer.message[1]",
                "secrets",
            ),
            (
                json!({"otp": {"email": ["kept:flow"]}}),
                "otp.email[0]",
                "secrets",
            ),
            (
                json!({"answer": {"refresh": {"access_token": ["kept:flow"]}}}),
                "answer.refresh.access_token[0]",
                "no step",
            ),
            (
                step(json!({"flow": "kept:flow"})),
                "endpoints.login.before.keep.flow",
                "this very step",
            ),
            (
                step(json!({"flow": "claims:/t"})),
                "endpoints.login.before.keep.flow",
                "is a table",
            ),
            (
                step(json!({"Flow": "/t"})),
                "endpoints.login.before.keep.Flow",
                "small letters",
            ),
            (
                step(json!({"flow": "id"})),
                "endpoints.login.before.keep.flow",
                "JSON pointer",
            ),
        ] {
            let error = Profile::from_json(profile).expect_err(reason);
            assert_eq!(error.key, key, "{error}");
            assert!(error.reason.contains(reason), "{error}");
        }
        let mut profile = step(json!({"flow": "/id"}));
        profile["answer"] = json!({
            "login": {"user": ["claims:kept:flow"], "access_token": ["kept:flow", "cookie:a"]},
        });
        assert!(Profile::from_json(profile).is_ok());
    }
}
