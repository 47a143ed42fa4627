//! Checks the list of sessions: what is listed can be read, and what is to be ended can be named.

use super::{Checked, mistake};
use crate::profile::Profile;
use crate::profile::placeholder::Placeholder as P;

impl Profile {
    pub(super) fn check_sessions(&self) -> Checked {
        let fields = &self.answer.sessions;
        let lists = self.endpoints.sessions.get().is_some();
        for (key, places) in [("list", &fields.list), ("id", &fields.id)] {
            if lists && places.is_empty() {
                let reason = "is empty, but `endpoints.sessions` lists sessions";
                return mistake(format!("answer.sessions.{key}"), reason);
            }
        }
        let Some(end) = self.endpoints.end_session.get() else {
            return Ok(());
        };
        if !lists {
            let reason = "is missing, but `endpoints.end_session` ends a session of that list";
            return mistake("endpoints.sessions", reason);
        }
        if !end.asks_for(P::ListedSession) {
            let reason = "does not send `$listed_session`: the backend would not know which to end";
            return mistake("endpoints.end_session", reason);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::profile::Profile;

    #[test]
    fn what_is_listed_can_be_read_and_ended() {
        for (profile, key) in [
            (
                json!({"answer": {"sessions": {"list": []}}}),
                "answer.sessions.list",
            ),
            (
                json!({"answer": {"sessions": {"id": []}}}),
                "answer.sessions.id",
            ),
            (
                json!({"endpoints": {"sessions": false}}),
                "endpoints.sessions",
            ),
            (
                json!({"endpoints": {"end_session": {"path": "/sessions/mine"}}}),
                "endpoints.end_session",
            ),
            (
                json!({"endpoints": {"sessions": {"path": "/s/$listed_session"}}}),
                "endpoints.sessions.path",
            ),
            (json!({"api": {"allow": ["/sessions"]}}), "api.allow[0]"),
            (
                json!({"api": {"allow": ["DELETE /sessions/*"]}}),
                "api.allow[0]",
            ),
        ] {
            let error = Profile::from_json(profile.clone()).expect_err("a mistake");
            assert_eq!(error.key, key, "{error}");
        }
        let none: Value = json!({
            "endpoints": {"sessions": false, "end_session": false},
            "answer": {"sessions": {"list": [], "id": []}},
            "api": {"allow": ["/sessions"]},
        });
        assert!(
            Profile::from_json(none).is_ok(),
            "the path is the adopter's own"
        );
    }
}
