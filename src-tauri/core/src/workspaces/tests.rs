use serde_json::{Value, json};

use super::*;

const TYPED: &str = "http://127.0.0.1:9";

/// The workspaces of an app under this policy's profile, to which somebody has added one before.
async fn under(policy: Option<Value>, more: Value) -> (Workspaces, tempfile::TempDir) {
    let policy = policy.map(|profile| {
        let value = json!({"schema": 1, "profile": profile});
        Policy::read("policy.toml".into(), &value).expect("it is valid")
    });
    let mut section = json!({
        "backend": "https://app.example/v1",
        "accounts": 4,
        "workspaces": {
            "adding": "any",
            "list": [{"id": "berlin", "name": "Berlin", "backend": "https://berlin.example"}],
        },
    });
    for (key, value) in more.as_object().expect("keys") {
        section[key] = value.clone();
    }
    let section = Section::new("app.json (plugins.vestibule)", section);
    let mut layers = section.layers(None).expect("layers");
    layers.extend(policy.as_ref().and_then(Policy::profile).cloned());
    let own = section.load(&layers).expect("a profile").profile;
    let folder = tempfile::tempdir().expect("a folder");
    let record = json!({"format": 1, "workspaces": [{"address": "https://added.example"}]});
    std::fs::write(folder.path().join("added.json"), record.to_string()).expect("written");
    let workspaces = Workspaces::open(Config {
        section,
        built: None,
        policy,
        own,
        folder: folder.path().to_owned(),
    });
    (workspaces.expect("they open"), folder)
}

fn shown(workspaces: &Workspaces) -> Vec<(String, String)> {
    let all = workspaces.all().into_iter();
    all.map(|it| (it.name, it.host)).collect()
}

#[tokio::test]
async fn a_policy_that_fixes_the_backend_leaves_only_the_apps_own_workspace() {
    let corp = json!({"fixed": ["backend"], "backend": "https://corp.example", "name": "Corp"});
    let (workspaces, folder) = under(Some(corp), json!({})).await;
    assert_eq!(shown(&workspaces), [("Corp".into(), "corp.example".into())]);
    assert!(!workspaces.adding());
    assert_eq!(workspaces.most_accounts(), 4, "of one backend");
    let added = id_of(&address::parse("https://added.example").expect("an address"));
    for id in ["berlin", &added] {
        let error = workspaces.section_of(id).expect_err("not here");
        assert_eq!(error.code, ErrorCode::UnknownWorkspace, "{id}");
        let error = workspaces.remove(id).expect_err("not here");
        assert_eq!(error.code, ErrorCode::UnknownWorkspace, "{id}");
    }
    let looked = workspaces
        .look(TYPED, NetworkSettings::default(), "test")
        .await;
    assert_eq!(looked.expect_err("not here").code, ErrorCode::Unsupported);
    let error = workspaces
        .add("https://added.example")
        .expect_err("not here");
    assert_eq!(error.code, ErrorCode::Unsupported);
    let record = std::fs::read_to_string(folder.path().join("added.json")).expect("a record");
    assert!(
        record.contains("added.example"),
        "what was added is not forgotten"
    );
}

#[tokio::test]
async fn any_other_policy_leaves_the_workspaces_and_keeps_its_limits() {
    let corp = json!({
        "fixed": ["api.allow"], "backend": "https://corp.example/v2", "api": {"allow": ["/me"]},
        "headers": {"x-tenant": "corp"},
    });
    let (workspaces, _folder) = under(Some(corp), json!({})).await;
    let hosts: Vec<_> = workspaces.all().into_iter().map(|it| it.host).collect();
    assert_eq!(hosts, ["corp.example", "berlin.example", "added.example"]);
    let added = workspaces.all().pop().expect("the last");
    let section = workspaces.section_of(&added.id).expect("it is there");
    let mut layers = section.layers(None).expect("layers");
    layers.extend(workspaces.limits.clone());
    let mine = Layer::inline("profile.toml", json!({"api": {"allow": ["/orders"]}}));
    layers.push(mine);
    let profile = section.load(&layers).expect("a profile").profile;
    assert_eq!(
        profile.backend.as_str(),
        "https://added.example/v2",
        "below the app's own path"
    );
    assert_eq!(profile.api.allow, ["/me"]);
    assert!(
        profile.headers.is_empty(),
        "another backend learns no header"
    );
}

#[tokio::test]
async fn the_apps_own_workspace_is_called_as_its_backend_or_by_its_host() {
    let (workspaces, _folder) = under(None, json!({})).await;
    assert_eq!(
        shown(&workspaces),
        [
            ("app.example".into(), "app.example".into()),
            ("Berlin".into(), "berlin.example".into()),
            ("added.example".into(), "added.example".into()),
        ]
    );
    let (workspaces, _folder) = under(None, json!({"name": "Head office"})).await;
    assert_eq!(workspaces.all()[0].name, "Head office");
    let (workspaces, _folder) = under(None, json!({"profile": "directus"})).await;
    assert_eq!(
        workspaces.all()[0].name,
        "app.example",
        "Directus is a protocol"
    );
}

#[tokio::test]
async fn only_the_newest_looks_are_kept() {
    let (workspaces, _folder) = under(None, json!({})).await;
    for number in 0..added::MOST + 3 {
        let address = address::parse(&format!("https://w{number}.example")).expect("an address");
        workspaces.note(&address, true);
    }
    let fitting = workspaces.lock_fitting();
    assert_eq!(fitting.len(), added::MOST);
    assert_eq!(fitting[0].host(), "w3.example");
}
