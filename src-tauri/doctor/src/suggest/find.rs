//! Where in an answer things stand, by their names and by what they look like.

use serde_json::Value;
use std::time::SystemTime;
use vestibule_core::expiry;
use vestibule_core::profile::{Expiry, ExpiryForm};

/// How deep is looked.
const DEPTH: usize = 5;

/// What was found, as JSON pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The access token.
    pub access: String,
    /// Whether it is a JWT that says when it ends.
    pub access_is_jwt: bool,
    /// The refresh token, where it is in the body.
    pub refresh: Option<String>,
    /// Or the cookie that seems to be it.
    pub cookie: Option<String>,
    /// The expiry and how it is written.
    pub expiry: Option<(String, &'static str)>,
    /// The user object; none means that another endpoint has it.
    pub user: Option<String>,
    /// Within the user: what the profile calls it, and where it stands.
    pub members: Vec<(&'static str, Vec<String>)>,
}

/// A place and what stands there.
struct Place<'a> {
    pointer: String,
    /// The names on the way in lower case, without signs.
    names: Vec<String>,
    value: &'a Value,
}

impl Place<'_> {
    fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    fn says(&self, word: &str) -> bool {
        self.names.iter().any(|name| name.contains(word))
    }
}

/// Looks through an answer to a sign-in; nothing without an access and a refresh token.
pub fn find(body: &Value, cookies: &[String]) -> Option<Found> {
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
    // Any past moment does: the question is whether there is an `exp`.
    let jwt = expiry::life(&[own], body, access.value.as_str(), SystemTime::UNIX_EPOCH);
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

/// The place that scores highest; the first of equals, nearest to the top.
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
    if !is_token(place.value) || place.says("refresh") || place.says("csrf") {
        return 0;
    }
    match place.name() {
        "accesstoken" => 9,
        _ if place.says("access") && place.says("token") => 8,
        "jwt" | "bearer" => 7,
        "token" | "authtoken" | "bearertoken" => 6,
        "idtoken" => 2,
        _ => 0,
    }
}

fn refresh_score(place: &Place<'_>) -> u32 {
    let is_one = is_token(place.value) && place.says("refresh");
    match place.name() {
        _ if !is_one || place.name().contains("expire") => 0,
        "refreshtoken" => 9,
        "token" => 8,
        _ if place.says("token") => 5,
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
    if !is_one || place.says("refresh") || place.says("user") || expiry_form(place).is_none() {
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

/// How a time is written, by its size and by its name.
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
        // A day of seconds is a life; so many under another name are a quarter of an hour.
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
