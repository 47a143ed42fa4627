//! Which profile fits the answer to a sign-in: a shipped one, or one that is written here, with the
//! places at which the tokens and the user were found. Pure. A profile is suggested only if the
//! core understands the answer with it.

mod find;
mod write;

use serde::Serialize;
use serde_json::{Value, json};
use vestibule_core::ResponseFields;
use vestibule_core::backend::Exchange;
use vestibule_core::profile::{Layer, Profile, SHIPPED, load};
use vestibule_core::wire::LoginInput;

/// Which profile the app should use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Suggestion {
    /// The answers say too little.
    None,
    /// The given profile fits.
    Fits {
        /// The name of the profile.
        profile: String,
    },
    /// A shipped profile fits.
    Shipped {
        /// Its name for `profile` and `extends`.
        name: String,
        /// Why it fits, in words.
        how: String,
    },
    /// A new profile.
    Written {
        /// The text of its file.
        toml: String,
        /// What the profile is based on, in words.
        how: String,
    },
}

/// Suggests a profile by the answer to a sign-in, which the given profile or another one has sent.
pub(crate) fn by_answer(
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
                how: "it describes the answer to the sign-in (where its paths differ, say them in \
                      `endpoints`)"
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

/// The contract without the device, for a backend that refuses unknown members.
pub(crate) fn without_device(given: &Profile) -> Suggestion {
    let backend = given.backend.as_str();
    Suggestion::Written {
        toml: format!(
            "schema = 1\nbackend = \"{backend}\"\n\n[cookies]\ndevice = false\n\n\
             # The backend refuses `fingerprint`.\n[endpoints.login]\n\
             body = {{ email = \"$identifier\", password = \"$password\" }}\n\n\
             [endpoints.register]\n\
             body = {{ name = \"$name\", email = \"$identifier\", password = \"$password\" }}\n\n\
             [endpoints.verify_otp]\nbody = {{ email = \"$identifier\", code = \"$otp\" }}\n\n\
             [endpoints.resend_otp]\nbody = {{ email = \"$identifier\" }}\n\n\
             [endpoints.refresh]\nbody = {{}}\n"
        ),
        how: "The contract fits if requests name no device".into(),
    }
}

/// Whether the core finds in this answer all that a session needs.
fn reads(profile: &Profile, body: &Value, cookies: &[String], exchange: &Exchange) -> bool {
    let fields = &profile.answer.login;
    let reply = ResponseFields::new(body, profile, fields);
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

#[cfg(test)]
fn found(body: &Value, cookies: &[&str]) -> Option<find::Found> {
    let cookies: Vec<String> = cookies.iter().map(|name| (*name).to_owned()).collect();
    find::find(body, &cookies)
}
