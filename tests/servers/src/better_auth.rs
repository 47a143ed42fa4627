//! Runs sessions against a real Better Auth server, through everything that a user does there.

use serde_json::json;
use vestibule_core::error::ErrorCode;
use vestibule_core::secrets::Secret;
use vestibule_core::wire::{LoginInput, RegisterInput, SignInOutcome, SignedOutReason};

use crate::place::{Place, code, profile};
use crate::server::Server;
use crate::told::Told;

const ANN: &str = "ann@example.com";
const PASSWORD: &str = "correct-horse";
const ENABLE: &str = "/api/auth/two-factor/enable";

/// Runs all steps; returns how many there were.
pub async fn run() -> usize {
    let mut server = Server::start("better-auth", "better-auth").await;
    let mut told = Told::of(&server);
    let mut place = Place::new(profile("better-auth", server.url(), &[ENABLE])).await;
    register(&place, &mut told).await;
    let replaced = place.keep();
    sign_in(&mut place, &mut told).await;

    let refused = place.until_refused(&replaced).await;
    assert_eq!(refused, SignedOutReason::Expired);
    told.did(
        "the token of the session before",
        "ended there: 200 with null",
    );
    place.refresh().await;

    let item = place.keep();
    place.sign_out().await;
    told.did("sign-out", "told at once");
    let late = place.copy(&item);
    assert_eq!(late.until_signed_out().await, SignedOutReason::Expired);
    told.did("refresh after the sign-out", "expired");

    second_factor(&mut place, &mut server, &mut told).await;
    untrusted(&server, &mut told).await;
    told.steps()
}

async fn register(place: &Place, told: &mut Told) {
    let outcome = place
        .session
        .register(RegisterInput::new("Ann", ANN, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert_eq!(place.until_fresh().await, "Ann");
    told.did("register", "signed in as Ann");
    let taken = place
        .session
        .register(RegisterInput::new("Ann", ANN, PASSWORD))
        .await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    told.did("register again", "the e-mail is taken");
    let invalid = place
        .session
        .register(RegisterInput::new("Ann", "bad", "x"))
        .await;
    assert_eq!(code(&invalid), Some(ErrorCode::InvalidInput));
    told.did("register with no address", "invalid input");
}

async fn sign_in(place: &mut Place, told: &mut Told) {
    let wrong = place
        .session
        .login(LoginInput::new(ANN, "not-the-password"))
        .await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    told.did("login with a wrong password", "invalid credentials");
    let outcome = place.session.login(LoginInput::new(ANN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    told.did("login", "signed in");
    place.restart();
    assert_eq!(place.until_fresh().await, "Ann");
    told.did("a second session, same keyring", "restored and confirmed");
    let kept = place.kept();
    for _ in 0..3 {
        place.refresh().await;
    }
    assert_eq!(
        place.kept(),
        kept,
        "a refresh extends the session and keeps its token"
    );
    told.did("refresh, three times", "confirmed; the same token");
}

async fn second_factor(place: &mut Place, server: &mut Server, told: &mut Told) {
    let outcome = place.session.login(LoginInput::new(ANN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let before = place.kept();
    place.post(ENABLE, &json!({"password": PASSWORD})).await;
    assert_ne!(place.kept(), before, "the sign-in replaces the session");
    place.refresh().await;
    place.restart();
    assert_eq!(place.until_fresh().await, "Ann");
    told.did(
        "switch the second factor on",
        "the session goes on, by a new cookie",
    );
    place.sign_out().await;

    let outcome = place.session.login(LoginInput::new(ANN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let first = server.code(ANN).await;
    told.did("login", "a code is wanted, and was sent");
    let wrong = place.verify(Secret::new(other_than(&first))).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    told.did("a wrong code", "invalid; another try is allowed");
    place.session.resend_otp().await.expect("another code");
    let second = server.code(ANN).await;
    told.did("another code", "sent");
    let right = place.verify(Secret::new(second)).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    place.refresh().await;
    told.did("the right code", "signed in, and renewed");
    place.sign_out().await;

    let outcome = place.session.login(LoginInput::new(ANN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let wrong = other_than(&server.code(ANN).await);
    let mut refusals = Vec::new();
    while refusals
        .last()
        .is_none_or(|last| *last == ErrorCode::OtpInvalid)
    {
        assert!(
            refusals.len() < 20,
            "the server never stops accepting wrong codes"
        );
        let refused = place.verify(Secret::new(wrong.clone())).await;
        refusals.push(code(&refused).expect("refused"));
    }
    assert_eq!(
        refusals.last(),
        Some(&ErrorCode::OtpTooMany),
        "{refusals:?}"
    );
    let gone = place.verify(Secret::new(wrong)).await;
    assert_eq!(code(&gone), Some(ErrorCode::NoChallenge));
    told.did(
        "wrong codes without end",
        format!("back to the start after {}", refusals.len()),
    );
}

async fn untrusted(server: &Server, told: &mut Told) {
    let mut profile = profile("better-auth", server.url(), &[]);
    profile["headers"] = json!({"origin": "tauri://localhost"});
    let place = Place::new(profile).await;
    let refused = place.session.login(LoginInput::new(ANN, PASSWORD)).await;
    assert_eq!(code(&refused), Some(ErrorCode::Misconfigured));
    told.did(
        "an origin it does not trust",
        "the app is at fault, not the account",
    );
}

/// Six digits that differ from this code.
fn other_than(code: &str) -> String {
    if code == "000000" { "111111" } else { "000000" }.into()
}
