//! What may be written there, and which mistake is named for each.

use serde_json::json;

use super::*;

const PLACE: &str = "app.json (plugins.auth)";

fn section(value: Value) -> Section {
    Section::new(PLACE, value)
}

fn checked(value: Value) -> Result<bool, ProfileError> {
    section(value).check(None)
}

/// A workspace of a list, with these keys in place of its own.
fn one(more: Value) -> Value {
    let mut one = json!({"id": "berlin", "name": "Berlin", "backend": "https://berlin.example"});
    for (key, value) in more.as_object().expect("keys") {
        match value {
            Value::Null => one.as_object_mut().expect("a table").remove(key),
            value => one
                .as_object_mut()
                .expect("a table")
                .insert(key.clone(), value.clone()),
        };
    }
    one
}

fn listing(list: Value) -> Value {
    json!({"accounts": 3, "workspaces": {"adding": "listed", "list": list}})
}

#[test]
fn an_app_that_says_nothing_has_one_account_in_its_own_workspace() {
    let settings = section(json!({})).workspaces().unwrap();
    assert_eq!(settings.most_accounts, 1);
    assert_eq!(settings.adding, Adding::One);
    assert!(settings.listed.is_empty());
    let several = section(json!({"accounts": 50})).workspaces().unwrap();
    assert_eq!(several.most_accounts, 50, "in one workspace");
    assert_eq!(checked(json!({"accounts": 2, "workspaces": {}})), Ok(true));
    assert_eq!(
        checked(json!({"accounts": 1, "workspaces": {"adding": "one"}})),
        Ok(true)
    );
}

#[test]
fn a_list_is_read_in_its_order() {
    let second = json!({
        "id": "0-x", "name": "Zürich 2", "backend": "http://127.0.0.1:4581/v1",
        "profile": "directus",
    });
    let value = listing(json!([one(json!({})), second]));
    assert_eq!(checked(value.clone()), Ok(true));
    let listed = section(value).workspaces().unwrap().listed;
    let shown: Vec<_> = listed
        .iter()
        .map(|it| (it.id.as_str(), it.name.as_str(), it.backend.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("berlin", "Berlin", "https://berlin.example/"),
            ("0-x", "Zürich 2", "http://127.0.0.1:4581/v1"),
        ]
    );
    let any = json!({"accounts": 2, "workspaces": {"adding": "any"}});
    assert_eq!(checked(any), Ok(true), "without a list");
}

#[test]
fn each_mistake_is_named_with_its_key() {
    let any = |workspaces: Value| json!({"accounts": 2, "workspaces": workspaces});
    let long_id = "x".repeat(LONGEST_ID + 1);
    let long_name = "é".repeat(LONGEST_NAME + 1);
    let listed = |more: Value| listing(json!([one(more)]));
    for (value, key, words) in [
        (json!({"accounts": 0}), "accounts", "from 1 to 50"),
        (json!({"accounts": 51}), "accounts", "from 1 to 50"),
        (json!({"accounts": -1}), "accounts", "is a number"),
        (json!({"accounts": 2.5}), "accounts", "is a number"),
        (json!({"accounts": "3"}), "accounts", "is a text"),
        (json!({"accounts": null}), "accounts", "is null"),
        (json!({"acounts": 3}), "acounts", "did you mean `accounts`?"),
        (
            json!({"workspace": {}}),
            "workspace",
            "did you mean `workspaces`?",
        ),
        (json!({"workspaces": []}), "workspaces", "is a list"),
        (json!({"workspaces": "any"}), "workspaces", "is a text"),
        (
            json!({"workspaces": {"adding": "any"}}),
            "workspaces.adding",
            "`accounts` is 1",
        ),
        (
            json!({"accounts": 1, "workspaces": {"adding": "listed", "list": [one(json!({}))]}}),
            "workspaces.adding",
            "`accounts` is 1",
        ),
        (
            any(json!({"adding": "lsited"})),
            "workspaces.adding",
            "did you mean `listed`?",
        ),
        (
            any(json!({"adding": "all"})),
            "workspaces.adding",
            "`one`, `listed`, `any`",
        ),
        (
            any(json!({"adding": true})),
            "workspaces.adding",
            "must be one of",
        ),
        (
            any(json!({"ading": "any"})),
            "workspaces.ading",
            "did you mean `workspaces.adding`?",
        ),
        (
            any(json!({"lists": []})),
            "workspaces.lists",
            "did you mean `workspaces.list`?",
        ),
        (
            any(json!({"list": [one(json!({}))]})),
            "workspaces.list",
            "no effect",
        ),
        (any(json!({"list": []})), "workspaces.list", "no effect"),
        (
            any(json!({"adding": "listed"})),
            "workspaces.list",
            "is missing",
        ),
        (
            any(json!({"adding": "listed", "list": []})),
            "workspaces.list",
            "is empty",
        ),
        (
            any(json!({"adding": "any", "list": []})),
            "workspaces.list",
            "is empty",
        ),
        (
            any(json!({"adding": "listed", "list": {}})),
            "workspaces.list",
            "is a table",
        ),
        (any(json!({"roles": {}})), "workspaces.roles", "no effect"),
        (
            any(json!({"adding": "listed", "list": [one(json!({}))], "roles": {}})),
            "workspaces.roles",
            "no effect",
        ),
        (
            any(json!({"adding": "any", "roles": []})),
            "workspaces.roles",
            "is a list",
        ),
        (
            any(json!({"adding": "any", "roles": {"chief": ["See"]}})),
            "workspaces.roles.chief[0]",
            "small letters",
        ),
        (
            listing(json!(["berlin"])),
            "workspaces.list[0]",
            "is a text",
        ),
        (listing(json!([{}])), "workspaces.list[0].id", "is missing"),
        (
            listed(json!({"id": null})),
            "workspaces.list[0].id",
            "is missing",
        ),
        (
            listed(json!({"name": null})),
            "workspaces.list[0].name",
            "is missing",
        ),
        (
            listed(json!({"backend": null})),
            "workspaces.list[0].backend",
            "is missing",
        ),
        (
            listed(json!({"bakend": "x"})),
            "workspaces.list[0].bakend",
            "did you mean `workspaces.list[0].backend`?",
        ),
        (
            listed(json!({"id": 7})),
            "workspaces.list[0].id",
            "is a number",
        ),
        (
            listed(json!({"id": ""})),
            "workspaces.list[0].id",
            "1 to 40",
        ),
        (
            listed(json!({"id": long_id})),
            "workspaces.list[0].id",
            "1 to 40",
        ),
        (
            listed(json!({"id": "Berlin"})),
            "workspaces.list[0].id",
            "small letters",
        ),
        (
            listed(json!({"id": "../x"})),
            "workspaces.list[0].id",
            "small letters",
        ),
        (
            listed(json!({"id": "köln"})),
            "workspaces.list[0].id",
            "small letters",
        ),
        (
            listed(json!({"id": "default"})),
            "workspaces.list[0].id",
            "app's own",
        ),
        (
            listed(json!({"id": "added-1"})),
            "workspaces.list[0].id",
            "a person adds",
        ),
        (
            listed(json!({"id": "nul"})),
            "workspaces.list[0].id",
            "Windows",
        ),
        (
            listed(json!({"id": "com1"})),
            "workspaces.list[0].id",
            "Windows",
        ),
        (
            listed(json!({"name": ""})),
            "workspaces.list[0].name",
            "1 to 80",
        ),
        (
            listed(json!({"name": " "})),
            "workspaces.list[0].name",
            "1 to 80",
        ),
        (
            listed(json!({"name": long_name})),
            "workspaces.list[0].name",
            "1 to 80",
        ),
        (
            listed(json!({"name": "a\nb"})),
            "workspaces.list[0].name",
            "control character",
        ),
        (
            listed(json!({"backend": "http://berlin.example"})),
            "workspaces.list[0].backend",
            "is plain http",
        ),
        (
            listed(json!({"backend": "berlin"})),
            "workspaces.list[0].backend",
            "not an address",
        ),
        (
            listed(json!({"backend": "https://a:b@berlin.example"})),
            "workspaces.list[0].backend",
            "user name",
        ),
        (
            listed(json!({"profile": "directsu"})),
            "workspaces.list[0].profile",
            "did you mean `directus`?",
        ),
        (
            listed(json!({"profile": "mine.toml"})),
            "workspaces.list[0].profile",
            "left out",
        ),
        (
            listed(json!({"profile": "nothing"})),
            "workspaces.list[0].profile",
            "left out",
        ),
        (
            listed(json!({"profile": ""})),
            "workspaces.list[0].profile",
            "left out",
        ),
        (
            listed(json!({"roles": []})),
            "workspaces.list[0].roles",
            "is a list",
        ),
        (
            listed(json!({"roles": {"chief": ["a", "See"]}})),
            "workspaces.list[0].roles.chief[1]",
            "small letters",
        ),
        (
            listing(json!([
                one(json!({})),
                one(json!({"backend": "https://b.example"}))
            ])),
            "workspaces.list[1].id",
            "`workspaces.list[0].id`",
        ),
        (
            listing(json!([one(json!({})), one(json!({"id": "b"}))])),
            "workspaces.list[1].backend",
            "`workspaces.list[0].backend`",
        ),
    ] {
        let error = checked(value.clone()).expect_err(&value.to_string());
        assert_eq!(error.key, key, "{value}: {error}");
        assert_eq!(error.place, PLACE, "{value}: {error}");
        assert!(error.to_string().contains(words), "{value}: {error}");
    }
}

#[test]
fn the_apps_own_address_is_no_other_workspaces() {
    let mut value = listing(json!([one(
        json!({"backend": "https://BERLIN.example:443/"})
    )]));
    value["backend"] = json!("https://berlin.example");
    let error = checked(value).unwrap_err();
    assert_eq!(error.key, "workspaces.list[0].backend");
    assert!(error.reason.contains("the app's own workspace"), "{error}");
}

#[test]
fn the_rights_of_all_tables_are_the_apps() {
    let mut value = listing(json!([one(
        json!({"roles": {"chef": ["people.see", "menu"]}})
    )]));
    value["roles"] = json!({"admin": ["people.see", "people.export"]});
    let rights = section(value).rights();
    assert_eq!(
        rights.into_iter().collect::<Vec<_>>(),
        ["menu", "people.export", "people.see"]
    );
    let added = json!({
        "accounts": 2, "workspaces": {"adding": "any", "roles": {"owner": ["people.see"]}},
    });
    assert_eq!(section(added.clone()).rights().len(), 1);
    assert_eq!(checked(added), Ok(true));
}
