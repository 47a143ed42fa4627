//! Runs sessions against a real Better Auth server, through everything that a user does there.

use serde_json::json;
use vestibule_core::ErrorCode;
use vestibule_core::wire::{LoginInput, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_harness::code;

use crate::installation::{Installation, profile};
use crate::report::Report;
use crate::second_factors;
use crate::server::Server;

pub const ANN: &str = "ann@example.com";
pub const PASSWORD: &str = "correct-horse";
pub const ENABLE: &str = "/api/auth/two-factor/enable";

/// Runs all steps; returns how many there were.
pub async fn run() -> usize {
    let mut server = Server::start("better-auth", "better-auth").await;
    let mut report = Report::of(&server);
    let mut installation = Installation::new(profile("better-auth", server.url(), &[ENABLE])).await;
    register(&installation, &mut report).await;
    let replaced = installation.keep();
    sign_in(&mut installation, &mut report).await;

    let refused = installation.until_refused(&replaced).await;
    assert_eq!(refused, SignedOutReason::Expired);
    report.did(
        "the token of the session before",
        "ended there: 200 with null",
    );
    installation.refresh().await;

    let item = installation.keep();
    installation.sign_out().await;
    report.did("sign-out", "told at once");
    let late = installation.copy(&item);
    assert_eq!(late.until_signed_out().await, SignedOutReason::Expired);
    report.did("refresh after the sign-out", "expired");

    second_factors::run(&mut installation, &mut server, &mut report).await;
    untrusted(&server, &mut report).await;
    report.steps()
}

async fn register(installation: &Installation, report: &mut Report) {
    let outcome = installation
        .session
        .register(RegisterInput::new("Ann", ANN, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert_eq!(installation.until_fresh().await, "Ann");
    report.did("register", "signed in as Ann");
    let taken = installation
        .session
        .register(RegisterInput::new("Ann", ANN, PASSWORD))
        .await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    report.did("register again", "the e-mail is taken");
    let invalid = installation
        .session
        .register(RegisterInput::new("Ann", "bad", "x"))
        .await;
    assert_eq!(code(&invalid), Some(ErrorCode::InvalidInput));
    report.did("register with no address", "invalid input");
}

async fn sign_in(installation: &mut Installation, report: &mut Report) {
    let wrong = installation
        .session
        .login(LoginInput::new(ANN, "not-the-password"))
        .await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    report.did("login with a wrong password", "invalid credentials");
    let outcome = installation
        .session
        .login(LoginInput::new(ANN, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    report.did("login", "signed in");
    installation.restart();
    assert_eq!(installation.until_fresh().await, "Ann");
    report.did("a second session, same keyring", "restored and confirmed");
    let kept = installation.kept();
    for _ in 0..3 {
        installation.refresh().await;
    }
    assert_eq!(
        installation.kept(),
        kept,
        "a refresh extends the session and keeps its token"
    );
    report.did("refresh, three times", "confirmed; the same token");
}

async fn untrusted(server: &Server, report: &mut Report) {
    let mut profile = profile("better-auth", server.url(), &[]);
    profile["headers"] = json!({"origin": "tauri://localhost"});
    let installation = Installation::new(profile).await;
    let refused = installation
        .session
        .login(LoginInput::new(ANN, PASSWORD))
        .await;
    assert_eq!(code(&refused), Some(ErrorCode::Misconfigured));
    report.did(
        "an origin it does not trust",
        "the app is at fault, not the account",
    );
}
