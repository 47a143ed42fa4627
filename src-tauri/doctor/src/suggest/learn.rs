//! What stands where in an answer, by the shape of its values first: tokens are long and random or
//! JWTs, the user is where the address stands that was typed. Names are hints.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use vestibule_core::reading;
use vestibule_core::{RefreshChange, RefreshCookie, Secret};

use super::guesses::plain;
use super::search::{folder, last_name};
use super::user::{self, UserPlace};
use super::wire::Answer;
use crate::shape;

/// How many levels of an answer are searched.
const DEPTH: usize = 6;
/// A token has at least so many characters.
const SHORTEST: usize = 16;

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Pointer(String),
    Header(String),
}

impl Place {
    /// Whether values at both have one name.
    pub(super) fn is_named_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pointer(one), Self::Pointer(other)) => last_name(one) == last_name(other),
            _ => self == other,
        }
    }

    /// Whether both are members of one object.
    fn is_beside(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pointer(one), Self::Pointer(other)) => folder(one) == folder(other),
            _ => false,
        }
    }
}

/// What a token seems to be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Access,
    Unknown,
    Refresh,
}

/// A token in an answer.
#[derive(Clone)]
pub(super) struct Token {
    pub place: Place,
    pub value: Secret,
    pub role: Role,
    /// How sure it is that this is a token.
    weight: u32,
    pub claims: Option<Value>,
}

/// A cookie that an answer sets.
#[derive(Clone)]
pub(super) struct SetCookie {
    pub cookie: RefreshCookie,
    /// Whether it looks as if it carried the session.
    pub is_likely: bool,
}

/// What an answer holds.
#[derive(Clone, Default)]
pub(super) struct Learnt {
    pub tokens: Vec<Token>,
    /// A text beside the only token that may be one too: it is long and random, and nothing says what it
    /// is for.
    pub beside: Option<Token>,
    pub cookies: Vec<SetCookie>,
    pub user: Option<UserPlace>,
    /// The expiry of the access token and the name of its form.
    pub expires: Option<(String, &'static str)>,
}

/// A value in a body.
pub(super) struct Leaf<'a> {
    pub pointer: String,
    /// The names on the way to it, as [`plain`] writes them.
    pub names: Vec<String>,
    pub value: &'a Value,
}

impl Leaf<'_> {
    pub(super) fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    fn mentions(&self, word: &str) -> bool {
        self.names.iter().any(|name| name.contains(word))
    }
}

/// Whether an answer to a sign-in gives what a session could consist of.
pub(super) fn gives_a_session(answer: &Answer) -> bool {
    let learnt = learn(answer, "");
    !learnt.tokens.is_empty() || learnt.cookies.iter().any(|one| one.is_likely)
}

/// Reads an answer. `typed` is what the person has signed in with.
pub(super) fn learn(answer: &Answer, typed: &str) -> Learnt {
    let body = answer.json().unwrap_or(Value::Null);
    let mut leaves = Vec::new();
    walk(&body, String::new(), &mut Vec::new(), &mut leaves);
    let user = user::find(&leaves, typed);
    let mut tokens: Vec<Token> = leaves
        .iter()
        .filter_map(|leaf| token_at(leaf, user.as_ref(), typed))
        .collect();
    tokens.extend(
        answer.headers.iter().filter_map(|(name, value)| {
            token_in_header(name.as_str(), &reading::header_text(value))
        }),
    );
    if tokens.is_empty() && !cookies(answer).iter().any(|one| one.is_likely) {
        // Some write the token among the person's data. There it is the longest text of its kind.
        let all = leaves.iter().filter_map(|leaf| token_at(leaf, None, typed));
        tokens.extend(all.max_by_key(|token| token.value.secret().len()));
    }
    let beside = sort(&mut tokens);
    Learnt {
        beside,
        expires: expiry(&leaves, &tokens),
        cookies: cookies(answer),
        user,
        tokens,
    }
}

pub(super) fn walk<'a>(
    value: &'a Value,
    at: String,
    names: &mut Vec<String>,
    out: &mut Vec<Leaf<'a>>,
) {
    if names.len() <= DEPTH {
        let mut go = |name: &str, member: &'a Value| {
            names.push(plain(name));
            let escaped = name.replace('~', "~0").replace('/', "~1");
            walk(member, format!("{at}/{escaped}"), names, out);
            names.pop();
        };
        match value {
            Value::Object(members) => members.iter().for_each(|(name, member)| go(name, member)),
            // A list of one is a wrapper.
            Value::Array(items) if items.len() == 1 => go("0", &items[0]),
            _ => {}
        }
    }
    out.push(Leaf {
        pointer: at,
        names: names.clone(),
        value,
    });
}

fn token_at(leaf: &Leaf<'_>, user: Option<&UserPlace>, typed: &str) -> Option<Token> {
    let text = leaf.value.as_str()?;
    let claims = claims_of(text);
    if text == typed || (claims.is_none() && !is_random(text, leaf.name())) {
        return None;
    }
    if [
        "csrf",
        "xsrf",
        "nonce",
        "avatar",
        "image",
        "hash",
        "challenge",
        "jti",
    ]
    .iter()
    .any(|word| leaf.mentions(word))
    {
        return None;
    }
    let says = [
        "token",
        "jwt",
        "bearer",
        "session",
        "access",
        "refresh",
        "key",
        "credential",
    ];
    let is_named = says.iter().any(|word| leaf.mentions(word));
    // What stands among a person's data is theirs, unless its name says that it is a token.
    let is_users = user.is_some_and(|user| user.holds(&leaf.pointer));
    if is_users && !is_named && claims.is_none() {
        return None;
    }
    // A text under a name of an id is one.
    if user::is_id_name(leaf.name()) && claims.is_none() {
        return None;
    }
    let weight = u32::from(claims.is_some()) * 4
        + u32::from(is_named) * 3
        + u32::from(leaf.mentions("token"));
    // Without any hint only a long text is one.
    if weight == 0 && text.len() < 24 {
        return None;
    }
    Some(Token {
        place: Place::Pointer(leaf.pointer.clone()),
        value: Secret::new(text),
        role: role(&leaf.names, claims.as_ref()),
        weight,
        claims,
    })
}

/// Whether a text is one that nobody has thought of: long, of one word, of letters and digits mixed.
fn is_random(text: &str, name: &str) -> bool {
    let shortest = if plain(name).contains("token") {
        8
    } else {
        SHORTEST
    };
    let is_date = text.len() < 40 && text.starts_with("20") && text.contains(':');
    let has = |test: fn(char) -> bool| text.chars().any(test);
    text.len() >= shortest
        && !text.contains(char::is_whitespace)
        && !text.contains('@')
        && !text.contains("://")
        && !text.starts_with('/')
        && !is_date
        && (has(|c| c.is_ascii_digit()) || text.len() >= 24)
        && has(|c| c.is_ascii_alphabetic())
}

fn token_in_header(name: &str, value: &str) -> Option<Token> {
    let says = [
        "token",
        "authorization",
        "auth",
        "jwt",
        "session",
        "access",
        "refresh",
    ];
    let plain_name = plain(name);
    let is_named = says.iter().any(|word| plain_name.contains(word));
    let bare = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value.trim(),
    };
    let is_other = [
        "cookie", "www", "csrf", "xsrf", "policy", "allow", "expose", "request", "etag",
    ]
    .iter()
    .any(|word| plain_name.contains(word));
    let claims = claims_of(bare);
    if is_other || (claims.is_none() && !(is_named && is_random(bare, name))) {
        return None;
    }
    Some(Token {
        place: Place::Header(name.to_owned()),
        value: Secret::new(bare),
        role: role(&[plain_name], claims.as_ref()),
        weight: 6,
        claims,
    })
}

/// What a token is for: by what it says of itself, then by its name.
fn role(names: &[String], claims: Option<&Value>) -> Role {
    let said = claims.and_then(|claims| {
        ["token_type", "typ", "type", "token_use", "use"]
            .iter()
            .find_map(|name| claims.get(name)?.as_str())
    });
    match said.map(plain).as_deref() {
        Some("refresh" | "refreshtoken") => return Role::Refresh,
        Some("access" | "accesstoken") => return Role::Access,
        _ => {}
    }
    let mentions = |word: &str| names.iter().any(|name| name.contains(word));
    match () {
        () if mentions("refresh") || mentions("renew") => Role::Refresh,
        () if mentions("access") || mentions("jwt") || mentions("bearer") => Role::Access,
        () => Role::Unknown,
    }
}

/// The likeliest first; access tokens before refresh tokens. Of two that say nothing, the one that ends
/// first is the access token, else the one that stands first. Returns what may be a token beside the only one.
fn sort(tokens: &mut Vec<Token>) -> Option<Token> {
    let ends = |token: &Token| {
        let exp = token
            .claims
            .as_ref()
            .and_then(|claims| claims.get("exp")?.as_f64());
        exp.map_or(i64::MAX, |exp| exp as i64)
    };
    tokens.sort_by_key(|token| (std::cmp::Reverse(token.weight), ends(token)));
    // An ID token says who somebody is, and opens nothing.
    let is_id = |token: &Token| matches!(&token.place, Place::Pointer(at) if plain(at).ends_with("idtoken"));
    if tokens.len() > 1 {
        tokens.retain(|token| !is_id(token));
    }
    // Beside what is known to be a token, a text that is only long is likely to be something else.
    let mut unsure = Vec::new();
    if tokens.first().is_some_and(|token| token.weight >= 3) {
        unsure = tokens.extract_if(.., |token| token.weight == 0).collect();
    }
    let mut seen: Vec<Secret> = Vec::new();
    tokens.retain(|token| {
        let is_new = !seen.contains(&token.value);
        seen.push(token.value.clone());
        is_new
    });
    tokens.truncate(3);
    tokens.sort_by_key(|token| (token.role, ends(token)));
    let [only] = tokens.as_slice() else {
        return None;
    };
    unsure.retain(|token| token.value != only.value && token.place.is_beside(&only.place));
    unsure
        .into_iter()
        .max_by_key(|token| token.value.secret().len())
}

/// The claims of a JWT; none if the text is no JWT.
fn claims_of(token: &str) -> Option<Value> {
    reading::claims(token).filter(Value::is_object)
}

/// The cookies that an answer sets, read as the app reads them.
pub(super) fn cookies(answer: &Answer) -> Vec<SetCookie> {
    let mut found: Vec<SetCookie> = Vec::new();
    for line in answer.cookie_lines() {
        let Some(cookie) = set_by(&line, answer) else {
            continue;
        };
        let (name, value) = cookie.pair();
        let is_http_only = shape::has_attribute(&line, "HttpOnly");
        let plain_name = plain(&name);
        let is_other = ["csrf", "xsrf", "lang", "locale", "theme"]
            .iter()
            .any(|word| plain_name.contains(word));
        let is_token = value.len() >= SHORTEST || claims_of(&value).is_some();
        found.retain(|held| held.cookie.key() != cookie.key());
        found.push(SetCookie {
            cookie,
            is_likely: !is_other
                && (is_token && is_http_only
                    || claims_of(&value).is_some()
                    || is_http_only && value.len() >= 8),
        });
    }
    // A signature beside a cookie goes with it: `session` and `session.sig`.
    let likely: Vec<String> = found
        .iter()
        .filter(|one| one.is_likely)
        .map(|one| one.cookie.name().to_owned())
        .collect();
    for one in &mut found {
        let name = one.cookie.name().to_owned();
        one.is_likely |= likely.iter().any(|held| {
            name.strip_prefix(held.as_str())
                .is_some_and(|rest| rest.starts_with(['.', '_', '-', ':']))
        });
    }
    found
}

/// The cookie that a line sets; none where it deletes one or is ignored.
fn set_by(line: &str, answer: &Answer) -> Option<RefreshCookie> {
    let name = shape::cookie_name(line);
    let now = reading::said_at(&answer.headers).unwrap_or_else(SystemTime::now);
    match RefreshCookie::from_line(line, &answer.url, &[name], now.into())? {
        RefreshChange::Set(cookie) => Some(cookie),
        RefreshChange::Delete(_) => None,
    }
}

/// When the access token ends.
fn expiry(leaves: &[Leaf<'_>], tokens: &[Token]) -> Option<(String, &'static str)> {
    let scored = leaves.iter().filter_map(|leaf| {
        let (score, form) = expiry_score(leaf, tokens)?;
        Some((score, leaf, form))
    });
    let best = scored.max_by_key(|(score, leaf, _)| (*score, usize::MAX - leaf.names.len()));
    best.map(|(_, leaf, form)| (leaf.pointer.clone(), form))
}

fn expiry_score(leaf: &Leaf<'_>, tokens: &[Token]) -> Option<(u32, &'static str)> {
    if leaf.mentions("refresh") || leaf.mentions("user") {
        return None;
    }
    let form = expiry_form(leaf)?;
    let score = match leaf.name() {
        "expiresin" => 9,
        "expires" | "expiresat" | "expiry" | "accesstokenexpires" | "accessexpiration" => 8,
        "exp" | "ttl" | "validuntil" | "maxage" => 6,
        name if name.contains("expir") => 5,
        // Under a name that says nothing, only a time that lies ahead is one, or a life that is the
        // token's own.
        _ if ends_ahead(leaf.value, form) || is_own_life(leaf.value, tokens) => 2,
        _ => return None,
    };
    Some((score, form))
}

fn ends_ahead(value: &Value, form: &str) -> bool {
    let end = reading::epoch_ms(value).filter(|_| !form.starts_with("ttl"));
    let now = SystemTime::now();
    let left = end.and_then(|end| {
        (UNIX_EPOCH + Duration::from_millis(end))
            .duration_since(now)
            .ok()
    });
    left.is_some_and(|left| (30..400 * 86_400).contains(&left.as_secs()))
}

/// Whether a number is how long a JWT beside it lives.
fn is_own_life(value: &Value, tokens: &[Token]) -> bool {
    let of = |token: &Token, name: &str| token.claims.as_ref()?.get(name)?.as_i64();
    let Some(life) = value.as_i64() else {
        return false;
    };
    tokens.first().is_some_and(|token| {
        of(token, "exp")
            .zip(of(token, "iat"))
            .is_some_and(|(exp, iat)| exp - iat == life)
    })
}

/// The form of a time, by its size and its name.
fn expiry_form(leaf: &Leaf<'_>) -> Option<&'static str> {
    if let Some(text) = leaf.value.as_str()
        && text.parse::<f64>().is_err()
    {
        return reading::epoch_ms(leaf.value).map(|_| "iso8601");
    }
    let number = match leaf.value {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    match number {
        n if n < 1.0 => None,
        n if n > 1e11 => Some("epoch_ms"),
        n if n > 1e9 => Some("epoch_s"),
        // Under the name `expiresIn` so large a number is days in seconds; under any other name it
        // is minutes in milliseconds.
        n if n >= 300_000.0 && leaf.name() != "expiresin" => Some("ttl_ms"),
        _ => Some("ttl_s"),
    }
}
