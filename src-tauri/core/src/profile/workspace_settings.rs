//! The keys `accounts` and `workspaces` of the section: how many accounts there may be, and in which
//! workspaces. A workspace is a backend with a name; the app's own is always there.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::check::backend;
use super::mistake::{Mistake, ProfileError};
use super::name::{NOTHING, ProfileName, resolve, unknown_name};
use super::read::read;
use super::section::{ADDRESS, CHOICE, ROLES, Section};

/// The id of the app's own workspace.
pub const DEFAULT_WORKSPACE: &str = "default";
/// How the ids of workspaces begin that a person adds.
pub(crate) const ADDED_PREFIX: &str = "added-";

/// The key of the number of accounts.
pub(super) const ACCOUNTS: &str = "accounts";
/// The key of the workspaces.
pub(super) const WORKSPACES: &str = "workspaces";

/// The most accounts that an app may have.
const MOST_ACCOUNTS: u32 = 50;
/// The longest id of a workspace.
const LONGEST_ID: usize = 40;
/// The longest name of a workspace, in characters.
const LONGEST_NAME: usize = 80;
/// Names that Windows keeps for devices, so that no folder can have them.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Which workspaces there are besides the app's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adding {
    /// The app's own is the only one.
    #[default]
    One,
    /// There are those of the list.
    Listed,
    /// There are those of the list, and those that a person adds by their address.
    Any,
}

/// What the section says of accounts and workspaces.
#[derive(Clone, Debug)]
pub struct WorkspaceSettings {
    /// How many accounts there may be.
    pub most_accounts: u32,
    /// Which workspaces there are besides the app's own.
    pub adding: Adding,
    /// The workspaces of the list, in its order.
    pub listed: Vec<ListedWorkspace>,
}

/// A workspace of the list.
#[derive(Clone, Debug)]
pub struct ListedWorkspace {
    /// Its id, which is the name of its folder.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its backend's base address.
    pub backend: Url,
    /// The section that its profile is loaded with.
    pub section: Section,
}

/// Both keys as they are written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    accounts: u32,
    workspaces: WorkspaceKeys,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            accounts: 1,
            workspaces: WorkspaceKeys::default(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WorkspaceKeys {
    adding: Adding,
    list: Option<Vec<ListedKeys>>,
    /// Checked with the profile of an added workspace, of which it is a part.
    roles: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedKeys {
    id: String,
    name: String,
    backend: String,
    #[serde(default)]
    profile: Option<String>,
    /// Checked with the workspace's profile, of which it is a part.
    #[serde(default)]
    roles: Option<Value>,
}

impl Section {
    /// What the section says of accounts and workspaces. The profile of a workspace is checked where it
    /// is loaded.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn workspaces(&self) -> Result<WorkspaceSettings, ProfileError> {
        let settings = self.read_workspaces();
        settings.map_err(|mistake| mistake.in_place(self.place.as_str()))
    }

    fn read_workspaces(&self) -> Result<WorkspaceSettings, Mistake> {
        // Read as one table, so that the path of a mistake begins with the key.
        let written = [ACCOUNTS, WORKSPACES].into_iter();
        let written =
            written.filter_map(|key| Some((key.to_owned(), self.value.get(key)?.clone())));
        let keys: Keys = read(&Value::Object(written.collect()))?;
        if !(1..=MOST_ACCOUNTS).contains(&keys.accounts) {
            let reason = format!("must be from 1 to {MOST_ACCOUNTS}");
            return Err(Mistake::new(ACCOUNTS, reason));
        }
        keys.check_against_each_other()?;
        let list = keys.workspaces.list.unwrap_or_default();
        let mut listed = Vec::<ListedWorkspace>::with_capacity(list.len());
        for (index, written) in list.into_iter().enumerate() {
            let at = format!("{WORKSPACES}.list[{index}]");
            let workspace = self.listed(&at, written)?;
            self.check_beside(&at, &workspace, &listed)?;
            listed.push(workspace);
        }
        Ok(WorkspaceSettings {
            most_accounts: keys.accounts,
            adding: keys.workspaces.adding,
            listed,
        })
    }

    fn listed(&self, at: &str, written: ListedKeys) -> Result<ListedWorkspace, Mistake> {
        let below = |key: &str, mistake: Mistake| Mistake {
            key: format!("{at}.{key}"),
            ..mistake
        };
        check_id(&written.id).map_err(|mistake| below("id", mistake))?;
        let is_name = (1..=LONGEST_NAME).contains(&written.name.chars().count())
            && !written.name.trim().is_empty()
            && !written.name.chars().any(char::is_control);
        if !is_name {
            let reason =
                format!("must be 1 to {LONGEST_NAME} characters, none of them a control character");
            return Err(below("name", Mistake::new("", reason)));
        }
        let address = backend(&written.backend).map_err(|mistake| below(ADDRESS, mistake))?;
        if let Some(name) = &written.profile
            && (name == NOTHING || resolve("", name) != Ok(ProfileName::Shipped))
        {
            let or = ", or left out for the app's own profile";
            return Err(below(CHOICE, unknown_name("", name, or)));
        }
        Ok(ListedWorkspace {
            section: self.of_workspace(at, written.profile, &address, written.roles),
            id: written.id,
            name: written.name,
            backend: address,
        })
    }

    /// Two workspaces of one id would share a folder, and two of one address would be one workspace.
    fn check_beside(
        &self,
        at: &str,
        workspace: &ListedWorkspace,
        before: &[ListedWorkspace],
    ) -> Result<(), Mistake> {
        for (index, other) in before.iter().enumerate() {
            let of = |key| format!("is that of `{WORKSPACES}.list[{index}].{key}` too");
            if other.id == workspace.id {
                return Err(Mistake::new(format!("{at}.id"), of("id")));
            }
            if other.backend == workspace.backend {
                return Err(Mistake::new(format!("{at}.{ADDRESS}"), of(ADDRESS)));
            }
        }
        let own = self.value.get(ADDRESS).and_then(Value::as_str);
        if own.and_then(|own| backend(own).ok()) == Some(workspace.backend.clone()) {
            let reason = "is that of the app's own workspace";
            return Err(Mistake::new(format!("{at}.{ADDRESS}"), reason));
        }
        Ok(())
    }

    /// Every table of roles in the section: the app's own, and those of workspaces.
    pub(super) fn all_roles(&self) -> impl Iterator<Item = &Value> {
        let workspaces = self.value.get(WORKSPACES);
        let list = workspaces.and_then(|workspaces| workspaces.get("list"));
        let listed = list.and_then(Value::as_array).into_iter().flatten();
        let tables = [Some(&self.value), workspaces].into_iter().flatten();
        tables.chain(listed).filter_map(|table| table.get(ROLES))
    }

    /// What the roles of a workspace may do that a person has added.
    pub(super) fn added_roles(&self) -> Option<Value> {
        self.value.get(WORKSPACES)?.get(ROLES).cloned()
    }
}

impl Keys {
    fn check_against_each_other(&self) -> Result<(), Mistake> {
        let WorkspaceKeys {
            adding,
            list,
            roles,
        } = &self.workspaces;
        let refused = |key: &str, reason: &str| {
            let key = format!("{WORKSPACES}.{key}");
            Err(Mistake::new(key, reason))
        };
        if self.accounts == 1 && *adding != Adding::One {
            let reason = "is not `one`, but `accounts` is 1, which leaves no room for an account in \
                          another workspace: raise `accounts`";
            return refused("adding", reason);
        }
        match (adding, list) {
            (Adding::One, Some(_)) => {
                let reason = "has no effect while `workspaces.adding` is `one`: write `listed` or \
                              `any` there";
                return refused("list", reason);
            }
            (Adding::Listed, None) => {
                let reason = "is missing, but `workspaces.adding` is `listed`: name a workspace";
                return refused("list", reason);
            }
            (_, Some(list)) if list.is_empty() => {
                return refused("list", "is empty: name a workspace, or leave it out");
            }
            _ => {}
        }
        if roles.is_some() && *adding != Adding::Any {
            let reason = "has no effect unless `workspaces.adding` is `any`: it is for workspaces that \
                          a person adds, and each one in `list` has its own";
            return refused(ROLES, reason);
        }
        Ok(())
    }
}

fn check_id(id: &str) -> Result<(), Mistake> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(1..=LONGEST_ID).contains(&id.len()) || !id.chars().all(fits) {
        let reason = format!(
            "must be 1 to {LONGEST_ID} small letters, digits and `-`: it is the name of a folder"
        );
        return Err(Mistake::new("", reason));
    }
    if id == DEFAULT_WORKSPACE {
        return Err(Mistake::new("", "is the id of the app's own workspace"));
    }
    if id.starts_with(ADDED_PREFIX) {
        let reason =
            format!("begins with `{ADDED_PREFIX}`, as the ids of workspaces do that a person adds");
        return Err(Mistake::new("", reason));
    }
    let is_numbered = |device: &str| {
        let number = id.strip_prefix(device);
        number
            .is_some_and(|number| number.len() == 1 && number.bytes().all(|it| it.is_ascii_digit()))
    };
    if DEVICES.contains(&id) || ["com", "lpt"].into_iter().any(is_numbered) {
        let reason = "is a name that Windows keeps for devices, so no folder can have it";
        return Err(Mistake::new("", reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
