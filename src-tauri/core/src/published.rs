//! What a window may see of an answer. Whatever a profile maps, no text is published that is a secret
//! of the session: a mistake in a profile must not hand a token to a page.

use crate::invisible::is_invisible;
use crate::secrets::Secret;
use crate::token::RefreshToken;
use crate::wire::User;

/// From this length on, a text that contains a secret is as bad as one that equals it. A shorter
/// secret may be a word that stands in any text.
const LONG: usize = 12;

/// The secrets of one session, which a text is compared with.
pub(crate) struct Unpublished(Vec<Secret>);

impl Unpublished {
    /// These secrets.
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let some = |secret: &&Secret| !secret.secret().is_empty();
        Self(secrets.into_iter().filter(some).cloned().collect())
    }

    /// These and what renews the session.
    #[must_use]
    pub(crate) fn and(mut self, token: &RefreshToken) -> Self {
        self.0.extend(token.secrets());
        self
    }

    /// These and more.
    #[must_use]
    pub(crate) fn and_all<'a>(mut self, secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        self.0.extend(Self::of(secrets).0);
        self
    }

    /// Whether the text is, or holds, one of the secrets.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.0
            .iter()
            .map(Secret::secret)
            .any(|secret| text.trim() == secret || (secret.len() >= LONG && text.contains(secret)))
    }

    /// The text, if it may be published.
    pub(crate) fn text(&self, text: String) -> Option<String> {
        (!self.are_in(&text)).then_some(text)
    }

    /// The user without what is a secret; `None` if the id is one: nobody is known then.
    pub(crate) fn user(&self, user: User) -> Option<User> {
        let count = user.roles.len();
        let (email, name) = (self.text(user.email), self.text(user.name));
        let image_was_there = user.image.is_some();
        let image = user.image.and_then(|image| self.text(image));
        let roles: Vec<_> = user
            .roles
            .into_iter()
            .filter_map(|role| self.text(role))
            .collect();
        let id = self.text(user.id);
        let all = [
            ("user.id", id.is_none()),
            ("user.name", name.is_none()),
            ("user.email", email.is_none()),
            ("user.image", image_was_there && image.is_none()),
            ("user.roles", roles.len() < count),
        ];
        for (key, _) in all.iter().filter(|(_, is_secret)| *is_secret) {
            tracing::error!(
                key,
                "the profile finds a token there: it is not shown. Correct the key in the profile"
            );
        }
        let email = email.unwrap_or_default();
        Some(User {
            id: id?,
            name: name.unwrap_or_else(|| email.clone()),
            email,
            image,
            roles,
            email_verified: user.email_verified,
        })
    }
}

/// A text of the backend as a person may see it: without control characters and without those that make
/// a text read other than it is, and cut to `length`.
pub(crate) fn shown(text: &str, length: usize) -> String {
    let visible = text
        .chars()
        .filter(|c| !c.is_control() && !is_invisible(*c));
    visible.take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOi.J9.c2ln";

    fn ann() -> User {
        User {
            id: "7".into(),
            name: "Ann".into(),
            email: "ann@example.com".into(),
            email_verified: true,
            image: Some("https://example.com/ann.png".into()),
            roles: vec!["admin".into()],
        }
    }

    #[test]
    fn no_text_of_a_user_is_a_secret() {
        let secrets = [Secret::new(TOKEN), Secret::new("short"), Secret::new("")];
        let secrets = Unpublished::of(&secrets);
        assert_eq!(secrets.user(ann()), Some(ann()), "nothing is lost");
        let id = User {
            id: TOKEN.into(),
            ..ann()
        };
        assert_eq!(secrets.user(id), None);
        let odd = User {
            name: format!(" {TOKEN} "),
            email: "short".into(),
            image: Some(format!("https://example.com/?t={TOKEN}")),
            roles: vec!["admin".into(), TOKEN.into()],
            ..ann()
        };
        let shown = secrets.user(odd).expect("somebody");
        assert_eq!((shown.name.as_str(), shown.email.as_str()), ("", ""));
        assert_eq!((shown.image, shown.roles), (None, vec!["admin".to_owned()]));
        let word = User {
            name: "in short".into(),
            ..ann()
        };
        assert_eq!(secrets.user(word.clone()), Some(word), "a word like others");
    }
}
