//! An exchange in one line. It shows names and never values, except for the error message of the
//! backend.

use serde_json::Value;
use vestibule_core::backend::Exchange;
use vestibule_core::reading;
use vestibule_core::transport::{HeaderMap, Url};
use vestibule_core::{RefreshChange, RefreshCookie};

use crate::date;
use crate::mask::Masks;

/// How many members of an object are named.
const MEMBERS: usize = 8;
/// Stands between the request and the names of its cookies.
pub(crate) const COOKIES: &str = " + cookies ";
/// The longest text of a backend that is shown.
const WORDS: usize = 100;

/// What was sent: `POST /login {email, password, fingerprint} + device_fingerprint`.
pub(crate) fn sent(exchange: &Exchange) -> String {
    let mut text = format!("{} {}", exchange.method, exchange.path);
    let body = exchange.sent.as_ref();
    let body = body.and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    if let Some(body) = body {
        text.push(' ');
        text.push_str(&shape(&body, 1));
    } else if let Some(names) = exchange.sent.as_ref().and_then(|sent| form_names(sent)) {
        text.push_str(&format!(" {{{}}}", names.join(", ")));
    }
    if !exchange.cookies.is_empty() {
        text.push_str(COOKIES);
        text.push_str(&exchange.cookies.join(", "));
    }
    text
}

/// The names of the fields of a form; none if the bytes are no form.
fn form_names(bytes: &[u8]) -> Option<Vec<String>> {
    let is_of_forms = |byte: &u8| byte.is_ascii_graphic();
    if bytes.is_empty() || !bytes.iter().all(is_of_forms) || !bytes.contains(&b'=') {
        return None;
    }
    let fields = url::form_urlencoded::parse(bytes);
    Some(fields.map(|(name, _)| name.into_owned()).collect())
}

/// What came back: `200 {user{id, name}, tokens{token, expiresIn}}, sets __refresh_token`.
pub(crate) fn got(exchange: &Exchange, masks: &Masks, backend: &Url) -> String {
    let Some(status) = exchange.status else {
        let fault = exchange.fault.map(|fault| fault.to_string());
        return fault.unwrap_or_else(|| "no answer".into());
    };
    let mut text = status.to_string();
    if let Some(location) = location(exchange) {
        text.push_str(" to ");
        text.push_str(&masks.mask(&location));
    }
    match body(exchange) {
        _ if is_page(exchange) => text.push_str(" and a page (text/html)"),
        Some(body) if status >= 400 => text.push_str(&error(&body, masks)),
        Some(body) => {
            text.push(' ');
            text.push_str(&shape(&body, 2));
        }
        None if has_body(exchange) => text.push_str(" and something that is not JSON"),
        None => {}
    }
    if let Some(fault) = exchange.fault {
        text.push_str(&format!(", {fault}"));
    }
    let (set, deleted) = cookies(exchange, backend);
    for (does, names) in [("sets", set), ("deletes", deleted)] {
        if !names.is_empty() {
            text.push_str(&format!(", {does} {}", names.join(", ")));
        }
    }
    text
}

/// The JSON of an answer, if it is JSON.
pub(crate) fn body(exchange: &Exchange) -> Option<Value> {
    reading::json(exchange.body.as_ref()?)
}

/// Whether the answer has a body.
pub(crate) fn has_body(exchange: &Exchange) -> bool {
    let body = exchange.body.as_ref();
    body.is_some_and(|bytes| !reading::is_empty(bytes))
}

/// Whether the answer is a page for people: it says so, and its body, where that was read, is one.
pub(crate) fn is_page(exchange: &Exchange) -> bool {
    let body = exchange.body.as_ref();
    calls_itself_page(&exchange.headers) && body.is_none_or(|bytes| reading::is_markup(bytes))
}

/// Whether headers are those of a page for people.
pub(crate) fn calls_itself_page(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").map(reading::header_text);
    let kind = kind.unwrap_or_default().trim_start().to_ascii_lowercase();
    kind.starts_with("text/html")
}

/// Whether the answer is a redirect.
pub(crate) fn is_redirect(exchange: &Exchange) -> bool {
    matches!(exchange.status, Some(301 | 302 | 303 | 307 | 308))
}

/// The target of a redirect, without its query and fragment, which may contain a secret.
pub(crate) fn location(exchange: &Exchange) -> Option<String> {
    let location = exchange
        .headers
        .get("location")
        .filter(|_| is_redirect(exchange))?;
    let location = reading::address(location);
    let plain = location.split(['?', '#']).next().unwrap_or_default();
    Some(plain.chars().take(WORDS).collect())
}

/// The names of the cookies that an answer sets, and of those that it deletes, as the app reads them.
fn cookies(exchange: &Exchange, backend: &Url) -> (Vec<String>, Vec<String>) {
    let (mut set, mut deleted) = (Vec::new(), Vec::new());
    let now = date::sent_at(exchange).into();
    for line in exchange.headers.get_all("set-cookie") {
        let line = reading::header_text(line);
        let name = cookie_name(&line);
        match RefreshCookie::from_line(&line, backend, std::slice::from_ref(&name), now) {
            Some(RefreshChange::Delete(_)) => deleted.push(name),
            // One for another domain is set too, as far as the answer goes.
            Some(RefreshChange::Set(_)) | None => set.push(name),
        }
    }
    (set, deleted)
}

/// The name of the cookie in a `Set-Cookie` line.
pub(crate) fn cookie_name(line: &str) -> String {
    let name = line.split(['=', ';']).next().unwrap_or_default();
    name.trim().to_owned()
}

/// Whether a `Set-Cookie` line has an attribute, with or without a value (RFC 6265 §5.2.6).
pub(crate) fn has_attribute(line: &str, wanted: &str) -> bool {
    let mut attributes = line.split(';').skip(1);
    attributes.any(|one| {
        let name = one.split('=').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case(wanted)
    })
}

/// The message of a refusal, cut to a length that fits a sentence.
pub(crate) fn message(body: &Value) -> Option<String> {
    let found = MESSAGES.iter().find_map(|at| body.pointer(at)?.as_str())?;
    Some(found.chars().take(WORDS).collect())
}

/// Where backends commonly write a message for people.
const MESSAGES: [&str; 6] = [
    "/message",
    "/msg",
    "/errors/0/message",
    "/error/message",
    "/error",
    "/detail",
];

/// The error in an answer, in the words of the backend.
fn error(body: &Value, masks: &Masks) -> String {
    let word = |pointers: &[&str]| {
        let found = pointers.iter().find_map(|at| body.pointer(at)?.as_str());
        found.map(|text| {
            let masked = masks.mask(text);
            match masked.char_indices().nth(WORDS) {
                Some((at, _)) => format!("{}…", &masked[..at]),
                None => masked,
            }
        })
    };
    let code = word(&[
        "/code",
        "/error_code",
        "/errors/0/extensions/code",
        "/error/code",
    ]);
    let message = word(&MESSAGES);
    match (code, message) {
        (Some(code), Some(message)) => format!(" {code} \"{message}\""),
        (Some(code), None) => format!(" {code}"),
        (None, Some(message)) => format!(" \"{message}\""),
        (None, None) => format!(" {}", shape(body, 1)),
    }
}

/// The names in a JSON value, down to a depth.
pub(crate) fn shape(value: &Value, depth: usize) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".into(),
        Value::Object(_) if depth == 0 => "{…}".into(),
        Value::Object(members) => {
            // Sorted, because a feature of serde_json that another crate may turn on decides
            // whether members keep their order.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|one, other| one.0.cmp(other.0));
            let named = members
                .iter()
                .take(MEMBERS)
                .map(|(name, member)| match member {
                    Value::Object(_) if depth > 1 => format!("{name}{}", shape(member, depth - 1)),
                    _ => (*name).clone(),
                });
            let mut names: Vec<String> = named.collect();
            if members.len() > MEMBERS {
                names.push("…".into());
            }
            format!("{{{}}}", names.join(", "))
        }
        Value::Array(items) => match items.first() {
            Some(first) => format!("[{}] × {}", shape(first, depth), items.len()),
            None => "[]".into(),
        },
        Value::Null => "null".into(),
        Value::Bool(_) => "a boolean".into(),
        Value::Number(_) => "a number".into(),
        Value::String(_) => "a text".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_shape_holds_names_and_no_values() {
        let body = json!({"user": {"id": 7, "name": "Ann"}, "tokens": {"token": "t-1"}, "n": [1]});
        assert_eq!(shape(&body, 2), "{n, tokens{token}, user{id, name}}");
        assert_eq!(shape(&body, 1), "{n, tokens, user}");
        assert_eq!(shape(&json!([{"a": 1}, {}]), 1), "[{a}] × 2");
        assert_eq!(shape(&json!("secret"), 1), "a text");
    }

    #[test]
    fn cookies_are_read_as_the_app_reads_them() {
        let mut headers = HeaderMap::new();
        for line in [
            "a=dG9rZW4=; Path=/; HttpOnly=true",
            "b=gone; Expires=Thu, 1 Jan 1970 00:00:00 UTC",
            "c=; Path=/",
            "d=kept; Max-Age=60",
            "e=gone; max-age=0",
        ] {
            headers.append("set-cookie", line.parse().unwrap());
        }
        let exchange = Exchange {
            method: "POST".into(),
            path: "/login".into(),
            cookies: Vec::new(),
            sent: None,
            answered_at: std::time::SystemTime::now(),
            took: std::time::Duration::ZERO,
            status: Some(200),
            headers,
            body: None,
            fault: None,
        };
        let backend = "https://a.example".parse().unwrap();
        let (set, deleted) = cookies(&exchange, &backend);
        assert_eq!(
            (set, deleted),
            (
                vec!["a".into(), "d".into()],
                vec!["b".into(), "c".into(), "e".into()]
            )
        );
        assert!(has_attribute("a=b; HttpOnly=true", "HttpOnly"));
        assert!(!has_attribute("HttpOnly=b; Path=/", "HttpOnly"));
    }

    #[test]
    fn an_error_is_told_in_the_backends_words_without_secrets() {
        let mut masks = Masks::default();
        masks.hide("hunter22", "password");
        let body = json!({"code": "BAD", "message": "hunter22 is not right"});
        assert_eq!(error(&body, &masks), " BAD \"<password> is not right\"");
        assert_eq!(error(&json!({"detail": 1}), &masks), " {detail}");
        let long = json!({"message": "ü".repeat(300)});
        assert!(error(&long, &masks).chars().count() < 120);
    }
}
