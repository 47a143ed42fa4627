//! The rows that are the app's own side. No backend can be asked to fail: what is looked at is
//! whether the profile lets a fault that passes end a session.

use vestibule_core::profile::{Facts, Profile};

use super::Exam;
use crate::row::{Finding, Side};

/// Refusals that anybody on the way may answer with. Of the other ones that pass, no profile can
/// say that they end a session: it is not loaded then.
const ANYBODYS: [u16; 2] = [403, 404];

impl Exam<'_> {
    /// What the app does by itself, with this profile.
    pub(super) fn look_at_our_side(&mut self) {
        self.set(
            "no_token",
            Finding::not_tried("the app asks nobody then and shows the sign-in"),
        );
        let ends = ended_by_anybody(&self.order.profile);
        let finding = if ends.is_empty() {
            Finding::yes(
                "",
                "403 without a known code, 404, 408, 425, 429, 5xx, a page, a broken answer: by \
                 this profile each keeps the session, and it is tried again",
            )
        } else {
            let said: Vec<String> = ends.iter().map(u16::to_string).collect();
            let said = said.join(" and ");
            Finding::no("", format!("by this profile any {said} ends the session")).advise(
                Side::Profile,
                "name the code too, or what a pointer finds: [[ends]] status = …, code = …. A \
                 firewall or a router on the way says the same without one, and would sign people \
                 out",
            )
        };
        self.set("transient", finding);
    }
}

/// The statuses that end a session though nothing in the answer is the backend's own.
fn ended_by_anybody(profile: &Profile) -> Vec<u16> {
    let anything = serde_json::json!({});
    let ends = |status: &u16| {
        [Some(&anything), None].into_iter().any(|body| {
            let facts = Facts {
                status: *status,
                code: None,
                body,
                empty: body.is_none(),
            };
            profile.ends.iter().any(|rule| rule.holds(&facts))
        })
    };
    ANYBODYS.into_iter().filter(ends).collect()
}
