//! Adds to a draft the rules that were seen: for a wrong password, a session that is over, a token that
//! nobody issued, and a sign-out that came twice.

use std::sync::Arc;

use vestibule_core::Secret;
use vestibule_core::backend::{Backend, invented_token};
use vestibule_core::profile::Profile;

use super::draft::{self, Draft};
use super::prove::Proof;
use super::rules;
use super::search::{Missing, Search};
use super::wire::Answer;

/// What the backend has answered to a sign-in with nothing in it.
pub(super) fn empty_sign_in(search: &Search<'_>, draft: &Draft) -> Option<Answer> {
    let path = search.url(&draft.login.path);
    search
        .wire
        .since(0)
        .into_iter()
        .find(|answer| answer.url.path() == path.path() && !answer.is_success())
}

/// A rule for a wrong password, where its status does not say it.
pub(super) fn add_error(
    draft: &mut Draft,
    wrong: &Answer,
    empty: Option<&Answer>,
    search: &Search<'_>,
) {
    let (message, code) = rules::places(wrong);
    draft.message = message;
    draft.code = code;
    // The app knows by itself what a 401 with JSON means.
    if (wrong.status == 401 && wrong.json().is_some()) || wrong.is_success() {
        return;
    }
    let others: Vec<&Answer> = empty.into_iter().collect();
    if let Some(mut rule) = rules::conditions(wrong, &others, &[&search.account.email])
        && rule.len() > 1
    {
        rule.insert(0, ("on", draft::quoted("login")));
        rule.push(("is", draft::quoted("invalid_credentials")));
        draft.errors.push(rule);
    }
}

/// Rules for a session that is over and for a token that nobody issued, and what a second sign-out
/// answers.
pub(super) async fn add_ends(
    search: &Search<'_>,
    draft: &mut Draft,
    proof: &Proof,
    profile: &Profile,
) -> Result<(), Missing> {
    let own = [search.account.email.as_str()];
    let invented = invented(search, draft, profile).await?;
    for answer in [proof.over.as_ref(), invented.as_ref()]
        .into_iter()
        .flatten()
    {
        if let Some(mut rule) = rules::conditions(answer, &[], &own) {
            rule.push(("why", draft::quoted("expired")));
            if !draft.ends.contains(&rule) {
                draft.ends.insert(0, rule);
            }
        }
    }
    for answer in proof
        .sign_outs
        .iter()
        .filter(|answer| (400..500).contains(&answer.status))
    {
        if let Some(rule) = rules::conditions(answer, &[], &own)
            && !draft.signed_out.contains(&rule)
        {
            draft.signed_out.push(rule);
        }
    }
    Ok(())
}

/// The refusal of a token that nobody issued.
async fn invented(
    search: &Search<'_>,
    draft: &Draft,
    profile: &Profile,
) -> Result<Option<Answer>, Missing> {
    let token = invented_token(profile);
    let backend = Backend::with_transport(profile.clone(), Arc::new(search.wire.clone()));
    let mark = search.wire.count();
    let access = token.body().cloned();
    let access = access.or_else(|| {
        let text = format!("vestibule-doctor-{}", uuid::Uuid::new_v4().simple());
        draft
            .login_fields
            .access_token
            .as_ref()
            .map(|_| Secret::new(text))
    });
    let asked = backend.refresh(&token, access.as_ref(), &search.device, 1);
    // The answer is on the wire, whatever the app makes of it.
    let _ = search.stop.race(asked).await?;
    let answer = search.wire.since(mark).into_iter().next();
    Ok(answer.filter(|answer| {
        (400..500).contains(&answer.status) || answer.json().is_some_and(|body| body.is_null())
    }))
}
