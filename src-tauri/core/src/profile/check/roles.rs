//! Checks the table of roles: rights have well-formed names, and the app has each of them.

use super::{Checked, mistake};
use crate::profile::Profile;
use crate::profile::mistake::{Mistake, nearest};

impl Profile {
    pub(super) fn check_roles(&self) -> Checked {
        for (role, rights) in self.roles.iter() {
            if role.is_empty() {
                return mistake("roles", "holds a role without a name");
            }
            if let Some(index) = rights.iter().position(|name| !is_right(name)) {
                let reason = "must be words of small letters, digits and `_`, with dots between \
                              them, such as `people.see`";
                return mistake(format!("roles.{role}[{index}]"), reason);
            }
        }
        Ok(())
    }

    /// Refuses a right that is not in `known`.
    pub(in crate::profile) fn check_rights(&self, known: &[&str]) -> Checked {
        for (role, rights) in self.roles.iter() {
            let is_stray = |name: &String| !known.contains(&name.as_str());
            let Some(index) = rights.iter().position(is_stray) else {
                continue;
            };
            let listed: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            let reason = format!(
                "is not a right of this app, which has: {}",
                listed.join(", ")
            );
            return Err(Mistake {
                nearest: nearest(&rights[index], known.iter().copied()).map(str::to_owned),
                ..Mistake::new(format!("roles.{role}[{index}]"), reason)
            });
        }
        Ok(())
    }
}

fn is_right(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    name.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::profile::{Layer, Profile, ProfileError, load_for};

    const KNOWN: [&str; 2] = ["people.see", "people.export"];

    fn loaded(roles: Value) -> Result<Profile, ProfileError> {
        let layer = Layer::inline("mine.json", json!({"roles": roles}));
        load_for(&[layer], Some(&KNOWN)).map(|loaded| loaded.profile)
    }

    #[test]
    fn a_table_of_known_permissions_is_read() {
        let roles = json!({"admin": ["people.see", "people.export"], "user": []});
        let profile = loaded(roles).expect("a profile");
        let all: Vec<&str> = profile.roles.rights().into_iter().collect();
        assert_eq!(all, ["people.export", "people.see"]);
        assert_eq!(Profile::default().roles.iter().count(), 0, "none by itself");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (roles, key, text) in [
            (json!({"": []}), "roles", "without a name"),
            (
                json!({"admin": ["people.see", "See People"]}),
                "roles.admin[1]",
                "small letters",
            ),
            (json!({"admin": ["people..see"]}), "roles.admin[0]", "words"),
            (json!({"admin": [""]}), "roles.admin[0]", "words"),
            (
                json!({"admin": ["people.sea"]}),
                "roles.admin[0]",
                "did you mean `people.see`?",
            ),
            (json!({"admin": "people.see"}), "roles.admin", "is a text"),
            (json!(["admin"]), "roles", "is a list"),
        ] {
            let error = loaded(roles.clone()).expect_err("a mistake");
            assert_eq!(error.key, key, "{error}");
            assert!(error.to_string().contains(text), "{error}");
            assert_eq!(error.place, "mine.json", "{error}");
        }
    }
}
