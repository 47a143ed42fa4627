//! Where a backend signs people in, and in what form: by what it says of itself, and by what it
//! answers to a sign-in without a password. Nothing here sends a password.

use vestibule_core::transport::Method;

use super::answers::{members, named};
use super::body::{Body, Encoding};
use super::documents::{self, Purpose};
use super::guesses::{self, Use, use_of};
use super::search::{Call, Credentials, Missing, Search};
use super::wire::Answer;

/// A path that answered like a sign-in.
#[derive(Clone, Debug)]
pub(super) struct SignInPath {
    pub path: String,
    /// What it seems to take; a guess where the backend did not say it.
    pub body: Body,
    /// Whether the backend or the person has said what it takes.
    pub is_told: bool,
    /// How much its answer looks like that of a sign-in.
    score: i32,
}

/// Reads what the backend says of itself.
pub(super) async fn read_documents(search: &mut Search<'_>) -> Result<(), Missing> {
    let mut told = Vec::new();
    for path in guesses::DOCUMENTS {
        let call = Call::new(Method::GET, path);
        let answer = search.send(&call, &Credentials::default()).await?;
        told.extend(documents::read(&answer));
    }
    search.told = told;
    Ok(())
}

/// The paths that answered like a sign-in, the likeliest first.
pub(super) async fn find(search: &mut Search<'_>) -> Result<Vec<SignInPath>, Missing> {
    if let Some(path) = search.hints.login_path.clone() {
        return Ok(vec![given(search, &path).await?]);
    }
    let mut found = Vec::new();
    let told: Vec<_> = search
        .told
        .iter()
        .filter(|one| one.purpose == Purpose::SignIn)
        .collect();
    let told: Vec<_> = told
        .into_iter()
        .filter_map(|one| Some((search.below(&one.path)?, one.body.clone()?)))
        .collect();
    for (path, body) in told {
        if let Some(one) = look(search, &path, Some(body)).await? {
            found.push(one);
        }
    }
    let mut refused = 0;
    for batch in guesses::SIGN_IN_PATHS {
        if found.iter().any(|one: &SignInPath| one.score >= CERTAIN) {
            break;
        }
        for path in *batch {
            search.stop.check()?;
            if found.iter().any(|one: &SignInPath| one.path == *path) {
                continue;
            }
            match look(search, path, None).await? {
                Some(one) => found.push(one),
                None => refused += usize::from(was_refused(search)),
            }
        }
    }
    if found.is_empty() {
        return Err(nothing_found(refused > 0).into());
    }
    found.sort_by_key(|one| -one.score);
    Ok(found)
}

/// Whether the last answer refused a request for what it did not carry, at a path that does not exist.
fn was_refused(search: &Search<'_>) -> bool {
    let count = search.wire.count();
    let last = search.wire.since(count.saturating_sub(1));
    last.first()
        .is_some_and(|answer| matches!(answer.status, 401 | 403))
}

fn nothing_found(all_refused: bool) -> String {
    match all_refused {
        true => "the backend refuses every path alike (401 or 403), one that does not exist among them: \
                 it wants a header with each request, to be given with --header NAME:VALUE, or its \
                 sign-in is elsewhere, to be given with --login-path"
            .into(),
        false => "the sign-in was not found at any common path, and the backend describes none: give its \
                  path with --login-path, or add to --backend what all paths begin with, such as /api"
            .into(),
    }
}

/// From this on no further guess is tried.
const CERTAIN: i32 = 6;

/// The path that the person has named.
async fn given(search: &mut Search<'_>, path: &str) -> Result<SignInPath, Missing> {
    let told = search
        .told
        .iter()
        .filter(|one| one.purpose == Purpose::SignIn);
    let told = told.filter(|one| search.below(&one.path).as_deref() == Some(path));
    let told = told.filter_map(|one| one.body.clone()).next();
    match look(search, path, told).await? {
        Some(one) => Ok(one),
        None => {
            let count = search.wire.count();
            let last = search.wire.since(count.saturating_sub(1));
            let status = last.first().map_or(0, |answer| answer.status);
            Err(Missing::Sentence(format!(
                "the path of --login-path does not answer like a sign-in: {status} to an empty one, as \
                 where there is nothing, or as to no sign-in"
            )))
        }
    }
}

/// Looks at one path without a password; none where it does not answer like a sign-in.
async fn look(
    search: &mut Search<'_>,
    path: &str,
    told: Option<Body>,
) -> Result<Option<SignInPath>, Missing> {
    let encoding = told.as_ref().map_or(Encoding::Json, |body| body.encoding);
    let empty = Call::new(Method::POST, path).with_body(Body::new(encoding));
    let Some(answer) = search.probe(&empty).await? else {
        return Ok(None);
    };
    let mut score = likeness(&answer);
    let given = search.hints.login_body.as_deref().map(Body::parse);
    if let Some(body) = given {
        let body = body.map_err(|error| format!("--login-body {error}"))?;
        // The person has said what it takes, so it may ask for less.
        let asks = matches!(answer.status, 400..=403 | 415 | 422 | 500);
        return Ok(asks.then(|| SignInPath {
            path: path.to_owned(),
            body,
            is_told: true,
            score: score.max(CERTAIN),
        }));
    }
    if !matches!(answer.status, 400 | 401 | 403 | 415 | 422) || score < 0 {
        return Ok(None);
    }
    if answer.status == 403 && score < 3 {
        return Ok(None);
    }
    if let Some(body) = told {
        score += 5;
        return Ok(Some(SignInPath {
            path: path.to_owned(),
            body,
            is_told: true,
            score,
        }));
    }
    let mut body = body_by(&named(&answer), wants_form(&answer));
    if guesses::says(&answer.text(), &["grant_type"]) {
        // A token endpoint reads forms alone (RFC 6749 §4.3.2).
        body = body.with("grant_type", "password");
        body.encoding = Encoding::Form;
    }
    // Beside the password, the one member that nobody knows names the person.
    if body.holds("$password") && !body.holds("$identifier") {
        let mut unknown = members(&answer);
        unknown.retain(|name| use_of(name).is_none() && guesses::constant_of(name).is_none());
        if let [name] = unknown.as_slice() {
            body = body.with(name, "$identifier");
        }
    }
    let is_told = body.holds("$identifier") && body.holds("$password");
    Ok(Some(SignInPath {
        path: path.to_owned(),
        body,
        is_told,
        score: score + if is_told { 6 } else { 0 },
    }))
}

/// How much the answer to an empty request looks like that of a sign-in.
fn likeness(answer: &Answer) -> i32 {
    if answer.is_page() {
        return -1;
    }
    let text = answer.text();
    let names = named(answer);
    let has = |wanted| names.iter().any(|name| use_of(name) == Some(wanted));
    let mut score = 0;
    score += if has(Use::Password) { 4 } else { 0 };
    score += if has(Use::Identifier) { 2 } else { 0 };
    score += if guesses::says(&text, guesses::REFUSAL_WORDS) {
        2
    } else {
        0
    };
    score += if guesses::says(&text, guesses::FORM_WORDS) {
        2
    } else {
        0
    };
    score += if names
        .iter()
        .any(|name| guesses::constant_of(name).is_some())
    {
        3
    } else {
        0
    };
    // What makes an account asks for more than a sign-in does.
    let asks_more = [
        "password1",
        "confirmpassword",
        "passwordconfirm",
        "newpassword",
        "firstname",
    ];
    let asks_more = names
        .iter()
        .any(|name| asks_more.contains(&guesses::plain(name).as_str()));
    score - if asks_more { 8 } else { 0 }
}

/// Whether a refusal says that it reads forms.
pub(super) fn wants_form(answer: &Answer) -> bool {
    answer.status == 415 || guesses::says(&answer.text(), guesses::FORM_WORDS)
}

/// The body that a refusal asks for, as far as it names members.
pub(super) fn body_by(names: &[String], wants_form: bool) -> Body {
    let encoding = if wants_form {
        Encoding::Form
    } else {
        Encoding::Json
    };
    let mut body = Body::new(encoding);
    for name in names {
        body = with_named(body, name);
    }
    body
}

/// The same body with a member that a refusal has named, if it is known what it is for.
pub(super) fn with_named(body: Body, name: &str) -> Body {
    match (use_of(name), guesses::constant_of(name)) {
        (_, Some(value)) => body.with(name, value),
        (Some(Use::Password), _) => body.with(name, "$password"),
        (Some(Use::Identifier), _) if !body.holds("$identifier") => body.with(name, "$identifier"),
        (Some(Use::Device), _) => body.with(name, "$device"),
        (Some(Use::DeviceId), _) => body.with(name, "$device_id"),
        _ => body,
    }
}
