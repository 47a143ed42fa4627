use serde_json::json;

use super::*;
use crate::profile::load_for;

const PLACE: &str = "/etc/app/policy.toml";

fn policy(text: &str) -> Result<Policy, String> {
    let layer = Layer::text(PLACE, text).expect("it is TOML");
    Policy::read(PLACE.into(), &layer.into_value()).map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    policy(text).err().expect("it is not valid")
}

#[test]
fn a_policy_lies_over_what_was_built_and_below_what_users_have() {
    let policy = policy(
        "schema = 1
         [profile]
         fixed = ['backend', 'api.allow']
         backend = 'https://corp.example'
         name = 'Corp'
         [network]
         proxy = 'http://proxy.corp.example:8080'",
    );
    let policy = policy.expect("it is valid");
    let built = json!({"backend": "https://built.example", "api": {"allow": ["/me"]}});
    let user = json!({"backend": "https://evil.example", "name": "Mine"});
    let layers = [
        Layer::inline("built", built),
        policy.profile().expect("it has one").clone(),
        Layer::inline("user", user),
    ];
    let loaded = load_for(&layers, None).expect("a profile");
    assert_eq!(loaded.profile.origin(), "https://corp.example");
    assert_eq!(loaded.profile.name, "Mine", "what is not fixed is theirs");
    assert_eq!(loaded.profile.api.allow, ["/me"], "it keeps what is below");
    let over = |key: &str, place: &str| crate::wire::Overridden {
        key: key.into(),
        place: place.into(),
    };
    let info = policy.info(&loaded);
    assert_eq!(info.place, PLACE);
    assert_eq!(info.fixes, ["backend", "api.allow"]);
    assert_eq!(info.sets, ["backend", "name"]);
    assert_eq!(info.network, ["proxy"]);
    assert_eq!(
        info.overrides,
        [over("backend", "built"), over("backend", "user")]
    );
}

#[test]
fn a_policy_without_a_profile_lays_nothing() {
    let policy = policy("schema = 1").expect("it is valid");
    assert!(policy.profile().is_none());
    assert_eq!(*policy.network(), Network::default());
}

#[test]
fn what_is_wrong_is_named_with_file_key_and_nearest_key() {
    for (text, said) in [
        (
            "",
            "/etc/app/policy.toml: `schema` is missing: write `schema = 1`",
        ),
        (
            "schema = 2",
            "/etc/app/policy.toml: `schema` is a version that this build does not know: it reads 1",
        ),
        (
            "schema = 1\n[newtork]",
            "/etc/app/policy.toml: `newtork` is not a key here; did you mean `network`?",
        ),
        (
            "schema = 1\n[profile]\nfixed = ['backend', 'endpoints.login.pth']",
            "/etc/app/policy.toml (profile): `fixed[1]` is not a key here; did you mean \
             `endpoints.login.path`?",
        ),
        (
            "schema = 1\n[profile]\nfixed = 'backend'",
            "/etc/app/policy.toml (profile): `fixed` is a text, but must be a sequence",
        ),
        (
            "schema = 1\n[profile]\nfixed = ['endpoints.login.body.email']",
            "/etc/app/policy.toml (profile): `fixed[0]` is a part of a body, which is one value: \
             name the body",
        ),
        (
            "schema = 1\n[network]\nprxy = 'http://a.example'",
            "/etc/app/policy.toml (network): `prxy` is not a key here; did you mean `proxy`?",
        ),
        (
            "schema = 1\n[network]\nproxy = 'ftp://a.example'",
            "/etc/app/policy.toml (network): `proxy` must begin with `http://` or `https://` or \
             `socks5://`",
        ),
        (
            "schema = 1\n[network]\nno_proxy = ['a.example']",
            "/etc/app/policy.toml (network): `no_proxy` says what the proxy is not for, but there \
             is no `proxy`",
        ),
        (
            "schema = 1\n[network]\nproxy = 'http://a.example'\nno_proxy = ['a', 'b,c']",
            "/etc/app/policy.toml (network): `no_proxy[1]` must be one name, address or range of \
             addresses such as `10.0.0.0/8`",
        ),
        (
            "schema = 1\nnetwork = 7",
            "/etc/app/policy.toml (network): is a number, but must be a table",
        ),
    ] {
        assert_eq!(refused(text), said);
    }
}

#[test]
fn a_mistake_in_its_profile_is_named_where_it_is_laid() {
    for (text, said) in [
        (
            "bakend = 'x'",
            "`bakend` is not a key here; did you mean `backend`?",
        ),
        (
            "fixd = ['backend']",
            "`fixd` is not a key here; did you mean `fixed`?",
        ),
        ("backend = 'http://a.example'", "`backend` "),
    ] {
        let policy = policy(&format!("schema = 1\n[profile]\n{text}")).expect("it is read");
        let user = json!({"name": "Mine"});
        let layers = [
            policy.profile().expect("it has one").clone(),
            Layer::inline("user", user),
        ];
        let error = load_for(&layers, None)
            .expect_err("it is not valid")
            .to_string();
        let told = error.strip_prefix("/etc/app/policy.toml (profile): ");
        assert!(told.is_some_and(|told| told.starts_with(said)), "{error}");
    }
}

#[test]
fn a_password_in_a_proxys_address_is_refused_and_not_repeated() {
    let text = "schema = 1\n[network]\nproxy = 'http://ann:hunter2@proxy.example:8080'";
    let said = refused(text);
    assert!(
        said.contains("(network): `proxy` holds a name or a password"),
        "{said}"
    );
    assert!(!said.contains("hunter2") && !said.contains("ann"), "{said}");
}

#[test]
fn other_workspaces_keep_the_limits_and_learn_no_header() {
    let policy = policy(
        "schema = 1
         [profile]
         fixed = ['api.allow']
         backend = 'https://corp.example'
         extends = 'directus'
         headers = { x-tenant = 'corp' }
         roles = { admin = ['people.see'] }
         [profile.api]
         allow = ['/me']
         headers = { x-secret = 'corp' }
         [profile.endpoints.login]
         path = '/login'
         body = { secret = 'corp' }",
    );
    let policy = policy.expect("it is valid");
    assert!(!policy.fixes_backend());
    let elsewhere = policy.profile_elsewhere().expect("it has one");
    assert_eq!(elsewhere.sets(), ["api.allow"]);
    assert_eq!(elsewhere.fixes(), ["api.allow"]);
    assert_eq!(elsewhere.place(), "/etc/app/policy.toml (profile)");
}

#[test]
fn a_policy_that_fixes_the_backend_says_so() {
    let fixes = |list: &str| {
        let text =
            format!("schema = 1\n[profile]\nfixed = {list}\nbackend = 'https://corp.example'");
        policy(&text).expect("it is valid").fixes_backend()
    };
    assert!(fixes("['api.allow', 'backend']"));
    assert!(!fixes("['api.allow']"));
    assert!(!policy("schema = 1").expect("it is valid").fixes_backend());
}
