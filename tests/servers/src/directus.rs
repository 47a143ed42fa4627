//! What a user does at a Directus besides: a new account, and a second factor.

use serde_json::{Value, json};
use vestibule_core::wire::{LoginInput, Phase, RegisterInput, SignInOutcome};
use vestibule_core::{ErrorCode, Secret};
use vestibule_harness::{code, verify};

use crate::backends::{BOB, PASSWORD};
use crate::installation::Installation;
use crate::lifecycle::Trial;
use crate::server::Server;
use crate::steps::Steps;

/// The account of its first start.
pub const ADMIN: &str = "admin@example.com";
/// Makes the secret of a second factor.
pub const GENERATE: &str = "/users/me/tfa/generate";
/// Switches the second factor on.
pub const ENABLE: &str = "/users/me/tfa/enable";

/// Runs all steps; returns how many there were.
pub async fn further(trial: &mut Trial) -> usize {
    let mut steps = Steps::default();
    let Trial {
        server,
        installation,
        ..
    } = trial;
    new_account(installation, &mut steps).await;
    second_factor(installation, server, &mut steps).await;
    steps.count()
}

async fn new_account(installation: &Installation, steps: &mut Steps) {
    let invalid = installation
        .session
        .register(RegisterInput::new("Bob", "bad", PASSWORD))
        .await;
    assert_eq!(code(&invalid), Some(ErrorCode::InvalidInput));
    steps.did("register with no address", "invalid input");
    let outcome = installation
        .session
        .login(LoginInput::new(BOB, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let shown = installation.until_fresh().await;
    assert_eq!(shown, BOB, "the server shows a new account only its id");
    steps.did("login of the new account", format!("signed in as {shown}"));
    installation.sign_out().await;
}

async fn second_factor(installation: &mut Installation, server: &mut Server, steps: &mut Steps) {
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
    steps.did("switch the second factor on", "the session goes on");
    installation.sign_out().await;

    let outcome = installation
        .session
        .login(LoginInput::new(ADMIN, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    steps.did("login", "a code is wanted");
    let another = installation.session.send_otp().await;
    assert_eq!(code(&another), Some(ErrorCode::Unsupported));
    steps.did("another code", "unsupported, and nothing is sent");
    let wrong = verify(&installation.session, Secret::new("000000")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    steps.did("a wrong code", "invalid; another try is allowed");
    let otp = server.code(&secret).await;
    let right = verify(&installation.session, Secret::new(otp)).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    let state = installation.session.snapshot().state;
    assert!(matches!(&state.phase, Phase::SignedIn { user, .. } if user.name == "Admin User"));
    installation.refresh().await;
    steps.did("the right code", "signed in, and renewed");
    installation.sign_out().await;
}
