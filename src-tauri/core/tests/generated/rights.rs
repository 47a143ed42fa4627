//! The names of the app's rights, for the page.

use vestibule_core::profile::Section;

use crate::{keep, root};

/// Every right that the app's configuration lets some role have.
fn rights() -> String {
    let config = std::fs::read_to_string(root().join("tauri.conf.json")).expect("a configuration");
    let config: serde_json::Value = serde_json::from_str(&config).expect("it is JSON");
    let plugins = config["plugins"].as_object().expect("a table");
    let section = Section::find(plugins, "tauri.conf.json").expect("one that is spelt right");
    let rights = section.expect("the example's").rights();
    let names: Vec<String> = rights.iter().map(|name| format!("\"{name}\"")).collect();
    let union = match names.is_empty() {
        true => "never".to_owned(),
        false => names.join(" | "),
    };
    format!(
        "// Generated from `plugins.vestibule.roles` in tauri.conf.json by `cargo xtask types`. Do \
         not edit.\n\n/** What a role may let someone do in this app. */\nexport type Right = \
         {union};\n"
    )
}

#[test]
fn right_types() {
    keep("frontend/lib/rights.ts", &rights(), "tauri.conf.json");
}
