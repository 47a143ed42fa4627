//! Puts a draft together from what was learnt: which tokens and cookies to keep, what renews, and where
//! the user comes from.

use vestibule_core::RefreshCookie;

use super::draft::{self, Draft};
use super::follow::{self, Session};
use super::guesses;
use super::learn::{self, Learnt, SetCookie};
use super::search::{Missing, Search};
use super::sign_in::SignedIn;
use super::whose;
use super::wire::Answer;

/// Which token is which: as they seem, and the other way round where nothing says it. First, what counts
/// only if it renews the session.
pub(super) fn readings(learnt: &Learnt) -> Vec<Learnt> {
    let mut readings = Vec::new();
    if let Some(beside) = &learnt.beside {
        let mut pair = learnt.clone();
        pair.tokens.push(beside.clone());
        readings.push(pair);
    }
    readings.push(Learnt {
        beside: None,
        ..learnt.clone()
    });
    let is_open = |token: &learn::Token| token.role == learn::Role::Unknown;
    if learnt.tokens.len() == 2 && learnt.tokens.iter().all(is_open) {
        let mut other = learnt.clone();
        other.tokens.reverse();
        readings.push(other);
    }
    readings
}

/// The cookies to keep: those that look like the session's alone, else all that the sign-in has set.
pub(super) fn cookie_sets(learnt: &Learnt) -> Vec<Vec<RefreshCookie>> {
    let of = |sets: Vec<&SetCookie>| -> Vec<RefreshCookie> {
        sets.into_iter().map(|one| one.cookie.clone()).collect()
    };
    let likely = of(learnt.cookies.iter().filter(|one| one.is_likely).collect());
    let all = of(learnt.cookies.iter().collect());
    let mut sets = vec![likely];
    // A session whose tokens stand in the body needs no cookie, whatever else was set.
    if !learnt.tokens.is_empty() && !sets[0].is_empty() {
        sets.insert(0, Vec::new());
    }
    if sets.last() != Some(&all) {
        sets.push(all);
    }
    sets
}

/// A draft with what the sign-in has shown.
pub(super) fn begun(search: &Search<'_>, signed_in: &SignedIn, session: &Session) -> Draft {
    let is_address = search.account.email.contains('@');
    Draft {
        backend: search.base.to_string(),
        headers: search.headers.clone(),
        is_name: !is_address,
        cookies: Vec::new(),
        with_api: false,
        user_from: "refresh",
        single_token: false,
        login: signed_in.call.clone(),
        refresh: None,
        me: None,
        sign_out: None,
        login_fields: session.login.clone(),
        refresh_fields: session.login.clone(),
        me_user: None,
        user: None,
        api_header: None,
        code: Vec::new(),
        message: Vec::new(),
        // By the status alone: only the third such answer, over half a minute, ends a session.
        ends: vec![vec![
            ("status", "401".into()),
            ("why", draft::quoted("expired")),
        ]],
        errors: Vec::new(),
        signed_out: Vec::new(),
    }
}

/// Fills in how the session goes on.
pub(super) async fn fill(
    search: &mut Search<'_>,
    session: &mut Session,
    draft: &mut Draft,
) -> Result<(), Missing> {
    let renews = follow::find_refresh(search, session, draft).await?;
    if session.is_guess && !renews {
        let sentence = "what may be a refresh token renews nothing";
        return Err(Missing::Sentence(sentence.into()));
    }
    let tells_user = draft.refresh_fields.user.is_some();
    let asks_me = !renews || !tells_user || draft.login_fields.user.is_none();
    if asks_me {
        whose::find_me(search, session, draft).await?;
    }
    if !renews && draft.me.is_none() {
        let sentence = format!(
            "{} signs in, but nothing was found that renews the session or says whose it is: give its \
             path with --refresh-path or --me-path",
            draft.login.path
        );
        return Err(Missing::Sentence(sentence));
    }
    if draft.me.is_none() && session.user.is_none() {
        return Err(Missing::Sentence(unknown_user(search)));
    }
    settle_fields(session, draft, renews);
    Ok(())
}

/// The sentence where no answer says who has signed in.
fn unknown_user(search: &Search<'_>) -> String {
    let answers = search.wire.since(0);
    let wants_scope = |answer: &&Answer| {
        let said = answer.header("www-authenticate");
        answer.status == 403
            && (said.contains("insufficient_scope")
                || guesses::says(&answer.text(), &["insufficient_scope"]))
    };
    match answers.iter().find(wants_scope) {
        Some(answer) => format!(
            "the sign-in works, but {} says who it is only to a token of another scope (RFC 6750 §3.1): \
             name it in --login-body, such as scope=openid",
            answer.url.path()
        ),
        None => {
            "the sign-in works, but no answer says who has signed in: give the path that does with \
                 --me-path"
                .into()
        }
    }
}

/// Decides what carries the session and where the user comes from.
fn settle_fields(session: &Session, draft: &mut Draft, renews: bool) {
    draft.cookies = names(&session.held.cookies);
    draft.user = session.user.clone();
    let uses_cookies = !draft.cookies.is_empty();
    draft.with_api = uses_cookies;
    // One token for both: no call takes another one than the access token.
    let is_renewed = session.refresh.is_some() && renews;
    draft.single_token = session.access.is_some() && !is_renewed && !uses_cookies;
    if !is_renewed {
        draft.login_fields.refresh_token = None;
        draft.login_fields.refresh_header = None;
    }
    if uses_cookies && session.carrier.is_none() && draft.me.is_some() && !renews {
        // Cookies alone carry it; a token beside them is of no use here.
        for fields in [&mut draft.login_fields, &mut draft.refresh_fields] {
            fields.access_token = None;
            fields.access_header = None;
            fields.is_jwt = false;
        }
    }
    let login_tells = draft.login_fields.user.is_some();
    let renewal_tells = !renews || draft.refresh_fields.user.is_some();
    draft.user_from = match () {
        // Where `me` is the renewal, its answer is the renewal's.
        () if login_tells && renewal_tells => "refresh",
        () if draft.me.is_some() => "me",
        () => "login",
    };
    if draft.user_from == "me" {
        draft.login_fields.user = None;
        draft.refresh_fields.user = None;
    } else if renews {
        draft.me = None;
        draft.me_user = None;
    }
    if draft.user_from == "login" {
        draft.refresh_fields.user = None;
    }
    if !session.login_has_access(draft) {
        return;
    }
    draft.api_header = session
        .carrier
        .clone()
        .or_else(|| Some(("authorization".into(), "Bearer $access_token".into())));
}

fn names(cookies: &[RefreshCookie]) -> Vec<String> {
    let mut names: Vec<String> = cookies.iter().map(|one| one.name().to_owned()).collect();
    names.dedup();
    names
}

impl Session {
    /// Whether the sign-in gives an access token that the profile reads.
    fn login_has_access(&self, draft: &Draft) -> bool {
        let fields = &draft.login_fields;
        fields.access_token.is_some() || fields.access_header.is_some()
    }

    pub(super) fn keep(&mut self, answer: &Answer, typed: &str) {
        let learnt = learn::learn(answer, typed);
        self.take(answer, &learnt);
    }
}
