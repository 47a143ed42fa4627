//! The calls that may end a session: which one does, shows by doing it.

use vestibule_core::Secret;
use vestibule_core::transport::Method;

use super::body::{Body, Encoding};
use super::documents::Purpose;
use super::draft::Draft;
use super::follow::{Probed, Session, candidates};
use super::guesses::{self, Use, use_of};
use super::search::{Call, Missing, Search};

/// Calls that may end the session, the likeliest first.
pub(super) async fn sign_out_calls(
    search: &mut Search<'_>,
    session: &Session,
    draft: &Draft,
) -> Result<Vec<Call>, Missing> {
    let login = draft.login.path.clone();
    let mut calls = Vec::new();
    let mut all = candidates(search, Purpose::SignOut, &login);
    if search.hints.sign_out_path.is_none() {
        // A session that is a resource is deleted where it was made.
        all.push((Method::DELETE, login.clone(), None));
    }
    for (method, path, told) in all {
        search.stop.check()?;
        let mut empty = Call::new(method.clone(), &path);
        empty.body = (method == Method::POST).then(|| Body::new(Encoding::Json));
        let answer = search.probe(&empty).await?;
        if answer.is_none() && search.hints.sign_out_path.is_none() {
            continue;
        }
        calls.extend(end_calls(&Probed {
            empty: &empty,
            answer: answer.as_ref(),
            told,
            session,
            draft,
        }));
        if calls.len() >= 24 {
            break;
        }
    }
    Ok(calls)
}

/// The ways in which a path may end the session.
fn end_calls(probed: &Probed<'_>) -> Vec<Call> {
    let (session, draft) = (probed.session, probed.draft);
    let carrier = session.carrier.clone().or_else(|| {
        let held: Option<&Secret> = session.held.access.as_ref();
        held.map(|_| {
            (
                "authorization".to_owned(),
                "Bearer $access_token".to_owned(),
            )
        })
    });
    let carried = |call: Call| match &carrier {
        Some((name, template)) => call.with_header((name, template)),
        None => call,
    };
    let (bare, names) = (probed.bare(), probed.names());
    let mut calls = Vec::new();
    if session.refresh.is_some() {
        let mut bodies: Vec<Body> = probed.told_with_token().into_iter().collect();
        let same = draft.refresh.as_ref().and_then(|call| call.body.clone());
        bodies.extend(same.filter(|body| body.holds("$refresh_token")));
        for name in &names {
            if use_of(name) == Some(Use::RefreshToken) || use_of(name) == Some(Use::AccessToken) {
                bodies.push(Body::new(Encoding::Json).with(name, "$refresh_token"));
            }
        }
        // RFC 7009 §2.1: a revocation is a form with `token`, and names its client as the sign-in does.
        if let Some(login) = draft
            .login
            .body
            .as_ref()
            .filter(|body| body.encoding == Encoding::Form)
        {
            let mut revocation = Body::new(Encoding::Form).with("token", "$refresh_token");
            for (name, value) in &login.members {
                if guesses::plain(name).starts_with("client") {
                    revocation = revocation.with(name, value.clone());
                }
            }
            bodies.push(revocation);
        }
        for body in bodies {
            // Some want the access token too, and to those that do not it does no harm.
            if !calls
                .iter()
                .any(|call: &Call| call.body.as_ref() == Some(&body))
            {
                calls.push(bare.clone().with_body(body.clone()));
                calls.push(carried(bare.clone().with_body(body)));
            }
        }
    }
    calls.push(carried(bare.clone()));
    calls.push(carried(bare.clone().with_body(Body::new(Encoding::Json))));
    if !session.held.cookies.is_empty() {
        calls.insert(0, bare.clone().with_body(Body::new(Encoding::Json)));
        calls.insert(0, bare);
    }
    calls.dedup();
    calls
}
