//! Places, templates and forms of a profile, on the values of a backend: what is read stays what it was,
//! no answer and no token makes a reader panic, and a form has the fields that it was given.

use std::sync::LazyLock;
use std::time::SystemTime;

use serde_json::{Value, json};
use vestibule_core::ResponseFields;
use vestibule_core::profile::{Endpoint, Place, Profile, Template};
use vestibule_core::testing::{Fields, body_of};

static PROFILE: LazyLock<Profile> = LazyLock::new(Profile::default);

/// The first line is a place, the second a template; an answer follows.
pub fn profile_values(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (place, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let (template, answer) = rest.split_once('\n').unwrap_or((rest, ""));
    if let Ok(place) = Place::parse(place) {
        let again = Place::parse(&place.to_string());
        assert_eq!(again.as_ref(), Ok(&place), "a place reads otherwise again");
        let json = serde_json::from_str(answer).unwrap_or_else(|_| json!(answer));
        read(&place, &json);
        // The answer as the claims of a token, and as a token itself.
        read(&place, &json!({"t": answer, "j": jwt(answer)}));
    }
    if let Ok(template) = Template::parse(template) {
        let again = Template::parse(&template.source());
        assert_eq!(again, Ok(template), "a template reads otherwise again");
    }
    form(template, answer);
}

fn read(place: &Place, body: &Value) {
    let all = || vec![place.clone()];
    let fields = Fields {
        user: all(),
        access_token: all(),
        refresh_token: all(),
        ..Fields::default()
    };
    let reply = ResponseFields::new(body, &PROFILE, &fields);
    let now = SystemTime::UNIX_EPOCH;
    if let Some(user) = reply.user() {
        assert!(!user.id.is_empty(), "a user without an id");
    }
    let _ = reply.refresh_token(now);
    let access = reply.access_token(now).and_then(|access| access.token);
    assert!(access.is_none_or(|token| !token.secret().is_empty()));
}

/// A token with these claims.
fn jwt(claims: &str) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let encoded = claims.as_bytes().chunks(3).flat_map(|chunk| {
        let mut bits = [0_u8; 3];
        bits[..chunk.len()].copy_from_slice(chunk);
        let all = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
        let sign = move |place: usize| {
            let bits = (all >> (18 - 6 * place)) & 63;
            char::from(SIGNS[usize::try_from(bits).unwrap_or_default()])
        };
        (0..=chunk.len()).map(sign)
    });
    format!("e30.{}.c2ln", encoded.collect::<String>())
}

/// A form with a field of this name and what a person typed in it.
fn form(name: &str, typed: &str) {
    let body = json!({"encoding": "form", "path": "/x", "body": {name: "$identifier"}});
    let endpoint: Endpoint = serde_json::from_value(body).expect("an endpoint");
    let more = json!({"more": typed});
    let bytes = body_of(&endpoint, typed, more.as_object()).expect("a form of texts");
    let fields: Vec<_> = url::form_urlencoded::parse(&bytes).into_owned().collect();
    let wanted = [
        (name.to_owned(), typed.to_owned()),
        ("more".to_owned(), typed.to_owned()),
    ];
    let count = if name == "more" { 1 } else { 2 };
    assert_eq!(fields, wanted[..count], "a form reads otherwise");
}
