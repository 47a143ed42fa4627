//! Finds the tokens, the expiry and the user in an answer, by their names and by their form.

use serde_json::Value;
use std::time::SystemTime;
use vestibule_core::profile::{Expiry, ExpiryForm};
use vestibule_core::token_lifetime;

/// How many levels of the answer are searched.
const DEPTH: usize = 5;

/// The places, as JSON pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub access: String,
    /// Whether the access token is a JWT that says when it ends.
    pub access_is_jwt: bool,
    /// The refresh token, where it is in the body.
    pub refresh: Option<String>,
    /// The name of the cookie that seems to be the refresh token.
    pub cookie: Option<String>,
    /// The expiry, and the profile's name for its form.
    pub expiry: Option<(String, &'static str)>,
    /// The user; none means that another endpoint returns it.
    pub user: Option<String>,
    /// The profile's names for what is in the user, with pointers from there.
    pub members: Vec<(&'static str, Vec<String>)>,
}

/// A value in the answer.
struct Place<'a> {
    pointer: String,
    /// The names on the way to it, in lower case and without signs.
    names: Vec<String>,
    value: &'a Value,
}

impl Place<'_> {
    fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    fn mentions(&self, word: &str) -> bool {
        self.names.iter().any(|name| name.contains(word))
    }
}

/// Searches the answer to a sign-in. Finds nothing without an access token and a refresh token.
pub(super) fn find(body: &Value, cookies: &[String]) -> Option<Found> {
    let mut places = Vec::new();
    walk(body, String::new(), &mut Vec::new(), &mut places);
    let access = best(&places, access_score)?;
    let refresh = best(&places, refresh_score);
    let cookie = refresh.is_none().then(|| refresh_cookie(cookies)).flatten();
    if refresh.is_none() && cookie.is_none() {
        return None;
    }
    let own: Expiry = Expiry {
        at: None,
        form: ExpiryForm::JwtExp,
    };
    // The time of the answer does not matter: the question is only whether there is an `exp`.
    let jwt = token_lifetime(&[own], body, access.value.as_str(), SystemTime::UNIX_EPOCH);
    let user = best(&places, user_score);
    Some(Found {
        access: access.pointer.clone(),
        access_is_jwt: jwt.is_some(),
        refresh: refresh.map(|place| place.pointer.clone()),
        cookie,
        expiry: best(&places, expiry_score).and_then(|place| {
            let form = expiry_form(place)?;
            Some((place.pointer.clone(), form))
        }),
        members: user.map(|user| members(user.value)).unwrap_or_default(),
        user: user.map(|place| place.pointer.clone()),
    })
}

fn walk<'a>(value: &'a Value, at: String, names: &mut Vec<String>, out: &mut Vec<Place<'a>>) {
    if names.len() <= DEPTH
        && let Value::Object(members) = value
    {
        for (name, member) in members {
            names.push(plain(name));
            let escaped = name.replace('~', "~0").replace('/', "~1");
            walk(member, format!("{at}/{escaped}"), names, out);
            names.pop();
        }
    }
    out.push(Place {
        pointer: at,
        names: names.clone(),
        value,
    });
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The place with the highest score; of equal ones, the one nearest to the top.
fn best<'a, 'b>(
    places: &'b [Place<'a>],
    score: impl Fn(&Place<'_>) -> u32,
) -> Option<&'b Place<'a>> {
    let scored = places.iter().map(|place| (score(place), place));
    let some = scored.filter(|(score, _)| *score > 0);
    some.min_by_key(|(score, place)| (u32::MAX - score, place.names.len()))
        .map(|(_, place)| place)
}

fn is_token(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() >= 8 && !text.contains(char::is_whitespace)
}

fn access_score(place: &Place<'_>) -> u32 {
    if !is_token(place.value) || place.mentions("refresh") || place.mentions("csrf") {
        return 0;
    }
    match place.name() {
        "accesstoken" => 9,
        _ if place.mentions("access") && place.mentions("token") => 8,
        "jwt" | "bearer" => 7,
        "token" | "authtoken" | "bearertoken" => 6,
        "idtoken" => 2,
        _ => 0,
    }
}

fn refresh_score(place: &Place<'_>) -> u32 {
    let is_one = is_token(place.value) && place.mentions("refresh");
    match place.name() {
        _ if !is_one || place.name().contains("expire") => 0,
        "refreshtoken" => 9,
        "token" => 8,
        _ if place.mentions("token") => 5,
        _ => 2,
    }
}

fn refresh_cookie(cookies: &[String]) -> Option<String> {
    let words = ["refresh", "session", "sid", "auth", "token", "remember"];
    let with = |word: &&str| cookies.iter().find(|name| plain(name).contains(*word));
    words.iter().find_map(with).cloned()
}

fn user_score(place: &Place<'_>) -> u32 {
    let Value::Object(members) = place.value else {
        return 0;
    };
    let has = |names: &[&str]| {
        members
            .keys()
            .any(|key| names.contains(&plain(key).as_str()))
    };
    if !has(&ID) || !has(&["email", "mail", "username", "name", "login"]) {
        return 0;
    }
    match place.name() {
        "user" => 9,
        "account" | "profile" | "member" | "me" | "customer" => 7,
        _ => 4,
    }
}

const ID: [&str; 5] = ["id", "uid", "userid", "sub", "uuid"];

fn expiry_score(place: &Place<'_>) -> u32 {
    let is_one = place.value.is_number() || place.value.is_string();
    if !is_one
        || place.mentions("refresh")
        || place.mentions("user")
        || expiry_form(place).is_none()
    {
        return 0;
    }
    match place.name() {
        "expiresin" => 9,
        "expires" | "expiresat" | "expiry" | "accesstokenexpires" => 8,
        "exp" | "ttl" | "validuntil" => 6,
        name if name.contains("expir") => 5,
        _ => 0,
    }
}

/// The form of a time, by its size and its name.
fn expiry_form(place: &Place<'_>) -> Option<&'static str> {
    if let Some(text) = place.value.as_str()
        && text.parse::<f64>().is_err()
    {
        let form = time::format_description::well_known::Rfc3339;
        return time::OffsetDateTime::parse(text, &form)
            .ok()
            .map(|_| "iso8601");
    }
    let number = match place.value {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    match number {
        n if n < 1.0 => None,
        n if n > 1e11 => Some("epoch_ms"),
        n if n > 1e9 => Some("epoch_s"),
        // Under the name `expiresIn` so large a number is days in seconds; under any other name it
        // is minutes in milliseconds.
        n if n >= 300_000.0 && place.name() != "expiresin" => Some("ttl_ms"),
        _ => Some("ttl_s"),
    }
}

fn members(user: &Value) -> Vec<(&'static str, Vec<String>)> {
    let Some(members) = user.as_object() else {
        return Vec::new();
    };
    let named = |wanted: &[&str]| -> Vec<String> {
        let of = |name: &&str| members.keys().find(|key| plain(key) == **name);
        wanted
            .iter()
            .filter_map(of)
            .map(|key| format!("/{key}"))
            .collect()
    };
    let all = [
        ("id", named(&ID)),
        (
            "name",
            named(&["name", "displayname", "fullname", "username", "nickname"]),
        ),
        (
            "name_parts",
            named(&[
                "firstname",
                "givenname",
                "lastname",
                "familyname",
                "surname",
            ]),
        ),
        ("email", named(&["email", "mail"])),
        (
            "email_verified",
            named(&["emailverified", "isemailverified", "verified"]),
        ),
        (
            "image",
            named(&["image", "avatar", "avatarurl", "picture", "photo"]),
        ),
        ("roles", named(&["roles", "role", "groups"])),
    ];
    all.into_iter()
        .filter(|(_, pointers)| !pointers.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(body: Value, cookies: &[&str]) -> Found {
        super::super::found(&body, cookies).expect("both tokens")
    }

    #[test]
    fn tokens_in_a_body_are_told_apart() {
        let found = of(
            json!({"result": {
                "accessToken": "aaaaaaaaaa", "refreshToken": "rrrrrrrrrr", "expiresIn": 3600,
                "profile": {"userId": 7, "mail": "a@b.c", "firstName": "A", "role": "admin"},
            }}),
            &[],
        );
        assert_eq!(found.access, "/result/accessToken");
        assert_eq!(found.refresh.as_deref(), Some("/result/refreshToken"));
        assert_eq!(found.expiry, Some(("/result/expiresIn".into(), "ttl_s")));
        assert_eq!(found.user.as_deref(), Some("/result/profile"));
        let id = found
            .members
            .iter()
            .find(|(name, _)| *name == "id")
            .unwrap();
        assert_eq!(id.1, ["/userId"]);
    }

    #[test]
    fn a_cookie_may_be_the_refresh_token() {
        let body = json!({"token": "aaaaaaaaaa", "id": 1, "email": "a@b.c"});
        let found = of(body, &["lang", "connect.sid"]);
        assert_eq!(found.cookie.as_deref(), Some("connect.sid"));
        assert_eq!(found.user.as_deref(), Some(""), "the answer itself");
        let none = super::super::found(&json!({"token": "aaaaaaaaaa"}), &["lang"]);
        assert_eq!(none, None);
    }

    #[test]
    fn a_time_is_read_by_its_size_and_name() {
        let form = |name: &str, value: Value| {
            let body =
                json!({"access_token": "aaaaaaaaaa", "refresh_token": "rrrrrrrrrr", name: value});
            of(body, &[]).expiry.map(|(_, form)| form)
        };
        assert_eq!(form("expires_in", json!(604_800)), Some("ttl_s"));
        assert_eq!(form("expires", json!(900_000)), Some("ttl_ms"));
        assert_eq!(form("expires_at", json!(1_800_000_000)), Some("epoch_s"));
        assert_eq!(form("exp", json!(1_800_000_000_000_u64)), Some("epoch_ms"));
        assert_eq!(
            form("expires", json!("2030-01-01T00:00:00Z")),
            Some("iso8601")
        );
        assert_eq!(form("expires", json!("soon")), None);
    }
}
