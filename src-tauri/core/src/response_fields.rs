//! Reads the JSON of a backend's answers into our types, at the places that the profile names.
//! Total: no JSON makes it panic, and a value that is missing or of the wrong kind counts as
//! absent.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::beside_body::BesideBody;
use crate::json_value::{names_in, text_of};
use crate::jwt;
use crate::profile::{ApiToken, Fields, NamedValues, Place, Profile};
use crate::published::{Unpublished, shown};
use crate::secrets::Secret;
use crate::token::BodyToken;
use crate::token_expiry::token_lifetime;
use crate::user_object;
use crate::wire::User;

/// An access token, and what came with it. In memory only.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The access token, which a sign-out goes out with, or revokes. `None` if cookies alone carry the
    /// session.
    pub token: Option<Secret>,
    /// How long API calls can be made with it, counted from its receipt, if the backend says so.
    pub lifetime: Option<Duration>,
    /// What the backend calls the session, if the answer says it.
    pub session_id: Option<Secret>,
    /// The provider's ID token, where a person has signed in by the browser.
    pub id_token: Option<Secret>,
    /// Which of the two tokens API calls carry.
    pub carried: ApiToken,
}

impl AccessToken {
    /// What goes along with API calls as `$access_token`.
    pub fn bearer(&self) -> Option<&Secret> {
        match self.carried {
            ApiToken::AccessToken => self.token.as_ref(),
            ApiToken::IdToken => self.id_token.as_ref(),
        }
    }

    /// The tokens that nobody else may know.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.token.iter().chain(&self.id_token)
    }
}

/// An answer and how to read it.
pub struct ResponseFields<'a> {
    content: ResponseContent<'a>,
    beside: Option<&'a BesideBody>,
    profile: &'a Profile,
    fields: &'a Fields,
}

/// The body of an answer.
#[derive(Clone, Copy)]
pub(crate) enum ResponseContent<'a> {
    Json(&'a Value),
    /// A short text that is not JSON.
    Text(&'a str),
    Nothing,
}

/// What is at a place.
enum Found<'a> {
    Json(&'a Value),
    Text(&'a str),
    Claims(Value),
}

impl Found<'_> {
    fn text(&self) -> Option<String> {
        match self {
            Self::Json(value) => text_of(value),
            Self::Text(text) => Some((*text).to_owned()),
            Self::Claims(_) => None,
        }
    }

    fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => Some(value),
            Self::Claims(claims) => Some(claims),
            Self::Text(_) => None,
        }
    }
}

impl<'a> ResponseFields<'a> {
    /// Reads `body` at the places in `fields`, one of the profile's answers.
    pub fn new(body: &'a Value, profile: &'a Profile, fields: &'a Fields) -> Self {
        Self::of(ResponseContent::Json(body), profile, fields)
    }

    pub(crate) fn of(
        content: ResponseContent<'a>,
        profile: &'a Profile,
        fields: &'a Fields,
    ) -> Self {
        Self {
            content,
            beside: None,
            profile,
            fields,
        }
    }

    /// The same with what the answer has beside its body.
    #[must_use]
    pub(crate) fn with(self, beside: &'a BesideBody) -> Self {
        Self {
            beside: Some(beside),
            ..self
        }
    }

    fn find(&self, place: &Place) -> Option<Found<'a>> {
        match place {
            Place::Json(pointer) => match self.content {
                ResponseContent::Json(body) => pointer.find(body).map(Found::Json),
                ResponseContent::Text(_) | ResponseContent::Nothing => None,
            },
            Place::Text => match self.content {
                ResponseContent::Text(text) => Some(text),
                // Some frameworks write a text as JSON, in quotes.
                ResponseContent::Json(body) => body.as_str(),
                ResponseContent::Nothing => None,
            }
            .map(|text| Found::Text(text.trim())),
            Place::Header(_) | Place::Cookie(_) | Place::Kept(_) => {
                let found = self.beside.and_then(|beside| beside.get(place));
                found.map(|value| Found::Text(value.secret()))
            }
            Place::Claims(of) => {
                let token = self.find(of)?.text()?;
                let claims = jwt::claims(Secret::new(token).secret())?;
                Some(Found::Claims(claims))
            }
        }
    }

    /// What is at the first of `places` at which there is something.
    fn first(&self, places: &[Place]) -> Option<Found<'a>> {
        places.iter().find_map(|place| self.find(place))
    }

    /// The texts of what a step keeps; the name of the first that is not there, otherwise.
    pub(crate) fn keep<'k>(
        &self,
        keep: &'k BTreeMap<String, Place>,
    ) -> Result<NamedValues, &'k str> {
        let kept = keep.iter().map(|(name, place)| -> Result<_, &'k str> {
            let text = self.find(place).and_then(|found| found.text());
            let text = text.filter(|text| !text.is_empty()).ok_or(name.as_str())?;
            Ok((name.clone(), Secret::new(text)))
        });
        kept.collect()
    }

    /// The user, if there is an object with an id.
    pub fn user(&self) -> Option<User> {
        let found = self.first(&self.fields.user)?;
        let user = user_object::user(found.json()?, &self.profile.user)?;
        self.kept().user(user)
    }

    /// What the step before the call has kept, which is never published.
    fn kept(&self) -> Unpublished {
        let kept = self.beside.map(BesideBody::kept);
        Unpublished::of(kept.into_iter().flat_map(NamedValues::values))
    }

    /// The access token, if the answer holds one. `now` is when the backend sent the answer, by the
    /// backend's clock.
    pub fn access_token(&self, now: SystemTime) -> Option<AccessToken> {
        let token = self.secret(&self.fields.access_token);
        if token.is_none() && !self.fields.access_token.is_empty() {
            return None;
        }
        let text = token.as_ref().map(Secret::secret);
        let lifetime = token_lifetime(&self.fields.expires, self.content(), text, now);
        Some(AccessToken {
            token,
            lifetime,
            session_id: self.session_id(),
            id_token: None,
            carried: ApiToken::AccessToken,
        })
    }

    /// What the backend calls the session.
    pub fn session_id(&self) -> Option<Secret> {
        self.secret(&self.fields.session_id)
    }

    /// The refresh token, if it came in the answer and is no refresh cookie.
    pub fn refresh_token(&self, now: SystemTime) -> Option<BodyToken> {
        let token = self.secret(&self.fields.refresh_token)?;
        let text = Some(token.secret());
        let lifetime = token_lifetime(&self.fields.refresh_expires, self.content(), text, now);
        let end = lifetime.and_then(|lifetime| now.checked_add(lifetime));
        let end = end.and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok());
        Some(BodyToken {
            token,
            expires: end.and_then(|end| i64::try_from(end.as_secs()).ok()),
        })
    }

    /// Where the one-time code was sent.
    pub fn otp_email(&self) -> Option<String> {
        let text = self.text(&self.profile.otp.email)?;
        self.kept().text(text)
    }

    /// The backend's own id of the challenge.
    pub fn challenge(&self) -> Option<Secret> {
        self.secret(&self.profile.otp.challenge)
    }

    /// The names of the methods by which a code may be given; `None` if the answer names none.
    pub fn methods(&self) -> Option<Vec<String>> {
        let otp = &self.profile.otp;
        let found = self.first(&otp.methods)?;
        let separator = otp.methods_separator.as_deref();
        let names_of = |item: &Value| names_in(item, separator, &otp.method_name);
        Some(match found.json() {
            Some(Value::Array(items)) => items.iter().flat_map(names_of).collect(),
            Some(one) => names_of(one),
            None => names_of(&Value::String(found.text()?)),
        })
    }

    /// The backend's error message for people, cut to a length that fits a screen.
    pub fn message(&self) -> Option<String> {
        let text = self.text(&self.profile.answer.message)?;
        let clean = shown(&self.kept().text(text)?, 300);
        (!clean.trim().is_empty()).then_some(clean)
    }

    /// The backend's error code for programs.
    pub fn code(&self) -> Option<String> {
        self.text(&self.profile.answer.code)
    }

    fn text(&self, places: &[Place]) -> Option<String> {
        self.first(places)?.text()
    }

    /// The JSON, or null if there is none.
    fn content(&self) -> &Value {
        match self.content {
            ResponseContent::Json(body) => body,
            ResponseContent::Text(_) | ResponseContent::Nothing => &Value::Null,
        }
    }

    fn secret(&self, places: &[Place]) -> Option<Secret> {
        let text = self.text(places).filter(|text| !text.trim().is_empty());
        text.map(Secret::new)
    }
}

#[cfg(test)]
mod tests;
