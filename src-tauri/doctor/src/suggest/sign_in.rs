//! Signs in at the paths that answered like a sign-in, and learns from each refusal what the next try
//! has to send.

use vestibule_core::transport::Method;

use super::answers::{WANTING_WORDS, members, named};
use super::body::{Body, Encoding, Values};
use super::guesses::{self, IDENTIFIERS, UNWANTED_WORDS, Use, says, use_of};
use super::search::{Call, Credentials, Missing, Search, literal};
use super::survey::{SignInPath, wants_form, with_named};
use super::wire::Answer;
use crate::shape;
use crate::wrong_tries::WrongTries;

/// How many forms of a body one path is asked with.
const MOST_FORMS: usize = 8;

/// A sign-in that worked.
pub(super) struct SignedIn {
    pub call: Call,
    pub answer: Answer,
}

/// What an answer to a sign-in says.
enum Verdict {
    SignedIn,
    CodeWanted,
    /// The request was not read, or not wholly: no try was counted.
    Malformed,
    Refused,
}

/// Signs in. The likeliest path comes first.
pub(super) async fn sign_in(
    search: &Search<'_>,
    paths: &[SignInPath],
    tries: &mut WrongTries,
) -> Result<SignedIn, Missing> {
    let mut last = None;
    for path in paths {
        match at_path(search, path, tries).await {
            Ok(signed_in) => return Ok(signed_in),
            Err(Missing::Sentence(sentence)) => {
                // What the likeliest path lacks is what is missing.
                last.get_or_insert(sentence);
            }
            Err(stopped) => return Err(stopped),
        }
        if tries.is_used_up() {
            break;
        }
    }
    let sentence =
        last.unwrap_or_else(|| "the sign-in was not found: give its path with --login-path".into());
    Err(Missing::Sentence(sentence))
}

async fn at_path(
    search: &Search<'_>,
    path: &SignInPath,
    tries: &mut WrongTries,
) -> Result<SignedIn, Missing> {
    // A stack: what the last answer asks for comes first.
    let mut waiting = forms(path);
    let mut tried: Vec<Body> = Vec::new();
    let mut why = String::new();
    while let Some(body) = waiting.pop() {
        if tried.contains(&body) || tried.len() >= MOST_FORMS {
            continue;
        }
        if tries.is_used_up() {
            break;
        }
        tried.push(body.clone());
        let (call, answer) = send(search, &path.path, body.clone()).await?;
        match verdict(&answer, &body) {
            Verdict::SignedIn => return Ok(SignedIn { call, answer }),
            Verdict::CodeWanted => {
                return Err(Missing::Sentence(format!(
                    "this account needs a code after its password ({}): name one that signs in with its \
                     password alone",
                    path.path
                )));
            }
            Verdict::Malformed if oauth_client_is_missing(&answer) => {
                return Err(Missing::Sentence(lacks(&path.path, &answer, &body)));
            }
            Verdict::Malformed => {
                why = lacks(&path.path, &answer, &body);
                // The next one is what this answer asks for.
                waiting.extend(next_forms(&answer, &body, path.is_told));
            }
            Verdict::Refused => {
                tries.count();
                why = refused(&path.path, &answer);
                if path.is_told && !asks_for_other_encoding(&answer) {
                    // The backend has said what it takes: another form would be another wrong try.
                    break;
                }
            }
        }
    }
    Err(Missing::Sentence(why))
}

/// The bodies to try, the last one first.
fn forms(path: &SignInPath) -> Vec<Body> {
    if path.is_told {
        return vec![path.body.clone()];
    }
    let both = |identifier: &str| {
        let mut body = path.body.clone();
        if !body.holds("$identifier") {
            body = body.with(identifier, "$identifier");
        }
        if !body.holds("$password") {
            body = body.with("password", "$password");
        }
        body
    };
    let mut all: Vec<Body> = IDENTIFIERS.iter().map(|name| both(name)).collect();
    // A password grant names the person `username` (RFC 6749 §4.3.2).
    if path.body.encoding == Encoding::Form || path.body.members.contains_key("grant_type") {
        all.swap(0, 1);
        all[0].encoding = Encoding::Form;
    }
    all.reverse();
    all
}

async fn send(search: &Search<'_>, path: &str, body: Body) -> Result<(Call, Answer), Missing> {
    let call = Call::new(Method::POST, path).with_body(body);
    let answer = send_password(search, &call, search.account.password.secret()).await?;
    Ok((call, answer))
}

/// Sends a sign-in with this password.
pub(super) async fn send_password(
    search: &Search<'_>,
    call: &Call,
    password: &str,
) -> Result<Answer, Missing> {
    let nothing = Credentials::default();
    let password = vestibule_core::Secret::new(password);
    let values = Values {
        password: Some(&password),
        ..search.values(&nothing)
    };
    search.send_with(call, &values, &[]).await
}

fn verdict(answer: &Answer, body: &Body) -> Verdict {
    let text = answer.text();
    let wants_code = says(
        &text,
        &[
            "otp",
            "two_factor",
            "twofactor",
            "2fa",
            "mfa",
            "totp",
            "second factor",
        ],
    );
    if answer.is_success() && !answer.is_page() {
        let gives = super::learn::gives_a_session(answer);
        return match gives {
            true => Verdict::SignedIn,
            false if wants_code => Verdict::CodeWanted,
            false => Verdict::Refused,
        };
    }
    if wants_code && matches!(answer.status, 401 | 403) {
        return Verdict::CodeWanted;
    }
    let is_of_form = matches!(answer.status, 400 | 415 | 422) && {
        let names = named(answer);
        let mut missing = names
            .iter()
            .filter(|name| !body.members.contains_key(*name));
        let asks =
            missing.any(|name| use_of(name).is_some() || guesses::constant_of(name).is_some());
        let mut sent = names.iter().filter(|name| body.members.contains_key(*name));
        let unread = sent.any(|_| {
            says(
                &text,
                &[
                    "required",
                    "missing",
                    "blank",
                    "unknown",
                    "not allowed",
                    "should not exist",
                ],
            )
        });
        let asks = asks || strange_identifier(answer, body).is_some();
        answer.status == 415 || asks || unread || wants_form(answer)
    };
    match is_of_form || oauth_client_is_missing(answer) {
        true => Verdict::Malformed,
        false => Verdict::Refused,
    }
}

/// The one member that a refusal wants, that was not sent, and whose name says nothing: the password has
/// its own, so this one names the person.
fn strange_identifier(answer: &Answer, sent: &Body) -> Option<String> {
    if !says(&answer.text(), &WANTING_WORDS) {
        return None;
    }
    let mut strange = members(answer);
    strange.retain(|name| {
        let is_known = use_of(name).is_some() || guesses::constant_of(name).is_some();
        !is_known && !sent.members.contains_key(name)
    });
    match <[String; 1]>::try_from(strange) {
        Ok([name]) => Some(name),
        Err(_) => None,
    }
}

/// The error code of an `OAuth` token endpoint that wants to know the client (RFC 6749 §5.2).
fn oauth_client_is_missing(answer: &Answer) -> bool {
    let error = answer.json();
    let error = error
        .as_ref()
        .and_then(|body| body.get("error")?.as_str().map(str::to_owned));
    matches!(
        error.as_deref(),
        Some("invalid_client" | "unauthorized_client")
    )
}

fn asks_for_other_encoding(answer: &Answer) -> bool {
    wants_form(answer)
}

/// What to send next, after an answer that did not read the request. The last one is the first to try.
fn next_forms(answer: &Answer, sent: &Body, is_told: bool) -> Vec<Body> {
    let text = answer.text();
    let names = named(answer);
    let mut next = Vec::new();
    let as_form = |body: &Body| Body {
        encoding: Encoding::Form,
        ..body.clone()
    };
    if wants_form(answer) {
        let mut form = as_form(sent);
        if says(&text, &["grant_type"]) && !form.members.contains_key("grant_type") {
            form = form.with("grant_type", "password");
        }
        next.push(form);
    }
    let (in_it, missing): (Vec<&String>, Vec<&String>) = names
        .iter()
        .partition(|name| sent.members.contains_key(*name));
    if says(&text, UNWANTED_WORDS) && !in_it.is_empty() && !is_told {
        let mut less = sent.clone();
        less.members.retain(|name, _| !in_it.contains(&name));
        for name in &missing {
            less = with_named(less, name);
        }
        next.push(completed(less, sent));
    } else if !in_it.is_empty() && sent.encoding == Encoding::Json {
        // It misses what was sent: it does not read JSON.
        next.push(as_form(sent));
    }
    let asked: Vec<String> = missing.iter().map(|name| (*name).clone()).collect();
    let asks_identifier = asked
        .iter()
        .any(|name| use_of(name) == Some(Use::Identifier));
    let mut more = sent.clone();
    if asks_identifier {
        // It calls the person by another name.
        more.members.retain(|_, value| *value != "$identifier");
    }
    if asked.iter().any(|name| use_of(name) == Some(Use::Password)) {
        more.members.retain(|_, value| *value != "$password");
    }
    for name in &asked {
        more = with_named(more, name);
    }
    let more = completed(more, sent);
    if more != *sent {
        next.push(more);
    }
    if let Some(name) = strange_identifier(answer, sent).filter(|_| !is_told) {
        let mut other = sent.clone();
        other.members.retain(|_, value| *value != "$identifier");
        next.push(other.with(&name, "$identifier"));
    }
    next
}

/// The body with the placeholders that it lacks, from the one that was sent.
fn completed(mut body: Body, sent: &Body) -> Body {
    for wanted in ["$identifier", "$password"] {
        if !body.holds(wanted)
            && let Some((name, value)) = sent.members.iter().find(|(_, value)| **value == wanted)
        {
            body = body.with(name, literal_or_placeholder(value));
        }
    }
    body
}

fn literal_or_placeholder(value: &serde_json::Value) -> serde_json::Value {
    match value.as_str() {
        Some("$identifier" | "$password") => value.clone(),
        _ => literal(value),
    }
}

/// The sentence for a body that the backend did not take.
fn lacks(path: &str, answer: &Answer, sent: &Body) -> String {
    if oauth_client_is_missing(answer) {
        return format!(
            "{path} wants to know the client, which only its owner can say: give the whole body with \
             --login-body 'grant_type=password&username=$identifier&password=$password&client_id=…'"
        );
    }
    let names = named(answer);
    let unknown = names.iter().filter(|name| {
        !sent.members.contains_key(*name)
            && use_of(name).is_none()
            && guesses::constant_of(name).is_none()
    });
    let unknown: Vec<&str> = unknown.map(String::as_str).take(5).collect();
    let said = match unknown.as_slice() {
        [] => format!("it answers {}", answer.status),
        names => format!(
            "it answers {} and speaks of {}",
            answer.status,
            names.join(", ")
        ),
    };
    format!(
        "{path} does not take what the doctor sends ({said}): give the body with --login-body, such as \
         --login-body '{{\"email\": \"$identifier\", \"password\": \"$password\"}}'"
    )
}

/// The sentence for an account that the backend did not let in.
fn refused(path: &str, answer: &Answer) -> String {
    let said = shape::message(&answer.json().unwrap_or_default());
    let said = said.map_or_else(String::new, |said| format!(" \"{said}\""));
    if says(&answer.text(), &["csrf", "origin"]) && answer.status == 403 {
        return format!(
            "{path} wants a token against forged requests (CSRF) before it reads a password ({}{said}): \
             write the request that fetches it as a step before the sign-in in a profile",
            answer.status
        );
    }
    format!(
        "{path} refuses the account ({}{said}): check --email and the password, and give the body with \
         --login-body if it takes other members",
        answer.status
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use vestibule_core::transport::HeaderMap;

    use super::super::survey::body_by;
    use super::*;

    fn answer(status: u16, body: Value) -> Answer {
        Answer {
            url: "http://a.example/login".parse().unwrap(),
            status,
            headers: HeaderMap::new(),
            body: body.to_string().into_bytes(),
        }
    }

    fn asked_by(names: &[&str]) -> Body {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        body_by(&names, false)
    }

    fn json_of(body: &Body) -> Value {
        Value::Object(body.members.clone())
    }

    #[test]
    fn a_refusal_that_names_members_says_what_to_send_next() {
        let sent = asked_by(&["email", "password"]);
        let misses = answer(
            422,
            json!({"detail": [{"loc": ["body", "username"], "msg": "Field required"}]}),
        );
        assert!(matches!(verdict(&misses, &sent), Verdict::Malformed));
        let next = next_forms(&misses, &sent, false).pop().unwrap();
        assert_eq!(
            json_of(&next),
            json!({"username": "$identifier", "password": "$password"})
        );

        let wants_more = answer(
            400,
            json!({"message": "fingerprint: missing", "errors": {"fingerprint": ["required"]}}),
        );
        let next = next_forms(&wants_more, &sent, false).pop().unwrap();
        assert_eq!(next.members["fingerprint"], "$device");
    }

    #[test]
    fn the_one_member_that_nobody_knows_names_the_person() {
        let sent = asked_by(&["email", "password"]);
        for body in [
            json!({"errors": [{"message": "Invalid payload. \"mm5\" is required."}]}),
            json!({"non_field_errors": ["Must include \"mm5\" and \"password\"."]}),
            json!({"mm5": ["This field may not be blank."]}),
            json!({"message": ["\"mm5\" should not be empty"]}),
            json!({"detail": [{"loc": ["body", "mm5"], "msg": "Field required"}]}),
        ] {
            let misses = answer(400, body.clone());
            assert!(
                matches!(verdict(&misses, &sent), Verdict::Malformed),
                "{body}"
            );
            let next = next_forms(&misses, &sent, false).pop().unwrap();
            let wanted = json!({"mm5": "$identifier", "password": "$password"});
            assert_eq!(json_of(&next), wanted, "{body}");
        }
        for body in [
            // Which of the two names the person is not said.
            json!({"a1": ["Required."], "b2": ["Required."]}),
            json!({"message": "\"mm5\" is not an account"}),
        ] {
            let refused = answer(400, body.clone());
            assert!(
                matches!(verdict(&refused, &sent), Verdict::Refused),
                "{body}"
            );
        }
    }

    #[test]
    fn what_misses_what_was_sent_reads_a_form() {
        let sent = asked_by(&["username", "password"]);
        let unread = answer(
            422,
            json!({"detail": [
            {"loc": ["body", "username"], "msg": "Field required"},
            {"loc": ["body", "password"], "msg": "Field required"}]}),
        );
        let next = next_forms(&unread, &sent, false).pop().unwrap();
        assert_eq!(next.encoding, Encoding::Form);
    }

    #[test]
    fn a_wrong_password_is_told_from_a_body_that_was_not_read() {
        let sent = asked_by(&["email", "password"]);
        for (status, body) in [
            (401, json!({"message": "Incorrect email or password"})),
            (
                400,
                json!({"error": {"message": "Invalid identifier or password"}}),
            ),
            (400, json!({"detail": "LOGIN_BAD_CREDENTIALS"})),
            (
                400,
                json!({"non_field_errors": ["Unable to log in with provided credentials."]}),
            ),
        ] {
            let refused = answer(status, body.clone());
            assert!(
                matches!(verdict(&refused, &sent), Verdict::Refused),
                "{body}"
            );
        }
        let client = answer(401, json!({"error": "invalid_client"}));
        assert!(lacks("/token", &client, &sent).contains("client_id"));
    }
}
