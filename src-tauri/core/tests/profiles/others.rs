//! Well-known backends for which the schema was not designed, each with a profile as an adopter
//! would write it, against answers from their documentation. None needs code of its own.

mod carriers;
mod encodings;
mod origins;
mod refusals;
mod renewals;
mod steps;

use vestibule_core::wire::{LoginInput, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_core::{AuthError, ErrorCode, Secret};

use crate::played::{Played, said};
use vestibule_harness::{code, user};

const ANN: &str = "ann@example.com";
const ME: &str = r#"{"id":7,"name":"Ann","email":"ann@example.com"}"#;
/// exp = 1795411840, ten minutes after [`DATE`].
const JWT: &str = "e30.eyJleHAiOjE3OTU0MTE4NDB9.c2ln";
const DATE: &str = "Date: Mon, 23 Nov 2026 05:20:40 GMT";

/// The profile's name and its text.
macro_rules! profile {
    ($name:literal) => {
        ($name, include_str!(concat!($name, ".toml")))
    };
}
use profile;

async fn play((name, text): (&str, &str), exchanges: &[String]) -> Played {
    Played::described(name, text, exchanges).await
}

fn ok(request: &str, body: &str) -> String {
    said(request, "200 OK", &[DATE], body)
}

fn name(played: &Played) -> Option<String> {
    let state = played.session.snapshot().state;
    user(&state).map(|user| user.name.clone())
}

async fn make_account(played: &Played) -> Result<SignInOutcome, AuthError> {
    let input = RegisterInput::new("Ann", ANN, "pw");
    played.session.register(input).await
}

/// Signs in once for each of these codes, and expects it as the error.
async fn refused_as(played: &Played, codes: &[ErrorCode]) {
    for wanted in codes {
        let refused = played.session.login(LoginInput::new(ANN, "pw")).await;
        assert_eq!(code(&refused).as_ref(), Some(wanted));
    }
}

/// Signs in with a code; the first code is wrong.
async fn sign_in_by_code(played: &Played) {
    let outcome = played.session.login(LoginInput::new(ANN, "pw")).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let wrong = vestibule_harness::verify(&played.session, Secret::new("000000")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    let right = vestibule_harness::verify(&played.session, Secret::new("123456")).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
}

/// Makes the refresh that ends the session, the last one of the recording.
async fn found_dead(played: &Played) {
    // The first may join the refresh that has just shown the session as fresh.
    if played.session.refresh().await.is_ok() {
        played.session.refresh().await.expect_err("dead");
    }
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}
