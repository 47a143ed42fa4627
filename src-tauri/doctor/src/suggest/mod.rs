//! Finds a profile for a backend of which nothing is known but its address and one account.
//!
//! The way: what the backend says of itself → [`survey`] (which paths answer like a sign-in, without a
//! password) → [`sign_in`] → [`learn`] (what stands where in the answers) → [`follow`] (what renews the
//! session, says whose it is and ends it) → [`draft`] (the profile as text) → [`prove`] (the app's own
//! session, with nothing but what is kept) → [`rules`] (of what was seen). No backend is known by its
//! name or version: everything is tried, and what is printed has worked as it is printed.

mod answers;
mod body;
mod documents;
mod draft;
mod follow;
mod guesses;
mod jwt;
pub(crate) mod learn;
mod prove;
mod rules;
mod search;
mod sign_in;
mod store;
mod survey;
mod user;
mod wire;

use serde::Serialize;
use vestibule_core::RefreshCookie;
use vestibule_core::backend::Exchange;
use vestibule_core::profile::Profile;

use self::body::Body;
use self::draft::Draft;
use self::follow::Session;
use self::learn::{Learnt, SetCookie};
use self::prove::Proof;
use self::search::Search;
use self::sign_in::SignedIn;
use self::wire::{Answer, Wire};
use crate::client::Client;
use crate::plan::{Account, Hints};
use crate::shown::Shown;
use crate::stop::Stopped;

pub(crate) use self::search::Missing;
pub(crate) use self::wire::{LONGEST, MOST_REQUESTS};

/// Which profile the app should use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Suggestion {
    /// There is none.
    None,
    /// One thing is missing for one.
    Missing {
        /// The sentence that says what is missing.
        what: Shown,
    },
    /// The given profile fits.
    Fits {
        /// The name of the profile.
        profile: Shown,
    },
    /// A new profile, which was proved.
    Written {
        /// The text of its file.
        toml: Shown,
        /// What it was proved by, in words.
        how: Shown,
    },
}

/// A profile that was proved.
pub(crate) struct Found {
    pub toml: String,
    pub profile: Profile,
    /// What was proved, and what the limits are.
    pub how: String,
}

impl Found {
    pub(crate) fn suggestion(&self) -> Suggestion {
        Suggestion::Written {
            toml: Shown::lines(&self.toml),
            how: Shown::line(&self.how),
        }
    }
}

/// Looks for a profile. `given` says the address and the headers of each request.
pub(crate) async fn find(
    client: &mut Client,
    given: &Profile,
    account: &Account,
    hints: &Hints,
) -> Result<Result<Found, String>, Stopped> {
    let wire = Wire::over(client.transport().clone());
    let found = search(client, wire.clone(), given, account, hints).await;
    // Whatever tokens the search has seen are hidden in every sentence that follows. What the backend
    // says of itself to everybody holds none.
    for answer in wire
        .since(0)
        .iter()
        .filter(|answer| !documents::is_one(answer))
    {
        hide_secrets(client, answer);
    }
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(Missing::Stopped) => Err(Stopped),
        Err(Missing::Sentence(sentence)) => Ok(Err(sentence)),
    }
}

fn hide_secrets(client: &mut Client, answer: &Answer) {
    let learnt = learn::learn(answer, "");
    for token in &learnt.tokens {
        client.masks.hide(token.value.secret(), "token");
    }
    for set in learnt.cookies.iter().filter(|set| set.is_likely) {
        client.masks.hide(&set.cookie.pair().1, "cookie");
    }
}

async fn search(
    client: &mut Client,
    wire: Wire,
    given: &Profile,
    account: &Account,
    hints: &Hints,
) -> Result<Found, Missing> {
    let stop = client.stop.clone();
    let device = Client::new_device();
    let mut search = Search::new(wire, given, account, hints, stop, device);
    client.begin("looking for the sign-in, without a password")?;
    survey::read_documents(&mut search).await?;
    let paths = survey::find(&mut search).await?;
    client.begin(&format!("signing in at {}", paths[0].path))?;
    let signed_in = sign_in::sign_in(&search, &paths, &mut client.wrong_tries).await?;
    let learnt = learn::learn(&signed_in.answer, &account.email);

    client.begin("looking for what renews the session, says whose it is and ends it")?;
    let mut last = String::new();
    for learnt in readings(&learnt) {
        for cookies in cookie_sets(&learnt) {
            let mut session = Session::begun(&learnt, cookies);
            let mut draft = begun(&search, &signed_in, &session);
            match fill(&mut search, &mut session, &mut draft).await {
                Ok(()) => return proved(client, &mut search, session, draft).await,
                Err(Missing::Sentence(sentence)) => last = sentence,
                Err(stopped) => return Err(stopped),
            }
        }
    }
    Err(Missing::Sentence(last))
}

/// Which token is which: as they seem, and the other way round where nothing says it.
fn readings(learnt: &Learnt) -> Vec<Learnt> {
    let mut readings = vec![learnt.clone()];
    let is_open = |token: &learn::Token| token.role == learn::Role::Unknown;
    if learnt.tokens.len() == 2 && learnt.tokens.iter().all(is_open) {
        let mut other = learnt.clone();
        other.tokens.reverse();
        readings.push(other);
    }
    readings
}

/// The cookies to keep: those that look like the session's alone, else all that the sign-in has set.
fn cookie_sets(learnt: &Learnt) -> Vec<Vec<RefreshCookie>> {
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
fn begun(search: &Search<'_>, signed_in: &SignedIn, session: &Session) -> Draft {
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
async fn fill(
    search: &mut Search<'_>,
    session: &mut Session,
    draft: &mut Draft,
) -> Result<(), Missing> {
    let renews = follow::find_refresh(search, session, draft).await?;
    let tells_user = draft.refresh_fields.user.is_some();
    let asks_me = !renews || !tells_user || draft.login_fields.user.is_none();
    if asks_me {
        follow::find_me(search, session, draft).await?;
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

/// Finds the sign-out, proves the profile with the app's own session, and adds the rules.
async fn proved(
    client: &mut Client,
    search: &mut Search<'_>,
    mut session: Session,
    mut draft: Draft,
) -> Result<Found, Missing> {
    let ended = find_sign_out(search, &mut session, &mut draft).await?;
    // Here, because the next sign-in resets the backend's count of failures.
    let wrong = wrong_password(client, search, &draft).await?;
    let empty = empty_sign_in(search, &draft);
    if let Some(wrong) = &wrong {
        add_error(&mut draft, wrong, empty.as_ref(), search);
    }
    client.begin("proving the profile: sign in, forget, renew twice, sign out")?;
    let load = |draft: &Draft| {
        draft.profile().map_err(|error| {
            Missing::Sentence(format!(
                "what was found cannot be written as a profile: {error}"
            ))
        })
    };
    let first = load(&draft)?;
    let proof = prove::prove(search, &first).await?;
    add_ends(search, &mut draft, &proof, &first).await?;
    let profile = load(&draft)?;
    let how = words(&draft, &proof, ended);
    Ok(Found {
        toml: draft.toml(),
        profile,
        how,
    })
}

/// Finds the call that ends the session, by ending it. True if the session was over then.
async fn find_sign_out(
    search: &mut Search<'_>,
    session: &mut Session,
    draft: &mut Draft,
) -> Result<bool, Missing> {
    let calls = follow::sign_out_calls(search, session, draft).await?;
    let mut polite = None;
    for mut call in calls {
        let mut answer = search.send(&call, &session.held).await?;
        if answer.status == 403
            && guesses::says(&answer.text(), &["origin"])
            && draft.headers.iter().all(|(name, _)| name != "origin")
        {
            // It answers a cookie only where the request says where it comes from.
            let header = ("origin".to_owned(), "$origin".to_owned());
            search.headers.push(header.clone());
            draft.headers.push(header);
            answer = search.send(&call, &session.held).await?;
        }
        let is_taken = answer.is_success() && !answer.is_page();
        let may_have_ended = is_taken || matches!(answer.status, 400 | 401 | 403);
        if may_have_ended && !is_alive(search, session, draft).await? {
            if !is_taken {
                let rule = rules::conditions(&answer, &[], &[&search.account.email]);
                draft.signed_out.extend(rule);
            }
            draft.sign_out = Some(std::mem::replace(&mut call, draft.login.clone()));
            return Ok(true);
        }
        if is_taken && polite.is_none() {
            polite = Some(call);
        }
    }
    draft.sign_out = polite;
    Ok(false)
}

/// Whether the session is still alive, asked as the profile would ask.
async fn is_alive(
    search: &Search<'_>,
    session: &mut Session,
    draft: &Draft,
) -> Result<bool, Missing> {
    let Some(call) = draft.refresh.as_ref().or(draft.me.as_ref()) else {
        return Ok(true);
    };
    let answer = search.send(call, &session.held).await?;
    let is_null = answer.json().is_some_and(|body| body.is_null());
    let is_alive = answer.is_success() && !answer.is_page() && !is_null;
    if is_alive {
        session.keep(&answer, &search.account.email);
    }
    Ok(is_alive)
}

/// Tries one wrong password; none where no try is left.
async fn wrong_password(
    client: &mut Client,
    search: &Search<'_>,
    draft: &Draft,
) -> Result<Option<Answer>, Missing> {
    if client.wrong_tries.is_used_up() {
        return Ok(None);
    }
    client.begin("trying one wrong password")?;
    client.wrong_tries.count();
    let wrong = format!("wrong-{}", uuid::Uuid::new_v4().simple());
    client.masks.hide(&wrong, "password");
    Ok(Some(
        sign_in::send_password(search, &draft.login, &wrong).await?,
    ))
}

/// What the backend has answered to a sign-in with nothing in it.
fn empty_sign_in(search: &Search<'_>, draft: &Draft) -> Option<Answer> {
    let path = search.url(&draft.login.path);
    search
        .wire
        .since(0)
        .into_iter()
        .find(|answer| answer.url.path() == path.path() && !answer.is_success())
}

/// A rule for a wrong password, where its status does not say it.
fn add_error(draft: &mut Draft, wrong: &Answer, empty: Option<&Answer>, search: &Search<'_>) {
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
async fn add_ends(
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
    let token = vestibule_core::backend::invented_token(profile);
    let backend = vestibule_core::backend::Backend::with_transport(
        profile.clone(),
        std::sync::Arc::new(search.wire.clone()),
    );
    let mark = search.wire.count();
    let access = token.body().cloned();
    let access = access.or_else(|| {
        let text = format!("vestibule-doctor-{}", uuid::Uuid::new_v4().simple());
        draft
            .login_fields
            .access_token
            .as_ref()
            .map(|_| vestibule_core::Secret::new(text))
    });
    let asked = backend.refresh(&token, access.as_ref(), &search.device, 1);
    // The answer is on the wire, whatever the app makes of it.
    let _ = search.stop.race(asked).await?;
    let answer = search.wire.since(mark).into_iter().next();
    Ok(answer.filter(|answer| {
        (400..500).contains(&answer.status) || answer.json().is_some_and(|body| body.is_null())
    }))
}

/// What was proved, and what the limits are.
fn words(draft: &Draft, proof: &Proof, ended: bool) -> String {
    let mut text =
        "Signed in with it, forgot everything but what is kept, renewed twice".to_owned();
    text += match (&draft.sign_out, ended && proof.over.is_some()) {
        (Some(_), true) => ", signed out, and saw that the session was over.",
        (Some(_), false) => {
            ", and signed out. The backend takes the sign-out, and the session goes on until its token \
             expires: whoever has a copy can use it until then."
        }
        (None, _) => {
            ". No sign-out was found: the app forgets the session, and the backend ends it when its token \
             expires. If there is one, give its path with --sign-out-path."
        }
    };
    text
}

impl Session {
    /// Whether the sign-in gives an access token that the profile reads.
    fn login_has_access(&self, draft: &Draft) -> bool {
        let fields = &draft.login_fields;
        fields.access_token.is_some() || fields.access_header.is_some()
    }

    fn keep(&mut self, answer: &Answer, typed: &str) {
        let learnt = learn::learn(answer, typed);
        self.take(answer, &learnt);
    }
}

/// What tells an answer that was recorded from others, as the conditions of a rule.
pub(crate) fn conditions_of(
    exchange: &Exchange,
    status: u16,
) -> Option<Vec<(&'static str, String)>> {
    let body = exchange.body.as_ref().map(|body| body.to_vec());
    let answer = Answer {
        url: "http://localhost/".parse().ok()?,
        status,
        headers: exchange.headers.clone(),
        body: body.unwrap_or_default(),
    };
    let rule = rules::conditions(&answer, &[], &[])?;
    // The status, and more than that.
    (rule.len() > 1).then_some(rule)
}

/// Refuses a body of `--login-body` that cannot be used.
pub(crate) fn check_body(text: &str) -> Result<(), String> {
    Body::parse(text)
        .map(drop)
        .map_err(|error| format!("--login-body {error}"))
}
