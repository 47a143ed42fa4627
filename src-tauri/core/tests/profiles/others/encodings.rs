//! Bodies that are not JSON, or have a media type of their own.

use vestibule_core::ErrorCode;

use super::{found_dead, name, ok, play, profile, refused_as};
use crate::played::said;
use vestibule_harness::{eventually, is_fresh};

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_takes_forms() {
    let token = "POST /protocol/openid-connect/token";
    let login_call = format!(
        "{token} -d client_id=desk&grant_type=password&password=p+w%2526&scope=openid&username=ann%40example.com"
    );
    let refresh =
        |n: u8| format!("{token} -d client_id=desk&grant_type=refresh_token&refresh_token=r-{n}");
    let given = |n: u8| {
        format!(
            r#"{{"access_token":"a-{n}","expires_in":300,"refresh_token":"r-{n}","refresh_expires_in":1800}}"#
        )
    };
    let me =
        |n: u8| format!("GET /protocol/openid-connect/userinfo -H Authorization: Bearer a-{n}");
    let who = r#"{"sub":"u-7","preferred_username":"ann","name":"Ann"}"#;
    let refused =
        |text: &str| format!(r#"{{"error":"invalid_grant","error_description":"{text}"}}"#);
    let mut played = play(
        profile!("keycloak"),
        &[
            said(
                &login_call.replace("p+w%2526", "pw"),
                "401 Unauthorized",
                &[],
                &refused("Invalid user credentials"),
            ),
            said(
                &login_call.replace("p+w%2526", "pw"),
                "400 Bad Request",
                &[],
                &refused("Account disabled"),
            ),
            ok(&login_call, &given(1)),
            ok(&me(1), who),
            ok(&refresh(1), &given(2)),
            ok(&me(2), who),
            ok(&refresh(2), &given(3)),
            ok(&me(3), who),
            said(
                &refresh(3),
                "400 Bad Request",
                &[],
                &refused("Session not active"),
            ),
        ],
    )
    .await;
    refused_as(
        &played,
        &[ErrorCode::InvalidCredentials, ErrorCode::AccountBlocked],
    )
    .await;
    played.sign_in(super::ANN, "p w%26").await;
    assert_eq!(name(&played).as_deref(), Some("Ann"));
    played.session.refresh().await.expect("renewed");
    assert_eq!(played.kept(), "r-2");
    played.restart();
    played.until("the session after a start", is_fresh).await;
    assert_eq!(played.kept(), "r-3");
    found_dead(&played).await;
    assert_eq!(played.asked("/protocol/openid-connect/token"), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_hears_of_a_sign_out_in_a_form() {
    let login_call = "POST /protocol/openid-connect/token -d client_id=desk&grant_type=password&password=pw&scope=openid&username=ann%40example.com";
    let given = r#"{"access_token":"a-1","expires_in":300,"refresh_token":"r-1"}"#;
    let logout = "POST /protocol/openid-connect/logout -d client_id=desk&refresh_token=r-1";
    let played = play(
        profile!("keycloak"),
        &[
            ok(login_call, given),
            ok("GET /protocol/openid-connect/userinfo", r#"{"sub":"u-7"}"#),
            said(logout, "204 No Content", &[], ""),
        ],
    )
    .await;
    played.sign_in(super::ANN, "pw").await;
    played.session.logout().await;
    eventually("the sign-out", || {
        played.asked("/protocol/openid-connect/logout") == 1
    })
    .await;
    played.check_no_strays();
}
