//! The workspaces of an app: its own, those that its makers list, and those that a person adds by their
//! address.
//!
//! A workspace is a backend with a name. Which there may be is decided by the section
//! `plugins.vestibule`; an administrator whose policy fixes the backend leaves only the app's own. An
//! address is first read ([`address`]), which contacts nobody, then looked at ([`Workspaces::look`]) when
//! the person asks for it, then added ([`Workspaces::add`]), which contacts nobody again. What a server
//! sends decides only whether it fits. The name of an added workspace is its host, its profile is the
//! app's own, and its roles give the rights that the section names for added workspaces, or none.

mod added;
pub mod address;
#[cfg(any(test, feature = "testing"))]
mod for_tests;
mod look;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::added::{Added, id_of};
use self::address::Address;
use self::look::Finding;
use crate::backend::Backend;
use crate::error::{AuthError, ErrorCode};
use crate::folder_advice;
use crate::policy::Policy;
use crate::profile::{
    Adding, DEFAULT_WORKSPACE, Layer, Profile, SHIPPED, Section, WorkspaceSettings,
};
use crate::storage::records::{FolderRecords, RecordStore};
use crate::transport::{NetworkSettings, user_agent};
use crate::wire::{FoundWorkspace, WorkspaceSummary};

/// What the workspaces are opened with.
pub struct Config {
    /// The section of the app's configuration.
    pub section: Section,
    /// The one file, name and text, that the app was built with.
    pub built: Option<(&'static str, &'static str)>,
    /// The administrator's policy.
    pub policy: Option<Policy>,
    /// The profile of the app's own workspace, from all its layers.
    pub own: Profile,
    /// The folder of all workspaces.
    pub folder: PathBuf,
}

/// Why nobody may add a workspace.
pub fn no_adding() -> AuthError {
    AuthError::with_message(
        ErrorCode::Unsupported,
        "No workspace can be added here by its address. The makers of this app, or the administrator of \
         this computer, have decided so.",
    )
}

/// All workspaces of an app.
pub struct Workspaces {
    section: Section,
    built: Option<(&'static str, &'static str)>,
    /// What of the policy holds for workspaces other than the app's own.
    limits: Option<Layer>,
    settings: WorkspaceSettings,
    own: Profile,
    added: Added,
    /// The addresses at which a backend of this app was found since the app started, oldest first.
    fitting: Mutex<Vec<Address>>,
}

impl Workspaces {
    /// Opens the list of workspaces. Contacts nobody.
    ///
    /// # Errors
    /// If the section is not valid, or the folder cannot be used.
    pub fn open(config: Config) -> Result<Self, AuthError> {
        let records = FolderRecords::open(&config.folder)
            .map_err(|error| folder_advice::unusable_folder(&config.folder, &error))?;
        Self::open_by(config, Arc::new(records))
    }

    fn open_by(config: Config, records: Arc<dyn RecordStore>) -> Result<Self, AuthError> {
        let mut settings = config.section.workspaces()?;
        if config.policy.as_ref().is_some_and(Policy::fixes_backend) {
            settings.adding = Adding::One;
            settings.listed.clear();
        }
        Ok(Self {
            section: config.section,
            built: config.built,
            limits: config.policy.and_then(|policy| policy.profile_elsewhere()),
            settings,
            own: config.own,
            added: Added::new(records),
            fitting: Mutex::default(),
        })
    }

    /// How many accounts there may be, from 1 to 50.
    pub fn most_accounts(&self) -> u32 {
        self.settings.most_accounts
    }

    /// Whether a person may add a workspace by its address.
    pub fn adding(&self) -> bool {
        self.settings.adding == Adding::Any
    }

    /// All workspaces: the app's own, then those that its makers list, then those that were added.
    pub fn all(&self) -> Vec<WorkspaceSummary> {
        self.all_at().into_iter().map(|(_, it)| it).collect()
    }

    /// The section that the profile of a workspace is loaded with.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownWorkspace`] if there is none of this id now. Its accounts may still be on
    /// disk; they stay there.
    pub fn section_of(&self, id: &str) -> Result<Section, AuthError> {
        if id == DEFAULT_WORKSPACE {
            return Ok(self.section.clone());
        }
        if let Some(listed) = self.settings.listed.iter().find(|it| it.id == id) {
            return Ok(listed.section.clone());
        }
        let mut added = self.all_added().into_iter();
        let address = added.find(|address| id_of(address) == id);
        let address = address.ok_or(ErrorCode::UnknownWorkspace)?;
        Ok(self.section_at(&address))
    }

    /// Looks at an address that a person has typed: reads it, and asks whether a backend of this app
    /// answers there. Sends nothing of a person, and two requests at most. A workspace that is there
    /// already is not contacted.
    ///
    /// # Errors
    /// If it is not an address, or nobody may add one. That nothing answers is a finding, not an error.
    pub async fn look(
        &self,
        typed: &str,
        network: NetworkSettings,
        product: &str,
    ) -> Result<FoundWorkspace, AuthError> {
        self.check_adding()?;
        let address = address::parse(typed)?;
        let known = self.workspace_at(&address);
        let finding = match &known {
            Some(known) => Finding {
                fits: true,
                words: format!("This is {}, which you have already.", known.name),
            },
            None => self.look_at(&address, network, product).await?,
        };
        tracing::info!(
            host = address.host(),
            fits = finding.fits,
            known = known.is_some(),
            "an address was looked at"
        );
        Ok(FoundWorkspace {
            address: address.origin(),
            host: address.host(),
            disguised: address.is_disguised(),
            fits: finding.fits,
            finding: finding.words,
            known: known.map(|known| known.id),
        })
    }

    /// Adds the workspace at an address that was looked at since the app started, and fits. Returns its
    /// id: that of the workspace which has the address already, where there is one.
    ///
    /// # Errors
    /// If it was not looked at or does not fit, if there are too many, or if the list cannot be read or
    /// written. Then nothing has changed.
    pub fn add(&self, address: &str) -> Result<String, AuthError> {
        self.check_adding()?;
        let address = address::parse(address)?;
        if let Some(known) = self.workspace_at(&address) {
            return Ok(known.id);
        }
        if !self.lock_fitting().contains(&address) {
            let words = "This address was not looked at, or no server for this app was found there. \
                         Look at it first.";
            return Err(AuthError::with_message(ErrorCode::InvalidInput, words));
        }
        let id = id_of(&address);
        tracing::info!(
            host = address.host(),
            workspace = id,
            "a workspace is added"
        );
        self.added.add(address)?;
        Ok(id)
    }

    /// Removes a workspace that was added. Its accounts are the caller's to end first.
    ///
    /// # Errors
    /// If it was not added, or the list cannot be read or written. Then nothing has changed.
    pub fn remove(&self, id: &str) -> Result<(), AuthError> {
        let is_the_apps =
            id == DEFAULT_WORKSPACE || self.settings.listed.iter().any(|it| it.id == id);
        if is_the_apps {
            let words = "This workspace belongs to the app, so it cannot be removed. Sign out of its \
                         accounts instead.";
            return Err(AuthError::with_message(ErrorCode::Unsupported, words));
        }
        if !self.adding() {
            return Err(ErrorCode::UnknownWorkspace.into());
        }
        self.added.remove(id)?;
        tracing::info!(workspace = id, "a workspace is removed");
        Ok(())
    }

    async fn look_at(
        &self,
        address: &Address,
        network: NetworkSettings,
        product: &str,
    ) -> Result<Finding, AuthError> {
        let section = self.section_at(address);
        let mut layers = section.layers(self.built)?;
        layers.extend(self.limits.clone());
        let profile = section.load(&layers)?.profile;
        let backend = Backend::with_network(network, profile, &user_agent(product))?;
        let finding = look::look(&backend, product).await;
        self.note(address, finding.fits);
        Ok(finding)
    }

    /// Notes what the newest look at an address has found.
    fn note(&self, address: &Address, fits: bool) {
        let mut fitting = self.lock_fitting();
        fitting.retain(|known| known != address);
        if fits {
            let too_many = (fitting.len() + 1).saturating_sub(added::MOST);
            fitting.drain(..too_many);
            fitting.push(address.clone());
        }
    }

    /// Refuses where nobody may add a workspace.
    ///
    /// # Errors
    /// In words.
    pub fn check_adding(&self) -> Result<(), AuthError> {
        self.adding().then_some(()).ok_or_else(no_adding)
    }

    /// The section of the workspace at an address. Below which path the endpoints are is the app's own
    /// knowledge.
    fn section_at(&self, address: &Address) -> Section {
        let base = address.with_path(self.own.backend.path());
        self.section.of_added(&base)
    }

    /// The workspaces that were added; none where the section does not let a person add any.
    fn all_added(&self) -> Vec<Address> {
        match self.adding() {
            true => self.added.all(),
            false => Vec::new(),
        }
    }

    /// All workspaces with their addresses.
    fn all_at(&self) -> Vec<(Address, WorkspaceSummary)> {
        let summary = |address: Address, id: &str, name: String, added: bool| {
            let summary = WorkspaceSummary {
                id: id.to_owned(),
                name,
                host: address.host(),
                added,
            };
            (address, summary)
        };
        let own = summary(
            self.own_address(),
            DEFAULT_WORKSPACE,
            self.own_name(),
            false,
        );
        let listed = self.settings.listed.iter().map(|workspace| {
            let address = Address::of(&workspace.backend);
            summary(address, &workspace.id, workspace.name.clone(), false)
        });
        let added = self.all_added().into_iter().map(|address| {
            let (id, name) = (id_of(&address), address.host());
            summary(address, &id, name, true)
        });
        [own].into_iter().chain(listed).chain(added).collect()
    }

    fn workspace_at(&self, address: &Address) -> Option<WorkspaceSummary> {
        let mut all = self.all_at().into_iter();
        let at = all.find(|(other, _)| other == address);
        at.map(|(_, summary)| summary)
    }

    fn own_address(&self) -> Address {
        Address::of(&self.own.backend)
    }

    /// What the app's own backend is called: the name that its profile has unless that is the name of a
    /// shipped profile, which says of the protocol and not of the backend; then its host.
    fn own_name(&self) -> String {
        let name = self.own.name.as_str();
        let mut shipped = SHIPPED.iter().filter_map(|it| Layer::shipped(it.name));
        match name.is_empty() || shipped.any(|profile| profile.is_called(name)) {
            true => self.own_address().host(),
            false => name.to_owned(),
        }
    }

    fn lock_fitting(&self) -> MutexGuard<'_, Vec<Address>> {
        self.fitting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
