//! The scheme of this app's links, which `plugins.deep-link.desktop.schemes` of `tauri.conf.json` names
//! once: the bundler registers it with every package, and the sign-in by the browser comes back by it.

use serde_json::Value;
use vestibule_core::deep_links::Scheme;
use vestibule_core::profile::ProfileError;

/// Where the configuration names it.
const KEY: &str = "plugins.deep-link.desktop.schemes";
/// What a debug build has behind the scheme, as the example app has it behind its identifier. It registers
/// itself when it starts, and would otherwise take the links of the installed app and keep them.
const DEVELOPMENT: &str = ".dev";
/// The scheme of this build, if the configuration names one.
///
/// # Errors
/// If the configuration names several, or one that this app cannot have.
pub fn configured(config: &tauri::Config) -> Result<Option<Scheme>, ProfileError> {
    let desktop = config.plugins.0.get("deep-link").map(|it| &it["desktop"]);
    let Some(named) = the_only(desktop.unwrap_or(&Value::Null))? else {
        return Ok(None);
    };
    let scheme = Scheme::parse(&named).map_err(mistake)?;
    match cfg!(debug_assertions) {
        true => Scheme::parse(&format!("{named}{DEVELOPMENT}"))
            .map(Some)
            .map_err(mistake),
        false => Ok(Some(scheme)),
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

    fn named(deep_link: Value) -> Result<Option<Scheme>, ProfileError> {
        let mut config = tauri::Config::default();
        config.plugins.0.insert("deep-link".into(), deep_link);
        configured(&config)
    }

    #[test]
    fn an_app_that_names_none_has_no_links() {
        assert_eq!(configured(&tauri::Config::default()), Ok(None));
        for none in [
            json!({}),
            json!({ "desktop": { "schemes": [] } }),
            json!({ "mobile": [] }),
        ] {
            assert_eq!(named(none), Ok(None));
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
            let scheme = named(json!({ "desktop": desktop }));
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
            let refused = named(json!({ "desktop": { "schemes": schemes } }));
            let refused = refused.expect_err("it is not valid").to_string();
            assert!(refused.contains(says) && refused.contains(KEY), "{refused}");
        }
    }
}
