//! What an app's build script does for Vestibule, in one line:
//!
//! ```no_run
//! // build.rs
//! fn main() {
//!     vestibule_build::build();
//!     tauri_build::build();
//! }
//! # mod tauri_build { pub fn build() {} }
//! ```
//!
//! It reads the configuration as Tauri does, checks the section `plugins.vestibule` and the profile
//! that it names, so that a mistake fails the build, and writes `vestibule.rs` into `OUT_DIR` with
//!
//! - `PROFILE`, the text of the file that `plugins.vestibule.profile` names, for
//!   `tauri_plugin_vestibule::Builder::profile`;
//! - a module `rights` with a constant for each right that some role has.
//!
//! The app includes it: `mod built { include!(concat!(env!("OUT_DIR"), "/vestibule.rs")); }`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;
use tauri_utils::config::parse;
use tauri_utils::platform::Target;
use vestibule_core::profile::Section;

/// The configuration that the Tauri CLI was called with, which overrides the files.
const OVERRIDE: &str = "TAURI_CONFIG";

/// Checks the backend's profile, and builds it and the names of the rights into the app. The
/// configuration is that beside the package's `Cargo.toml`, with what Tauri merges into it: the file
/// for the target's system, and what `--config` of the Tauri CLI names.
///
/// It ends the build script if the configuration or the profile that it names is not valid. What it says
/// then names the file and the key.
///
/// # Panics
/// If it is not called by a build script.
pub fn build() {
    let folder = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let target = Target::from_triple(&variable("TARGET"));
    println!("cargo:rerun-if-env-changed={OVERRIDE}");
    let overriding = env::var(OVERRIDE).ok();
    let output = BuildOutput::read(&folder, target, overriding.as_deref());
    let output = output.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        std::process::exit(1)
    });
    for path in &output.read {
        println!("cargo:rerun-if-changed={}", path.display());
    }
    if let Some(warning) = &output.warning {
        println!("cargo:warning={warning}");
    }
    let place = PathBuf::from(variable("OUT_DIR")).join("vestibule.rs");
    fs::write(place, output.code()).expect("OUT_DIR can be written");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is set by cargo for build scripts"))
}

/// What is built into the app.
struct BuildOutput {
    /// Name and text of the profile, where it is a file.
    profile: Option<(String, String)>,
    /// The names of rights, by the names of their constants.
    rights: BTreeMap<String, String>,
    /// What the author of the app should know.
    warning: Option<String>,
    /// The files that this comes from.
    read: Vec<PathBuf>,
}

impl BuildOutput {
    fn read(
        folder: &Path,
        target: Target,
        overriding: Option<&str>,
    ) -> Result<Self, Box<dyn Error>> {
        let (mut config, mut read) = parse::read_from(target, folder)?;
        let names = read.iter().filter_map(|path| path.file_name()?.to_str());
        let mut files = names.collect::<Vec<_>>().join(", ");
        if let Some(overriding) = overriding {
            let overriding = serde_json::from_str::<Value>(overriding);
            let overriding =
                overriding.map_err(|error| format!("{OVERRIDE} is not JSON: {error}"))?;
            json_patch::merge(&mut config, &overriding);
            files = format!("{files}, {OVERRIDE}");
        }
        let none = serde_json::Map::new();
        let plugins = config["plugins"].as_object().unwrap_or(&none);
        let Some(section) = Section::find(plugins, &files)? else {
            let warning = "there is no section `plugins.vestibule`, so the backend is that of the \
                           contract, http://127.0.0.1:4580";
            return Ok(Self {
                profile: None,
                rights: BTreeMap::new(),
                warning: Some(format!("{files}: {warning}")),
                read,
            });
        };
        let profile = match section.file()? {
            None => None,
            Some(name) => {
                let path = folder.join(&name);
                let text = fs::read_to_string(&path).map_err(|error| {
                    let path = path.display();
                    format!(
                        "{files}: `plugins.vestibule.profile` names {name}, and {path} cannot be \
                         read: {error}"
                    )
                })?;
                read.push(path);
                Some((name, text))
            }
        };
        let built = profile.as_ref().map(|(name, text)| (&**name, &**text));
        let has_address = section.check(built)?;
        let warning = "`plugins.vestibule` does not say where the backend is; an administrator or a \
                       profile beside the app has to";
        Ok(Self {
            warning: (!has_address).then(|| format!("{files}: {warning}")),
            rights: constants(section.rights()).map_err(|error| format!("{files}: {error}"))?,
            profile,
            read,
        })
    }

    /// The file that the app includes. With a constant for each right, a command that asks for a
    /// right which no role has does not compile.
    fn code(&self) -> String {
        let constant = |(constant, name): (&String, &String)| {
            format!("    /// `{name}`\n    pub const {constant}: &str = {name:?};\n")
        };
        let constants: String = self.rights.iter().map(constant).collect();
        format!(
            "/// The profile that the app was built with, where it is a file: for \
             `tauri_plugin_vestibule::Builder::profile`.\n\
             pub const PROFILE: Option<(&str, &str)> = {:?};\n\
             /// The names of this app's rights.\npub mod rights {{\n{constants}}}\n",
            self.profile
        )
    }
}

/// The names of rights by the names of their constants: `people.see` by `PEOPLE_SEE`.
fn constants(rights: BTreeSet<String>) -> Result<BTreeMap<String, String>, String> {
    let mut constants = BTreeMap::new();
    for right in rights {
        let constant = right.replace('.', "_").to_uppercase();
        if let Some(other) = constants.insert(constant.clone(), right.clone()) {
            return Err(format!(
                "`plugins.vestibule` has the rights `{other}` and `{right}` in its tables of roles, \
                 which would be one constant, {constant}: rename one of them"
            ));
        }
    }
    Ok(constants)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "tauri.conf.json";

    /// An app's folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn read(files: &[(&str, &str)], overriding: Option<&str>) -> Result<BuildOutput, String> {
        let output = BuildOutput::read(folder(files).path(), Target::Linux, overriding);
        output.map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_and_the_rights_are_built_in() {
        let config = r#"{"plugins": {"vestibule": {"profile": "mine.toml",
            "roles": {"chief": ["people.see", "people.edit"], "clerk": ["people.see"]}}}}"#;
        let mine = "schema = 1\nbackend = 'https://a.example'\nname = \"Mine\"";
        let built = read(&[(FILE, config), ("mine.toml", mine)], None).unwrap();
        assert_eq!(built.warning, None);
        let rights: Vec<_> = built.rights.values().collect();
        assert_eq!(rights, ["people.edit", "people.see"]);
        let names: Vec<_> = built
            .read
            .iter()
            .map(|path| path.file_name().unwrap())
            .collect();
        assert_eq!(names, [FILE, "mine.toml"]);
        let code = built.code();
        assert!(
            code.contains(r#"= Some(("mine.toml", "schema = 1\nbackend"#),
            "{code}"
        );
        assert!(
            code.contains(r#"pub const PEOPLE_SEE: &str = "people.see";"#),
            "{code}"
        );
    }

    #[test]
    fn what_tauri_merges_counts() {
        let files = [
            (
                FILE,
                r#"{"plugins": {"vestibule": {"backend": "https://a.example"}}}"#,
            ),
            (
                "tauri.linux.conf.json",
                r#"{"plugins": {"vestibule": {"profile": "supabase"}}}"#,
            ),
        ];
        assert!(read(&files, None).unwrap().profile.is_none());
        let wrong = read(
            &files,
            Some(r#"{"plugins": {"vestibule": {"profile": "supabas"}}}"#),
        );
        let wrong = wrong.err().unwrap();
        let place = "tauri.conf.json, tauri.linux.conf.json, TAURI_CONFIG (plugins.vestibule)";
        assert!(
            wrong.starts_with(place) && wrong.ends_with("did you mean `supabase`?"),
            "{wrong}"
        );
        let unread = read(&files, Some("{")).err().unwrap();
        assert!(unread.starts_with("TAURI_CONFIG is not JSON"), "{unread}");
    }

    #[test]
    fn a_mistake_fails_the_build_and_is_named_with_its_file() {
        let refused = |section: &str, files: &[(&str, &str)]| {
            let config = format!(r#"{{"plugins": {{{section}}}}}"#);
            let files = [&[(FILE, &*config)], files].concat();
            read(&files, None).err().expect("it is not valid")
        };
        let name = refused(r#""vestibul": {}"#, &[]);
        assert!(
            name.ends_with("did you mean `plugins.vestibule`?"),
            "{name}"
        );
        let key = refused(r#""vestibule": {"bakend": "https://a.example"}"#, &[]);
        assert!(
            key.starts_with("tauri.conf.json (plugins.vestibule): `bakend`"),
            "{key}"
        );
        let file = r#""vestibule": {"profile": "mine.toml"}"#;
        let missing = refused(file, &[]);
        assert!(
            missing.contains("names mine.toml, and /") && missing.contains("cannot be read"),
            "{missing}"
        );
        let rights = r#""vestibule": {"roles": {"chief": ["people.see", "people_see"]}}"#;
        let both = refused(rights, &[]);
        assert!(both.contains("`people.see` and `people_see`"), "{both}");
        let link = refused(r#""vestibule": {"links": ["http://a.example/"]}"#, &[]);
        assert!(link.contains("`links[0]`"), "{link}");
        let inside = refused(file, &[("mine.toml", "schema = 1\nbakend = 'x'")]);
        assert!(inside.starts_with("mine.toml: `bakend`"), "{inside}");
        let missing = read(&[], None).err().unwrap();
        assert!(missing.contains("tauri.conf.json"), "{missing}");
    }

    #[test]
    fn workspaces_are_checked_and_their_rights_become_constants() {
        let config = |roles: &str| {
            format!(
                r#"{{"plugins": {{"vestibule": {{
                    "backend": "https://a.example", "roles": {{"admin": ["people.see"]}},
                    "accounts": 3, "workspaces": {{
                        "adding": "any", "roles": {{"owner": ["menu.see"]}},
                        "list": [{{"id": "b", "name": "B", "backend": "https://b.example",
                            "roles": {roles}}}]
                    }}
                }}}}}}"#
            )
        };
        let whole = config(r#"{"chief": ["menu.edit", "people.see"]}"#);
        let built = read(&[(FILE, &whole)], None).unwrap();
        let rights: Vec<_> = built.rights.values().collect();
        assert_eq!(rights, ["menu.edit", "menu.see", "people.see"]);
        let slip = config(r#"{"chief": ["Menu"]}"#);
        let slip = read(&[(FILE, &slip)], None).err().expect("it is not valid");
        assert!(
            slip.starts_with(
                "tauri.conf.json (plugins.vestibule): `workspaces.list[0].roles.chief[0]`"
            ),
            "{slip}"
        );
        let both = config(r#"{"chief": ["menu_see"]}"#);
        let both = read(&[(FILE, &both)], None).err().expect("one constant");
        assert!(both.contains("`menu.see` and `menu_see`"), "{both}");
    }

    #[test]
    fn the_address_may_be_left_to_others() {
        let config = r#"{"plugins": {"vestibule": {"profile": "directus"}}}"#;
        let warning = |config| read(&[(FILE, config)], None).unwrap().warning.unwrap();
        assert!(warning(config).contains("does not say where the backend is"));
        assert!(warning("{}").contains("that of the contract"));
    }
}
