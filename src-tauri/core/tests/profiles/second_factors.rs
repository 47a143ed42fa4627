//! Second factors that backends name in their own ways, and the trust in a device.

use serde_json::{Value, json};
use vestibule_core::wire::{Challenge, CodeMethod, LoginInput, OtpInput, Phase, SignInOutcome};
use vestibule_core::{AuthError, ErrorCode, Secret};
use vestibule_harness::{code, eventually, verify_by};
use vestibule_recordings::Recording;

use crate::played::{Played, said};

const ANN: &str = "ann@example.com";
const LOGIN: &str =
    r#"POST /api/auth/sign-in/email -d {"email":"ann@example.com","password":"pw"}"#;
const BOBS_LOGIN: &str =
    r#"POST /api/auth/sign-in/email -d {"email":"bob@example.com","password":"pw"}"#;
const TWO_FACTOR: &str = "Set-Cookie: better-auth.two_factor=f; Path=/; HttpOnly";
const SESSION: &str = "Set-Cookie: better-auth.session_token=s; Path=/; HttpOnly";
const USER: &str = r#"{"token":"x","user":{"id":"u","name":"Ann","email":"ann@example.com"}}"#;

fn wants(methods: &Value) -> String {
    json!({"twoFactorRedirect": true, "twoFactorMethods": methods}).to_string()
}

fn at(path: &str, body: &str) -> String {
    format!("POST /api/auth/two-factor/{path} -d {body}")
}

async fn play(exchanges: &[String]) -> Played {
    play_by(json!({"extends": "better-auth"}), exchanges).await
}

async fn play_by(profile: Value, exchanges: &[String]) -> Played {
    Played::playing(Recording::parse(&exchanges.concat()), profile, "", &[]).await
}

fn challenge(played: &Played) -> Challenge {
    match played.state().phase {
        Phase::OtpPending { challenge } => challenge,
        other => panic!("{other:?}"),
    }
}

fn methods(played: &Played) -> Vec<CodeMethod> {
    let open = challenge(played);
    open.methods.iter().map(|offered| offered.method).collect()
}

async fn login(played: &Played) -> Result<SignInOutcome, AuthError> {
    played.session.login(LoginInput::new(ANN, "pw")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticator_app_is_asked_at_its_endpoint_and_no_code_is_sent() {
    let played = play(&[
        said(LOGIN, "200 OK", &[TWO_FACTOR], &wants(&json!(["totp"]))),
        said(
            &at("verify-totp", r#"{"code":"123456","trustDevice":false}"#),
            "200 OK",
            &[SESSION],
            USER,
        ),
    ])
    .await;
    assert_eq!(login(&played).await, Ok(SignInOutcome::OtpRequired));
    assert_eq!(
        methods(&played),
        [CodeMethod::Totp, CodeMethod::Recovery],
        "the backup codes come with the app"
    );
    assert!(
        challenge(&played)
            .methods
            .iter()
            .all(|it| it.can_trust_device)
    );
    assert_eq!(challenge(&played).trust_days, Some(30));
    let right = vestibule_harness::verify(&played.session, Secret::new("123456")).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    assert_eq!(played.asked("/api/auth/two-factor/send-otp"), 0);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_the_server_cannot_send_is_said_in_its_words() {
    let refused = r#"{"message":"otp isn't configured","code":"OTP_NOT_CONFIGURED"}"#;
    let played = play(&[
        said(LOGIN, "200 OK", &[TWO_FACTOR], &wants(&json!(["otp"]))),
        said(&at("send-otp", "{}"), "400 Bad Request", &[], refused),
        said(&at("send-otp", "{}"), "400 Bad Request", &[], refused),
    ])
    .await;
    assert_eq!(login(&played).await, Ok(SignInOutcome::OtpRequired));
    assert_eq!(challenge(&played).methods[0].sent_to, None, "none was sent");
    let error = played.session.send_otp().await.expect_err("refused");
    assert!(error.message.contains("No code was sent"), "{error}");
    assert!(error.message.contains("otp isn't configured"), "{error}");
    assert_eq!(methods(&played), [CodeMethod::Otp], "still open");
    played.check_no_strays();
}

/// A code that is too old, or was tried too often, is spent; the challenge goes on with another one.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_spent_code_another_one_is_sent() {
    let body = |code: &str| format!(r#"{{"code":"{code}","trustDevice":false}}"#);
    for spent in ["OTP_HAS_EXPIRED", "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE"] {
        let refused = format!(r#"{{"message":"no","code":"{spent}"}}"#);
        let send = said(&at("send-otp", "{}"), "200 OK", &[], r#"{"status":true}"#);
        let played = play(&[
            said(LOGIN, "200 OK", &[TWO_FACTOR], &wants(&json!(["otp"]))),
            send.clone(),
            said(
                &at("verify-otp", &body("111111")),
                "400 Bad Request",
                &[],
                &refused,
            ),
            send,
            said(
                &at("verify-otp", &body("222222")),
                "200 OK",
                &[SESSION],
                USER,
            ),
        ])
        .await;
        assert_eq!(login(&played).await, Ok(SignInOutcome::OtpRequired));
        let open = challenge(&played).id;
        let error = vestibule_harness::verify(&played.session, Secret::new("111111")).await;
        let error = error.expect_err(spent);
        assert_eq!(error.code, ErrorCode::OtpSpent, "{spent}");
        assert!(error.message.contains("new one sent"), "{error}");
        assert_eq!(challenge(&played).id, open, "{spent}: still open");
        played.session.send_otp().await.expect(spent);
        let right = vestibule_harness::verify(&played.session, Secret::new("222222")).await;
        assert_eq!(right, Ok(SignInOutcome::SignedIn), "{spent}");
        played.check_no_strays();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_code_that_nothing_can_replace_ends_the_challenge() {
    let refused = r#"{"message":"no","code":"TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE"}"#;
    let body = r#"{"code":"111111","trustDevice":false}"#;
    let app = said(&at("verify-totp", body), "400 Bad Request", &[], refused);
    let played = play(&[
        said(LOGIN, "200 OK", &[TWO_FACTOR], &wants(&json!(["totp"]))),
        app,
    ])
    .await;
    assert_eq!(login(&played).await, Ok(SignInOutcome::OtpRequired));
    let error = vestibule_harness::verify(&played.session, Secret::new("111111")).await;
    assert_eq!(code(&error), Some(ErrorCode::OtpTooMany), "an app's code");
    assert!(matches!(played.state().phase, Phase::SignedOut { .. }));

    // Where the backend sends codes with the sign-in alone.
    let none_again = json!({"extends": "better-auth", "endpoints": {"send_otp": false}});
    let sent = said(&at("verify-otp", body), "400 Bad Request", &[], refused);
    let played = play_by(
        none_again,
        &[
            said(LOGIN, "200 OK", &[TWO_FACTOR], &wants(&json!(["otp"]))),
            sent,
        ],
    )
    .await;
    assert_eq!(login(&played).await, Ok(SignInOutcome::OtpRequired));
    let error = vestibule_harness::verify(&played.session, Secret::new("111111")).await;
    assert_eq!(code(&error), Some(ErrorCode::OtpExpired));
    assert!(matches!(played.state().phase, Phase::SignedOut { .. }));
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_backend_says_is_shown_where_no_rule_knows_it() {
    let not_enabled =
        r#"{"message":"Backup codes aren't enabled","code":"BACKUP_CODES_NOT_ENABLED"}"#;
    let conflict = r#"{"message":"Failed to verify backup code. Please try again."}"#;
    let body = r#"{"code":"a-b","trustDevice":false}"#;
    let played = play(&[
        said(LOGIN, "200 OK", &[TWO_FACTOR], &wants(&json!(["totp"]))),
        said(
            &at("verify-backup-code", body),
            "400 Bad Request",
            &[],
            not_enabled,
        ),
        said(
            &at("verify-backup-code", body),
            "409 Conflict",
            &[],
            conflict,
        ),
    ])
    .await;
    assert_eq!(login(&played).await, Ok(SignInOutcome::OtpRequired));
    for words in ["Backup codes aren't enabled", "Please try again."] {
        let code = Secret::new("a-b");
        let refused = verify_by(&played.session, CodeMethod::Recovery, code).await;
        let error = refused.expect_err("refused");
        assert!(error.message.contains(words), "{error}");
    }
    assert_eq!(methods(&played).len(), 2, "still open");
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factor_that_the_profile_does_not_know_says_who_can_mend_it() {
    for (named, words) in [
        (json!(["passkey"]), "makers of this app"),
        (json!([]), "operator"),
    ] {
        let played = play(&[said(LOGIN, "200 OK", &[TWO_FACTOR], &wants(&named))]).await;
        let refused = login(&played).await;
        assert_eq!(code(&refused), Some(ErrorCode::Unsupported), "{named}");
        let error = refused.expect_err("no method");
        assert!(error.message.contains(words), "{error}");
        assert!(matches!(played.state().phase, Phase::SignedOut { .. }));
        played.check_no_strays();
    }
    let played = play(&[said(
        LOGIN,
        "200 OK",
        &[TWO_FACTOR],
        &wants(&json!(["passkey", "totp"])),
    )])
    .await;
    assert_eq!(login(&played).await, Ok(SignInOutcome::OtpRequired));
    assert_eq!(methods(&played), [CodeMethod::Totp, CodeMethod::Recovery]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_challenge_has_methods_of_its_own() {
    let profile = json!({
        "cookies": {"device": false},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "verify_totp": {
                "path": "/mfa/app",
                "body": {"c": "$otp", "p": "$password"},
            },
            "verify_recovery": {"path": "/mfa/backup", "body": {"code": "$otp"}},
        },
        "otp": {
            "methods": ["/factors"],
            "method_name": ["/kind"],
            "codes": {"totp": {"names": ["app"], "length": 8}, "recovery": {"names": ["backup"]}},
        },
    });
    let login_call = r#"POST /login -d {"email":"ann@example.com","password":"pw"}"#;
    let app = r#"{"otpRequired":true,"factors":[{"id":7,"kind":"app"}]}"#;
    let backup = r#"{"otpRequired":true,"factors":[{"id":8,"kind":"backup"}]}"#;
    let success =
        r#"{"user":{"id":"u","name":"Ann","email":"ann@example.com"},"tokens":{"token":"a"}}"#;
    let played = play_by(
        profile,
        &[
            said(login_call, "200 OK", &[], app),
            said(
                r#"POST /mfa/app -d {"c":"12345678","p":"pw"}"#,
                "200 OK",
                &[],
                backup,
            ),
            said(
                r#"POST /mfa/backup -d {"code":"x-y"}"#,
                "200 OK",
                &["Set-Cookie: __refresh_token=r; Path=/"],
                success,
            ),
        ],
    )
    .await;
    assert_eq!(login(&played).await, Ok(SignInOutcome::OtpRequired));
    let first = challenge(&played);
    assert_eq!(methods(&played), [CodeMethod::Totp]);
    assert_eq!(first.methods[0].form.length, Some(8));
    let next = OtpInput::new(first.id, Secret::new("12345678"));
    let next = played.session.verify_otp(next).await;
    assert_eq!(next, Ok(SignInOutcome::OtpRequired));
    assert_eq!(methods(&played), [CodeMethod::Recovery], "another one now");
    let by_app = verify_by(&played.session, CodeMethod::Totp, Secret::new("1")).await;
    assert_eq!(code(&by_app), Some(ErrorCode::Unsupported));
    let outcome = vestibule_harness::verify(&played.session, Secret::new("x-y")).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_device_is_remembered_for_its_person_beyond_a_sign_out_and_a_restart() {
    let trust = |value: &str| {
        format!("Set-Cookie: better-auth.trust_device={value}; Path=/; Max-Age=2592000; HttpOnly")
    };
    let with = |login: &str, value: &str| {
        let cookie = format!(" -H Cookie: better-auth.trust_device={value} -d ");
        login.replacen(" -d ", &cookie, 1)
    };
    let mut played = play(&[
        said(LOGIN, "200 OK", &[TWO_FACTOR], &wants(&json!(["totp"]))),
        said(
            &at("verify-totp", r#"{"code":"123456","trustDevice":true}"#),
            "200 OK",
            &[SESSION, &trust("t1")],
            USER,
        ),
        said("POST /api/auth/sign-out -d {}", "200 OK", &[], "{}"),
        said(&with(LOGIN, "t1"), "200 OK", &[SESSION, &trust("t2")], USER),
        said("POST /api/auth/sign-out -d {}", "200 OK", &[], "{}"),
        // Ann's cookie with Bob's password would be answered by this.
        said(&with(BOBS_LOGIN, "t2"), "500 Leaked", &[], "{}"),
        said(BOBS_LOGIN, "401 Unauthorized", &[], "{}"),
        said(&with(LOGIN, "t2"), "200 OK", &[SESSION], USER),
    ])
    .await;
    assert_eq!(login(&played).await, Ok(SignInOutcome::OtpRequired));
    let open = challenge(&played).id;
    let input = OtpInput {
        trust_device: true,
        ..OtpInput::new(open, Secret::new("123456"))
    };
    let outcome = played.session.verify_otp(input).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let sign_outs = |played: &Played| played.asked("/api/auth/sign-out");
    played.session.logout().await;
    eventually("the first sign-out", || sign_outs(&played) == 1).await;
    assert_eq!(
        login(&played).await,
        Ok(SignInOutcome::SignedIn),
        "without a code"
    );
    played.session.logout().await;
    eventually("the second sign-out", || sign_outs(&played) == 2).await;
    played.restart();
    played.until_started().await;
    let bob = LoginInput::new("bob@example.com", "pw");
    let bob = played.session.login(bob).await;
    assert_eq!(code(&bob), Some(ErrorCode::InvalidCredentials));
    assert_eq!(
        login(&played).await,
        Ok(SignInOutcome::SignedIn),
        "by what the server said last"
    );
    played.check_no_strays();
    let names: Vec<_> = played
        .store
        .items()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(
        names.iter().all(|name| !name.contains("ann")),
        "no name is in the open: {names:?}"
    );
    played.session.forget_trusted_device().await;
    let trusted = |name: &String| name.contains(".trust.");
    let names: Vec<_> = played
        .store
        .items()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(!names.iter().any(trusted), "forgotten: {names:?}");
}
