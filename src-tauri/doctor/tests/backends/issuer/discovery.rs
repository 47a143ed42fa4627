//! What a provider says of itself: its discovery and its keys; and an address that turns out to be one.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_backend::{Backend, Effect, Fault};
use vestibule_core::profile::{Layer, Profile, load};
use vestibule_doctor::{Holds, Outcome, Plan, Report, Suggestion};
use vestibule_harness::{DEMO, answer};

use super::{DISCOVERY, PAGE, TOKEN, rows, strict, with_fault_and};
use crate::support::{Clerk, account, all_over, examined, holds};

/// The discovery with these members changed; null removes one.
fn discovery(address: &str, changes: Value) -> Effect {
    let mut document = json!({
        "issuer": address,
        "authorization_endpoint": format!("{address}{PAGE}"),
        "token_endpoint": format!("{address}{TOKEN}"),
        "device_authorization_endpoint": format!("{address}/oidc/device"),
        "revocation_endpoint": format!("{address}/oidc/revoke"),
        "userinfo_endpoint": format!("{address}/oidc/userinfo"),
        "jwks_uri": format!("{address}/oidc/keys"),
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    for (name, value) in changes.as_object().expect("an object") {
        document[name] = value.clone();
    }
    answer(200, document, &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_the_discovery_is_one_row() {
    let of = |changes: Value| {
        move |address: &str| Fault::on("GET", DISCOVERY, discovery(address, changes.clone()))
    };
    for (row, changes, said) in [
        (
            "discovery",
            json!({"issuer": "https://evil.example"}),
            "browser.issuer",
        ),
        ("discovery", json!({"issuer": null}), "browser.issuer"),
        (
            "provider_endpoints",
            json!({"token_endpoint": null}),
            "name it",
        ),
        (
            "provider_endpoints",
            json!({"authorization_endpoint": 7}),
            "name it",
        ),
        (
            "provider_endpoints",
            json!({"token_endpoint": "http://id.example/t"}),
            "https",
        ),
        (
            "provider_endpoints",
            json!({"userinfo_endpoint": "http://id.example/u"}),
            "https",
        ),
        (
            "pkce",
            json!({"code_challenge_methods_supported": ["plain"]}),
            "S256",
        ),
        (
            "pkce",
            json!({"code_challenge_methods_supported": []}),
            "S256",
        ),
        ("provider_keys", json!({"jwks_uri": null}), ""),
        (
            "provider_keys",
            json!({"id_token_signing_alg_values_supported": ["HS256"]}),
            "RS256",
        ),
        (
            "revocation",
            json!({"revocation_endpoint": null}),
            "RFC 7009",
        ),
        (
            "device_codes",
            json!({"device_authorization_endpoint": null}),
            "browser.device",
        ),
        (
            "answers_name_issuer",
            json!({"authorization_response_iss_parameter_supported": false}),
            "RFC 9207",
        ),
    ] {
        // The sign-in is not the point, and would fail without keys.
        let advice = with_fault_and(row, of(changes), |plan| plan.browser = false).await;
        assert!(advice.contains(said), "{row}: {advice}");
    }
    for effect in [
        Effect::status(404),
        Effect::Html { status: 200 },
        Effect::BrokenJson { status: 200 },
        answer(200, json!([]), &[]),
    ] {
        let fault = move |_: &str| Fault::on("GET", DISCOVERY, effect.clone());
        with_fault_and("discovery", fault, |plan| plan.browser = false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_check_nothing_are_one_row() {
    let point = "WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis";
    for keys in [
        json!({"keys": []}),
        json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
        json!({"keys": [{"kty": "EC", "crv": "secp256k1", "x": point, "y": point}]}),
        json!({"keys": [{"kty": "EC", "crv": "P-256", "x": point, "y": point}]}),
        json!({"keys": [{"kty": "RSA", "e": "AQAB"}]}),
        json!({"keys": [{"kty": "new"}]}),
        json!("a page"),
    ] {
        let effect = answer(200, keys, &[]);
        let fault = move |_: &str| Fault::on("GET", "/oidc/keys", effect.clone());
        with_fault_and("provider_keys", fault, |plan| plan.browser = false).await;
    }
}

/// The address of an issuer, and nothing more.
async fn guessed(backend: &Arc<Backend>, change: impl Fn(&mut Plan)) -> Report {
    let profile = Profile::default().with_backend(&backend.url());
    let mut plan = Plan::new(profile.expect("an address"));
    plan.is_guess = true;
    change(&mut plan);
    examined(&plan, Clerk::at(backend)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_an_issuer_gets_a_profile() {
    let backend = strict().await;
    // Beside a sign-in with a password it is examined, and the contract stays the profile.
    let report = guessed(&backend, |plan| plan.account = Some(account(DEMO))).await;
    assert!(
        matches!(report.suggestion, Suggestion::Fits { .. }),
        "{report:#?}"
    );
    assert_eq!(
        rows(&report, Holds::Yes).len(),
        6,
        "what the discovery says: {report:#?}"
    );
    assert!(report.row("client").got.contains("--client-id"));
    holds(&report, "login");

    // Nothing there takes a password.
    backend
        .faults()
        .add(Fault::on("POST", "/login", Effect::status(404)));
    backend
        .faults()
        .add(Fault::on("POST", "/refresh-token", Effect::status(404)));
    for named in [None, Some("vestibule")] {
        let report = guessed(&backend, |plan| {
            plan.client_id = named.map(str::to_owned);
            plan.browser = named.is_some();
        })
        .await;
        let Suggestion::Written { toml, how } = &report.suggestion else {
            panic!("{:?}", report.suggestion)
        };
        assert!(how.contains("issuer"), "{how}");
        let layer = Layer::text("profile.toml", toml).expect("TOML");
        let profile = load(&[layer]).expect("a profile");
        let section = profile.browser.get().expect("a section");
        let issuer = section
            .issuer
            .as_ref()
            .expect("an issuer")
            .url()
            .to_string();
        assert_eq!(issuer.trim_end_matches('/'), backend.url());
        assert_eq!(section.client_id == "vestibule", named.is_some(), "{toml}");
        assert_eq!(toml.contains("Fill in"), named.is_none(), "{toml}");
        assert_eq!(rows(&report, Holds::No), [""; 0], "{report:#?}");
        assert!(report.row("login").got.contains("by the browser alone"));
        let outcome = if named.is_some() {
            Outcome::Fits
        } else {
            Outcome::NotExamined
        };
        assert_eq!(report.outcome, outcome, "{report:#?}");
    }
    all_over(&backend, DEMO);
}
