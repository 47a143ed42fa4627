//! Which profile fits an answer that was seen: a shipped one, or one that is written here, with
//! the places at which things were found. Pure, and nothing is suggested that the core itself
//! does not read as it should.

mod find;
mod write;

use serde::Serialize;
use serde_json::{Value, json};
use vestibule_core::backend::Exchange;
use vestibule_core::profile::{Layer, Profile, SHIPPED, load};
use vestibule_core::reply::Reply;
use vestibule_core::wire::LoginInput;

/// What to put into the app's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Suggestion {
    /// Too little was seen.
    None,
    /// The profile that was given.
    Fits {
        /// Its name.
        profile: String,
    },
    /// A shipped one.
    Shipped {
        /// What `profile` and `extends` call it.
        name: String,
        /// Why.
        how: String,
    },
    /// A file.
    Written {
        /// Its text.
        toml: String,
        /// How it was come by.
        how: String,
    },
}

/// By the answer to a sign-in that the given profile, or another, has sent.
pub fn by_answer(
    given: &Profile,
    exchange: &Exchange,
    body: &Value,
    input: &LoginInput,
) -> Suggestion {
    let cookies = cookie_names(exchange);
    for shipped in SHIPPED {
        let value = json!({"extends": shipped.name, "backend": given.backend.as_str()});
        let Ok(profile) = Profile::from_json(value) else {
            continue;
        };
        if profile.name != given.name && reads(&profile, body, &cookies, exchange) {
            return Suggestion::Shipped {
                name: shipped.name.into(),
                how:
                    "the answer to the sign-in reads as it says (where its paths differ, say them \
                      in `endpoints`)"
                        .into(),
            };
        }
    }
    let found = find::find(body, &cookies);
    let Some(found) = found else {
        return Suggestion::None;
    };
    let toml = write::toml(given, exchange, &found, input);
    let Ok(layer) = Layer::text("profile.toml", &toml) else {
        return Suggestion::None;
    };
    match load(&[layer]) {
        Ok(profile) if reads(&profile, body, &cookies, exchange) => Suggestion::Written {
            toml,
            how: "No shipped profile fits the answer to the sign-in; this one reads it".into(),
        },
        _ => Suggestion::None,
    }
}

/// The contract, for a backend that refuses members that it does not know.
pub fn without_device(given: &Profile) -> Suggestion {
    let backend = given.backend.as_str();
    Suggestion::Written {
        toml: format!(
            "schema = 1\nbackend = \"{backend}\"\n\n[cookies]\ndevice = false\n\n\
             # It refuses `fingerprint`.\n[endpoints.login]\n\
             body = {{ email = \"$identifier\", password = \"$password\" }}\n\n\
             [endpoints.register]\n\
             body = {{ name = \"$name\", email = \"$identifier\", password = \"$password\" }}\n\n\
             [endpoints.verify_otp]\nbody = {{ email = \"$identifier\", code = \"$otp\" }}\n\n\
             [endpoints.resend_otp]\nbody = {{ email = \"$identifier\" }}\n\n\
             [endpoints.refresh]\nbody = {{}}\n"
        ),
        how: "The contract fits, without the device".into(),
    }
}

/// Whether the core finds in this answer all that a session needs.
fn reads(profile: &Profile, body: &Value, cookies: &[String], exchange: &Exchange) -> bool {
    let fields = &profile.answer.login;
    let reply = Reply::new(body, profile, fields);
    let now = exchange.answered_at;
    let user = fields.user.is_empty() || reply.user().is_some();
    let access = reply.access_token(now).is_some();
    let is_named = |name: &String| profile.cookies.refresh.contains(name);
    let refresh = reply.refresh_token(now).is_some() || cookies.iter().any(is_named);
    user && access && refresh && !(fields.user.is_empty() && fields.access_token.is_empty())
}

fn cookie_names(exchange: &Exchange) -> Vec<String> {
    let lines = exchange.headers.get_all("set-cookie").iter();
    let names = lines.filter_map(|line| line.to_str().ok()?.split('=').next());
    names.map(|name| name.trim().to_owned()).collect()
}

/// What was found, for the tests of the writer.
#[cfg(test)]
fn found(body: &Value, cookies: &[&str]) -> Option<find::Found> {
    let cookies: Vec<String> = cookies.iter().map(|name| (*name).to_owned()).collect();
    find::find(body, &cookies)
}
