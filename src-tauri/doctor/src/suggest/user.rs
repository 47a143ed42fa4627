//! Who has signed in, in an answer: the object in which the address stands that was typed, and what
//! in it is what.

use serde_json::Value;

use super::guesses::plain;
use super::learn::Leaf;

/// Where the user stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserPlace {
    pub pointer: String,
    /// The profile's names for what is in the user, with pointers from there.
    pub members: Vec<(&'static str, Vec<String>)>,
    pub id: String,
    /// The members whose values are none of the user's own.
    own: Vec<String>,
}

impl UserPlace {
    /// Whether a place is one of the user's members.
    pub(super) fn holds(&self, pointer: &str) -> bool {
        self.own.iter().any(|own| own == pointer)
    }
}

const ID: &[&str] = &[
    "id",
    "uid",
    "userid",
    "sub",
    "uuid",
    "pk",
    "objectid",
    "localid",
    "guid",
    "documentid",
    "accountid",
    "personid",
    "memberid",
    "customerid",
];

/// Whether a member of this name is an id.
pub(super) fn is_id_name(name: &str) -> bool {
    let plain_name = plain(name);
    ID.contains(&plain_name.as_str())
}

/// Finds the user: with what was typed in it, else by the names of its members.
pub(super) fn find(leaves: &[Leaf<'_>], typed: &str) -> Option<UserPlace> {
    let scored = leaves.iter().filter_map(|leaf| {
        let members = leaf.value.as_object()?;
        let id = id_of(leaf)?;
        let has_typed = !typed.is_empty() && members.values().any(|value| is_typed(value, typed));
        let is_named = [
            "user", "account", "profile", "member", "me", "customer", "data",
        ]
        .contains(&leaf.name());
        let known = ["email", "mail", "username", "name", "login"];
        let has_known = members
            .keys()
            .any(|key| known.contains(&plain(key).as_str()));
        let score = u32::from(has_typed) * 8 + u32::from(is_named) * 2 + u32::from(has_known);
        (has_typed || (has_known && is_named)).then_some((score, leaf, id))
    });
    let (_, leaf, id) =
        scored.max_by_key(|(score, leaf, _)| (*score, usize::MAX - leaf.names.len()))?;
    place(leaf, id, typed)
}

/// The outermost object that has a member under a name of an id.
pub(super) fn by_id(leaves: &[Leaf<'_>]) -> Option<UserPlace> {
    let named = leaves.iter().filter(|leaf| {
        let members = leaf.value.as_object();
        members.is_some_and(|members| members.keys().any(|name| is_id_name(name)))
    });
    let leaf = named.min_by_key(|leaf| leaf.names.len())?;
    place(leaf, id_of(leaf)?, "")
}

fn place(leaf: &Leaf<'_>, id: String, typed: &str) -> Option<UserPlace> {
    let members = leaf.value.as_object()?;
    let at = |name: &String| format!("{}/{}", leaf.pointer, escaped(name));
    Some(UserPlace {
        pointer: leaf.pointer.clone(),
        members: members_of(leaf, &id, typed),
        id,
        own: members.keys().map(at).collect(),
    })
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn is_typed(value: &Value, typed: &str) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.eq_ignore_ascii_case(typed))
}

/// The member that is the user's id: by its name, else the first number or text that looks like one.
fn id_of(leaf: &Leaf<'_>) -> Option<String> {
    let members = leaf.value.as_object()?;
    let is_value = |value: &Value| match value {
        Value::Number(number) => number.is_u64(),
        Value::String(text) => !text.is_empty() && !text.contains(char::is_whitespace),
        _ => false,
    };
    let named = ID.iter().find_map(|wanted| {
        let mut all = members.iter();
        let found = all.find(|(name, value)| plain(name) == **wanted && is_value(value));
        found.map(|(name, _)| name.clone())
    });
    let like = |looks: fn(&Value) -> bool| {
        let mut all = members.iter();
        let found = all.find(|(name, value)| looks(value) && !names_a_time(name));
        found.map(|(name, _)| name.clone())
    };
    named
        .or_else(|| like(looks_like_id))
        .or_else(|| like(is_random_word))
}

fn names_a_time(name: &str) -> bool {
    let name = plain(name);
    ["at", "exp", "iat", "time", "date", "age", "count"]
        .iter()
        .any(|word| name.ends_with(word))
}

/// A whole number that is no time, a UUID, or a short random text.
fn looks_like_id(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64().is_some_and(|number| number < 1_000_000_000),
        Value::String(text) => {
            let has = |test: fn(char) -> bool| text.chars().any(test);
            is_word(text) && has(|c| c.is_ascii_digit()) && !looks_like_date(text)
        }
        _ => false,
    }
}

/// A random text that happens to have no digit: a capital letter follows a small one, as in few names.
fn is_random_word(value: &Value) -> bool {
    let turns =
        |pair: &[u8]| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase());
    let text = value.as_str().filter(|text| text.len() >= 8);
    text.is_some_and(|text| is_word(text) && text.as_bytes().windows(2).any(turns))
}

fn is_word(text: &str) -> bool {
    let mut letters = text.chars();
    (1..=64).contains(&text.len())
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// A day or a moment of this century in the forms of ISO 8601.
fn looks_like_date(text: &str) -> bool {
    let mut letters = text.chars();
    text.starts_with("20")
        && text.len() >= 8
        && letters.all(|c| c.is_ascii_digit() || matches!(c, '-' | 'T' | 'Z'))
}

fn members_of(leaf: &Leaf<'_>, id: &str, typed: &str) -> Vec<(&'static str, Vec<String>)> {
    let Some(members) = leaf.value.as_object() else {
        return Vec::new();
    };
    let named = |wanted: &[&str]| -> Vec<String> {
        let of = |name: &&str| members.keys().find(|key| plain(key) == **name);
        let found = wanted.iter().filter_map(of);
        found.map(|key| format!("/{}", escaped(key))).collect()
    };
    let mut email = named(&["email", "mail", "emailaddress"]);
    if email.is_empty() && typed.contains('@') {
        let mut all = members.iter();
        let found = all.find(|(_, value)| is_typed(value, typed));
        email.extend(found.map(|(name, _)| format!("/{}", escaped(name))));
    }
    let all = [
        ("id", vec![format!("/{}", escaped(id))]),
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
        ("email", email),
        (
            "email_verified",
            named(&["emailverified", "isemailverified", "isverified", "verified"]),
        ),
        (
            "image",
            named(&["image", "avatar", "avatarurl", "picture", "photo"]),
        ),
        ("roles", named(&["roles", "role", "groups"])),
    ];
    let some = all.into_iter().filter(|(_, pointers)| !pointers.is_empty());
    some.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::learn::walk;
    use super::*;

    fn id_in(user: &Value) -> Option<String> {
        let mut leaves = Vec::new();
        walk(user, String::new(), &mut Vec::new(), &mut leaves);
        find(&leaves, "ann@example.com").map(|user| user.id)
    }

    #[test]
    fn an_id_is_found_whatever_it_is_called_and_whatever_it_begins_with() {
        for id in [
            json!(7),
            json!("g7Kx2LmQ0z"),
            // As Parse makes one of six without a digit.
            json!("gKxLmQzTrW"),
            json!("2031c0de-5eed-4a11-9b1d-0123456789ab"),
            json!("20"),
        ] {
            let user = json!({
                "born": "2001-02-03", "changed": "20261130T011500Z", "mm4": id,
                "mm5": "ann@example.com", "nick": "Ann-Marie",
            });
            assert_eq!(id_in(&user).as_deref(), Some("mm4"), "{user}");
        }
        let nobody = json!({"mm5": "ann@example.com", "nick": "annmarie", "born": "2001-02-03"});
        assert_eq!(id_in(&nobody), None);
    }
}
