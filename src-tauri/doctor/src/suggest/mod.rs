//! Finds a profile for a backend of which nothing is known but its address and one account.
//!
//! The way: what the backend says of itself → [`survey`] (which paths answer like a sign-in, without a
//! password) → [`sign_in`] → [`learn`] (what stands where in the answers) → [`follow`] (what renews the
//! session, says whose it is and ends it) → [`draft`] (the profile as text) → [`prove`] (the app's own
//! session, with nothing but what is kept) → [`rules`] (of what was seen). No backend is known by its
//! name or version: everything is tried, and what is printed has worked as it is printed.

mod answers;
mod assemble;
mod body;
mod documents;
mod draft;
mod ending;
mod follow;
mod guesses;
mod learn;
mod observed;
mod prove;
mod rules;
mod search;
mod sign_in;
mod store;
mod survey;
mod user;
mod whose;
mod wire;

use std::time::Duration;

use serde::Serialize;
use vestibule_core::backend::Exchange;
use vestibule_core::profile::Profile;

use self::assemble::{begun, cookie_sets, fill, readings};
use self::body::Body;
use self::draft::Draft;
use self::follow::Session;
use self::observed::{add_ends, add_error, empty_sign_in};
use self::prove::Proof;
use self::search::Search;
use self::wire::{Answer, Wire};
use crate::client::Client;
use crate::plan::{Account, Hints};
use crate::shown::Shown;
use crate::stop::{Stop, Stopped};

pub(crate) use self::search::Missing;
pub(crate) use self::wire::{LONGEST, MOST_REQUESTS};

/// How long the end of a search's own session may take.
const LEAVING: Duration = Duration::from_secs(15);

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
    // On the heap, as is each of its steps: together they are larger than the stack of a thread.
    let found = Box::pin(search(client, wire.clone(), given, account, hints)).await;
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
    for token in learnt.tokens.iter().chain(&learnt.beside) {
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
    let mut rest = None;
    'readings: for learnt in readings(&learnt) {
        for cookies in cookie_sets(&learnt) {
            let mut session = Session::begun(&learnt, cookies);
            let mut draft = begun(&search, &signed_in, &session);
            match Box::pin(fill(&mut search, &mut session, &mut draft)).await {
                Ok(()) => return Box::pin(proved(client, &mut search, session, draft)).await,
                Err(missing) => {
                    let is_stopped = missing == Missing::Stopped;
                    rest = Some((session, draft, missing));
                    if is_stopped {
                        break 'readings;
                    }
                }
            }
        }
    }
    let Some((session, draft, missing)) = rest else {
        return Err(Missing::Sentence(
            "the sign-in gave nothing that could be kept".into(),
        ));
    };
    leave(&mut search, &session, &draft).await;
    Err(missing)
}

/// Ends the session of a search that has come to nothing or was stopped, as well as it is known how.
async fn leave(search: &mut Search<'_>, session: &Session, draft: &Draft) {
    // Whoever has asked to stop waits for this, as for every sign-out of the doctor.
    search.stop = Stop::new().1;
    let ended = async {
        let calls = ending::sign_out_calls(search, session, draft).await?;
        for call in calls {
            let answer = search.send(&call, &session.held).await?;
            if answer.is_success() && !answer.is_page() {
                break;
            }
        }
        Ok::<_, Missing>(())
    };
    // Nothing more can be done about a session that is left: it ends when its token expires.
    let _ = tokio::time::timeout(LEAVING, ended).await;
}

/// Finds the sign-out, proves the profile with the app's own session, and adds the rules.
async fn proved(
    client: &mut Client,
    search: &mut Search<'_>,
    mut session: Session,
    mut draft: Draft,
) -> Result<Found, Missing> {
    let ended = match find_sign_out(search, &mut session, &mut draft).await {
        Err(Missing::Stopped) => {
            leave(search, &session, &draft).await;
            return Err(Missing::Stopped);
        }
        found => found?,
    };
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
    let proof = Box::pin(prove::prove(search, &first)).await?;
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
    let calls = ending::sign_out_calls(search, session, draft).await?;
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
