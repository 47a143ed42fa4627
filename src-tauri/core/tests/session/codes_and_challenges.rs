//! A code belongs to its challenge: typed for one challenge, it is never sent for another.

use vestibule_backend::{Effect, Fault};
use vestibule_core::wire::{OtpInput, Phase, SignInOutcome};
use vestibule_core::{ChallengeId, ErrorCode, Secret};
use vestibule_harness::*;

const OTHER: &str = "totp@vestibule.test";

async fn challenged(harness: &Harness, email: &str) -> ChallengeId {
    let outcome = harness.session.login(login(email)).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired), "{email}");
    open(harness).expect("a challenge")
}

fn open(harness: &Harness) -> Option<ChallengeId> {
    match harness.state().phase {
        Phase::OtpPending { challenge } => Some(challenge.id),
        _ => None,
    }
}

fn code_of(harness: &Harness, email: &str) -> Secret {
    Secret::new(harness.backend.last_code(email).expect("a code"))
}

fn sent(harness: &Harness) -> usize {
    harness.backend.requests("POST", "/verify-otp")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_one_challenge_is_not_sent_for_the_next() {
    for next in [OTHER, OTP] {
        let harness = Harness::new().await;
        let first = challenged(&harness, OTP).await;
        let typed = code_of(&harness, OTP);
        let second = challenged(&harness, next).await;
        assert_ne!(first, second, "{next}: another challenge");
        let verified = harness
            .session
            .verify_otp(OtpInput::new(first, typed))
            .await;
        assert_eq!(code(&verified), Some(ErrorCode::NoChallenge), "{next}");
        assert_eq!(sent(&harness), 0, "{next}: nothing was sent");
        assert_eq!(
            open(&harness),
            Some(second),
            "{next}: the second challenge stays open"
        );
        let right = code_of(&harness, next);
        let verified = harness
            .session
            .verify_otp(OtpInput::new(second, right))
            .await;
        assert_eq!(verified, Ok(SignInOutcome::SignedIn), "{next}");
        assert_eq!(owner(&harness.session).await.as_deref(), Some(next));
    }
}

/// The keyring is slow to give up what it holds of the session before.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_that_ends_late_leaves_the_next_challenge_open() {
    let harness = Harness::signed_in().await;
    harness.store.block(Block::Hang);
    assert!(harness.session.logout().await.success);
    eventually("the keyring to be asked", || harness.store.waiting() > 0).await;
    let asked = challenged(&harness, OTP).await;
    harness.store.heal();
    // The sign-out tells the backend after it has done everything else.
    harness.reached("/logout", 1).await;
    assert_eq!(open(&harness), Some(asked));
    let right = OtpInput::new(asked, code_of(&harness, OTP));
    let verified = harness.session.verify_otp(right).await;
    assert_eq!(verified, Ok(SignInOutcome::SignedIn));
    assert_eq!(owner(&harness.session).await.as_deref(), Some(OTP));
}

/// The code waits for its turn while another challenge begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_waits_behind_another_sign_in_is_not_sent_for_that_one() {
    let harness = Harness::new().await;
    let first = challenged(&harness, OTP).await;
    let typed = code_of(&harness, OTP);
    let slow = Effect::Delay { ms: 300 };
    harness
        .backend
        .faults()
        .add(Fault::on("POST", "/login", slow).times(1));
    let session = harness.session.clone();
    let signing_in = tokio::spawn(async move { session.login(login(OTHER)).await });
    harness.reached("/login", 2).await;
    let session = harness.session.clone();
    let verifying =
        tokio::spawn(async move { session.verify_otp(OtpInput::new(first, typed)).await });
    let signed_in = soon("the sign-in", signing_in).await.expect("ends");
    assert_eq!(signed_in, Ok(SignInOutcome::OtpRequired));
    let verified = soon("the code", verifying).await.expect("ends");
    if sent(&harness) > 0 {
        // If the code was sent before the other challenge began, it was for its own.
        let asked = harness.backend.last_request("POST", "/verify-otp");
        let asked = asked.expect("one").json().expect("JSON");
        assert_eq!(asked["email"], OTP, "the code was sent for its own account");
    } else {
        assert_eq!(code(&verified), Some(ErrorCode::NoChallenge));
    }
    assert_ne!(
        shown(&harness.state()).as_deref(),
        Some(OTHER),
        "not verified"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_a_challenge_that_is_over_is_not_sent() {
    for ends in ["given up", "signed out", "signed in"] {
        let harness = Harness::new().await;
        let id = challenged(&harness, OTP).await;
        let typed = code_of(&harness, OTP);
        match ends {
            "given up" => harness.session.cancel_otp(),
            "signed out" => drop(harness.session.logout().await),
            _ => harness.sign_in(DEMO).await,
        }
        let verified = harness.session.verify_otp(OtpInput::new(id, typed)).await;
        assert_eq!(code(&verified), Some(ErrorCode::NoChallenge), "{ends}");
        assert_eq!(sent(&harness), 0, "{ends}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_code_is_for_the_same_challenge() {
    let harness = Harness::new().await;
    let id = challenged(&harness, OTP).await;
    harness
        .backend
        .set_resend_interval(std::time::Duration::ZERO);
    let again = harness.session.send_otp().await.expect("another code");
    assert_eq!(again.id, id, "the same");
    let verified = harness
        .session
        .verify_otp(OtpInput::new(id, code_of(&harness, OTP)))
        .await;
    assert_eq!(verified, Ok(SignInOutcome::SignedIn));
}
