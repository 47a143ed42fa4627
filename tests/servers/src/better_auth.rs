//! What a user does at a Better Auth server besides: a session that another sign-in replaces, and a
//! second factor.

use serde_json::json;
use vestibule_core::wire::{LoginInput, SignInOutcome, SignedOutReason};
use vestibule_core::{ErrorCode, Secret};
use vestibule_harness::{code, verify};

use crate::backends::{BOB, PASSWORD};
use crate::installation::{Installation, profile};
use crate::lifecycle::Trial;
use crate::server::Server;
use crate::steps::Steps;

/// Switches the second factor on.
pub const ENABLE: &str = "/api/auth/two-factor/enable";

/// Runs all steps; returns how many there were.
pub async fn further(trial: &mut Trial) -> usize {
    let mut steps = Steps::default();
    let Trial {
        server,
        installation,
        ..
    } = trial;
    replaced(installation, &mut steps).await;
    second_factor(installation, server, &mut steps).await;
    untrusted(server, &mut steps).await;
    steps.count()
}

async fn replaced(installation: &mut Installation, steps: &mut Steps) {
    sign_in(installation).await;
    let replaced = installation.keep();
    sign_in(installation).await;
    let refused = installation.until_refused(&replaced).await;
    assert_eq!(refused, SignedOutReason::Expired);
    steps.did(
        "the token of the session before",
        "ended there: 200 with null",
    );
    installation.refresh().await;
    installation.sign_out().await;
}

async fn sign_in(installation: &Installation) {
    let outcome = installation.session.login(LoginInput::new(BOB, PASSWORD));
    assert_eq!(outcome.await, Ok(SignInOutcome::SignedIn));
}

async fn second_factor(installation: &mut Installation, server: &mut Server, steps: &mut Steps) {
    let outcome = installation
        .session
        .login(LoginInput::new(BOB, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let before = installation.kept();
    installation
        .post(ENABLE, &json!({"password": PASSWORD}))
        .await;
    assert_ne!(
        installation.kept(),
        before,
        "the sign-in replaces the session"
    );
    installation.refresh().await;
    installation.restart();
    assert_eq!(installation.until_fresh().await, "Bob");
    steps.did(
        "switch the second factor on",
        "the session goes on, by a new cookie",
    );
    installation.sign_out().await;

    let outcome = installation
        .session
        .login(LoginInput::new(BOB, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let first = server.code(BOB).await;
    steps.did("login", "a code is wanted, and was sent");
    let wrong = verify(&installation.session, Secret::new(other_than(&first))).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    steps.did("a wrong code", "invalid; another try is allowed");
    installation
        .session
        .resend_otp()
        .await
        .expect("another code");
    let second = server.code(BOB).await;
    steps.did("another code", "sent");
    let right = verify(&installation.session, Secret::new(second)).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    installation.refresh().await;
    steps.did("the right code", "signed in, and renewed");
    installation.sign_out().await;

    let outcome = installation
        .session
        .login(LoginInput::new(BOB, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let wrong = other_than(&server.code(BOB).await);
    let mut refusals = Vec::new();
    while refusals
        .last()
        .is_none_or(|last| *last == ErrorCode::OtpInvalid)
    {
        assert!(
            refusals.len() < 20,
            "the server never stops accepting wrong codes"
        );
        let refused = verify(&installation.session, Secret::new(wrong.clone())).await;
        refusals.push(code(&refused).expect("refused"));
    }
    assert_eq!(
        refusals.last(),
        Some(&ErrorCode::OtpTooMany),
        "{refusals:?}"
    );
    let gone = verify(&installation.session, Secret::new(wrong)).await;
    assert_eq!(code(&gone), Some(ErrorCode::NoChallenge));
    steps.did(
        "wrong codes without end",
        format!("back to the start after {}", refusals.len()),
    );
}

async fn untrusted(server: &Server, steps: &mut Steps) {
    let mut profile = profile("better-auth", &server.url(), &[]);
    profile["headers"] = json!({"origin": "tauri://localhost"});
    let installation = Installation::new(profile).await;
    let refused = installation
        .session
        .login(LoginInput::new(BOB, PASSWORD))
        .await;
    assert_eq!(code(&refused), Some(ErrorCode::Misconfigured));
    steps.did(
        "an origin it does not trust",
        "the app is at fault, not the account",
    );
}

/// Six digits that differ from this code.
fn other_than(code: &str) -> String {
    if code == "000000" { "111111" } else { "000000" }.into()
}
