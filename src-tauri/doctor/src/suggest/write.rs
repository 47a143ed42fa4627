//! Writes a profile as text, for a person to read and correct.

use std::fmt::Write as _;

use serde_json::Value;
use vestibule_core::backend::Exchange;
use vestibule_core::profile::Profile;
use vestibule_core::wire::LoginInput;

use super::find::Found;

/// The text of a profile that reads what was found.
pub(super) fn toml(
    given: &Profile,
    exchange: &Exchange,
    found: &Found,
    input: &LoginInput,
) -> String {
    let mut text = String::new();
    let mut line = |written: String| {
        let _ = writeln!(text, "{written}");
    };
    line(
        "# Found by `vestibule doctor` in the answer to a sign-in. Lines marked ? are guesses."
            .into(),
    );
    line("schema = 1".into());
    line(format!(
        "backend = {}",
        quoted(given.backend.as_str().trim_end_matches('/'))
    ));
    let (body, names_device) = login_body(exchange, input);
    line("\n[cookies]".into());
    match &found.cookie {
        Some(name) => line(format!("refresh = [{}]", quoted(name))),
        None => line("refresh = []".into()),
    }
    if !names_device {
        line("device = false".into());
    }
    if found.user.is_none() {
        line("\n# The sign-in does not say who it is: ask another endpoint.".into());
        line("[session]\nuser_from = \"me\"".into());
        line("\n[endpoints.me]  # ?\nmethod = \"GET\"\npath = \"/me\"".into());
        line("headers = { authorization = \"Bearer $access_token\" }".into());
    }
    line("\n[endpoints.login]".into());
    line(format!("path = {}", quoted(&exchange.path)));
    line(format!("body = {body}"));
    let refresh_body = match &found.refresh {
        Some(pointer) => format!("{{ {} = \"$refresh_token\" }}", bare(&body_name(pointer))),
        None => "{}".into(),
    };
    for (name, path) in [("refresh", "/refresh-token"), ("logout", "/logout")] {
        line(format!("\n[endpoints.{name}]"));
        line(format!(
            "path = {}  # ?",
            quoted(&beside(&exchange.path, path))
        ));
        line(format!("body = {refresh_body}"));
    }
    for answer in ["login", "refresh"] {
        line(format!("\n[answer.{answer}]"));
        line(format!("user = {}", list(found.user.as_deref())));
        line(format!("access_token = {}", list(Some(&found.access))));
        line(format!(
            "refresh_token = {}",
            list(found.refresh.as_deref())
        ));
        let mut expires = Vec::new();
        if let Some((pointer, form)) = &found.expiry {
            expires.push(format!("{{ at = {}, as = \"{form}\" }}", quoted(pointer)));
        }
        if found.access_is_jwt {
            expires.push("{ as = \"jwt_exp\" }".into());
        }
        line(format!("expires = [{}]", expires.join(", ")));
    }
    if found.user.is_none() {
        line("\n[answer.me]\nuser = [\"\", \"/user\", \"/data\"]  # ?".into());
    }
    if !found.members.is_empty() {
        line("\n[user]".into());
        for (name, pointers) in &found.members {
            let pointers: Vec<String> = pointers.iter().map(|one| quoted(one)).collect();
            line(format!("{name} = [{}]", pointers.join(", ")));
        }
    }
    text
}

/// The body of the sign-in with placeholders in the place of its values, and whether it named a
/// device.
fn login_body(exchange: &Exchange, input: &LoginInput) -> (String, bool) {
    let sent = exchange.sent.as_ref();
    let sent = sent.and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let Some(Value::Object(members)) = sent else {
        return ("{}".into(), false);
    };
    let mut names_device = false;
    let members = members.iter().map(|(name, value)| {
        let value = match value {
            Value::String(text) if *text == input.email => "\"$identifier\"".into(),
            Value::String(text) if *text == input.password.secret() => "\"$password\"".into(),
            Value::String(text) => quoted(&text.replace('$', "$$")),
            Value::Object(_) => {
                names_device = true;
                "\"$device\"".into()
            }
            other => other.to_string(),
        };
        format!("{} = {value}", bare(name))
    });
    let members: Vec<String> = members.collect();
    (format!("{{ {} }}", members.join(", ")), names_device)
}

/// The name under which a refresh token is sent, guessed from its place in the answer: most
/// backends that answer with `/tokens/refresh/token` take it as `refreshToken`.
fn body_name(pointer: &str) -> String {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    if last.to_ascii_lowercase().contains("refresh") {
        last.to_owned()
    } else {
        "refreshToken".into()
    }
}

/// `/auth/login` and `/logout` give `/auth/logout`.
fn beside(login: &str, path: &str) -> String {
    let plain = login.split('?').next().unwrap_or_default();
    let folder = plain.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}{path}")
}

fn list(pointer: Option<&str>) -> String {
    match pointer {
        Some(pointer) => format!("[{}]", quoted(pointer)),
        None => "[]".into(),
    }
}

/// A JSON text is a TOML text.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A key, quoted where it must be.
fn bare(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_are_guessed_from_what_stood_there() {
        assert_eq!(beside("/auth/login", "/logout"), "/auth/logout");
        assert_eq!(beside("/login?x=1", "/logout"), "/logout");
        assert_eq!(body_name("/tokens/refresh/token"), "refreshToken");
        assert_eq!(body_name("/data/refresh_token"), "refresh_token");
        assert_eq!(bare("a b"), "\"a b\"");
    }
}
