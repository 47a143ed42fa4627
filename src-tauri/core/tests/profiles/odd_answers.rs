//! Answers that a browser understands, though they are not what the standard asks for.

use serde_json::{Value, json};
use vestibule_core::wire::{
    LoginInput, OtpInput, Phase, RegisterInput, SignInOutcome, SignedOutReason,
};
use vestibule_core::{ErrorCode, Secret};
use vestibule_harness::{eventually, is_fresh, why};
use vestibule_recordings::Recording;

use crate::played::{Played, said};

const ANN: &str = "ann@example.com";
const LOGIN: &str = r#"POST /login -d {"email":"ann@example.com","password":"pw"}"#;
const COOKIE: &str = "Set-Cookie: __refresh_token=r; Path=/";
const SUCCESS: &str =
    r#"{"user":{"id":"u","name":"Ann","email":"ann@example.com"},"tokens":{"token":"a"}}"#;

async fn play(exchanges: &[String]) -> Played {
    play_by(json!({}), exchanges).await
}

/// The same by a profile with `more` in it.
async fn play_by(more: Value, exchanges: &[String]) -> Played {
    let mut profile = json!({
        "cookies": {"device": false},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "register": {"body": {"email": "$identifier", "password": "$password"}},
            "verify_otp": {"body": {"code": "$otp"}},
            "refresh": {"body": {}},
        },
    });
    for (key, value) in more.as_object().expect("a table") {
        profile[key] = value.clone();
    }
    let recording = Recording::parse(&exchanges.concat());
    Played::playing(recording, profile, "", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_costs_nobody_a_sign_in_and_hides_no_end() {
    let ended = "\u{feff}{\"code\":\"SESSION_REVOKED\"}";
    let played = play(&[
        said(LOGIN, "200 OK", &[COOKIE], &format!("\u{feff}{SUCCESS}")),
        said(
            "POST /refresh-token -H Cookie: __refresh_token=r -d {}",
            "401 Unauthorized",
            &[],
            ended,
        ),
    ])
    .await;
    played.sign_in(ANN, "pw").await;
    played.session.refresh().await.expect_err("revoked");
    assert_eq!(played.until_signed_out().await, SignedOutReason::Revoked);
    played.check_no_strays();
}

/// JavaScript reads the number as infinity, and the rest as ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_too_large_costs_nobody_a_sign_in() {
    let user = r#"{"id":42.0,"name":" ","email":"ann@example.com","quota":1e400}"#;
    let body = &format!(r#"{{"user":{user},"tokens":{{"token":"a"}}}}"#);
    let played = play(&[said(LOGIN, "200 OK", &[COOKIE], body)]).await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(
        played.name(),
        "ann@example.com",
        "a name of white space is none"
    );
    let state = played.state();
    let user = vestibule_harness::user(&state).expect("a user");
    assert_eq!(user.id, "42");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firewall_says_nothing_of_an_account() {
    for (body, is_quoted) in [
        (r#"{"message":"Request blocked by policy 7"}"#, true),
        (
            r#"{"message":"Request blocked by policy 7","code":"WAF_DENIED"}"#,
            true,
        ),
        ("{}", false),
        ("<html>Forbidden</html>", false),
    ] {
        let played = play(&[said(LOGIN, "403 Forbidden", &[], body)]).await;
        let refused = played.session.login(LoginInput::new(ANN, "pw")).await;
        let error = refused.expect_err("refused");
        assert_eq!(error.code, ErrorCode::BadAnswer, "{body}");
        assert!(error.message.contains("refused on the way"), "{error}");
        let quote = "“Request blocked by policy 7”";
        assert_eq!(error.message.contains(quote), is_quoted, "{error}");
    }
    let blocked = r#"{"message":"Ask us","code":"ACCOUNT_BLOCKED"}"#;
    let played = play(&[said(LOGIN, "403 Forbidden", &[], blocked)]).await;
    let refused = played.session.login(LoginInput::new(ANN, "pw")).await;
    let error = refused.expect_err("refused");
    assert_eq!(
        (error.code, error.message.as_str()),
        (ErrorCode::AccountBlocked, "Ask us")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_made_is_no_failure() {
    let user = r#""user":{"id":"u","name":"Ann","email":"ann@example.com"}"#;
    for (body, cookies) in [
        (SUCCESS.to_owned(), &[][..]),
        (format!("{{{user}}}"), &[]),
        (r#"{"tokens":{"token":"a"}}"#.to_owned(), &[]),
        (r#"{"ok":true}"#.to_owned(), &[]),
        // A session that cannot be used here: it is ended.
        (r#"{"tokens":{"token":"a"}}"#.to_owned(), &[COOKIE][..]),
    ] {
        let request = r#"POST /register -d {"email":"ann@example.com","password":"pw"}"#;
        let end = said(
            "POST /logout -H Cookie: __refresh_token=r",
            "204 No Content",
            &[],
            "",
        );
        let played = play(&[said(request, "201 Created", cookies, &body), end]).await;
        let made = played
            .session
            .register(RegisterInput::new("Ann", ANN, "pw"))
            .await;
        assert_eq!(made, Ok(SignInOutcome::Accepted), "{body}");
        if !cookies.is_empty() {
            eventually("the end of the session", || played.asked("/logout") == 1).await;
        }
        played.check_no_strays();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_on_a_text_or_a_header_ends_a_session_at_once() {
    let by_text = json!({"status": 401, "contains": "Unauthorized", "why": "expired"});
    let by_header = json!({
        "status": 401, "header": "www-authenticate", "contains": "invalid_token", "why": "revoked",
    });
    let challenge = "WWW-Authenticate: Bearer error=\"invalid_token\"";
    for (rule, headers, body, wanted) in [
        (
            &by_text,
            &[][..],
            "Unauthorized",
            Some(SignedOutReason::Expired),
        ),
        (&by_text, &[], "<h1>Unauthorized</h1>", None),
        (&by_text, &[], "\u{feff}<h1>Unauthorized</h1>", None),
        (&by_text, &[], "Try later", None),
        (
            &by_header,
            &[challenge][..],
            "",
            Some(SignedOutReason::Revoked),
        ),
        (&by_header, &["WWW-Authenticate: Bearer"][..], "", None),
    ] {
        let refresh = "POST /refresh-token -H Cookie: __refresh_token=r -d {}";
        let exchanges = [
            said(LOGIN, "200 OK", &[COOKIE], SUCCESS),
            said(refresh, "401 Unauthorized", headers, body),
        ];
        let played = play_by(json!({"ends": [rule]}), &exchanges).await;
        played.sign_in(ANN, "pw").await;
        played.session.refresh().await.expect_err("refused");
        let ended = why(&played.state());
        assert_eq!(ended, wanted, "{rule} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_on_a_text_says_what_a_refused_sign_in_means() {
    let rule = json!({"on": "login", "contains": "locked", "is": "account_locked"});
    let profile = json!({"errors": [rule]});
    let played = play_by(profile, &[said(LOGIN, "403 No", &[], "Account locked.")]).await;
    let refused = played.session.login(LoginInput::new(ANN, "pw")).await;
    assert_eq!(refused.expect_err("refused").code, ErrorCode::AccountLocked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_on_a_text_or_a_header_says_that_a_code_is_wanted() {
    let by_text = json!({"status": 401, "contains": "code required"});
    let by_header = json!({"status": 401, "header": "x-otp", "contains": "required"});
    for (rule, headers, body, is_wanted) in [
        (&by_text, &[][..], "A code required", true),
        (&by_text, &[], "<p>A code required</p>", false),
        (&by_text, &[], "No", false),
        (&by_header, &["X-OTP: required; app"][..], "", true),
        (&by_header, &[], "", false),
    ] {
        let answer = said(LOGIN, "401 Unauthorized", headers, body);
        let played = play_by(json!({"otp": {"wanted": [rule]}}), &[answer]).await;
        let outcome = played.session.login(LoginInput::new(ANN, "pw")).await;
        let wants = outcome == Ok(SignInOutcome::OtpRequired);
        assert_eq!(wants, is_wanted, "{rule} {body}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_after_a_challenge_is_the_next_one() {
    let verify = |code| format!(r#"POST /verify-otp -d {{"code":"{code}"}}"#);
    let played = play(&[
        said(
            LOGIN,
            "200 OK",
            &[],
            r#"{"otpRequired":true,"email":"first@example.com"}"#,
        ),
        said(
            &verify("111111"),
            "200 OK",
            &[],
            r#"{"otpRequired":true,"email":"second@example.com"}"#,
        ),
        said(&verify("222222"), "200 OK", &[COOKIE], SUCCESS),
    ])
    .await;
    let challenge = || match played.state().phase {
        Phase::OtpPending { challenge } => challenge,
        other => panic!("{other:?}"),
    };
    let outcome = played.session.login(LoginInput::new(ANN, "pw")).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let first = challenge();
    let next = played
        .session
        .verify_otp(OtpInput::new(first.id, Secret::new("111111")))
        .await;
    assert_eq!(next, Ok(SignInOutcome::OtpRequired));
    let second = challenge();
    assert_ne!(first.id, second.id);
    assert_eq!(second.email, "second@example.com");
    let outcome = played
        .session
        .verify_otp(OtpInput::new(second.id, Secret::new("222222")))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_surrogate_pair_in_a_name_costs_nobody_a_sign_in() {
    let name = SUCCESS.replace("Ann", r"Ann \ud83d");
    let played = play(&[said(LOGIN, "200 OK", &[COOKIE], &name)]).await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(played.name(), "Ann \u{fffd}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_is_deleted_by_an_odd_date_is_deleted() {
    let deleted =
        "Set-Cookie: __refresh_token=deleted; Path=/; Expires=Thu, 1 Jan 1970 00:00:00 UTC";
    let played = play(&[
        said(LOGIN, "200 OK", &[COOKIE], SUCCESS),
        said(
            "POST /refresh-token -H Cookie: __refresh_token=r -d {}",
            "200 OK",
            &[deleted],
            SUCCESS,
        ),
    ])
    .await;
    let outcome = played.session.login(LoginInput::new(ANN, "pw")).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert!(is_fresh(&played.state()));
    played.session.refresh().await.expect_err("it was deleted");
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}
