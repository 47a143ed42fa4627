//! A profile under way, and how it is written: the text that is printed is the text that was loaded
//! and proved.

use std::fmt::Write as _;

use serde_json::Value;
use vestibule_core::profile::{Layer, Profile, load};

use super::body::{Body, Encoding};
use super::search::Call;
use super::user::UserPlace;

/// Where things stand in one answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields {
    pub user: Option<String>,
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
    pub access_header: Option<String>,
    pub refresh_header: Option<String>,
    pub expires: Vec<(String, &'static str)>,
    /// Whether the access token is a JWT that says when it ends.
    pub is_jwt: bool,
}

/// A rule, as it is written: pairs of key and TOML value.
pub(super) type Rule = Vec<(&'static str, String)>;

/// The profile so far.
#[derive(Clone)]
pub(super) struct Draft {
    pub backend: String,
    pub headers: Vec<(String, String)>,
    pub is_name: bool,
    pub cookies: Vec<String>,
    pub with_api: bool,
    pub user_from: &'static str,
    pub single_token: bool,
    pub login: Call,
    pub refresh: Option<Call>,
    pub me: Option<Call>,
    pub sign_out: Option<Call>,
    pub login_fields: Fields,
    pub refresh_fields: Fields,
    /// Where the user stands in the answer of `me`.
    pub me_user: Option<String>,
    pub user: Option<UserPlace>,
    /// How API calls carry the access token.
    pub api_header: Option<(String, String)>,
    pub code: Vec<String>,
    pub message: Vec<String>,
    pub ends: Vec<Rule>,
    pub errors: Vec<Rule>,
    pub signed_out: Vec<Rule>,
}

impl Draft {
    /// The profile as the app loads it.
    pub(super) fn profile(&self) -> Result<Profile, String> {
        let layer = Layer::text("profile.toml", &self.toml()).map_err(|error| error.to_string())?;
        load(&[layer]).map_err(|error| error.to_string())
    }

    /// The text of the profile's file.
    pub(super) fn toml(&self) -> String {
        let mut text = String::new();
        let mut line = |written: String| {
            let _ = writeln!(text, "{written}");
        };
        line(
            "# Written by `vestibule doctor`, which has signed in, renewed and signed out with it."
                .into(),
        );
        line("schema = 1\nextends = \"nothing\"".into());
        line(format!(
            "backend = {}",
            quoted(self.backend.trim_end_matches('/'))
        ));
        if self.is_name {
            line("identifier = \"name\"".into());
        }
        if !self.headers.is_empty() {
            line("\n[headers]".into());
            for (name, value) in &self.headers {
                line(format!("{} = {}", bare(name), quoted(value)));
            }
        }
        line("\n[cookies]".into());
        line(format!("refresh = {}", list(&self.cookies)));
        if self.with_api {
            line("with_api = true".into());
        }
        line("\n[session]".into());
        line(format!("user_from = {}", quoted(self.user_from)));
        if self.single_token {
            line("single_token = true".into());
        }
        for (name, call) in [
            ("login", Some(&self.login)),
            ("refresh", self.refresh.as_ref()),
            ("me", self.me.as_ref()),
            ("logout", self.sign_out.as_ref()),
        ] {
            if let Some(call) = call {
                line(endpoint(name, call));
            }
        }
        if !self.code.is_empty() || !self.message.is_empty() {
            line("\n[answer]".into());
            line(format!("message = {}", list(&self.message)));
            line(format!("code = {}", list(&self.code)));
        }
        line(format!("\n[answer.login]\n{}", fields(&self.login_fields)));
        if self.refresh.is_some() {
            line(format!(
                "\n[answer.refresh]\n{}",
                fields(&self.refresh_fields)
            ));
        }
        if let Some(pointer) = &self.me_user {
            line(format!("\n[answer.me]\nuser = [{}]", quoted(pointer)));
        }
        if let Some(user) = &self.user {
            line("\n[user]".into());
            for (name, pointers) in &user.members {
                line(format!("{name} = {}", list(pointers)));
            }
        }
        for (name, rules) in [
            ("ends", &self.ends),
            ("errors", &self.errors),
            ("signed_out", &self.signed_out),
        ] {
            for rule in rules {
                line(format!("\n[[{name}]]"));
                for (key, value) in rule {
                    line(format!("{key} = {value}"));
                }
            }
        }
        line("\n# What pages may call with the session: list the paths of your API here.".into());
        line("[api]\nallow = []".into());
        if let Some((name, value)) = &self.api_header {
            line(format!(
                "headers = {{ {} = {} }}",
                bare(name),
                quoted(value)
            ));
        }
        text
    }
}

fn endpoint(name: &str, call: &Call) -> String {
    let mut text = format!("\n[endpoints.{name}]");
    if call.method.as_str() != "POST" {
        let _ = write!(text, "\nmethod = \"{}\"", call.method);
    }
    let _ = write!(text, "\npath = {}", quoted(&call.path));
    if !call.headers.is_empty() {
        let pairs = call.headers.iter();
        let pairs = pairs.map(|(name, value)| format!("{} = {}", bare(name), quoted(value)));
        let _ = write!(
            text,
            "\nheaders = {{ {} }}",
            pairs.collect::<Vec<_>>().join(", ")
        );
    }
    if let Some(Body { members, encoding }) = &call.body {
        if *encoding == Encoding::Form {
            text.push_str("\nencoding = \"form\"");
        }
        let _ = write!(text, "\nbody = {}", inline(&Value::Object(members.clone())));
    }
    text
}

fn fields(fields: &Fields) -> String {
    let mut text = format!("user = {}", list(fields.user.as_slice()));
    for (key, pointer, header) in [
        ("access_token", &fields.access_token, &fields.access_header),
        (
            "refresh_token",
            &fields.refresh_token,
            &fields.refresh_header,
        ),
    ] {
        let header = header.as_ref().map(|name| format!("header:{name}"));
        let place = pointer.clone().or(header);
        let _ = write!(text, "\n{key} = {}", list(place.as_slice()));
    }
    let mut expires: Vec<String> = fields
        .expires
        .iter()
        .map(|(pointer, form)| format!("{{ at = {}, as = \"{form}\" }}", quoted(pointer)))
        .collect();
    if fields.is_jwt {
        expires.push("{ as = \"jwt_exp\" }".into());
    }
    let _ = write!(text, "\nexpires = [{}]", expires.join(", "));
    text
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}

/// A value in one line of TOML.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".into(),
        Value::Object(members) => {
            let members = members.iter();
            let members =
                members.map(|(name, value)| format!("{} = {}", bare(name), inline(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A TOML text: as in JSON, and with what a terminal would act upon as escapes, which TOML reads back.
pub(super) fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if crate::shown::is_unsafe(letter) {
            let _ = write!(out, "\\U{:08X}", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    out
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
    fn a_name_with_escapes_is_written_as_escapes_and_read_back() {
        let name = "a\u{1b}[31m\u{202e}\u{200b}\u{9b}b";
        let written = quoted(name);
        assert!(!written.chars().any(crate::shown::is_unsafe), "{written}");
        let text = format!("schema = 1\nname = {written}");
        let layer = Layer::text("p.toml", &text).expect("TOML");
        let profile = load(&[layer]).expect("a profile");
        assert_eq!(profile.name, name);
    }
}
