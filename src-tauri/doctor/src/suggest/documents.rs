//! What a backend says of itself: OpenAPI documents, `OpenID` and `OAuth` discovery, and forms of web
//! pages. They name paths, members and encodings, whatever these are called.

use serde_json::{Map, Value};

use super::body::{Body, Encoding};
use super::guesses::{self, Use, use_of};
use super::wire::Answer;

/// How deep references of a document are followed.
const DEPTH: usize = 6;
/// The most members of a body that signs in.
const MOST_MEMBERS: usize = 12;

/// What a call seems to be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    SignIn,
    Refresh,
    Me,
    SignOut,
}

/// A call that a document names.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub purpose: Purpose,
    pub method: String,
    /// From the root of the origin.
    pub path: String,
    pub body: Option<Body>,
}

/// Whether an answer is a description of the backend, or a page.
pub(super) fn is_one(answer: &Answer) -> bool {
    let has = |name: &str| answer.json().is_some_and(|body| body.get(name).is_some());
    answer.is_page() || has("paths") || has("token_endpoint")
}

/// The calls that a document or a page names.
pub(super) fn read(answer: &Answer) -> Vec<Told> {
    if !answer.is_success() {
        return Vec::new();
    }
    if answer.is_page() {
        return forms(&answer.text(), answer.url.path());
    }
    let Some(document) = answer.json() else {
        return Vec::new();
    };
    match document.get("paths").and_then(Value::as_object) {
        Some(paths) => operations(&document, paths),
        None => discovery(&document),
    }
}

/// `OpenID` discovery (RFC 8414 names the same members).
fn discovery(document: &Value) -> Vec<Told> {
    let path_at = |name: &str| {
        let url = document.get(name)?.as_str()?;
        Some(url::Url::parse(url).ok()?.path().to_owned())
    };
    let grants = document.get("grant_types_supported");
    let grants = grants.and_then(Value::as_array);
    let has = |grant: &str| grants.is_none_or(|all| all.iter().any(|one| one == grant));
    let mut told = Vec::new();
    if let Some(path) = path_at("token_endpoint") {
        let form = Body::new(Encoding::Form);
        if has("password") {
            let body = form.clone().with("grant_type", "password");
            let mut body = body.with("username", "$identifier");
            let scopes = document.get("scopes_supported").and_then(Value::as_array);
            if scopes.is_some_and(|all| all.iter().any(|one| one == "openid")) {
                // Without it nothing says who has signed in (OpenID Connect Core §3.1.2.1).
                body = body.with("scope", "openid");
            }
            told.push(Told {
                purpose: Purpose::SignIn,
                method: "POST".into(),
                path: path.clone(),
                body: Some(body.with("password", "$password")),
            });
        }
    }
    for (name, purpose, method) in [
        ("userinfo_endpoint", Purpose::Me, "GET"),
        ("revocation_endpoint", Purpose::SignOut, "POST"),
    ] {
        told.extend(path_at(name).map(|path| Told {
            purpose,
            method: method.into(),
            path,
            body: None,
        }));
    }
    told
}

fn operations(document: &Value, paths: &Map<String, Value>) -> Vec<Told> {
    let server = document.pointer("/servers/0/url").and_then(Value::as_str);
    let server = server.or_else(|| document.get("basePath").and_then(Value::as_str));
    // A server may be a whole address or a path.
    let below = server.unwrap_or_default();
    let below = match url::Url::parse(below) {
        Ok(url) => url.path().to_owned(),
        Err(_) => below.to_owned(),
    };
    let below = below.trim_end_matches('/');
    let mut told = Vec::new();
    for (path, methods) in paths {
        let Some(methods) = methods.as_object() else {
            continue;
        };
        for (method, operation) in methods {
            if path.contains('{') || !operation.is_object() {
                continue;
            }
            let body = body_of(document, operation);
            let method = method.to_uppercase();
            let words = words_of(path, operation);
            if let Some(purpose) = purpose(&method, &words, body.as_ref()) {
                told.push(Told {
                    purpose,
                    method,
                    path: format!("{below}{path}"),
                    body,
                });
            }
        }
    }
    told
}

/// The path and what the document says about the call, in small letters.
fn words_of(path: &str, operation: &Value) -> String {
    let of = |name: &str| operation.get(name).and_then(Value::as_str);
    let said = [of("operationId"), of("summary")];
    let said: Vec<&str> = said.into_iter().flatten().collect();
    format!("{path} {}", said.join(" ")).to_lowercase()
}

fn purpose(method: &str, words: &str, body: Option<&Body>) -> Option<Purpose> {
    let has = |wanted: &[&str]| wanted.iter().any(|word| words.contains(word));
    // What changes an account takes a password too.
    let is_other = has(&[
        "register",
        "signup",
        "sign-up",
        "sign_up",
        "reset",
        "forgot",
        "change",
        "verify",
        "confirm",
        "create user",
        "password/",
        "invite",
    ]);
    let has_password = body.is_some_and(|body| body.holds("$password"));
    let signs_in = body.is_some_and(|body| body.holds("$identifier")) && has_password;
    match method {
        "POST" if signs_in && !is_other => Some(Purpose::SignIn),
        "POST" | "PUT" if has(&["refresh", "renew", "rotate"]) => Some(Purpose::Refresh),
        "POST" | "DELETE"
            if has(&[
                "logout", "log-out", "log_out", "signout", "sign-out", "sign_out", "revoke",
            ]) =>
        {
            Some(Purpose::SignOut)
        }
        "GET"
            if has(&[
                "/me",
                "current user",
                "current_user",
                "whoami",
                "userinfo",
                "profile",
            ]) =>
        {
            Some(Purpose::Me)
        }
        _ => None,
    }
}

/// The body that a call takes, with placeholders where its members are known.
fn body_of(document: &Value, operation: &Value) -> Option<Body> {
    let content = operation
        .get("requestBody")
        .map(|body| resolved(document, body))?;
    let content = content.get("content")?.as_object()?;
    let (encoding, schema) = [Encoding::Json, Encoding::Form]
        .iter()
        .find_map(|encoding| {
            let mut kinds = content.iter();
            let (_, held) = kinds.find(|(kind, _)| kind.starts_with(encoding.content_type()))?;
            Some((*encoding, held.get("schema")?))
        })?;
    let schema = resolved(document, schema);
    let properties = schema.get("properties")?.as_object()?;
    if properties.len() > MOST_MEMBERS {
        return None;
    }
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let mut body = Body::new(encoding);
    let mut unknown = Vec::new();
    for (name, property) in properties {
        let property = resolved(document, property);
        let is_password = property
            .get("format")
            .is_some_and(|format| format == "password");
        let is_secret_of_client = guesses::plain(name).contains("client");
        match use_of(name) {
            Some(Use::Password) => body = body.with(name, "$password"),
            _ if is_password && !is_secret_of_client => body = body.with(name, "$password"),
            // Where several may name the person, the one that must be there does.
            Some(Use::Identifier) if body.holds("$identifier") && !is_required(name) => {}
            Some(Use::Identifier) => {
                if is_required(name)
                    || required.is_none()
                    || !any_identifier(properties, &is_required)
                {
                    body = body.with(name, "$identifier");
                }
            }
            Some(Use::RefreshToken) => body = body.with(name, "$refresh_token"),
            Some(Use::Device) => body = body.with(name, "$device"),
            Some(Use::DeviceId) => body = body.with(name, "$device_id"),
            Some(Use::AccessToken) | None => {
                if let Some(value) = fixed(name, property) {
                    body = body.with(name, value);
                } else if is_required(name) {
                    unknown.push(name);
                }
            }
        }
    }
    // Beside a password, the one member that must be there and that nobody knows names the person.
    if let [name] = unknown.as_slice()
        && body.holds("$password")
        && !body.holds("$identifier")
    {
        body = body.with(name, "$identifier");
    }
    Some(body)
}

fn any_identifier(properties: &Map<String, Value>, is_required: &impl Fn(&str) -> bool) -> bool {
    let mut names = properties.keys();
    names.any(|name| use_of(name) == Some(Use::Identifier) && is_required(name))
}

/// The one value that a member may have.
fn fixed(name: &str, property: &Value) -> Option<Value> {
    let one = property.get("const").cloned();
    let of_list = property.get("enum").and_then(Value::as_array);
    let of_list = of_list
        .filter(|all| all.len() == 1)
        .map(|all| all[0].clone());
    let pattern = property.get("pattern").and_then(Value::as_str);
    let pattern = pattern.map(|text| text.trim_matches(['^', '$']).to_owned());
    let plain = pattern.filter(|text| !text.is_empty() && text.chars().all(char::is_alphanumeric));
    one.or(of_list)
        .or(plain.map(Value::from))
        .or_else(|| guesses::constant_of(name).map(Value::from))
}

/// The value, or what its reference leads to within the document.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..DEPTH {
        let only = value.get("allOf").and_then(Value::as_array);
        let only = only.filter(|all| all.len() == 1).map(|all| &all[0]);
        let target = value.get("$ref").and_then(Value::as_str);
        let target = target.and_then(|target| document.pointer(target.strip_prefix('#')?));
        match target.or(only) {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}

/// The forms of a page that ask for a password.
fn forms(page: &str, at: &str) -> Vec<Told> {
    let lower = page.to_ascii_lowercase();
    let mut told = Vec::new();
    let mut from = 0;
    while let Some(start) = lower[from..].find("<form").map(|found| found + from) {
        let end = lower[start..]
            .find("</form")
            .map_or(page.len(), |found| found + start);
        from = end.max(start + 5);
        told.extend(form(&page[start..end], at));
    }
    told
}

fn form(text: &str, at: &str) -> Option<Told> {
    let mut tags = text.split('<').skip(1);
    let head = tags.next()?;
    let action = attribute(head, "action").filter(|action| !action.is_empty());
    let action = action.unwrap_or_else(|| at.to_owned());
    // A form that leads to another origin gets no password.
    let path = match action.starts_with('/') && !action.starts_with("//") {
        true => action,
        false if !action.contains(':') && !action.starts_with('/') => {
            let folder = at.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{action}")
        }
        false => return None,
    };
    let mut body = Body::new(Encoding::Form);
    let mut text_before = None;
    for tag in tags.filter(|tag| tag.to_ascii_lowercase().starts_with("input")) {
        let Some(name) = attribute(tag, "name") else {
            continue;
        };
        match attribute(tag, "type")
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "password" => body = body.with(&name, "$password"),
            "text" | "email" | "" if text_before.is_none() => text_before = Some(name),
            _ => {}
        }
    }
    let is_one = body.members.len() == 1;
    let body = body.with(&text_before?, "$identifier");
    is_one.then_some(Told {
        purpose: Purpose::SignIn,
        method: "POST".into(),
        path,
        body: Some(body),
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let at = lower.match_indices(name).find(|(at, _)| {
        let before = tag[..*at].chars().next_back();
        before.is_some_and(char::is_whitespace)
            && tag[at + name.len()..].trim_start().starts_with('=')
    })?;
    let value = tag[at.0 + name.len()..]
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let value = match quote {
        Some(quote) => value[1..].split(quote).next()?,
        None => value.split([' ', '>', '\n', '\t']).next()?,
    };
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vestibule_core::transport::HeaderMap;

    use super::*;

    fn answer(kind: &str, body: String) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", kind.parse().unwrap());
        Answer {
            url: "http://a.example/login".parse().unwrap(),
            status: 200,
            headers,
            body: body.into_bytes(),
        }
    }

    #[test]
    fn a_document_names_the_sign_in_whatever_it_is_called() {
        let document = json!({
            "servers": [{"url": "https://a.example/base"}],
            "paths": {
                "/zz1": {"post": {"operationId": "q", "requestBody": {"content": {
                    "application/x-www-form-urlencoded": {"schema": {"$ref": "#/c/In"}}}}}},
                "/register": {"post": {"requestBody": {"content": {
                    "application/json": {"schema": {"$ref": "#/c/In"}}}}}},
                "/zz2": {"post": {"operationId": "refresh_session"}},
            },
            "c": {"In": {"required": ["who", "what"], "properties": {
                "who": {"type": "string"},
                "what": {"type": "string", "format": "password"},
                "client_secret": {"type": "string", "format": "password"},
                "grant_type": {"pattern": "^password$"},
            }}},
        });
        let told = read(&answer("application/json", document.to_string()));
        let login = told
            .iter()
            .find(|one| one.purpose == Purpose::SignIn)
            .unwrap();
        assert_eq!(login.path, "/base/zz1");
        let body = login.body.as_ref().unwrap();
        assert_eq!(body.encoding, Encoding::Form);
        assert_eq!(
            Value::Object(body.members.clone()),
            json!({"who": "$identifier", "what": "$password", "grant_type": "password"})
        );
        assert!(
            told.iter()
                .any(|one| one.purpose == Purpose::Refresh && one.path == "/base/zz2")
        );
        assert!(!told.iter().any(|one| one.path.contains("register")));
    }

    #[test]
    fn a_form_of_a_page_names_it_too() {
        let page = r#"<FORM method=post action="/in"><input name="u"><input type=password name='p'>
                      </FORM><form action="https://other.example/x"><input name=u>
                      <input type=password name=p></form>"#;
        let told = read(&answer("text/html; charset=utf-8", page.into()));
        assert_eq!(told.len(), 1, "no other origin: {told:?}");
        assert_eq!(told[0].path, "/in");
        let body = told[0].body.clone().unwrap();
        assert_eq!(
            Value::Object(body.members),
            json!({"u": "$identifier", "p": "$password"})
        );
    }
}
