//! The tokens of a sign-in: what they are, that they are renewed, and what a spent one does.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_backend::{Config, Effect, Fault};
use vestibule_doctor::{Holds, Plan};
use vestibule_harness::{answer, merge, start_backend};

use super::{TOKEN, plan, with_fault, with_fault_and};
use crate::support::{Clerk, examined, holds};

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_the_tokens_is_one_row() {
    let tokens = |more: Value| {
        let mut body = json!({"access_token": "access-of-una", "token_type": "Bearer"});
        merge(&mut body, more);
        answer(200, body, &[])
    };
    let forged = json!({"refresh_token": "refresh-of-una", "id_token": "a.b.c"});
    let invalid = |code: &str| answer(400, json!({"error": code}), &[]);
    for (row, path, number, effect) in [
        ("browser_sign_in", TOKEN, 0, invalid("invalid_client")),
        ("browser_sign_in", TOKEN, 0, Effect::status(500)),
        (
            "browser_token",
            TOKEN,
            0,
            tokens(json!({"id_token": "a.b.c"})),
        ),
        ("id_token", TOKEN, 0, tokens(forged)),
        (
            "id_token",
            TOKEN,
            0,
            tokens(json!({"refresh_token": "refresh-of-una"})),
        ),
        ("browser_refresh", TOKEN, 1, Effect::status(500)),
        ("browser_refresh", TOKEN, 1, invalid("invalid_grant")),
        ("browser_rotation", TOKEN, 1, tokens(json!({}))),
    ] {
        let fault = move |_: &str| {
            Fault::on("POST", path, effect.clone())
                .skip(number)
                .times(1)
        };
        with_fault(row, fault).await;
    }
    for (row, method, path, effect) in [
        (
            "user_info",
            "GET",
            "/oidc/userinfo",
            answer(200, json!({"sub": "somebody"}), &[]),
        ),
        ("user_info", "GET", "/oidc/userinfo", Effect::status(401)),
        ("api_takes_token", "GET", "/me", Effect::status(401)),
        (
            "revoked_token",
            "POST",
            "/oidc/revoke",
            Effect::Empty { status: 200 },
        ),
        ("revoked_token", "POST", "/oidc/revoke", Effect::status(500)),
    ] {
        let fault = move |_: &str| Fault::on(method, path, effect.clone());
        with_fault(row, fault).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_token_and_its_family() {
    let replay = |plan: &mut Plan| plan.allowed.replay = true;
    // It works for the whole minute that the bundled backend grants.
    let idle = |_: &str| Fault::on("GET", "/me", Effect::Delay { ms: 1 });
    assert!(
        with_fault_and("spent_token", idle, replay)
            .await
            .contains("invalid_grant")
    );
    // It is refused, and the newest one is not.
    let refused = answer(400, json!({"error": "invalid_grant"}), &[]);
    let once = move |_: &str| Fault::on("POST", TOKEN, refused.clone()).skip(2).times(1);
    assert!(
        with_fault_and("spent_family", once, replay)
            .await
            .contains("RFC 9700")
    );
    // Not tried for long enough to say.
    let backend = start_backend(Config::default()).await;
    let mut short = plan(&backend.url());
    replay(&mut short);
    short.patience = Duration::ZERO;
    let report = examined(&short, Clerk::at(&backend)).await;
    assert_eq!(report.row("spent_token").holds, Holds::NotTried);
    assert!(
        report
            .row("spent_token")
            .got
            .contains("not tried long enough")
    );
    holds(&report, "revoked_token");
}
