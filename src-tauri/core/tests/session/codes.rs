//! The contract's rows for `verify-otp` and `resend-otp`, and the life of a challenge.

use std::time::Duration;

use serde_json::json;
use vestibule_backend::{Config, Cut, Effect};
use vestibule_core::wire::{Cause, Challenge, Phase, SignInOutcome, SignedOutReason};
use vestibule_core::{ErrorCode, Secret};
use vestibule_harness::*;

fn challenge(harness: &Harness) -> Option<Challenge> {
    match harness.state().phase {
        Phase::OtpPending { challenge } => Some(challenge),
        _ => None,
    }
}

async fn challenged() -> Harness {
    let harness = Harness::new().await;
    ask(&harness).await;
    harness
}

async fn ask(harness: &Harness) {
    let outcome = harness.session.login(login(OTP)).await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::OtpRequired),
        "the password was right"
    );
}

fn right(harness: &Harness) -> Secret {
    Secret::new(harness.backend.last_code(OTP).expect("a code was mailed"))
}

fn wrong(harness: &Harness) -> Secret {
    let right = harness.backend.last_code(OTP).expect("a code was mailed");
    Secret::new(if right == "000000" {
        "000001"
    } else {
        "000000"
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_wants_a_code_keeps_no_session() {
    let harness = challenged().await;
    let open = challenge(&harness).expect("a challenge");
    assert_eq!(open.email, OTP);
    assert!(
        open.resend_in_ms > 0,
        "the state has the time until the next code"
    );
    assert_eq!(harness.item(), None, "no token yet");
    assert_eq!(harness.session.snapshot().cause, Cause::Challenge);
    let reply = harness.get("/me").await.expect("a call");
    assert_eq!(reply.status, 401, "nobody is signed in yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flag_counts_before_the_status() {
    for status in [200, 202, 401, 403] {
        let harness = Harness::new().await;
        let body = json!({"otpRequired": true, "email": "o***@vestibule.test"});
        harness.strike("/login", answer(status, body, &[]));
        let outcome = harness.session.login(login(OTP)).await;
        assert_eq!(outcome, Ok(SignInOutcome::OtpRequired), "{status}");
        let open = challenge(&harness).expect("a challenge");
        assert_eq!(
            open.email, "o***@vestibule.test",
            "the e-mail address is shown as the backend sends it"
        );
        vestibule_harness::verify(&harness.session, Secret::new("1"))
            .await
            .expect_err("no");
        let sent = harness
            .backend
            .last_request("POST", "/verify-otp")
            .expect("one");
        assert_eq!(
            sent.json().expect("JSON")["email"],
            OTP,
            "the code is sent as it was typed"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_code_signs_in() {
    let harness = challenged().await;
    let outcome = vestibule_harness::verify(&harness.session, right(&harness)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let change = harness.session.snapshot();
    assert!(is_fresh(&change.state), "{change:?}");
    assert_eq!(change.cause, Cause::VerifyOtp);
    assert!(harness.kept().is_some(), "the token is in the keyring");
    let again = vestibule_harness::verify(&harness.session, Secret::new("123456")).await;
    assert_eq!(
        code(&again),
        Some(ErrorCode::NoChallenge),
        "the challenge is over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticator_app_works_too() {
    let harness = Harness::new().await;
    let email = "totp@vestibule.test";
    harness
        .session
        .login(login(email))
        .await
        .expect("challenged");
    let code = harness.backend.last_code(email).expect("a code");
    let outcome = vestibule_harness::verify(&harness.session, Secret::new(code)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_leaves_the_challenge_open() {
    let harness = challenged().await;
    let open = challenge(&harness);
    let result = vestibule_harness::verify(&harness.session, wrong(&harness)).await;
    assert_eq!(code(&result), Some(ErrorCode::OtpInvalid));
    assert_eq!(challenge(&harness), open, "the same challenge");
    let outcome = vestibule_harness::verify(&harness.session, right(&harness)).await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::SignedIn),
        "the right code still works"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_wrong_codes_close_the_challenge() {
    let harness = challenged().await;
    let mut last = None;
    for _ in 0..5 {
        last = vestibule_harness::verify(&harness.session, wrong(&harness))
            .await
            .err();
    }
    let last = last.expect("refused");
    assert_eq!(last.code, ErrorCode::OtpTooMany);
    assert_eq!(
        why(&harness.state()),
        Some(SignedOutReason::Never),
        "the challenge is over"
    );
    let more = vestibule_harness::verify(&harness.session, right(&harness)).await;
    assert_eq!(code(&more), Some(ErrorCode::NoChallenge));
    assert_eq!(
        harness.backend.requests("POST", "/verify-otp"),
        5,
        "no further code is sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_code_closes_the_challenge() {
    let harness = Harness::with(Config {
        otp_ttl: Duration::ZERO,
        ..Config::default()
    })
    .await;
    ask(&harness).await;
    let result = vestibule_harness::verify(&harness.session, right(&harness)).await;
    assert_eq!(code(&result), Some(ErrorCode::OtpExpired));
    assert_eq!(
        why(&harness.state()),
        Some(SignedOutReason::Never),
        "the challenge is over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_other_refusal_of_a_code_leaves_the_challenge_open() {
    use ErrorCode::{
        AccountBlocked, BackendFault, BadAnswer, OtpInvalid, RateLimited, Unreachable,
    };
    let later = answer(429, json!({"message": "later"}), &[("retry-after", "9")]);
    let rows = [
        ("400", refusal(400, "OTP_INVALID"), OtpInvalid, None),
        ("401", refusal(401, "OTP_INVALID"), OtpInvalid, None),
        ("403", refusal(403, "ACCOUNT_BLOCKED"), AccountBlocked, None),
        ("422", refusal(422, "INVALID_INPUT"), OtpInvalid, None),
        ("429", later, RateLimited, Some(9000)),
        ("500", Effect::status(500), BackendFault, None),
        (
            "200 with HTML",
            Effect::Html { status: 200 },
            BadAnswer,
            None,
        ),
        (
            "401 with HTML",
            Effect::Html { status: 401 },
            BadAnswer,
            None,
        ),
        (
            "200 without a cookie",
            answer(200, success(), &[]),
            BadAnswer,
            None,
        ),
        (
            "dropped",
            Effect::Drop { cut: Cut::Reset },
            Unreachable,
            None,
        ),
    ];
    for (name, effect, wanted, wait) in rows {
        let harness = challenged().await;
        let open = challenge(&harness);
        if name == "dropped" {
            harness.backend.faults().add(
                vestibule_backend::Fault::on("POST", "/verify-otp", effect)
                    .before()
                    .times(1),
            );
        } else {
            harness.strike("/verify-otp", effect);
        }
        let error = vestibule_harness::verify(&harness.session, right(&harness))
            .await
            .expect_err(name);
        assert_eq!(error.code, wanted, "{name}");
        assert_eq!(error.retry_after_ms, wait, "{name}: how long to wait");
        assert_eq!(
            challenge(&harness),
            open,
            "{name}: the challenge is still open"
        );
        assert_eq!(
            harness.backend.requests("POST", "/verify-otp"),
            1,
            "{name}: asked once"
        );
        let outcome = vestibule_harness::verify(&harness.session, right(&harness)).await;
        assert_eq!(
            outcome,
            Ok(SignInOutcome::SignedIn),
            "{name}: the right code still works"
        );
    }
    for (name, effect, wanted) in [
        ("410", refusal(410, "OTP_EXPIRED"), ErrorCode::OtpExpired),
        ("423", refusal(423, "OTP_TOO_MANY"), ErrorCode::OtpTooMany),
    ] {
        let harness = challenged().await;
        harness.strike("/verify-otp", effect);
        let error = vestibule_harness::verify(&harness.session, right(&harness))
            .await
            .expect_err(name);
        assert_eq!(error.code, wanted, "{name}");
        assert_eq!(challenge(&harness), None, "{name}: the challenge is over");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_code_may_be_asked_for_later() {
    let harness = challenged().await;
    harness.backend.set_resend_interval(Duration::from_secs(77));
    let refused = harness.session.send_otp().await.expect_err("too soon");
    assert_eq!(refused.code, ErrorCode::RateLimited);
    let wait = refused.retry_after_ms.expect("a wait");
    assert!(
        (70_000..=77_000).contains(&wait),
        "the backend's own wait: {wait}"
    );
    let open = challenge(&harness).expect("still open");
    assert!(
        open.resend_in_ms >= 70_000,
        "the countdown follows the backend: {open:?}"
    );

    harness.backend.set_resend_interval(Duration::ZERO);
    let before = harness.backend.last_code(OTP);
    let sent = harness.session.send_otp().await.expect("sent");
    assert_eq!(
        (sent.id, &sent.email),
        (open.id, &open.email),
        "the same challenge"
    );
    assert_eq!(challenge(&harness).as_ref(), Some(&sent), "shown");
    // With a probability of one in a million two codes are equal.
    assert!(harness.backend.last_code(OTP).is_some() && before.is_some());
    let outcome = vestibule_harness::verify(&harness.session, right(&harness)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn), "the new code works");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_code_may_be_asked_for_within_the_hour_whatever_the_backend_asks() {
    for (name, value) in [
        ("retry-after", "18446744073709551615"),
        ("retry-after", "18446744073709551"),
        ("ratelimit-reset", "1800000000"),
    ] {
        let harness = challenged().await;
        let open = challenge(&harness).expect("open");
        let busy = answer(429, json!({"message": "later"}), &[(name, value)]);
        harness.strike("/resend-otp", busy);
        let refused = harness.session.send_otp().await.expect_err(value);
        assert_eq!(refused.code, ErrorCode::RateLimited, "{name}: {value}");
        let hour = 3_600_000;
        assert_eq!(refused.retry_after_ms, Some(hour), "{name}: {value}");
        let still = challenge(&harness).expect("still open");
        assert_eq!(still.resend_in_ms, hour, "{open:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sent_code_moves_the_time_of_the_next() {
    let harness = challenged().await;
    let open = challenge(&harness).expect("open");
    for (name, effect) in [
        ("204", Effect::Empty { status: 204 }),
        ("200", answer(200, json!({}), &[])),
    ] {
        harness.pass(Duration::from_millis(5));
        let left = challenge(&harness).expect("open").resend_in_ms;
        assert!(left < open.resend_in_ms, "{name}: it counts down");
        harness.strike("/resend-otp", effect);
        let sent = harness.session.send_otp().await.expect(name);
        assert_eq!(sent.resend_in_ms, open.resend_in_ms, "{name}: from now");
        assert_eq!(sent.id, open.id, "{name}: the same challenge");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_that_finds_the_challenge_void_closes_it() {
    let harness = challenged().await;
    harness.strike("/resend-otp", refusal(410, "OTP_EXPIRED"));
    let result = harness.session.send_otp().await;
    assert_eq!(code(&result), Some(ErrorCode::OtpExpired));
    assert_eq!(challenge(&harness), None, "the challenge is over");
    let again = harness.session.send_otp().await;
    assert_eq!(code(&again), Some(ErrorCode::NoChallenge));
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_goes_back() {
    let harness = challenged().await;
    harness.session.cancel_otp();
    assert_eq!(
        why(&harness.state()),
        Some(SignedOutReason::Never),
        "the screen from before"
    );
    let result = vestibule_harness::verify(&harness.session, right(&harness)).await;
    assert_eq!(
        code(&result),
        Some(ErrorCode::NoChallenge),
        "the code no longer works"
    );
    harness.session.cancel_otp();
    assert_eq!(
        why(&harness.state()),
        Some(SignedOutReason::Never),
        "cancelling twice succeeds"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_over_a_stale_session_does_not_cost_it() {
    let harness = Harness::signed_in().await;
    let before = harness.kept();
    harness.backend.faults().add(vestibule_backend::Fault::on(
        "POST",
        REFRESH,
        Effect::status(503),
    ));
    harness.session.refresh().await.expect_err("an outage");
    assert!(is_stale(&harness.state()));
    ask(&harness).await;
    assert!(challenge(&harness).is_some(), "the code is asked for");
    harness.session.cancel_otp();
    let state = harness.state();
    assert!(is_stale(&state), "back to the stale session: {state:?}");
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(DEMO));
    assert_eq!(harness.kept(), before, "its token was never touched");

    ask(&harness).await;
    let outcome = vestibule_harness::verify(&harness.session, right(&harness)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let state = harness.state();
    assert!(is_fresh(&state), "the new session is fresh: {state:?}");
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(OTP));
    assert_ne!(harness.kept(), before, "and kept in place of the old one");
}
