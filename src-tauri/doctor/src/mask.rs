//! Masks secrets: shows their type in their place. Every text of a backend is masked before it is
//! shown, and the finished report once more as a whole.

use serde_json::Value;
use vestibule_core::Secret;
use vestibule_core::backend::Exchange;
use vestibule_core::profile::{Place, Profile};
use vestibule_core::reading;

use crate::checks::provider::CONFIGURATION;

/// Shorter secrets are parts of ordinary words.
const LEAST: usize = 4;
/// No sentence of ours contains a secret of this length by chance.
pub(crate) const UNMISTAKABLE: usize = 8;

/// Each secret, with the word that is shown in its place.
#[derive(Clone, Default)]
pub(crate) struct Masks(Vec<(Secret, &'static str)>);

impl Masks {
    /// From now on shows `<kind>` in the place of `secret`.
    pub(crate) fn hide(&mut self, secret: &str, kind: &'static str) {
        let quoted = Value::from(secret).to_string();
        let escaped = quoted.trim_matches('"').to_owned();
        for form in [secret.to_owned(), escaped] {
            let is_known = self.0.iter().any(|(held, _)| held.secret() == form);
            if form.len() >= LEAST && !is_known {
                self.0.push((Secret::new(form), kind));
            }
        }
        // The longest first, because a secret may be the beginning of another.
        self.0
            .sort_by_key(|(held, _)| usize::MAX - held.secret().len());
    }

    /// Hides the tokens and cookies of an exchange.
    pub(crate) fn learn(&mut self, exchange: &Exchange, profile: &Profile) {
        // It is for everybody, and has addresses under names such as `token_endpoint`.
        if exchange.path.ends_with(CONFIGURATION) {
            return;
        }
        for line in exchange.headers.get_all("set-cookie") {
            let line = reading::header_text(line);
            let pair = line.split(';').next();
            let value = pair
                .and_then(|pair| pair.split_once('='))
                .map(|pair| pair.1);
            // Short ones hold a language or a theme, and no secret.
            if let Some(value) = value.filter(|value| value.len() >= UNMISTAKABLE) {
                self.hide(value, "cookie");
            }
        }
        for place in profile.places() {
            if let Place::Header(name) = place.source() {
                let value = exchange.headers.get(name.as_str());
                let value = value.map(reading::header_text);
                // The header may say `Bearer` before the token.
                if let Some(token) = value.as_ref().and_then(|value| value.rsplit(' ').next()) {
                    self.hide(token, "token");
                }
            }
        }
        let body = exchange.body.as_ref();
        let body = body.and_then(|bytes| reading::json(bytes));
        let Some(body) = body else { return };
        for fields in [&profile.answer.login, &profile.answer.refresh] {
            self.hide_at(&body, &fields.access_token, "access token");
            self.hide_at(&body, &fields.refresh_token, "refresh token");
        }
        self.hide_tokens(&body, false);
    }

    fn hide_at(&mut self, body: &Value, places: &[Place], kind: &'static str) {
        for pointer in places.iter().filter_map(Place::pointer) {
            if let Some(Value::String(text)) = pointer.find(body) {
                self.hide(text, kind);
            }
        }
    }

    /// Hides every long text under a name such as `accessToken`, at any depth.
    fn hide_tokens(&mut self, value: &Value, named: bool) {
        match value {
            Value::String(text) if named && text.len() >= UNMISTAKABLE => self.hide(text, "token"),
            Value::Array(items) => items.iter().for_each(|item| self.hide_tokens(item, named)),
            Value::Object(members) => {
                for (name, member) in members {
                    let name = name.to_ascii_lowercase();
                    let is_one = ["token", "jwt", "secret"].iter().any(|w| name.contains(w));
                    self.hide_tokens(member, named || is_one);
                }
            }
            _ => {}
        }
    }

    /// A text of a backend, without secrets.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.replace(text, LEAST)
    }

    /// A sentence of ours, without secrets.
    pub(crate) fn mask_whole(&self, text: &str) -> String {
        self.replace(text, UNMISTAKABLE)
    }

    /// Replaces in one pass, so that the word for one secret is not searched for others.
    fn replace(&self, text: &str, least: usize) -> String {
        let known = || {
            self.0
                .iter()
                .filter(|(held, _)| held.secret().len() >= least)
        };
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            match known().find(|(held, _)| rest.starts_with(held.secret())) {
                Some((held, kind)) => {
                    masked.push_str(&format!("<{kind}>"));
                    rest = &rest[held.secret().len()..];
                }
                None => {
                    masked.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_as_its_type_even_where_json_escapes_it() {
        let mut masks = Masks::default();
        masks.hide("pass\"word", "password");
        masks.hide("pass", "code");
        assert_eq!(masks.mask("is pass\"word right"), "is <password> right");
        assert_eq!(masks.mask(r#"{"p":"pass\"word"}"#), r#"{"p":"<password>"}"#);
        assert_eq!(masks.mask("a passage"), "a <code>age");
        assert_eq!(masks.mask_whole("a passage"), "a passage", "ours stays");
    }

    #[test]
    fn what_is_called_a_token_is_one_wherever_it_stands() {
        let mut masks = Masks::default();
        let body = serde_json::json!({"a": {"idToken": {"raw": "abcdefgh1"}}, "name": "Somebody"});
        masks.hide_tokens(&body, false);
        assert_eq!(masks.mask("abcdefgh1 of Somebody"), "<token> of Somebody");
    }
}
