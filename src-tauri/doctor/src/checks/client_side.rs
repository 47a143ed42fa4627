//! What the app does by itself. No backend can be asked to fail, so these checks look at the
//! profile: whether it lets a temporary failure end a session.

use vestibule_core::profile::{Facts, Profile};

use super::{Judged, Observations};
use crate::finding::{Finding, Side};

/// Statuses that a firewall or a router may answer with. The profile's own rules keep the other
/// temporary failures from ending a session: a profile that says so is not loaded.
const OF_ANYBODY: [u16; 2] = [403, 404];

pub(crate) fn no_token(seen: &Observations<'_>) -> Judged {
    seen.connection.reached()?;
    Ok(Finding::not_tried(
        "without a token the app sends no request and shows the sign-in",
    ))
}

pub(crate) fn transient(seen: &Observations<'_>) -> Judged {
    seen.connection.reached()?;
    let ends = ended_by_anybody(&seen.plan.profile);
    if ends.is_empty() {
        return Ok(Finding::yes(
            "",
            "with this profile the app keeps the session and tries again after 403 without a known \
             code, 404, 408, 425, 429, 5xx, a page or a broken answer",
        ));
    }
    let statuses: Vec<String> = ends.iter().map(u16::to_string).collect();
    let got = format!(
        "with this profile any {} ends the session",
        statuses.join(" and ")
    );
    Ok(Finding::no("", got).advise(
        Side::Profile,
        "name a code or a pointer too: [[ends]] status = …, code = …. A firewall or a router on \
         the way may answer with the same status, and would sign people out",
    ))
}

/// The statuses that end a session although nothing in the answer is the backend's own.
fn ended_by_anybody(profile: &Profile) -> Vec<u16> {
    let anything = serde_json::json!({});
    let ends = |status: &u16| {
        [Some(&anything), None].into_iter().any(|body| {
            let facts = Facts {
                status: *status,
                code: None,
                body,
                empty: body.is_none(),
                text: None,
                headers: None,
            };
            profile.ends.iter().any(|rule| rule.holds(&facts))
        })
    };
    OF_ANYBODY.into_iter().filter(ends).collect()
}
