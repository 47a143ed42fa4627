//! What an organisation fixes, and what is then refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::profile::{Layer, Loaded, load, load_for};

fn policy(value: Value) -> Layer {
    Layer::policy("policy", value).expect("its keys are known")
}

/// The profile that this user's layers make over this policy.
fn under(fixing: Value, user: Value) -> Loaded {
    let layers = [policy(fixing), Layer::inline("user", user)];
    load_for(&layers, None).unwrap_or_else(|error| panic!("{error}"))
}

fn lost(loaded: &Loaded) -> Vec<&str> {
    let theirs = loaded.overridden.iter().filter(|one| one.place == "user");
    theirs.map(|one| one.key.as_str()).collect()
}

#[test]
fn who_fixes_the_backend_fixes_the_provider() {
    let mut value = json!({
        "browser": {"kind": "oidc", "issuer": "https://evil.example", "client_id": "app"},
        "endpoints": {"login": {"origin": "https://evil.example"}},
    });
    let mut taken = take_origins_out_of(&mut value);
    taken.sort();
    assert_eq!(taken, ["browser.issuer", "endpoints.login.origin"]);
    assert_eq!(value["browser"]["issuer"], Value::Null);
    for key in ADDRESS_KEYS {
        let mut value = json!({"browser": {key: "https://evil.example"}});
        assert_eq!(take_origins_out_of(&mut value), [format!("browser.{key}")]);
    }
}

#[test]
fn nothing_is_laid_over_a_fixed_key_by_any_later_layer() {
    let fixing = json!({"fixed": ["backend"], "backend": "https://corp.example"});
    let later = |place: &str, address: &str| {
        Layer::inline(place, json!({"backend": address, "name": place}))
    };
    let layers = [
        policy(fixing),
        later("file", "https://a.example"),
        later("workspace", "https://b.example"),
        later("VESTIBULE_BACKEND", "https://corp.example"),
        later("--backend", "https://d.example"),
    ];
    let loaded = load_for(&layers, None).expect("a profile");
    assert_eq!(loaded.profile.origin(), "https://corp.example");
    assert_eq!(loaded.profile.name, "--backend");
    let places: Vec<_> = loaded.overridden.iter().map(|one| &one.place).collect();
    // One of the layers has the fixed value.
    assert_eq!(places, ["file", "workspace", "--backend"]);
    let profile = load(&layers).expect("a profile");
    assert_eq!(
        profile.origin(),
        "https://corp.example",
        "each way to load it"
    );
}

#[test]
fn to_start_anew_is_no_way_around() {
    let fixing = json!({
        "fixed": ["backend", "headers.x-tenant", "endpoints.verify_recovery", "api.allow"],
        "backend": "https://corp.example", "headers": {"X-Tenant": "corp"},
    });
    let user = json!({
        "extends": "directus", "backend": "https://evil.example",
        "headers": {"X-TENANT": "evil", "x-own": "1"},
    });
    let loaded = under(fixing, user);
    let profile = &loaded.profile;
    assert_eq!(profile.name, "Directus", "what is not fixed starts anew");
    assert_eq!(profile.origin(), "https://corp.example");
    let headers: Vec<_> = profile.headers.iter().collect();
    assert_eq!(
        headers.len(),
        2,
        "in any spelling it is one header: {headers:?}"
    );
    let contract = load(&[]).expect("the contract");
    assert_eq!(
        profile.api.allow, contract.api.allow,
        "the value that it had below"
    );
    let recovery = contract
        .endpoints
        .verify_recovery
        .get()
        .expect("it has one");
    assert_eq!(profile.endpoints.verify_recovery.get(), Some(recovery));
    assert_eq!(lost(&loaded), ["backend", "headers.x-tenant"]);
}

#[test]
fn what_is_extended_can_be_fixed_too() {
    let fixing = json!({
        "fixed": ["extends"], "extends": "directus", "backend": "https://corp.example",
    });
    let loaded = under(
        fixing.clone(),
        json!({"extends": "supabase", "name": "Mine"}),
    );
    assert_eq!(loaded.profile.name, "Mine");
    assert_eq!(
        loaded.profile.origin(),
        "https://corp.example",
        "nothing started anew"
    );
    assert_eq!(lost(&loaded), ["extends"]);
    let loaded = under(fixing, json!({"extends": "directus"}));
    assert_eq!(lost(&loaded), [""; 0], "it says the same");
}

#[test]
fn nothing_takes_a_fixed_value_away_from_above_or_from_within() {
    let fixed = json!({"fixed": ["endpoints.login.path", "endpoints.verify_otp"]});
    let user = json!({"endpoints": {
        "login": false, "verify_otp": {"path": "/evil"}, "resend_otp": false,
    }});
    let loaded = under(fixed, user);
    let login = loaded.profile.endpoints.login.get().expect("it stays");
    assert_eq!(login.path.source(), "/login");
    let verify = loaded.profile.endpoints.verify_otp.get().expect("it stays");
    assert_eq!(verify.path.source(), "/verify-otp");
    assert_eq!(loaded.profile.endpoints.resend_otp.get(), None, "theirs");
    assert_eq!(lost(&loaded), ["endpoints.login", "endpoints.verify_otp"]);
    let whole = json!({"fixed": ["endpoints"]});
    let user = json!({"endpoints": {"login": {"path": "/evil"}}});
    let loaded = under(whole, user);
    assert_eq!(lost(&loaded), ["endpoints"]);
}

#[test]
fn a_key_may_be_fixed_to_have_no_value() {
    let fixed = json!({"fixed": ["headers.x-tenant", "roles"]});
    let user = json!({"headers": {"x-tenant": "evil"}, "roles": {"user": ["people.see"]}});
    let loaded = under(fixed, user);
    assert!(loaded.profile.headers.is_empty());
    assert_eq!(lost(&loaded), ["headers.x-tenant", "roles"]);
}

#[test]
fn what_has_no_effect_is_no_reason_for_a_mistake_elsewhere() {
    let fixing = json!({"fixed": ["backend"], "backend": "ftp://corp.example"});
    let user = json!({"backend": "https://a.example"});
    let layers = [policy(fixing), Layer::inline("user", user)];
    let error = load(&layers).expect_err("no address of a backend");
    assert_eq!(
        (error.place.as_str(), error.key.as_str()),
        ("policy", "backend")
    );
}

#[test]
fn a_header_has_one_spelling_in_all_layers() {
    let layers = [
        Layer::inline("built", json!({"headers": {"x-app": "built"}})),
        Layer::inline("user", json!({"headers": {"X-App": "user"}})),
    ];
    let profile = load(&layers).expect("a profile");
    let texts: Vec<_> = profile.headers.values().map(|text| text.source()).collect();
    assert_eq!(texts, ["user"], "the last layer wins");
}

#[test]
fn who_fixes_the_backend_fixes_where_passwords_go() {
    let fixing = json!({"fixed": ["backend"], "backend": "https://corp.example"});
    let user = json!({"endpoints": {
        "login": {"origin": "https://evil.example", "path": "/x"},
        "refresh": {"before": {"path": "/y", "origin": "https://evil.example"}},
    }});
    let loaded = under(fixing, user.clone());
    assert_eq!(loaded.profile.other_origins().count(), 0);
    let lost = lost(&loaded);
    assert_eq!(
        lost,
        ["endpoints.login.origin", "endpoints.refresh.before.origin"]
    );
    let free = load(&[Layer::inline("user", user)]).expect("a profile");
    assert_eq!(free.other_origins().count(), 2);
    let own = json!({
        "fixed": ["backend"], "backend": "https://corp.example",
        "endpoints": {"login": {"origin": "https://identity.corp.example"}},
    });
    let loaded = under(own, json!({"name": "mine"}));
    assert_eq!(
        loaded.profile.other_origins().count(),
        1,
        "the policy's own"
    );
}

#[test]
fn only_keys_of_a_profile_can_be_fixed() {
    for key in [
        "backend",
        "name",
        "headers",
        "headers.x-tenant",
        "cookies.device",
        "endpoints",
        "endpoints.login",
        "endpoints.login.path",
        "endpoints.login.body",
        "endpoints.me.headers.X-Own",
        "answer.login.user",
        "otp.wanted",
        "ends",
        "errors",
        "signed_out",
        "api.allow",
        "roles",
        "roles.admin",
        "extends",
        "session.grace_s",
    ] {
        assert!(
            keys(&json!([key])).is_ok(),
            "{key}: {:?}",
            keys(&json!([key]))
        );
    }
    for (key, meant) in [
        ("bakend", Some("backend")),
        ("endpoints.logn", Some("endpoints.login")),
        ("endpoints.login.pth", Some("endpoints.login.path")),
        ("api.alow", Some("api.allow")),
        ("", None),
        ("backend.host", None),
        ("ends.status", None),
        ("api..allow", None),
        ("headers.content-length", None),
        ("endpoints.login.body.password", None),
    ] {
        let mistake = keys(&json!(["backend", key])).expect_err(key);
        assert_eq!(mistake.key, "fixed[1]", "{key}");
        assert_eq!(mistake.nearest.as_deref(), meant, "{key}");
    }
}

fn a_key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["extends", "backend", "headers", "x-a", "X-A", "api", "body"][..])
}

fn any_table() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Bool(false)),
        any::<u8>().prop_map(Value::from),
        Just(json!([1, 2])),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop::collection::vec((a_key(), inner), 0..4).prop_map(|members| {
            let named = members.into_iter();
            Value::Object(named.map(|(key, value)| (key.to_owned(), value)).collect())
        })
    })
}

proptest! {
    #[test]
    fn whatever_is_laid_the_fixed_value_stays(
        below in any_table(), above in any_table(), anew in any_table(),
        keys in prop::collection::vec(prop::collection::vec(a_key(), 1..3), 1..3),
    ) {
        let keys = keys.iter().map(|steps| steps.join("."));
        // The list cannot hold a key within a body.
        let keys: Vec<String> = keys.filter(|key| !key.starts_with("body.")).collect();
        let mut fixed = Fixed::default();
        fixed.add(&keys, &below);
        for mut whole in [below.clone(), anew] {
            fixed.hold(&mut whole);
            let mut above = above.clone();
            fixed.take_out_of(&mut above);
            if above.is_object() {
                merge(&mut whole, &above);
            }
            for key in &keys {
                // Below a value that is in place of a table there is nothing.
                let steps = steps(key);
                prop_assert_eq!(at(&whole, &steps), at(&below, &steps), "{}", key);
            }
        }
    }
}
