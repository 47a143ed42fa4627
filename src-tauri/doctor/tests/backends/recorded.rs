//! Recorded answers of backends for which the contract was not written: which profile fits, and
//! what the doctor finds with it.

use std::sync::Arc;

use serde_json::json;
use vestibule_core::Secret;
use vestibule_core::profile::{Layer, Profile, load};
use vestibule_doctor::{Account, Holds, Plan, Report, Suggestion};
use vestibule_recordings::{DIRECTUS, NODE_EXPRESS_BOILERPLATE, Player, Recording};

use crate::support::{Clerk, examined, fails, holds};

async fn at(player: &Player, profile: serde_json::Value, email: &str, password: &str) -> Report {
    let mut profile = profile;
    let base = profile["backend"].as_str().unwrap_or_default().to_owned();
    profile["backend"] = json!(format!("{}{base}", player.url()));
    let mut plan = Plan::new(Profile::from_json(profile).expect("a profile"));
    plan.account = Some(Account {
        email: email.into(),
        password: Secret::new(password),
    });
    examined(&plan, Arc::new(Clerk::default())).await
}

async fn plays(text: &str, ignored: &[&str]) -> Player {
    Player::start(Recording::parse(text), ignored)
        .await
        .expect("a port")
}

#[tokio::test(flavor = "multi_thread")]
async fn node_express_boilerplate_is_recognised() {
    let player = plays(NODE_EXPRESS_BOILERPLATE, &[]).await;
    let report = at(&player, json!({}), "bob@example.com", "password1").await;
    fails(&report, "login");
    let Suggestion::Shipped { name, how } = &report.suggestion else {
        panic!("{:#?}", report.suggestion);
    };
    assert_eq!(name, "node-express-boilerplate");
    assert!(how.contains("/v1"), "and where: {how}");
}

#[tokio::test(flavor = "multi_thread")]
async fn node_express_boilerplate_with_its_profile() {
    let player = plays(NODE_EXPRESS_BOILERPLATE, &[]).await;
    let profile = json!({"extends": "node-express-boilerplate", "backend": "/v1"});
    let report = at(&player, profile, "bob@example.com", "password1").await;
    for id in [
        "login",
        "login_user",
        "login_expiry",
        "login_token",
        "refresh",
        "logout",
        "logout_token",
    ] {
        holds(&report, id);
    }
    assert_eq!(
        report.row("cookie").holds,
        Holds::NotTried,
        "the backend has no cookie"
    );
    assert!(
        report.row("user_again").got.contains("of the sign-in"),
        "{report:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn directus_is_recognised() {
    let player = plays(DIRECTUS, &["mode", "first_name"]).await;
    let report = at(&player, json!({}), "admin@example.com", "correct-horse").await;
    fails(&report, "login");
    let Suggestion::Shipped { name, .. } = &report.suggestion else {
        panic!("{:#?}", report.suggestion);
    };
    assert_eq!(name, "directus");
}

#[tokio::test(flavor = "multi_thread")]
async fn directus_with_its_profile() {
    let player = plays(DIRECTUS, &["mode", "first_name"]).await;
    let profile = json!({"extends": "directus"});
    let report = at(&player, profile, "admin@example.com", "correct-horse").await;
    for id in [
        "login",
        "login_user",
        "login_expiry",
        "refresh",
        "rotation",
        "logout",
        "logout_ends",
    ] {
        holds(&report, id);
    }
    assert!(report.row("user_again").got.contains("`me`"), "{report:#?}");
}

/// No shipped profile fits this backend, and the profile that the doctor writes does.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_backend_gets_a_profile_of_its_own() {
    let answer = json!({"result": {
        "accessToken": "an-access-token-1", "refreshToken": "a-refresh-token-1", "expiresIn": 3600,
        "profile": {"userId": 7, "mail": "ann@example.com", "firstName": "Ann", "lastName": "L"},
    }});
    let script = format!(
        "\n$ curl -si -X POST http://127.0.0.1:1/api/signin -d \
         {{\"login\":\"ann@example.com\",\"password\":\"correct-horse\"}}\n\
         HTTP/1.1 200 OK\nContent-Type: application/json\n\n{answer}\n"
    );
    let player = plays(&script, &[]).await;
    let given = json!({"cookies": {"device": false}, "endpoints": {"login": {
        "path": "/api/signin", "body": {"login": "$identifier", "password": "$password"},
    }}});
    let report = at(&player, given, "ann@example.com", "correct-horse").await;
    let advice = fails(&report, "login");
    assert!(advice.contains("answer.login.access_token"), "{advice}");
    let notes = report.notes.join(" ");
    assert!(notes.contains("may be left until it expires"), "{notes}");
    let Suggestion::Written { toml, .. } = &report.suggestion else {
        panic!("{:#?}", report.suggestion);
    };
    for line in [
        "path = \"/api/signin\"",
        "body = { login = \"$identifier\", password = \"$password\" }",
        "access_token = [\"/result/accessToken\"]",
        "refresh_token = [\"/result/refreshToken\"]",
        "user = [\"/result/profile\"]",
        "id = [\"/userId\"]",
        "as = \"ttl_s\"",
        "body = { refreshToken = \"$refresh_token\" }",
    ] {
        assert!(toml.contains(line), "{line} is missing in\n{toml}");
    }
    for secret in ["an-access-token-1", "a-refresh-token-1", "correct-horse"] {
        assert!(!toml.contains(secret), "{toml}");
    }
    // The app can be started with the written profile.
    let layer = Layer::text("profile.toml", toml).expect("TOML");
    load(&[layer]).expect("a profile");

    // With it, the doctor understands the sign-in.
    let player = plays(&script, &[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("profile.toml");
    std::fs::write(&path, toml).expect("written");
    let file = Layer::file(&path).expect("a file");
    let address = Layer::inline("test", json!({"backend": player.url()}));
    let mut plan = Plan::new(load(&[file, address]).expect("a profile"));
    plan.account = Some(Account {
        email: "ann@example.com".into(),
        password: Secret::new("correct-horse"),
    });
    let report = examined(&plan, Arc::new(Clerk::default())).await;
    holds(&report, "login");
    holds(&report, "login_user");
    holds(&report, "login_token");
}
