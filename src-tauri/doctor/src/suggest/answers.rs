//! What a refusal says about the request that it refuses: which members it names, and whether two
//! answers are the same but for what each quotes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::guesses::plain;
use super::wire::Answer;

/// Members of a refusal under which validators name what they refuse.
const NAMING: [&str; 7] = [
    "path",
    "param",
    "field",
    "loc",
    "property",
    "instancepath",
    "pointer",
];

/// What a refusal says that wants a member.
pub(super) const WANTING_WORDS: [&str; 6] =
    ["required", "must", "should", "missing", "blank", "empty"];

/// Members of a refusal under which backends put its messages. Their names say nothing of the request.
const HOLDING: [&str; 8] = [
    "message", "messages", "error", "errors", "detail", "details", "issues", "reasons",
];

/// The names of members that a refusal speaks of, in its order; words of its sentences among them.
pub(super) fn named(answer: &Answer) -> Vec<String> {
    let mut names = members(answer);
    match answer.json() {
        Some(body) => sentences(&body, &mut names),
        None => names.extend(words_of(&answer.text())),
    }
    once(names)
}

/// The names that cannot be anything but members: keys with lists of problems, places that a validator
/// names, and what is quoted.
pub(super) fn members(answer: &Answer) -> Vec<String> {
    let mut names = Vec::new();
    match answer.json() {
        Some(body) => walk(&body, &mut names),
        None => names.extend(quoted_in(&answer.text())),
    }
    once(names)
}

fn once(mut names: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn sentences(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.extend(words_of(text)),
        Value::Array(items) => items.iter().for_each(|item| sentences(item, out)),
        Value::Object(members) => members.values().for_each(|member| sentences(member, out)),
        _ => {}
    }
}

fn walk(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.extend(quoted_in(text)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, out)),
        Value::Object(members) => {
            for (name, member) in members {
                let names_place = NAMING.contains(&plain(name).as_str());
                if names_place {
                    out.extend(last_step(member));
                }
                if is_name(name) && !names_place && lists_problems_of(name, member) {
                    out.push(name.clone());
                }
                walk(member, out);
            }
        }
        _ => {}
    }
}

/// Whether a member of a refusal lists what is wrong with the request's member of its name, as in
/// `{"email": ["This field is required."]}`. What quotes other members is about those.
fn lists_problems_of(name: &str, member: &Value) -> bool {
    let problems: Option<Vec<&str>> = member
        .as_array()
        .filter(|items| !items.is_empty())
        .and_then(|items| items.iter().map(Value::as_str).collect());
    let quoted = problems.map(|problems| {
        let quoted = problems.iter().flat_map(|problem| quoted_in(problem));
        quoted.collect::<Vec<_>>()
    });
    let is_about = |quoted: Vec<String>| quoted.is_empty() || quoted.iter().any(|it| it == name);
    quoted.is_some_and(is_about) && !HOLDING.contains(&plain(name).as_str())
}

/// The last part of a place: `["body", "username"]`, `/email`, `body.email`.
fn last_step(value: &Value) -> Option<String> {
    let text = match value {
        Value::Array(items) => items.last()?.as_str()?,
        Value::String(text) => text,
        _ => return None,
    };
    let last = text.rsplit(['/', '.']).next()?;
    is_name(last).then(|| last.to_owned())
}

/// The names that stand in quotes or brackets.
fn quoted_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '`', '[']) {
        let open = rest[at..].chars().next().unwrap_or('"');
        let close = if open == '[' { ']' } else { open };
        let inner = &rest[at + open.len_utf8()..];
        let Some(end) = inner.find(close) else { break };
        let name = inner[..end].rsplit(['.', '/']).next().unwrap_or_default();
        if is_name(name) {
            names.push(name.to_owned());
        }
        rest = &inner[end + close.len_utf8()..];
    }
    names
}

/// The words of a sentence that says that something is wanted.
fn words_of(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for sentence in text.split(['\n', ';', ',', '.', ':']) {
        let sentence = sentence.trim();
        let lower = sentence.to_lowercase();
        if WANTING_WORDS.iter().any(|word| lower.contains(word)) {
            let words = sentence.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
            names.extend(words.filter(|word| is_name(word)).map(str::to_owned));
        }
    }
    names
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    let starts = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    starts
        && text.len() <= 40
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// What is the same in two answers to different paths that a backend does not know: the status, the
/// type, and the words without those that quote the path or change with each answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    status: u16,
    kind: String,
    words: Vec<String>,
}

impl Signature {
    pub(super) fn of(answer: &Answer) -> Self {
        let path = answer.url.path().to_owned();
        let last = path.trim_end_matches('/').rsplit('/').next();
        let last = last.unwrap_or_default().to_owned();
        let text = answer.text().replace(&path, "").replace(&last, "");
        let words = text.split(|c: char| !c.is_alphanumeric());
        // What has a digit in it is an id or a time.
        let words = words.filter(|word| word.len() > 2 && word.chars().all(char::is_alphabetic));
        let words = words.map(str::to_lowercase);
        let kind = answer.header("content-type");
        let kind = kind.split(';').next();
        Self {
            status: answer.status,
            kind: kind.unwrap_or_default().to_owned(),
            words: if answer.is_page() {
                Vec::new()
            } else {
                words.take(60).collect()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vestibule_core::transport::HeaderMap;

    use super::*;

    fn refusal(body: &str) -> Answer {
        Answer {
            url: "http://a.example/x/login".parse().unwrap(),
            status: 400,
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn validators_name_members_in_many_ways() {
        for body in [
            json!({"detail": [{"loc": ["body", "username"], "msg": "Field required"}]}),
            json!({"username": ["This field is required."]}),
            json!({"message": "[body.username] Invalid input: expected string"}),
            json!({"error": {"details": {"errors": [{"path": ["username"], "message": "x"}]}}}),
            json!({"message": "\"username\" is required"}),
            json!({"message": ["username must be a string"]}),
            json!({"errors": [{"msg": "Invalid value", "param": "username"}]}),
            json!({"errors": [{"instancePath": "/username", "message": "bad"}]}),
            json!({"code": 201, "error": "username is required."}),
        ] {
            let named = named(&refusal(&body.to_string()));
            assert!(named.contains(&"username".to_owned()), "{body}: {named:?}");
        }
        assert!(named(&refusal("username is required")).contains(&"username".to_owned()));
    }

    #[test]
    fn an_answer_that_quotes_its_path_is_the_same_for_every_path() {
        let of = |path: &str, body: &str| {
            let mut answer = refusal(body);
            answer.url.set_path(path);
            Signature::of(&answer)
        };
        assert_eq!(
            of("/login", "Cannot POST /login"),
            of("/zz81", "Cannot POST /zz81")
        );
        assert_ne!(
            of("/login", "email wanted"),
            of("/zz81", "Cannot POST /zz81")
        );
    }
}
