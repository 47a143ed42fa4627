//! Checks that no place from which a window is shown something is also the place of a secret. What
//! the places hold is compared once more at run time: see [`crate::published`].

use super::{Checked, mistake};
use crate::profile::pointer::Pointer;
use crate::profile::{Fields, Place, Profile};

/// Places in one answer, each with its key in the profile.
type Places = Vec<(String, String)>;

impl Profile {
    pub(super) fn check_published(&self) -> Checked {
        let answer = &self.answer;
        for (name, fields) in [
            ("answer.login", &answer.login),
            ("answer.refresh", &answer.refresh),
            ("answer.me", &answer.me),
        ] {
            let mut secrets = secrets_of(name, fields);
            let mut shown = self.places_of_user(&fields.user);
            if name == "answer.login" {
                // The answer that wants a code is one to a login too.
                secrets.extend(places("otp.challenge", &self.otp.challenge));
                shown.extend(places("otp.email", &self.otp.email));
                // An error names the methods that the profile does not know.
                shown.extend(places("otp.methods", &self.otp.methods));
            }
            shown.extend(places("answer.message", &answer.message));
            check_apart(shown, &secrets)?;
        }
        let sessions = &answer.sessions;
        let key = |name: &str| format!("answer.sessions.{name}");
        let shown = sessions.shown().into_iter();
        let shown = shown.flat_map(|(name, list)| places(&key(name), list));
        check_apart(shown.collect(), &places(&key("id"), &sessions.id))
    }

    /// The places of what is shown of a user, which is at one of `users`.
    fn places_of_user(&self, users: &[Place]) -> Places {
        let user = &self.user;
        let lists = [
            ("user.id", &user.id),
            ("user.name", &user.name),
            ("user.name_parts", &user.name_parts),
            ("user.email", &user.email),
            ("user.image", &user.image),
            ("user.roles", &user.roles),
        ];
        let below = |above: &Place| {
            let above = above.to_string();
            let found = lists.into_iter().flat_map(|(key, list)| {
                let list = list.iter().enumerate();
                let place = |(index, below): (usize, &Pointer)| {
                    (
                        format!("{key}[{index}]"),
                        format!("{above}{}", below.as_str()),
                    )
                };
                list.map(place).collect::<Places>()
            });
            found.collect::<Places>()
        };
        users.iter().flat_map(below).collect()
    }
}

fn check_apart(shown: Places, secrets: &Places) -> Checked {
    for (key, place) in shown {
        if let Some((secret, _)) = secrets.iter().find(|(_, held)| *held == place) {
            let reason = format!("is the place of `{secret}`, a secret, and would be shown");
            return mistake(key, reason);
        }
    }
    Ok(())
}

fn secrets_of(name: &str, fields: &Fields) -> Places {
    let access = places(&format!("{name}.access_token"), &fields.access_token);
    let refresh = places(&format!("{name}.refresh_token"), &fields.refresh_token);
    // At some backends it is the token of a cookie, without its signature.
    let own = places(&format!("{name}.session_id"), &fields.session_id);
    [access, refresh, own].concat()
}

fn places(key: &str, list: &[impl ToString]) -> Places {
    let place =
        |(index, place): (usize, _)| (format!("{key}[{index}]"), ToString::to_string(place));
    list.iter().enumerate().map(place).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::profile::Profile;

    #[test]
    fn a_place_of_a_secret_is_shown_to_nobody() {
        for (profile, key, secret) in [
            (
                json!({"answer": {"login": {"user": [""]}}, "user": {"id": ["/id", "/tokens/token"]}}),
                "user.id[1]",
                "answer.login.access_token[0]",
            ),
            (
                json!({"answer": {"refresh": {"user": ["/tokens"]}}, "user": {"name": ["/token"]}}),
                "user.name[0]",
                "answer.refresh.access_token[0]",
            ),
            (
                json!({"answer": {"login": {"refresh_token": ["/message"]}}}),
                "answer.message[0]",
                "answer.login.refresh_token[0]",
            ),
            (
                json!({"answer": {
                    "login": {"access_token": ["header:X-Token"]}, "message": ["header:x-token"],
                }}),
                "answer.message[0]",
                "answer.login.access_token[0]",
            ),
            (
                json!({"answer": {"refresh": {"access_token": ["text"]}, "message": ["text"]}}),
                "answer.message[0]",
                "answer.refresh.access_token[0]",
            ),
            (
                json!({
                    "answer": {"login": {"user": ["/u"], "access_token": ["/u/l[k=a]/v"]}},
                    "user": {"id": ["/l[k=a]/v"]},
                }),
                "user.id[0]",
                "answer.login.access_token[0]",
            ),
            (
                json!({"otp": {"email": ["/c"], "challenge": ["/c"]}}),
                "otp.email[0]",
                "otp.challenge[0]",
            ),
            (
                json!({"answer": {"sessions": {"id": ["/token"], "name": ["/name", "/token"]}}}),
                "answer.sessions.name[1]",
                "answer.sessions.id[0]",
            ),
            (
                json!({"answer": {"login": {"session_id": ["/user/name"]}}}),
                "user.name[0]",
                "answer.login.session_id[0]",
            ),
            (
                json!({"otp": {"methods": ["/tokens/token"]}}),
                "otp.methods[0]",
                "answer.login.access_token[0]",
            ),
        ] {
            let error = Profile::from_json(profile).expect_err("a secret");
            assert_eq!(error.key, key, "{error}");
            assert!(error.reason.contains(secret), "{error}");
        }
        let apart: Value = json!({"answer": {"login": {"user": ["/tokens"]}}});
        assert!(Profile::from_json(apart).is_ok());
    }
}
