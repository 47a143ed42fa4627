//! What a user does at a Better Auth server besides: a session that another sign-in replaces, second
//! factors, and an app whose origin the server does not trust.

use serde_json::json;
use vestibule_core::ErrorCode;
use vestibule_core::wire::{LoginInput, SignInOutcome, SignedOutReason};
use vestibule_harness::code;

use crate::backends::{BOB, PASSWORD};
use crate::installation::{Installation, profile};
use crate::lifecycle::Trial;
use crate::second_factors;
use crate::server::Server;
use crate::steps::Steps;

/// Runs all steps; returns how many there were.
pub async fn further(trial: &mut Trial) -> usize {
    let mut steps = Steps::default();
    let Trial {
        server,
        installation,
        ..
    } = trial;
    replaced(installation, &mut steps).await;
    second_factors::run(installation, server, &mut steps).await;
    untrusted(server, &mut steps).await;
    steps.count()
}

async fn replaced(installation: &Installation, steps: &mut Steps) {
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
