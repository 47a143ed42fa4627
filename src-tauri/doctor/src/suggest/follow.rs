//! A session under way, where the calls behind the sign-in may be, and the one that renews it. Each is
//! guessed beside the sign-in's path and from common names, and counts once it has worked.

use vestibule_core::RefreshCookie;
use vestibule_core::transport::Method;

use super::answers::named;
use super::body::{Body, Encoding};
use super::documents::Purpose;
use super::draft::{Draft, Fields};
use super::guesses::{self, Use, use_of};
use super::learn::{self, Learnt, Place, Role, Token};
use super::search::{Call, Credentials, Missing, Search, folder, last_name};
use super::user::UserPlace;
use super::wire::Answer;

/// A session under way, and what is known of how the backend carries it.
pub(super) struct Session {
    pub held: Credentials,
    /// Where the sign-in's answer had the tokens.
    pub login: Fields,
    pub access: Option<Token>,
    pub refresh: Option<Token>,
    pub user: Option<UserPlace>,
    /// The header that carries the access token.
    pub carrier: Option<(String, String)>,
    /// Whether its refresh token is only taken for one: it is one if it renews the session.
    pub is_guess: bool,
}

/// The fields of an answer, by what was learnt of it.
pub(super) fn fields(learnt: &Learnt, access: Option<&Token>, refresh: Option<&Token>) -> Fields {
    let pointer = |token: Option<&Token>| match &token?.place {
        Place::Pointer(at) => Some(at.clone()),
        Place::Header(_) => None,
    };
    let header = |token: Option<&Token>| match &token?.place {
        Place::Header(name) => Some(name.clone()),
        Place::Pointer(_) => None,
    };
    Fields {
        user: learnt.user.as_ref().map(|user| user.pointer.clone()),
        access_token: pointer(access),
        refresh_token: pointer(refresh),
        access_header: header(access),
        refresh_header: header(refresh),
        expires: learnt.expires.clone().into_iter().collect(),
        is_jwt: access.is_some_and(|token| {
            token
                .claims
                .as_ref()
                .is_some_and(|claims| claims.get("exp").is_some())
        }),
    }
}

impl Session {
    /// By the answer to a sign-in. `cookies` are those to keep.
    pub(super) fn begun(learnt: &Learnt, cookies: Vec<RefreshCookie>) -> Self {
        let (access, refresh) = match learnt.tokens.as_slice() {
            [] => (None, None),
            [only] => (Some(only.clone()), None),
            [first, .., last] => (Some(first.clone()), Some(last.clone())),
        };
        Self {
            held: Credentials {
                access: access.as_ref().map(|token| token.value.clone()),
                refresh: refresh.as_ref().map(|token| token.value.clone()),
                cookies,
            },
            login: fields(learnt, access.as_ref(), refresh.as_ref()),
            user: learnt.user.clone(),
            carrier: None,
            access,
            refresh,
            is_guess: learnt.beside.is_some(),
        }
    }

    /// Takes over what an answer sets.
    pub(super) fn take(&mut self, answer: &Answer, learnt: &Learnt) {
        for set in learn::cookies(answer) {
            let key = set.cookie.key();
            if let Some(held) = self.held.cookies.iter_mut().find(|held| held.key() == key) {
                *held = set.cookie;
            }
        }
        let (access, refresh) = roles(learnt, self.refresh.as_ref());
        if let Some(token) = access {
            self.held.access = Some(token.value.clone());
        }
        if let Some(token) = refresh {
            self.held.refresh = Some(token.value.clone());
        }
    }
}

/// Which of an answer's tokens is which, in a session with this refresh token or without one.
fn roles<'a>(learnt: &'a Learnt, held: Option<&Token>) -> (Option<&'a Token>, Option<&'a Token>) {
    let has_refresh = held.is_some();
    let is_next = |next: &&Token| held.is_some_and(|held| next.place.is_named_as(&held.place));
    match learnt.tokens.as_slice() {
        [] => (None, None),
        [only] if has_refresh && only.role == Role::Refresh => (None, Some(only)),
        [only] => (Some(only), learnt.beside.as_ref().filter(is_next)),
        [first, .., last] => (Some(first), has_refresh.then_some(last)),
    }
}

/// The paths beside the sign-in at which one of these names may stand, the nearest first.
fn beside(login: &str, names: &[&str]) -> Vec<String> {
    let mut folders = vec![folder(login).to_owned()];
    while let Some(last) = folders.last().filter(|last| !last.is_empty()) {
        folders.push(folder(last).to_owned());
    }
    folders.truncate(4);
    let mut paths = Vec::new();
    for folder in folders {
        for name in names {
            let path = format!("{folder}/{name}");
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths
}

/// What the person and the documents say, then what is guessed.
pub(super) fn candidates(
    search: &Search<'_>,
    purpose: Purpose,
    login: &str,
) -> Vec<(Method, String, Option<Body>)> {
    let (hint, names, method) = match purpose {
        Purpose::Refresh => (
            &search.hints.refresh_path,
            guesses::REFRESH_NAMES,
            Method::POST,
        ),
        Purpose::Me => (&search.hints.me_path, guesses::ME_NAMES, Method::GET),
        Purpose::SignOut | Purpose::SignIn => (
            &search.hints.sign_out_path,
            guesses::SIGN_OUT_NAMES,
            Method::POST,
        ),
    };
    if let Some(path) = hint {
        return vec![(method, path.clone(), None)];
    }
    let told = search.told.iter().filter(|one| one.purpose == purpose);
    let mut all: Vec<_> = told
        .filter_map(|one| {
            let method = Method::from_bytes(one.method.as_bytes()).ok()?;
            Some((method, search.below(&one.path)?, one.body.clone()))
        })
        .collect();
    for path in beside(login, names) {
        if !all.iter().any(|(_, held, _)| *held == path) {
            all.push((method.clone(), path, None));
        }
    }
    all
}

/// A path that may renew or end the session, and what it said to a call without a token.
pub(super) struct Probed<'a> {
    /// The call that it answered.
    pub empty: &'a Call,
    /// Its answer; `None` where it seems not to be there.
    pub answer: Option<&'a Answer>,
    /// The body that the backend's documents give it.
    pub told: Option<Body>,
    pub session: &'a Session,
    pub draft: &'a Draft,
}

impl Probed<'_> {
    /// The same call without a body.
    pub(super) fn bare(&self) -> Call {
        Call {
            body: None,
            ..self.empty.clone()
        }
    }

    /// The members that the answer names.
    pub(super) fn names(&self) -> Vec<String> {
        self.answer.map(named).unwrap_or_default()
    }

    /// The body of the documents, if the refresh token has a place in it.
    pub(super) fn told_with_token(&self) -> Option<Body> {
        let told = self.told.clone();
        told.filter(|body| body.holds("$refresh_token"))
    }
}

/// Finds what renews the session; false where nothing does.
pub(super) async fn find_refresh(
    search: &mut Search<'_>,
    session: &mut Session,
    draft: &mut Draft,
) -> Result<bool, Missing> {
    let login = draft.login.path.clone();
    let mut calls = at_the_sign_in(draft, session);
    for (method, path, told) in candidates(search, Purpose::Refresh, &login) {
        search.stop.check()?;
        let mut empty = Call::new(method.clone(), &path);
        empty.body = Some(Body::new(
            told.as_ref().map_or(Encoding::Json, |body| body.encoding),
        ));
        let is_hint = search.hints.refresh_path.is_some();
        let answer = match search.probe(&empty).await? {
            Some(answer) => Some(answer),
            None if is_hint => None,
            None => continue,
        };
        calls.extend(refresh_calls(&Probed {
            empty: &empty,
            answer: answer.as_ref(),
            told,
            session,
            draft,
        }));
        if try_refresh(search, session, draft, &calls).await? {
            return Ok(true);
        }
        calls.clear();
    }
    try_refresh(search, session, draft, &calls).await
}

async fn try_refresh(
    search: &Search<'_>,
    session: &mut Session,
    draft: &mut Draft,
    calls: &[Call],
) -> Result<bool, Missing> {
    for call in calls {
        let answer = search.send(call, &session.held).await?;
        if !answer.is_success() || answer.is_page() {
            continue;
        }
        let learnt = learn::learn(&answer, &search.account.email);
        let set: Vec<String> = learnt
            .cookies
            .iter()
            .map(|one| one.cookie.name().to_owned())
            .collect();
        let renews_cookie = session
            .held
            .cookies
            .iter()
            .any(|held| set.iter().any(|name| name == held.name()));
        let has_token = session.access.is_some();
        let gives_token = !learnt.tokens.is_empty();
        if !(gives_token || (renews_cookie && !has_token)) {
            continue;
        }
        let (access, refresh) = roles(&learnt, session.refresh.as_ref());
        draft.refresh_fields = fields(&learnt, access, refresh);
        draft.refresh = Some(call.clone());
        if session.user.is_none() {
            session.user.clone_from(&learnt.user);
        }
        session.take(&answer, &learnt);
        return Ok(true);
    }
    Ok(false)
}

/// Renewals at the sign-in's own path: the `OAuth` refresh grant (RFC 6749 §6), and a sign-in by a token
/// where the body names its strategy.
fn at_the_sign_in(draft: &Draft, session: &Session) -> Vec<Call> {
    let Some(body) = &draft.login.body else {
        return Vec::new();
    };
    let without = |body: &Body| {
        let mut body = body.clone();
        body.members
            .retain(|_, value| *value != "$identifier" && *value != "$password");
        body
    };
    let mut calls = Vec::new();
    for (name, value) in &body.members {
        match guesses::plain(name).as_str() {
            "granttype" if session.refresh.is_some() && *value == "password" => {
                let refresh = without(body).with(name, "refresh_token");
                let mut members = vec!["refresh_token".to_owned()];
                if let Some(Place::Pointer(at)) = session.refresh.as_ref().map(|one| &one.place) {
                    members.insert(0, last_name(at));
                }
                members.dedup();
                for member in members {
                    let refresh = refresh.clone().with(&member, "$refresh_token");
                    calls.push(draft.login.clone().with_body(refresh));
                }
            }
            "strategy" => {
                let Some(Place::Pointer(at)) = session.access.as_ref().map(|token| &token.place)
                else {
                    continue;
                };
                let again = without(body).with(name, "jwt");
                let again = again.with(&last_name(at), "$refresh_token");
                calls.push(draft.login.clone().with_body(again));
            }
            _ => {}
        }
    }
    calls
}

/// The ways in which a path may take the token that renews.
fn refresh_calls(probed: &Probed<'_>) -> Vec<Call> {
    let (session, draft) = (probed.session, probed.draft);
    let (bare, names) = (probed.bare(), probed.names());
    let mut calls = Vec::new();
    if let Some(body) = probed.told_with_token() {
        calls.push(bare.clone().with_body(body));
    }
    let wants_form = probed.answer.is_some_and(super::survey::wants_form);
    let encoding = if wants_form {
        Encoding::Form
    } else {
        Encoding::Json
    };
    let known: Vec<String> = names
        .iter()
        .filter(|name| use_of(name) == Some(Use::RefreshToken))
        .cloned()
        .collect();
    let token = session.refresh.as_ref().or(session.access.as_ref());
    if let Some(token) = token {
        let mut members = known;
        if let Place::Pointer(at) = &token.place {
            members.push(last_name(at));
        }
        // What a refusal names and nobody knows may be the token.
        members.extend(
            names
                .iter()
                .filter(|name| names.len() <= 3 && use_of(name).is_none())
                .cloned(),
        );
        members.extend(["refresh_token", "refreshToken", "refresh", "token"].map(str::to_owned));
        let mut seen = Vec::new();
        for name in members {
            if !seen.contains(&name) {
                let mut body = Body::new(encoding).with(&name, "$refresh_token");
                for other in &names {
                    if let Some(value) = guesses::constant_of(other) {
                        body = body.with(other, value);
                    }
                    if use_of(other) == Some(Use::Device) {
                        body = body.with(other, "$device");
                    }
                }
                seen.push(name);
                calls.push(bare.clone().with_body(with_device_of(draft, body)));
            }
        }
        let bearer = ("authorization", "Bearer $refresh_token");
        calls.push(bare.clone().with_header(bearer));
    }
    if !session.held.cookies.is_empty() {
        let mut body = Body::new(encoding);
        for name in &names {
            match use_of(name) {
                Some(Use::Device) => body = body.with(name, "$device"),
                Some(Use::DeviceId) => body = body.with(name, "$device_id"),
                _ => {}
            }
        }
        // Before the guesses about tokens in bodies: a cookie goes by itself.
        calls.insert(0, bare.clone().with_body(with_device_of(draft, body)));
        calls.insert(1, bare);
    }
    calls
}

/// The same body with the device, where the sign-in has named it: a backend may bind the session to it.
fn with_device_of(draft: &Draft, mut body: Body) -> Body {
    let members = draft.login.body.iter().flat_map(|login| &login.members);
    for (name, value) in
        members.filter(|(_, value)| **value == "$device" || **value == "$device_id")
    {
        body = body.with(name, value.clone());
    }
    body
}
