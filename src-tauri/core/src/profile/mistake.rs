//! A mistake in a profile, with what is needed to correct it: the file, the key, the reason, and
//! the key that was probably meant. Never the value, which may be a secret.

use std::fmt;

use crate::error::{AuthError, ErrorCode};

/// One mistake. Its text names the file, the key, the reason and the nearest right key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    /// The file, or the section of the app's configuration.
    pub place: String,
    /// The full path of the key, such as `endpoints.login.path`; empty for the whole file.
    pub key: String,
    /// Why it is refused.
    pub reason: String,
    /// The full path of the key that was probably meant.
    pub nearest: Option<String>,
}

impl std::error::Error for ProfileError {}

impl From<ProfileError> for AuthError {
    fn from(error: ProfileError) -> Self {
        Self::with_message(ErrorCode::Misconfigured, error.to_string())
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "`{}` ", self.key)?;
        }
        f.write_str(&self.reason)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// A mistake whose file is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub key: String,
    pub reason: String,
    pub nearest: Option<String>,
}

impl Mistake {
    pub(crate) fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            reason: reason.into(),
            nearest: None,
        }
    }

    /// Adds the file.
    pub(crate) fn in_place(self, place: impl Into<String>) -> ProfileError {
        ProfileError {
            place: place.into(),
            key: self.key,
            reason: self.reason,
            nearest: self.nearest,
        }
    }
}

/// The candidate that is nearest to `given`, if any is near: a few letters differ, or the words are
/// written in another style (`refreshToken`, `refresh-token`).
pub(super) fn nearest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = plain(given);
    let allowed = (given.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&given, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn plain(word: &str) -> String {
    // A key may have any length; its beginning is enough to compare.
    let letters = word.chars().take(64).filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// How many letters have to be inserted, removed, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: [Vec<usize>; 3] = [vec![], vec![], (0..=b.len()).collect()];
    for i in 1..=a.len() {
        rows.rotate_left(1);
        rows[2] = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = rows[1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[1][j] + 1).min(rows[2][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[0][j - 2] + 1);
            }
            rows[2][j] = least;
        }
    }
    rows[2][b.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEYS: [&str; 5] = ["access_token", "refresh_token", "user", "expires", "code"];

    #[test]
    fn slips_are_understood_and_strangers_are_not() {
        for (given, meant) in [
            ("acess_token", Some("access_token")),
            ("refreshToken", Some("refresh_token")),
            ("refresh-token", Some("refresh_token")),
            ("usre", Some("user")),
            ("expire", Some("expires")),
            ("Code", Some("code")),
            ("fingerprint", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(given, KEYS), meant, "{given}");
        }
    }

    #[test]
    fn the_text_names_file_key_reason_and_meant_key() {
        let mut mistake = Mistake::new("endpoints.login.pth", "is not a key here");
        mistake.nearest = Some("endpoints.login.path".into());
        assert_eq!(
            mistake.in_place("profile.toml").to_string(),
            "profile.toml: `endpoints.login.pth` is not a key here; \
             did you mean `endpoints.login.path`?"
        );
    }

    proptest! {
        #[test]
        fn a_word_is_nearest_to_itself(word in "[a-z_]{1,20}") {
            prop_assert_eq!(distance(&word, &word), 0);
        }

        #[test]
        fn the_distance_has_no_direction(a in ".{0,12}", b in ".{0,12}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
        }
    }
}
