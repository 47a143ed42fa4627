//! The JSON Schema of a profile is generated, committed, and checked here for drift.
//! `cargo xtask types` writes it.

use super::model::Document;

#[test]
fn profile_schema() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/profile.schema.json");
    let schema = schemars::schema_for!(Document);
    let mut wanted = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    wanted.push('\n');
    if std::env::var_os("VESTIBULE_WRITE_TYPES").is_some() {
        std::fs::write(&path, &wanted).expect("the schema can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed.replace("\r\n", "\n") == wanted,
        "docs/profile.schema.json differs from profile/model.rs: run `cargo xtask types` and \
         commit it"
    );
}
