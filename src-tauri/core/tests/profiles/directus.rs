//! Directus: everything is under `/data`, the user comes from `/users/me`, and one error code
//! stands for a missing and a wrong one-time code.

use serde_json::{Value, json};
use vestibule_core::wire::{LoginInput, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_core::{ErrorCode, Secret, SecretStore as _};
use vestibule_recordings::{DIRECTUS, Recording};

use crate::played::Played;
use vestibule_harness::{code, eventually, is_fresh, user, why};

const ADMIN: &str = "admin@example.com";
const PASSWORD: &str = "correct-horse";
/// Members of bodies that were not recorded: the login was recorded without `mode`, whose default
/// is `json`, and a new account may have a first name.
const TAKEN: [&str; 2] = ["mode", "first_name"];

async fn played(from: Option<&str>) -> Played {
    let recording = Recording::parse(DIRECTUS);
    let recording = match from {
        Some(heading) => recording.from(heading),
        None => recording,
    };
    Played::playing(recording, json!({"extends": "directus"}), "", &TAKEN).await
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_wrong_password_to_the_refresh_after_a_sign_out() {
    let played = played(None).await;
    let wrong = played.session.login(LoginInput::new(ADMIN, "no")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));

    played.sign_in(ADMIN, PASSWORD).await;
    assert_eq!(
        played.name(),
        "Admin User",
        "the name is joined from its parts"
    );
    let state = played.session.snapshot().state;
    let shown = user(&state).expect("signed in");
    assert_eq!(shown.email, ADMIN);
    assert!(shown.roles.is_empty(), "a role's id is no name of a role");
    assert_eq!(played.asked("/users/me"), 1, "the user was read once");
    let first = played.item();

    played.session.refresh().await.expect("renewed");
    assert!(
        played.kept().starts_with("LjhauuQH"),
        "the new token is stored"
    );
    assert_eq!(played.asked("/users/me"), 2, "the user was read again");
    assert_eq!(played.name(), "Admin User");
    let second = played.item();

    let copy = played.copy(&first);
    let reused = copy.until_signed_out().await;
    assert_eq!(
        reused,
        SignedOutReason::Expired,
        "reuse looks like any invalid token"
    );
    assert!(
        is_fresh(&played.session.snapshot().state),
        "the owner's session is valid"
    );

    played.session.logout().await;
    eventually("the backend to receive the sign-out", || {
        played.asked("/auth/logout") == 1
    })
    .await;
    let late = played.copy(&second);
    assert_eq!(late.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_accepted_and_says_nothing() {
    let played = played(Some("public registration (enable)")).await;
    for _ in 0..2 {
        let new = RegisterInput::new("Ann", "ann@example.com", PASSWORD);
        let outcome = played.session.register(new).await;
        assert_eq!(outcome, Ok(SignInOutcome::Accepted), "204, new or not");
    }
    let state = played.session.snapshot().state;
    assert_eq!(
        why(&state),
        Some(SignedOutReason::Never),
        "nobody is signed in"
    );
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_means_missing_at_the_login_and_wrong_after_it() {
    let played = played(Some("TOTP")).await;
    let outcome = played.session.login(LoginInput::new(ADMIN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired), "401 INVALID_OTP");
    let another = played.session.send_otp().await;
    assert_eq!(
        code(&another),
        Some(ErrorCode::Unsupported),
        "no code is sent for an authenticator app, and the error says so"
    );
    let wrong = vestibule_harness::verify(&played.session, Secret::new("000000")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid), "the same answer");
    let right = vestibule_harness::verify(&played.session, Secret::new("685602")).await;
    // The user's request was recorded earlier; the replayed part has no answer to it.
    assert_eq!(code(&right), Some(ErrorCode::BackendFault));
    let state = played.session.snapshot().state;
    assert!(
        user(&state).is_none(),
        "a session without a known user is not used"
    );
    eventually("the session to be ended again", || {
        let strays = played.player.strays();
        strays
            .iter()
            .any(|stray| stray.request.contains("/auth/logout"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_code_signs_in() {
    let whole = Recording::parse(DIRECTUS);
    let played = Played::playing(whole, json!({"extends": "directus"}), "", &TAKEN).await;
    // The first login of the recording comes before any request to `/users/me`.
    played.sign_in(ADMIN, PASSWORD).await;
    played.session.logout().await;
    // Continues where the account has a second factor.
    for _ in 0..2 {
        let new = RegisterInput::new("Ann", "ann@example.com", PASSWORD);
        played.session.register(new).await.expect("accepted");
    }
    let outcome = played.session.login(LoginInput::new(ADMIN, PASSWORD)).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let right = vestibule_harness::verify(&played.session, Secret::new("685602")).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    assert_eq!(played.name(), "Admin User");
    let limited = played.session.login(LoginInput::new(ADMIN, "no")).await;
    let limited = limited.expect_err("too many");
    assert_eq!(limited.code, ErrorCode::RateLimited);
    assert_eq!(
        limited.retry_after_ms,
        Some(0),
        "the wait that the backend names"
    );
}

/// The same backend with cookies: another profile, no other code.
fn by_cookie() -> Value {
    json!({
        "extends": "directus",
        "cookies": {"refresh": ["directus_refresh_token"]},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password", "mode": "cookie"}},
            "refresh": {"body": {"mode": "cookie"}},
            "logout": {"body": {"mode": "cookie"}},
        },
        "answer": {"login": {"refresh_token": []}, "refresh": {"refresh_token": []}},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_carries_the_session_too() {
    let recording = Recording::parse(DIRECTUS);
    let played = Played::playing(recording, by_cookie(), "", &[]).await;
    played.sign_in(ADMIN, PASSWORD).await;
    assert!(
        played.kept().starts_with("WiGeBXr1"),
        "the token comes from a cookie"
    );
    played.session.refresh().await.expect("renewed");
    assert!(
        played.kept().starts_with("WRBXfY_y"),
        "the new token comes from a cookie"
    );
    played.session.logout().await;
    eventually("the backend to receive the sign-out", || {
        played.asked("/auth/logout") == 1
    })
    .await;
    played.check_no_strays();
}

/// The cookie that the recorded sign-out empties, emptied by the answer to a refresh.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_cookie_means_gone() {
    let rotated = "directus_refresh_token=WRBXfY_yZkPDz2pqmNvYkK6-OdWMAWOYKH5eCojUiq7t3kbh9Xjtkw0bOr0uLBAZ; Max-Age";
    assert_eq!(DIRECTUS.matches(rotated).count(), 1, "the refresh sets it");
    let emptied = "directus_refresh_token=; Max-Age";
    assert!(DIRECTUS.contains(emptied), "as the sign-out sets it");
    let recording = Recording::parse(&DIRECTUS.replace(rotated, emptied));
    let played = Played::playing(recording, by_cookie(), "", &[]).await;
    played.sign_in(ADMIN, PASSWORD).await;
    let ended = played.session.refresh().await;
    assert_eq!(code(&ended), Some(ErrorCode::SessionEnded));
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    let item = played
        .store
        .bare()
        .read(played.session.item_name())
        .expect("memory");
    assert!(item.is_none(), "the keyring holds no item");
}
