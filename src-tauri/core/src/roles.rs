//! What each role may do in the app. The profile declares one table, which serves the page
//! ([`crate::wire::SessionState::may`]) and the commands
//! ([`crate::session::Session::require_right`]).
//!
//! Role names are the backend's, rights the app's. The table only controls what the app
//! offers: it cannot protect what the backend gives to any caller.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Rights by role. A role that is not listed has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Roles(BTreeMap<String, Vec<String>>);

impl Roles {
    /// Every role with its rights.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0
            .iter()
            .map(|(role, rights)| (role.as_str(), rights.as_slice()))
    }

    /// What a user with these roles may do, sorted and without duplicates.
    pub fn grant(&self, roles: &[String]) -> Vec<String> {
        let granted = roles.iter().filter_map(|role| self.0.get(role)).flatten();
        let once: BTreeSet<&String> = granted.collect();
        once.into_iter().cloned().collect()
    }

    /// Every right that some role has, sorted and without duplicates.
    pub fn rights(&self) -> BTreeSet<&str> {
        self.0.values().flatten().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Roles {
        serde_json::from_str(
            r#"{"admin": ["people.see", "people.export"], "clerk": ["people.see"], "user": []}"#,
        )
        .expect("a table")
    }

    fn granted(roles: &[&str]) -> Vec<String> {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        table().grant(&roles)
    }

    #[test]
    fn roles_add_up_and_unknown_ones_add_nothing() {
        assert_eq!(granted(&["clerk"]), ["people.see"]);
        assert_eq!(
            granted(&["user", "clerk", "admin"]),
            ["people.export", "people.see"]
        );
        for nothing in [&[][..], &["user"], &["Admin"], &["owner"], &[""]] {
            assert!(granted(nothing).is_empty(), "{nothing:?}");
        }
    }

    #[test]
    fn the_permissions_are_what_some_role_has() {
        let table = table();
        let all: Vec<&str> = table.rights().into_iter().collect();
        assert_eq!(all, ["people.export", "people.see"]);
    }
}
