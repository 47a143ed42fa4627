//! Runs sessions against a real Directus, through everything that a user does there.

use serde_json::{Value, json};
use vestibule_core::error::ErrorCode;
use vestibule_core::secrets::Secret;
use vestibule_core::wire::{LoginInput, Phase, RegisterInput, SignInOutcome, SignedOutReason};

use crate::place::{Place, code, profile};
use crate::server::Server;
use crate::told::Told;

const ADMIN: &str = "admin@example.com";
const ANN: &str = "ann@example.com";
const PASSWORD: &str = "correct-horse";
const GENERATE: &str = "/users/me/tfa/generate";
const ENABLE: &str = "/users/me/tfa/enable";

/// Runs all steps; returns how many there were.
pub async fn run() -> usize {
    let mut server = Server::start("directus", "directus").await;
    let mut told = Told::of(&server);
    let mut place = Place::new(profile("directus", server.url(), &[GENERATE, ENABLE])).await;
    register(&place, &mut told).await;
    sign_in(&mut place, &mut told).await;
    second_factor(&mut place, &mut server, &mut told).await;
    told.steps()
}

async fn register(place: &Place, told: &mut Told) {
    for (times, came) in [
        ("register", "accepted"),
        ("register again", "accepted all the same"),
    ] {
        let outcome = place
            .session
            .register(RegisterInput::new("Ann", ANN, PASSWORD))
            .await;
        assert_eq!(outcome, Ok(SignInOutcome::Accepted));
        told.did(times, came);
    }
    let invalid = place
        .session
        .register(RegisterInput::new("Ann", "bad", PASSWORD))
        .await;
    assert_eq!(code(&invalid), Some(ErrorCode::InvalidInput));
    told.did("register with no address", "invalid input");
    let outcome = place.session.login(LoginInput::new(ANN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let shown = place.until_fresh().await;
    assert_eq!(shown, ANN, "the server shows a new account only its id");
    told.did("login of the new account", format!("signed in as {shown}"));
    place.sign_out().await;
}

async fn sign_in(place: &mut Place, told: &mut Told) {
    let wrong = place.session.login(LoginInput::new(ADMIN, "no")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    told.did("login with a wrong password", "invalid credentials");
    let outcome = place.session.login(LoginInput::new(ADMIN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert_eq!(place.until_fresh().await, "Admin User");
    told.did("login", "signed in as Admin User");
    let first = place.keep();
    place.restart();
    assert_eq!(place.until_fresh().await, "Admin User");
    told.did("a second session, same keyring", "restored and renewed");
    let mut kept = vec![place.kept()];
    while kept.len() < 4 {
        place.refresh().await;
        // The first call may join the refresh of the start, if that is still in progress.
        let now = place.kept();
        if kept.len() == 1 && now == kept[0] {
            continue;
        }
        assert!(!kept.contains(&now), "rotated");
        kept.push(now);
    }
    told.did("refresh, three times", "a new token each");

    let old = place.copy(&first);
    assert_eq!(old.until_signed_out().await, SignedOutReason::Expired);
    place.refresh().await;
    told.did("the first token again", "expired; the newest still works");

    let last = place.keep();
    place.sign_out().await;
    told.did("sign-out", "told at once");
    let late = place.copy(&last);
    assert_eq!(late.until_signed_out().await, SignedOutReason::Expired);
    told.did("refresh after the sign-out", "expired");
}

async fn second_factor(place: &mut Place, server: &mut Server, told: &mut Told) {
    let outcome = place.session.login(LoginInput::new(ADMIN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let made = place.post(GENERATE, &json!({"password": PASSWORD})).await;
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let secret = made["data"]["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let otp = server.code(&secret).await;
    place
        .post(ENABLE, &json!({"secret": secret, "otp": otp}))
        .await;
    place.refresh().await;
    told.did("switch the second factor on", "the session goes on");
    place.sign_out().await;

    let outcome = place.session.login(LoginInput::new(ADMIN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    told.did("login", "a code is wanted");
    let another = place.session.resend_otp().await;
    assert_eq!(code(&another), Some(ErrorCode::Unsupported));
    told.did("another code", "unsupported, and nothing is sent");
    let wrong = place.verify(Secret::new("000000")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    told.did("a wrong code", "invalid; another try is allowed");
    let otp = server.code(&secret).await;
    let right = place.verify(Secret::new(otp)).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    let state = place.session.snapshot().state;
    assert!(matches!(&state.phase, Phase::SignedIn { user, .. } if user.name == "Admin User"));
    place.refresh().await;
    told.did("the right code", "signed in, and renewed");
    place.sign_out().await;
}
