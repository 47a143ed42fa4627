//! The scheme of this app's links, which `plugins.deep-link.desktop.schemes` of `tauri.conf.json` names
//! once: the bundler registers it with every package, and the sign-in by the browser comes back by it.

use serde_json::Value;
use vestibule_core::profile::ProfileError;

/// Where the configuration names it.
const KEY: &str = "plugins.deep-link.desktop.schemes";
/// What a debug build has behind the scheme, as the example app has it behind its identifier. It registers
/// itself when it starts, and would otherwise take the links of the installed app and keep them.
const DEVELOPMENT: &str = ".dev";
/// Schemes that are the system's, the browser's or Tauri's own.
const TAKEN: [&str; 21] = [
    "about",
    "asset",
    "blob",
    "chrome",
    "data",
    "file",
    "ftp",
    "http",
    "https",
    "ipc",
    "irc",
    "javascript",
    "mailto",
    "ms-settings",
    "sms",
    "ssh",
    "tauri",
    "tel",
    "view-source",
    "ws",
    "wss",
];

/// A scheme, in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme(String);

impl Scheme {
    /// The scheme of this build, if the configuration names one.
    ///
    /// # Errors
    /// If the configuration names several, or one that this app cannot have.
    pub fn configured(config: &tauri::Config) -> Result<Option<Self>, ProfileError> {
        let desktop = config.plugins.0.get("deep-link").map(|it| &it["desktop"]);
        let Some(scheme) = the_only(desktop.unwrap_or(&Value::Null))? else {
            return Ok(None);
        };
        check(&scheme)?;
        Ok(Some(Self(match cfg!(debug_assertions) {
            true => scheme + DEVELOPMENT,
            false => scheme,
        })))
    }

    /// The scheme without its colon.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether a text begins with this scheme and a colon. Capital letters are the same (RFC 3986 §3.1).
    /// Returns what is behind the colon.
    pub fn strip<'a>(&self, link: &'a [u8]) -> Option<&'a [u8]> {
        let (scheme, rest) = link.split_at_checked(self.0.len())?;
        let is_this = scheme.eq_ignore_ascii_case(self.0.as_bytes());
        is_this.then(|| rest.strip_prefix(b":"))?
    }

    #[cfg(test)]
    pub(super) fn of_test() -> Self {
        Self("com.example.app".into())
    }
}

/// The scheme in `plugins.deep-link.desktop`: the bundler takes one entry with `schemes`, or a list of such.
fn the_only(desktop: &Value) -> Result<Option<String>, ProfileError> {
    let entries = match desktop {
        Value::Null => return Ok(None),
        Value::Array(entries) => &entries[..],
        entry => std::slice::from_ref(entry),
    };
    let mut all = Vec::new();
    for entry in entries {
        let schemes = entry["schemes"].as_array();
        for scheme in schemes.ok_or_else(|| mistake("is not a list of schemes"))? {
            let scheme = scheme.as_str();
            all.push(scheme.ok_or_else(|| mistake("is not a list of texts"))?);
        }
    }
    match all[..] {
        [] => Ok(None),
        [scheme] => Ok(Some(scheme.to_owned())),
        _ => Err(mistake(
            "names several schemes; the app has one, for its links and for sign-ins by the browser",
        )),
    }
}

fn check(scheme: &str) -> Result<(), ProfileError> {
    let mut letters = scheme.bytes();
    // RFC 3986 §3.1. Desktops compare the scheme as it is registered, so it is in small letters.
    let begins = letters.next().is_some_and(|it| it.is_ascii_lowercase());
    let goes_on = letters.all(|it| {
        it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, b'+' | b'-' | b'.')
    });
    if !begins || !goes_on {
        return Err(mistake(
            "is no scheme: it begins with a small letter, and small letters, digits, `+`, `-` and `.` \
             follow, such as `com.example.app`; the colon is not a part of it",
        ));
    }
    match TAKEN.contains(&scheme) {
        true => Err(mistake(
            "is a scheme of the system or of browsers; take one of your own, such as `com.example.app`",
        )),
        false => Ok(()),
    }
}

fn mistake(reason: &str) -> ProfileError {
    ProfileError {
        place: "tauri.conf.json".into(),
        key: KEY.into(),
        reason: reason.into(),
        nearest: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn configured(deep_link: Value) -> Result<Option<Scheme>, ProfileError> {
        let mut config = tauri::Config::default();
        config.plugins.0.insert("deep-link".into(), deep_link);
        Scheme::configured(&config)
    }

    #[test]
    fn an_app_that_names_none_has_no_links() {
        assert_eq!(Scheme::configured(&tauri::Config::default()), Ok(None));
        for none in [
            json!({}),
            json!({ "desktop": { "schemes": [] } }),
            json!({ "mobile": [] }),
        ] {
            assert_eq!(configured(none), Ok(None));
        }
    }

    #[test]
    fn a_build_for_development_has_a_scheme_of_its_own() {
        let wanted = match cfg!(debug_assertions) {
            true => "com.example.app.dev",
            false => "com.example.app",
        };
        let schemes = json!({ "schemes": ["com.example.app"] });
        for desktop in [schemes.clone(), json!([schemes])] {
            let scheme = configured(json!({ "desktop": desktop }));
            let scheme = scheme.expect("it is valid").expect("it is named");
            assert_eq!(scheme.name(), wanted);
        }
    }

    #[test]
    fn a_scheme_that_the_app_cannot_have_is_refused_with_words() {
        for (schemes, says) in [
            (json!(["com.example.app", "example"]), "several"),
            (json!(["Example"]), "small letter"),
            (json!(["example://"]), "colon"),
            (json!(["1example"]), "begins"),
            (json!(["ex ample"]), "no scheme"),
            (json!(["exämple"]), "no scheme"),
            (json!([""]), "no scheme"),
            (json!(["https"]), "of the system"),
            (json!(["javascript"]), "of the system"),
            (json!([1]), "texts"),
            (json!("example"), "list"),
            (json!(null), "list"),
        ] {
            let refused = configured(json!({ "desktop": { "schemes": schemes } }));
            let refused = refused.expect_err("it is not valid").to_string();
            assert!(refused.contains(says) && refused.contains(KEY), "{refused}");
        }
    }

    #[test]
    fn only_what_has_the_scheme_and_a_colon_is_a_link() {
        let scheme = Scheme::of_test();
        for link in ["com.example.app:/x", "COM.Example.APP:/x"] {
            assert_eq!(scheme.strip(link.as_bytes()), Some(&b"/x"[..]), "{link}");
        }
        for other in [
            "",
            "com.example.app",
            "com.example.app.dev:/x",
            "com.example.ap:/x",
            " com.example.app:/x",
        ] {
            assert_eq!(scheme.strip(other.as_bytes()), None, "{other}");
        }
    }
}
