//! Runs sessions against a real Directus, through everything that a user does there.

use serde_json::{Value, json};
use vestibule_core::wire::{LoginInput, Phase, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_core::{ErrorCode, Secret};
use vestibule_harness::{code, verify};

use crate::installation::{Installation, profile};
use crate::report::Report;
use crate::server::Server;

const ADMIN: &str = "admin@example.com";
const ANN: &str = "ann@example.com";
const PASSWORD: &str = "correct-horse";
const GENERATE: &str = "/users/me/tfa/generate";
const ENABLE: &str = "/users/me/tfa/enable";

/// Runs all steps; returns how many there were.
pub async fn run() -> usize {
    let mut server = Server::start("directus", "directus").await;
    let mut report = Report::of(&server);
    let mut installation =
        Installation::new(profile("directus", server.url(), &[GENERATE, ENABLE])).await;
    register(&installation, &mut report).await;
    sign_in(&mut installation, &mut report).await;
    second_factor(&mut installation, &mut server, &mut report).await;
    report.steps()
}

async fn register(installation: &Installation, report: &mut Report) {
    for (times, came) in [
        ("register", "accepted"),
        ("register again", "accepted all the same"),
    ] {
        let outcome = installation
            .session
            .register(RegisterInput::new("Ann", ANN, PASSWORD))
            .await;
        assert_eq!(outcome, Ok(SignInOutcome::Accepted));
        report.did(times, came);
    }
    let invalid = installation
        .session
        .register(RegisterInput::new("Ann", "bad", PASSWORD))
        .await;
    assert_eq!(code(&invalid), Some(ErrorCode::InvalidInput));
    report.did("register with no address", "invalid input");
    let outcome = installation
        .session
        .login(LoginInput::new(ANN, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let shown = installation.until_fresh().await;
    assert_eq!(shown, ANN, "the server shows a new account only its id");
    report.did("login of the new account", format!("signed in as {shown}"));
    installation.sign_out().await;
}

async fn sign_in(installation: &mut Installation, report: &mut Report) {
    let wrong = installation
        .session
        .login(LoginInput::new(ADMIN, "no"))
        .await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    report.did("login with a wrong password", "invalid credentials");
    let outcome = installation
        .session
        .login(LoginInput::new(ADMIN, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert_eq!(installation.until_fresh().await, "Admin User");
    report.did("login", "signed in as Admin User");
    let first = installation.keep();
    installation.restart();
    assert_eq!(installation.until_fresh().await, "Admin User");
    report.did("a second session, same keyring", "restored and renewed");
    let mut kept = vec![installation.kept()];
    while kept.len() < 4 {
        installation.refresh().await;
        // The first call may join the refresh of the start, if that is still in progress.
        let now = installation.kept();
        if kept.len() == 1 && now == kept[0] {
            continue;
        }
        assert!(!kept.contains(&now), "rotated");
        kept.push(now);
    }
    report.did("refresh, three times", "a new token each");

    let old = installation.copy(&first);
    assert_eq!(old.until_signed_out().await, SignedOutReason::Expired);
    installation.refresh().await;
    report.did("the first token again", "expired; the newest still works");

    let last = installation.keep();
    installation.sign_out().await;
    report.did("sign-out", "told at once");
    let late = installation.copy(&last);
    assert_eq!(late.until_signed_out().await, SignedOutReason::Expired);
    report.did("refresh after the sign-out", "expired");
}

async fn second_factor(installation: &mut Installation, server: &mut Server, report: &mut Report) {
    let outcome = installation
        .session
        .login(LoginInput::new(ADMIN, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let made = installation
        .post(GENERATE, &json!({"password": PASSWORD}))
        .await;
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let secret = made["data"]["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let otp = server.code(&secret).await;
    installation
        .post(ENABLE, &json!({"secret": secret, "otp": otp}))
        .await;
    installation.refresh().await;
    report.did("switch the second factor on", "the session goes on");
    installation.sign_out().await;

    let outcome = installation
        .session
        .login(LoginInput::new(ADMIN, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    report.did("login", "a code is wanted");
    let another = installation.session.send_otp().await;
    assert_eq!(code(&another), Some(ErrorCode::Unsupported));
    report.did("another code", "unsupported, and nothing is sent");
    let wrong = verify(&installation.session, Secret::new("000000")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    report.did("a wrong code", "invalid; another try is allowed");
    let otp = server.code(&secret).await;
    let right = verify(&installation.session, Secret::new(otp)).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    let state = installation.session.snapshot().state;
    assert!(matches!(&state.phase, Phase::SignedIn { user, .. } if user.name == "Admin User"));
    installation.refresh().await;
    report.did("the right code", "signed in, and renewed");
    installation.sign_out().await;
}
