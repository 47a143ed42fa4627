//! Recorded answers of backends for which the contract was not written, examined with their profiles.

use std::sync::Arc;

use serde_json::json;
use vestibule_core::Secret;
use vestibule_core::profile::Profile;
use vestibule_doctor::{Account, Holds, Plan, Report};
use vestibule_recordings::{DIRECTUS, NODE_EXPRESS_BOILERPLATE, Player, Recording};

use crate::support::{Clerk, examined, holds};

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
