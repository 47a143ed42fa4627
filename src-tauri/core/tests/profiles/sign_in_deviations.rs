//! Backends with unusual sign-ins.

use serde_json::{Value, json};
use vestibule_core::wire::{LoginInput, RegisterInput, SignInOutcome};
use vestibule_core::{ErrorCode, Secret};
use vestibule_recordings::Recording;

use crate::played::{Played, said};
use vestibule_harness::{code, is_fresh};

const ANN: &str = "ann@example.com";
const LOGIN: &str = r#"POST /login -d {"email":"ann@example.com","password":"pw"}"#;
const COOKIE: &str = "Set-Cookie: __refresh_token=r; Path=/";
const SUCCESS: &str =
    r#"{"user":{"id":"u","name":"Ann","email":"ann@example.com"},"tokens":{"token":"a"}}"#;

async fn play(more: Value, exchanges: &[String]) -> Played {
    let mut profile = json!({
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "register": {"body": {"name": "$name", "email": "$identifier", "password": "$password"}},
        },
    });
    let calls = profile["endpoints"].as_object_mut().expect("a table");
    let mut more = more;
    if let Some(own) = more.get_mut("endpoints").and_then(Value::as_object_mut) {
        calls.extend(std::mem::take(own));
    }
    for (key, value) in more.as_object().expect("a table") {
        if key != "endpoints" {
            profile[key] = value.clone();
        }
    }
    let recording = Recording::parse(&exchanges.concat());
    Played::playing(recording, profile, "", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_may_have_a_name() {
    let profile = json!({
        "endpoints": {
            "verify_otp": {"path": "/mfa/$challenge", "body": {"code": "$otp"}},
            "resend_otp": {"path": "/mfa/send", "body": {"challenge": "$challenge"}},
        },
        "otp": {"wanted": [{"pointer": "/mfa/id"}], "challenge": ["/mfa/id"]},
    });
    let played = play(
        profile,
        &[
            said(LOGIN, "200 OK", &[], r#"{"mfa":{"id":"c/1"}}"#),
            said(
                r#"POST /mfa/send -d {"challenge":"c/1"}"#,
                "204 No Content",
                &[],
                "",
            ),
            said(
                r#"POST /mfa/c%2F1 -d {"code":"000000"}"#,
                "401 No",
                &[],
                r#"{"message":"no"}"#,
            ),
            said(
                r#"POST /mfa/c%2F1 -d {"code":"123456"}"#,
                "200 OK",
                &[COOKIE],
                SUCCESS,
            ),
        ],
    )
    .await;
    let outcome = played.session.login(LoginInput::new(ANN, "pw")).await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::OtpRequired),
        "the challenge is recognised by the body"
    );
    played.session.send_otp().await.expect("another code");
    let wrong = vestibule_harness::verify(&played.session, Secret::new("000000")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    let right = vestibule_harness::verify(&played.session, Secret::new("123456")).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_could_not_be_sent_can_be_asked_for() {
    let profile = json!({
        "endpoints": {
            "send_otp": {"path": "/mfa/send", "body": {"to": "$identifier"}},
            "resend_otp": false,
            "verify_otp": {"path": "/mfa", "body": {"code": "$otp"}},
        },
    });
    let send = r#"POST /mfa/send -d {"to":"ann@example.com"}"#;
    let played = play(
        profile,
        &[
            said(LOGIN, "200 OK", &[], r#"{"otpRequired":true}"#),
            said(send, "503 Later", &[], "{}"),
            said(send, "204 No Content", &[], ""),
        ],
    )
    .await;
    let outcome = played.session.login(LoginInput::new(ANN, "pw")).await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::OtpRequired),
        "the challenge is still open"
    );
    let challenge = played.session.send_otp().await.expect("the code is sent");
    assert_eq!(challenge.email, ANN);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_backend_has_not_is_said_and_not_sent() {
    let profile = json!({
        "endpoints": {"register": false, "resend_otp": false, "verify_otp": false},
        "otp": {"wanted": []},
    });
    let played = play(profile, &[said(LOGIN, "200 OK", &[COOKIE], SUCCESS)]).await;
    let outcome = played
        .session
        .register(RegisterInput::new("Ann", ANN, "pw"))
        .await;
    assert_eq!(code(&outcome), Some(ErrorCode::Unsupported));
    played.check_no_strays();
    assert!(played.player.played().is_empty(), "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_may_be_a_map_of_fields() {
    let profile = json!({
        "answer": {"message": ["/message", "/errors/email/0", "/errors/password/0"], "code": []},
        "errors": [
            {"on": "register", "status": 422, "pointer": "/errors/email/0",
             "equals": "has already been taken", "is": "email_taken"},
        ],
    });
    let register = |password: &str| {
        format!(
            r#"POST /register -d {{"name":"Ann","email":"ann@example.com","password":"{password}"}}"#
        )
    };
    let taken = r#"{"errors":{"email":["has already been taken"]}}"#;
    let short = r#"{"errors":{"password":["is too short"]}}"#;
    let played = play(
        profile,
        &[
            said(&register("long enough"), "422 No", &[], taken),
            said(&register("short"), "422 No", &[], short),
        ],
    )
    .await;
    let outcome = played
        .session
        .register(RegisterInput::new("Ann", ANN, "long enough"))
        .await;
    assert_eq!(code(&outcome), Some(ErrorCode::EmailTaken));
    let error = played
        .session
        .register(RegisterInput::new("Ann", ANN, "short"))
        .await;
    let error = error.expect_err("refused");
    assert_eq!(error.code, ErrorCode::InvalidInput);
    assert_eq!(error.message, "is too short", "in the backend's words");
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_that_are_off_are_neither_taken_nor_sent() {
    let profile = json!({
        "cookies": {"enabled": false, "refresh": [], "device": false},
        "endpoints": {"refresh": {"path": "/refresh", "body": {"r": "$refresh_token"}}},
        "answer": {
            "login": {"refresh_token": ["/refresh"]},
            "refresh": {"user": ["/user"], "refresh_token": ["/refresh"]},
        },
    });
    let success =
        r#"{"refresh":"r-1","user":{"id":"u","email":"ann@example.com"},"tokens":{"token":"a"}}"#;
    let refused = r#"POST /refresh -b jar -d {"r":"r-1"}"#;
    let played = play(
        profile,
        &[
            said(LOGIN, "200 OK", &["Set-Cookie: spy=1; Path=/"], success),
            said(refused, "400 No cookies please", &[], "{}"),
            said(r#"POST /refresh -d {"r":"r-1"}"#, "200 OK", &[], success),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    played
        .session
        .refresh()
        .await
        .expect("a refresh without a cookie succeeds");
    played.check_no_strays();
}

/// The answer has only the user's id, like that of Directus for an account without a role. The
/// name shown is then the e-mail address that was typed.
#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_said_of_a_user_they_are_called_what_they_typed() {
    let success = r#"{"user":{"id":"u"},"tokens":{"token":"a"}}"#;
    let refresh = "POST /refresh-token -b jar";
    let mut played = play(
        json!({"endpoints": {"refresh": {"path": "/refresh-token", "body": {}}}}),
        &[
            said(LOGIN, "200 OK", &[COOKIE], success),
            said(refresh, "200 OK", &[], success),
            said(refresh, "200 OK", &[], success),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(played.name(), ANN);
    played.session.refresh().await.expect("renewed");
    assert_eq!(played.name(), ANN, "a refresh keeps the name");
    played.restart();
    played.until("the session after a start", is_fresh).await;
    assert_eq!(played.name(), ANN, "a start keeps the name");
    played.check_no_strays();
}
