//! The call that says whose the session is, and how calls carry it.

use vestibule_core::transport::Method;

use super::answers::Signature;
use super::documents::Purpose;
use super::draft::Draft;
use super::follow::{Session, candidates};
use super::learn::{self, Learnt};
use super::search::{Call, Credentials, Missing, Search};
use super::user::{self, UserPlace};
use super::wire::Answer;

/// Finds the call that says whose the session is; false where none does.
pub(super) async fn find_me(
    search: &mut Search<'_>,
    session: &mut Session,
    draft: &mut Draft,
) -> Result<bool, Missing> {
    let login = draft.login.path.clone();
    let carriers = carriers(search, session, &login).await?;
    for (method, path, _) in candidates(search, Purpose::Me, &login) {
        search.stop.check()?;
        let bare = Call::new(method, &path);
        let without = search.send(&bare, &Credentials::default()).await?;
        let is_hint = search.hints.me_path.is_some();
        if matches!(without.status, 404 | 405 | 501) && !is_hint {
            continue;
        }
        // What everybody may read is nobody's.
        if user_in(&without, search).is_some() {
            continue;
        }
        let mut carriers = carriers.clone();
        prefer_scheme_of(&without, &mut carriers);
        // Where everything is refused alike, a call that exists shows only with what it wants.
        if !is_hint && Signature::of(&without) == search.nothing_beside(&bare.method, &path).await?
        {
            carriers.truncate(1);
        }
        for carrier in &carriers {
            let mut call = bare.clone();
            if let Some((name, template)) = carrier {
                call = call.with_header((name, template));
            }
            let answer = search.send(&call, &session.held).await?;
            let is_guarded = matches!(without.status, 401 | 403) && carriers.len() > 1;
            let user = user_in(&answer, search);
            let Some(user) = user.or_else(|| is_guarded.then(|| id_in(&answer)).flatten()) else {
                continue;
            };
            session.carrier.clone_from(carrier);
            draft.me_user = Some(user.pointer.clone());
            draft.me = Some(call);
            let learnt = learn::learn(&answer, &search.account.email);
            session.take(
                &answer,
                &Learnt {
                    tokens: Vec::new(),
                    ..learnt
                },
            );
            merge_user(&mut session.user, user);
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts the scheme first that a refusal names (RFC 9110 §11.6.1).
fn prefer_scheme_of(answer: &Answer, carriers: &mut Vec<Option<(String, String)>>) {
    let header = answer.header("www-authenticate");
    let scheme = header.split([' ', ',']).next().unwrap_or_default();
    let is_other = scheme.eq_ignore_ascii_case("basic") || scheme.eq_ignore_ascii_case("digest");
    let has_token = carriers.iter().any(Option::is_some);
    if scheme.is_empty() || is_other || !has_token {
        return;
    }
    let named = Some((
        "authorization".to_owned(),
        format!("{scheme} $access_token"),
    ));
    carriers.retain(|held| *held != named);
    let at = usize::from(carriers.first().is_some_and(Option::is_none));
    carriers.insert(at, named);
}

fn user_in(answer: &Answer, search: &Search<'_>) -> Option<UserPlace> {
    let is_read = answer.is_success() && !answer.is_page();
    is_read
        .then(|| learn::learn(answer, &search.account.email).user)
        .flatten()
}

/// Somebody of whom an answer says an id alone, at a call that is open to nobody else (`OpenID` promises
/// no more than `sub`).
fn id_in(answer: &Answer) -> Option<UserPlace> {
    let body = answer.json().filter(|_| answer.is_success())?;
    let mut leaves = Vec::new();
    learn::walk(&body, String::new(), &mut Vec::new(), &mut leaves);
    user::by_id(&leaves)
}

/// Two answers may name the same person's members differently.
fn merge_user(known: &mut Option<UserPlace>, other: UserPlace) {
    let Some(known) = known else {
        *known = Some(other);
        return;
    };
    for (name, pointers) in other.members {
        match known.members.iter_mut().find(|(held, _)| *held == name) {
            Some((_, held)) => {
                for pointer in pointers {
                    if !held.contains(&pointer) {
                        held.push(pointer);
                    }
                }
            }
            None => known.members.push((name, pointers)),
        }
    }
}

/// How calls may carry the session: the scheme that the backend names, and headers that it lets browsers
/// send.
async fn carriers(
    search: &Search<'_>,
    session: &Session,
    login: &str,
) -> Result<Vec<Option<(String, String)>>, Missing> {
    let mut carriers = Vec::new();
    if session.held.access.is_some() {
        let mut schemes = vec!["Bearer".to_owned()];
        let mut names = Vec::new();
        let seen = search.wire.since(0);
        for answer in &seen {
            let scheme = answer.header("www-authenticate");
            let scheme = scheme.split([' ', ',']).next().unwrap_or_default();
            if !scheme.is_empty()
                && !schemes.iter().any(|held| held.eq_ignore_ascii_case(scheme))
                && !scheme.eq_ignore_ascii_case("basic")
                && !scheme.eq_ignore_ascii_case("digest")
            {
                schemes.push(scheme.to_owned());
            }
        }
        // A browser asks before it sends a header that is not ordinary (Fetch, CORS preflight).
        let preflight = Call::new(Method::OPTIONS, login)
            .with_header(("access-control-request-method", "POST"))
            .with_header(("access-control-request-headers", "authorization"))
            .with_header(("origin", "$origin"));
        let preflight = search.send(&preflight, &Credentials::default()).await?;
        for answer in seen.iter().chain([&preflight]) {
            let allowed = answer
                .header("access-control-allow-headers")
                .to_ascii_lowercase();
            for name in allowed.split(',').map(str::trim) {
                let says = ["token", "session", "jwt", "auth"]
                    .iter()
                    .any(|word| name.contains(word));
                let is_other = ["csrf", "xsrf"].iter().any(|word| name.contains(word));
                if says && !is_other && name != "authorization" && !names.contains(&name.to_owned())
                {
                    names.push(name.to_owned());
                }
            }
        }
        if !schemes.iter().any(|scheme| scheme == "Token") {
            schemes.push("Token".into());
        }
        carriers.extend(schemes.iter().map(|scheme| {
            Some((
                "authorization".to_owned(),
                format!("{scheme} $access_token"),
            ))
        }));
        carriers.extend(
            names
                .into_iter()
                .take(4)
                .map(|name| Some((name, "$access_token".to_owned()))),
        );
    }
    if !session.held.cookies.is_empty() {
        carriers.insert(0, None);
    }
    Ok(carriers)
}
