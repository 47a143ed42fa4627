//! The JSON Schema of a profile is generated, committed, and checked here for drift.
//! `cargo xtask types` writes it.

use super::model::Document;

#[test]
fn profile_schema() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/profile.schema.json");
    let wanted = serde_json::to_value(schemars::schema_for!(Document)).expect("a schema is JSON");
    if std::env::var_os("VESTIBULE_WRITE_TYPES").is_some() {
        let text = serde_json::to_string_pretty(&wanted).expect("JSON has a text");
        std::fs::write(&path, text + "\n").expect("the schema can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    // Compared as values, because the order of keys depends on features that other crates turn on.
    let committed: Option<serde_json::Value> = serde_json::from_str(&committed).ok();
    assert!(
        committed == Some(wanted),
        "docs/profile.schema.json differs from profile/model.rs: run `cargo xtask types` and \
         commit it"
    );
}
