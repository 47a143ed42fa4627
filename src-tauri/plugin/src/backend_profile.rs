//! Loads the backend's profile from its layers. Each layer overrides the ones before it:
//!
//! 1. what the app was built with;
//! 2. what the administrator of this computer has set;
//! 3. the profile in the app's configuration folder, and then the one in the workspace's folder there;
//! 4. in debug and e2e builds, `VESTIBULE_PROFILE` (a shipped profile's name or a file) and
//!    `VESTIBULE_BACKEND` (an address).
//!
//! No layer can change what the administrator has fixed.
//!
//! That is how the app's own workspace is loaded. The layers of a workspace that the app's makers list,
//! or that a person has added, are fewer:
//!
//! 1. what the app was built with, at the workspace's address and with its roles;
//! 2. of what the administrator has set: the limits of pages (`api` without its headers), and the keys
//!    that are fixed;
//! 3. the profile for this workspace in the app's configuration folder. It cannot change address and
//!    roles.
//!
//! The profile for all workspaces, the variables and the rest of the policy speak of the app's own
//! backend: of its address, of its paths, and of headers that may be secret. Another workspace that
//! followed them would send its passwords to a backend that the person did not choose, or what is secret
//! to one that a person has typed.

use std::path::Path;

use serde_json::json;
use tauri::{AppHandle, Manager as _};
use vestibule_core::Policy;
use vestibule_core::profile::{DEFAULT_WORKSPACE, Layer, Profile, ProfileError, Section};
use vestibule_core::transport::NetworkSettings;
use vestibule_core::wire::{Overridden, PolicyInfo};

#[cfg(feature = "doctor")]
use crate::StartError;
use crate::desktop_proxy;

/// The file's name in the configuration folder, without its ending `.toml` or `.json`.
const FILE: &str = "profile";

/// A profile that is a file: its name in `plugins.vestibule.profile`, and its text. The crate
/// `vestibule-build` builds it into the app.
pub type BuiltProfile = (&'static str, &'static str);

/// What the app's own code adds to its configuration.
#[derive(Default)]
pub struct BuiltIn {
    /// The profile that is a file.
    pub profile: Option<BuiltProfile>,
    /// Paths that pages may call beside those of the profile.
    pub allowed: &'static [&'static str],
}

/// The variables that override everything else, where this build reads them.
#[derive(Default)]
struct Overrides {
    profile: Option<String>,
    backend: Option<String>,
}

/// What a workspace is opened with.
#[derive(Clone)]
pub struct BackendSettings {
    /// The profile of its backend.
    pub profile: Profile,
    /// How the backend is reached, as the policy and the desktop say.
    pub network: NetworkSettings,
    /// What the administrator of this computer has set.
    pub policy: Option<PolicyInfo>,
}

/// The settings of a workspace by the app's own section. A workspace other than the app's own has a
/// section of its own: see [`load_by`].
///
/// # Errors
/// As [`load_by`].
pub fn load(app: &AppHandle, workspace: &str) -> Result<BackendSettings, ProfileError> {
    let section = section(app.config())?.unwrap_or_else(|| {
        tracing::warn!(
            "tauri.conf.json has no section `plugins.vestibule`; the backend is that of the contract"
        );
        Section::default()
    });
    load_by(app, &section, workspace)
}

/// The settings of a workspace by its section, which [`vestibule_core::workspaces::Workspaces`] has.
///
/// # Errors
/// If any layer is not valid. Then no layer is used, because the app could otherwise send passwords
/// to another backend than the one that the invalid layer names.
pub fn load_by(
    app: &AppHandle,
    section: &Section,
    workspace: &str,
) -> Result<BackendSettings, ProfileError> {
    let folder = app.path().app_config_dir().ok();
    let policy = Policy::find(&app.config().identifier)?;
    let built_in = app.state::<BuiltIn>();
    let layers = layers(
        section,
        built_in.profile,
        policy.as_ref(),
        folder.as_deref(),
        workspace,
        &Overrides::from_environment(),
    )?;
    let mut loaded = section.load(&layers)?;
    let allowed = built_in.allowed.iter().map(|path| (*path).to_owned());
    loaded.profile.api.allow.extend(allowed);
    let info = policy.as_ref().map(|policy| policy.info(&loaded));
    if let Some(info) = &info {
        log_policy(info);
    }
    let profile = loaded.profile;
    tracing::info!(
        workspace,
        profile = profile.name,
        origin = profile.origin(),
        "the backend's profile is loaded"
    );
    Ok(BackendSettings {
        profile,
        network: network_of(policy.as_ref()),
        policy: info,
    })
}

/// How servers are reached, as the policy and the desktop say.
///
/// # Errors
/// If the administrator's policy is not valid.
#[cfg(feature = "sentry")]
pub fn network(app: &AppHandle) -> Result<NetworkSettings, ProfileError> {
    let policy = Policy::find(&app.config().identifier)?;
    Ok(network_of(policy.as_ref()))
}

fn network_of(policy: Option<&Policy>) -> NetworkSettings {
    NetworkSettings {
        policy: policy.map(Policy::network).cloned().unwrap_or_default(),
        desktop: desktop_proxy::desktop(),
    }
}

/// Logs what a policy does.
fn log_policy(policy: &PolicyInfo) {
    let PolicyInfo {
        place,
        sets,
        fixes,
        network,
        ..
    } = policy;
    tracing::info!(
        place,
        ?sets,
        ?fixes,
        ?network,
        "an administrator's policy applies"
    );
    for Overridden { key, place } in &policy.overrides {
        tracing::info!(
            key,
            place,
            "a setting has no effect because the policy fixes its key"
        );
    }
}

/// The section of `tauri.conf.json` that says which backend the app was built for, if there is one.
///
/// # Errors
/// If there is none, but one whose name is nearly the same.
pub fn section(config: &tauri::Config) -> Result<Option<Section>, ProfileError> {
    Section::find(&config.plugins.0, "tauri.conf.json")
}

/// The layers of the profile while no app runs, and the policy among them. The doctor uses this.
///
/// # Errors
/// If a layer cannot be read, or if only a running app knows the configuration folder.
#[cfg(feature = "doctor")]
pub fn layers_in_use(
    config: &tauri::Config,
    built: Option<BuiltProfile>,
    workspace: &str,
) -> Result<(Vec<Layer>, Option<Policy>), StartError> {
    if config.app.app_directories_override.is_some() {
        let place = "app.appDirectoriesOverride in tauri.conf.json moves the configuration folder";
        return Err(format!("{place}: name a profile with the standalone doctor").into());
    }
    // The same folder as Tauri's `app_config_dir`.
    let folder = dirs::config_dir().map(|folder| folder.join(&config.identifier));
    let section = section(config)?.unwrap_or_default();
    let policy = Policy::find(&config.identifier)?;
    let layers = layers(
        &section,
        built,
        policy.as_ref(),
        folder.as_deref(),
        workspace,
        &Overrides::from_environment(),
    )?;
    Ok((layers, policy))
}

/// The layers of the profile. Each overrides the ones before it.
fn layers(
    section: &Section,
    built: Option<BuiltProfile>,
    policy: Option<&Policy>,
    folder: Option<&Path>,
    workspace: &str,
    overrides: &Overrides,
) -> Result<Vec<Layer>, ProfileError> {
    let mut layers = section.layers(built)?;
    let of_workspace = |folder: &Path| {
        let folder = folder.join("workspaces").join(workspace);
        Layer::find(&folder, FILE)
    };
    if workspace != DEFAULT_WORKSPACE {
        layers.extend(policy.and_then(Policy::profile_elsewhere));
        if let Some(folder) = folder {
            layers.extend(of_workspace(folder)?);
        }
        return Ok(layers);
    }
    layers.extend(policy.and_then(Policy::profile).cloned());
    if let Some(folder) = folder {
        layers.extend(Layer::find(folder, FILE)?);
        layers.extend(of_workspace(folder)?);
    }
    if let Some(chosen) = &overrides.profile {
        layers.push(Layer::named("VESTIBULE_PROFILE", chosen)?);
    }
    if let Some(address) = &overrides.backend {
        layers.push(Layer::inline(
            "VESTIBULE_BACKEND",
            json!({"backend": address}),
        ));
    }
    Ok(layers)
}

impl Overrides {
    #[cfg(any(debug_assertions, feature = "e2e"))]
    fn from_environment() -> Self {
        Self {
            profile: std::env::var("VESTIBULE_PROFILE").ok(),
            backend: std::env::var("VESTIBULE_BACKEND").ok(),
        }
    }

    #[cfg(not(any(debug_assertions, feature = "e2e")))]
    fn from_environment() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const PLACE: &str = "tauri.conf.json (plugins.vestibule)";

    fn configured() -> Value {
        let whole: Value =
            serde_json::from_str(include_str!("../../../tauri.conf.json")).expect("it is JSON");
        whole["plugins"]["vestibule"].clone()
    }

    fn profile_of(
        section: &Value,
        folder: &Path,
        overrides: &Overrides,
    ) -> Result<Profile, ProfileError> {
        let section = Section::new(PLACE, section.clone());
        let layers = layers(&section, None, None, Some(folder), "default", overrides)?;
        section.load(&layers).map(|loaded| loaded.profile)
    }

    #[test]
    fn what_this_app_is_built_with_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let profile = profile_of(&configured(), folder.path(), &Overrides::default());
        profile.unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn each_layer_lies_over_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("workspaces/default");
        std::fs::create_dir_all(&own).unwrap();
        let section = json!({"profile": "directus", "backend": "https://built.example"});
        let none = Overrides::default();
        let at = |overrides: &Overrides| {
            let profile = profile_of(&section, folder.path(), overrides).unwrap();
            (profile.name.clone(), profile.origin())
        };
        let directus = |origin: &str| ("Directus".to_owned(), origin.to_owned());
        assert_eq!(at(&none), directus("https://built.example"));
        let file = "schema = 1\nbackend = 'https://all.example'";
        std::fs::write(folder.path().join("profile.toml"), file).unwrap();
        assert_eq!(at(&none), directus("https://all.example"));
        let file = r#"{"schema": 1, "backend": "https://one.example"}"#;
        std::fs::write(own.join("profile.json"), file).unwrap();
        assert_eq!(at(&none), directus("https://one.example"));
        let address = Some("http://127.0.0.1:9".to_owned());
        let both = Overrides {
            profile: Some("supabase".into()),
            backend: address,
        };
        assert_eq!(
            at(&both),
            ("Supabase Auth".into(), "http://127.0.0.1:9".into())
        );
    }

    #[test]
    fn a_slip_in_the_section_is_reported_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |key: &str, value: Value| {
            let section = json!({key: value, "backend": "https://a.example"});
            let error = profile_of(&section, folder.path(), &Overrides::default()).unwrap_err();
            assert_eq!((error.place.as_str(), error.key.as_str()), (PLACE, key));
            error
        };
        let error = refused("profile", json!("directsu"));
        assert_eq!(error.nearest.as_deref(), Some("directus"), "{error}");
        let error = refused("profile", json!("mine"));
        assert!(error.reason.contains("`better-auth`"), "{error}");
        assert!(error.reason.contains(".toml or .json"), "{error}");
        let error = refused("profile", json!(7));
        assert!(error.reason.contains("is a number"), "{error}");
        for (key, meant) in [("profil", "profile"), ("link", "links")] {
            let error = refused(key, json!("directus"));
            assert_eq!(error.nearest.as_deref(), Some(meant), "{error}");
        }
        let error = refused("zzz", json!(1));
        for key in ["`backend`", "`profile`", "`links`"] {
            assert!(error.reason.contains(key), "{error}");
        }
    }

    #[test]
    fn an_override_that_names_no_profile_says_which_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let overrides = Overrides {
            profile: Some("directsu".into()),
            backend: None,
        };
        let error = profile_of(&configured(), folder.path(), &overrides).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("VESTIBULE_PROFILE: "), "{text}");
        assert!(
            text.contains("`supabase`") && text.ends_with("did you mean `directus`?"),
            "{text}"
        );
    }

    #[test]
    fn a_bad_override_is_named_and_nothing_is_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.toml");
        std::fs::write(&path, "schema = 1\nbakend = 'https://other.example'").unwrap();
        let error = profile_of(&configured(), folder.path(), &Overrides::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&path.display().to_string()), "{text}");
        assert!(
            text.contains("`bakend`") && text.ends_with("did you mean `backend`?"),
            "{text}"
        );
    }

    #[test]
    fn a_file_may_give_rights_to_other_roles_but_invents_none() {
        let folder = tempfile::tempdir().unwrap();
        let profile_of = |text: &str| {
            std::fs::write(folder.path().join("profile.toml"), text).unwrap();
            profile_of(&configured(), folder.path(), &Overrides::default())
        };
        let profile = profile_of("schema = 1\n[roles]\nchief = ['people.see']").unwrap();
        let may = |role: &str| profile.roles.grant(&[role.to_owned()]);
        assert_eq!(may("chief"), ["people.see"]);
        assert!(!may("admin").is_empty(), "the app's own table stays");
        let error = profile_of("schema = 1\n[roles]\nchief = ['people.sea']").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("profile.toml: `roles.chief[0]`")
                && text.ends_with("did you mean `people.see`?"),
            "{text}"
        );
    }

    /// An app with a list, and a workspace that a person has added.
    fn with_workspaces() -> Section {
        Section::new(
            PLACE,
            json!({
                "backend": "https://built.example",
                "roles": {"admin": ["people.see"]},
                "accounts": 3,
                "workspaces": {"adding": "any", "list": [
                    {"id": "berlin", "name": "Berlin", "backend": "https://berlin.example"},
                ]},
            }),
        )
    }

    #[test]
    fn what_is_said_of_the_apps_own_backend_leads_no_other_workspace_away() {
        let folder = tempfile::tempdir().unwrap();
        let secret = "schema = 1\nextends = 'directus'\nbackend = 'https://all.example'\n\
                      headers = { x-key = 'secret' }\n[roles]\nuser = ['people.see']";
        std::fs::write(folder.path().join("profile.toml"), secret).unwrap();
        let overrides = Overrides {
            profile: Some("supabase".into()),
            backend: Some("http://127.0.0.1:9".into()),
        };
        let app = with_workspaces();
        let listed = app.workspaces().unwrap().listed.remove(0).section;
        let added = app.of_added(&"https://added.example".parse().unwrap());
        for (section, id, origin) in [
            (&listed, "berlin", "https://berlin.example"),
            (&added, "added-1", "https://added.example"),
        ] {
            let load = |section: &Section| {
                let layers = layers(section, None, None, Some(folder.path()), id, &overrides)?;
                section.load(&layers).map(|loaded| loaded.profile)
            };
            let profile = load(section).unwrap();
            assert_eq!(profile.origin(), origin);
            assert_eq!(profile.name, Profile::default().name, "the app's own");
            assert!(profile.headers.is_empty(), "{id}");
            assert_eq!(profile.roles.iter().count(), 0, "{id}");

            // What is written for this workspace counts, and cannot move it.
            let own = folder.path().join("workspaces").join(id);
            std::fs::create_dir_all(&own).unwrap();
            let write = |text: &str| std::fs::write(own.join("profile.toml"), text).unwrap();
            write("schema = 1\nname = 'Mine'\nextends = 'directus'");
            let profile = load(section).unwrap();
            assert_eq!(
                (profile.name.as_str(), profile.origin().as_str()),
                ("Mine", origin)
            );
            for (text, key) in [
                ("schema = 1\nbackend = 'https://evil.example'", "backend"),
                ("schema = 1\n[roles]\nuser = ['people.see']", "roles"),
            ] {
                write(text);
                let error = load(section).unwrap_err();
                assert_eq!(error.key, key, "{error}");
                assert!(error.place.ends_with("profile.toml"), "{error}");
            }
        }
    }
}
