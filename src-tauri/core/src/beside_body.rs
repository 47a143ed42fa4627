//! What an answer has beside its body, of what the profile names: values of headers, cookies, and
//! what the step before the call has kept.

use reqwest::header::HeaderMap;

use crate::header_text;
use crate::profile::{HeaderKey, NamedValues, Place, Profile};
use crate::secrets::Secret;

/// Values beside the body of an answer.
#[derive(Clone, Default)]
pub(crate) struct BesideBody {
    headers: Vec<(HeaderKey, Secret)>,
    cookies: NamedValues,
    kept: NamedValues,
}

impl BesideBody {
    /// Finds them in `headers`, with or without `Bearer` before them. `cookie` gives the value of a
    /// cookie by its name.
    pub(crate) fn of(
        headers: &HeaderMap,
        profile: &Profile,
        cookie: impl Fn(&str) -> Option<Secret>,
    ) -> Self {
        let mut found = Self::default();
        let mut cookies = Vec::new();
        for place in profile.places().map(Place::source) {
            match place {
                Place::Header(name) => {
                    let Some(value) = headers.get(name.as_str()).map(header_text::text) else {
                        continue;
                    };
                    let value = without_scheme(&value).trim();
                    if !value.is_empty() {
                        found.headers.push((name.clone(), Secret::new(value)));
                    }
                }
                Place::Cookie(name) => {
                    cookies.extend(cookie(name).map(|value| (name.clone(), value)));
                }
                Place::Json(_) | Place::Text | Place::Kept(_) | Place::Claims(_) => {}
            }
        }
        found.cookies = cookies.into_iter().collect();
        found
    }

    /// The same with what a step has kept.
    pub(crate) fn set_kept(&mut self, kept: NamedValues) {
        self.kept = kept;
    }

    /// What a step has kept.
    pub(crate) fn kept(&self) -> &NamedValues {
        &self.kept
    }

    /// Whether the header `name` had a value.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.headers.iter().any(|(key, _)| key.as_str() == name)
    }

    /// The value at `place`, if that is beside the body.
    pub(crate) fn get(&self, place: &Place) -> Option<&Secret> {
        match place {
            Place::Header(name) => {
                let found = self.headers.iter().find(|(key, _)| key == name);
                found.map(|(_, value)| value)
            }
            Place::Cookie(name) => self.cookies.get(name),
            Place::Kept(name) => self.kept.get(name),
            Place::Json(_) | Place::Text | Place::Claims(_) => None,
        }
    }
}

fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
        _ => value,
    }
}
