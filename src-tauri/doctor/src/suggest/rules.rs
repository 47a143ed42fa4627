//! Rules made of answers that were seen: by a code or a text of theirs, never by a bad request's mere
//! status, because a proxy or a mistake of ours gets the same.

use serde_json::Value;

use super::draft::{Rule, inline, quoted};
use super::learn::walk;
use super::wire::Answer;

/// The longest text that a rule compares.
const LONGEST: usize = 120;

/// What tells an answer from others, as conditions of a rule.
///
/// `others` are answers that must not be taken for it. None where nothing but the status tells it, and
/// the status alone does not say enough.
pub(super) fn conditions(answer: &Answer, others: &[&Answer], own: &[&str]) -> Option<Rule> {
    let mut rule: Rule = vec![("status", answer.status.to_string())];
    let text = answer.text();
    if let Some(body) = answer.json() {
        if body.is_null() {
            rule.push(("pointer", quoted("")));
            rule.push(("absent", "true".into()));
            return Some(rule);
        }
        if let Some((pointer, value)) = telling(&body, others, own) {
            rule.push(("pointer", quoted(&pointer)));
            rule.push(("equals", inline(&value)));
            return Some(rule);
        }
    } else if !text.trim().is_empty() && !answer.is_page() {
        let line = text.lines().next().unwrap_or_default().trim();
        let is_told_apart = others.iter().all(|other| !other.text().contains(line));
        if line.len() <= LONGEST && !has_own(line, own) && is_told_apart {
            rule.push(("contains", quoted(line)));
            return Some(rule);
        }
    }
    if answer.header("www-authenticate").contains("invalid_token") {
        rule.push(("header", quoted("www-authenticate")));
        rule.push(("contains", quoted("invalid_token")));
        return Some(rule);
    }
    match answer.status {
        401 => {
            if text.trim().is_empty() {
                rule.push(("empty", "true".into()));
            }
            Some(rule)
        }
        _ => None,
    }
}

/// Whether a text has something of this person or this try.
fn has_own(text: &str, own: &[&str]) -> bool {
    own.iter().any(|own| !own.is_empty() && text.contains(own))
}

/// A place whose value tells the answer: a code for programs, else a sentence.
fn telling(body: &Value, others: &[&Answer], own: &[&str]) -> Option<(String, Value)> {
    let mut leaves = Vec::new();
    walk(body, String::new(), &mut Vec::new(), &mut leaves);
    let others: Vec<Value> = others.iter().filter_map(|answer| answer.json()).collect();
    let is_free = |pointer: &str, text: &str| {
        !others
            .iter()
            .any(|other| other.pointer(pointer).and_then(Value::as_str) == Some(text))
    };
    let mut best: Option<(u32, String, Value)> = None;
    for leaf in &leaves {
        let Some(text) = leaf.value.as_str() else {
            continue;
        };
        let changes = [
            "time", "stamp", "path", "id", "trace", "request", "instance", "date",
        ];
        let is_moving = changes.iter().any(|word| leaf.name().ends_with(word));
        if text.is_empty()
            || text.len() > LONGEST
            || has_own(text, own)
            || is_moving
            || !is_free(&leaf.pointer, text)
        {
            continue;
        }
        let is_code = !text.contains(char::is_whitespace);
        let named = [
            "code",
            "error",
            "errorcode",
            "detail",
            "reason",
            "type",
            "name",
        ];
        let is_named = named.contains(&leaf.name());
        let is_message = ["message", "msg", "errordescription"].contains(&leaf.name());
        let score = match (is_code, is_named, is_message) {
            (true, true, _) => 5,
            (true, ..) => 4,
            (_, _, true) => 3,
            (_, true, _) => 2,
            _ => 1,
        };
        if best.as_ref().is_none_or(|(held, ..)| score > *held) {
            best = Some((score, leaf.pointer.clone(), leaf.value.clone()));
        }
    }
    best.map(|(_, pointer, value)| (pointer, value))
}

/// The places of message and code in a refusal.
pub(super) fn places(answer: &Answer) -> (Vec<String>, Vec<String>) {
    let Some(body) = answer.json() else {
        return (Vec::new(), Vec::new());
    };
    let mut leaves = Vec::new();
    walk(&body, String::new(), &mut Vec::new(), &mut leaves);
    let (mut messages, mut codes) = (Vec::new(), Vec::new());
    for leaf in &leaves {
        let Some(text) = leaf.value.as_str() else {
            continue;
        };
        match text.contains(char::is_whitespace) {
            true => messages.push(leaf.pointer.clone()),
            false if ["code", "error", "errorcode", "detail"].contains(&leaf.name()) => {
                codes.push(leaf.pointer.clone());
            }
            false => {}
        }
    }
    messages.truncate(2);
    codes.truncate(1);
    (messages, codes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vestibule_core::transport::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            url: "http://a.example/refresh".parse().unwrap(),
            status,
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn keys(rule: &Rule) -> Vec<&str> {
        rule.iter().map(|(key, _)| *key).collect()
    }

    #[test]
    fn a_rule_names_a_code_or_a_text_and_never_a_bad_request_alone() {
        let of = |status, body: Value| conditions(&answer(status, &body.to_string()), &[], &[]);
        let code = of(400, json!({"error": "invalid_grant", "message": "is dead"})).unwrap();
        assert_eq!(code[2], ("equals", "\"invalid_grant\"".into()));
        let sentence = of(400, json!({"message": "Token is dead"})).unwrap();
        assert_eq!(sentence[1], ("pointer", "\"/message\"".into()));
        assert_eq!(of(400, json!({"n": 1})), None, "nothing but a status");
        assert_eq!(conditions(&answer(403, ""), &[], &[]), None);
        let silent = conditions(&answer(401, ""), &[], &[]).unwrap();
        assert_eq!(keys(&silent), ["status", "empty"]);
        let over = conditions(&answer(200, "null"), &[], &[]).unwrap();
        assert_eq!(keys(&over), ["status", "pointer", "absent"]);
        let text = conditions(&answer(401, "Unauthorized"), &[], &[]).unwrap();
        assert_eq!(keys(&text), ["status", "contains"]);
    }

    #[test]
    fn what_another_answer_says_too_tells_nothing() {
        let empty = answer(
            400,
            r#"{"error": {"name": "ValidationError", "message": "2 errors"}}"#,
        );
        let wrong = answer(
            400,
            r#"{"error": {"name": "ValidationError", "message": "Invalid password"}}"#,
        );
        let rule = conditions(&wrong, &[&empty], &[]).unwrap();
        assert_eq!(rule[1], ("pointer", "\"/error/message\"".into()));
        let own = answer(400, r#"{"message": "no account ann@example.com"}"#);
        assert_eq!(conditions(&own, &[], &["ann@example.com"]), None);
    }
}
