//! The contract's rows for `verify-otp` and `resend-otp`, and the life of a challenge.

use std::time::Duration;

use serde_json::json;
use vestibule_backend::{Config, Cut, Effect};
use vestibule_core::wire::{Cause, Challenge, Phase, SignInOutcome, SignedOutReason};
use vestibule_core::{ErrorCode, Secret};

use crate::support::*;

fn challenge(rig: &Rig) -> Option<Challenge> {
    match rig.state().phase {
        Phase::OtpPending { challenge } => Some(challenge),
        _ => None,
    }
}

async fn challenged() -> Rig {
    let rig = Rig::new().await;
    ask(&rig).await;
    rig
}

async fn ask(rig: &Rig) {
    let outcome = rig.session.login(login(MAILED)).await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::OtpRequired),
        "the password was right"
    );
}

fn right(rig: &Rig) -> Secret {
    Secret::new(rig.backend.last_code(MAILED).expect("a code was mailed"))
}

fn wrong(rig: &Rig) -> Secret {
    let right = rig.backend.last_code(MAILED).expect("a code was mailed");
    Secret::new(if right == "000000" {
        "000001"
    } else {
        "000000"
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_wants_a_code_keeps_no_session() {
    let rig = challenged().await;
    let open = challenge(&rig).expect("a challenge");
    assert_eq!(open.email, MAILED);
    assert!(
        open.resend_in_ms > 0,
        "the state has the time until the next code"
    );
    assert_eq!(rig.item(), None, "no token yet");
    assert_eq!(rig.session.snapshot().cause, Cause::Challenge);
    let reply = rig.get("/me").await.expect("a call");
    assert_eq!(reply.status, 401, "nobody is signed in yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flag_counts_before_the_status() {
    for status in [200, 202, 401, 403] {
        let rig = Rig::new().await;
        let body = json!({"otpRequired": true, "email": "o***@vestibule.test"});
        rig.strike("/login", answer(status, body, &[]));
        let outcome = rig.session.login(login(MAILED)).await;
        assert_eq!(outcome, Ok(SignInOutcome::OtpRequired), "{status}");
        let open = challenge(&rig).expect("a challenge");
        assert_eq!(
            open.email, "o***@vestibule.test",
            "the e-mail address is shown as the backend sends it"
        );
        crate::support::verify(&rig.session, Secret::new("1"))
            .await
            .expect_err("no");
        let sent = rig
            .backend
            .last_request("POST", "/verify-otp")
            .expect("one");
        assert_eq!(
            sent.json().expect("JSON")["email"],
            MAILED,
            "the code is sent as it was typed"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_code_signs_in() {
    let rig = challenged().await;
    let outcome = crate::support::verify(&rig.session, right(&rig)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let change = rig.session.snapshot();
    assert!(is_fresh(&change.state), "{change:?}");
    assert_eq!(change.cause, Cause::VerifyOtp);
    assert!(rig.kept().is_some(), "the token is in the keyring");
    let again = crate::support::verify(&rig.session, Secret::new("123456")).await;
    assert_eq!(
        code(&again),
        Some(ErrorCode::NoChallenge),
        "the challenge is over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticator_app_works_too() {
    let rig = Rig::new().await;
    let email = "totp@vestibule.test";
    rig.session.login(login(email)).await.expect("challenged");
    let code = rig.backend.last_code(email).expect("a code");
    let outcome = crate::support::verify(&rig.session, Secret::new(code)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_leaves_the_challenge_open() {
    let rig = challenged().await;
    let open = challenge(&rig);
    let result = crate::support::verify(&rig.session, wrong(&rig)).await;
    assert_eq!(code(&result), Some(ErrorCode::OtpInvalid));
    assert_eq!(challenge(&rig), open, "the same challenge");
    let outcome = crate::support::verify(&rig.session, right(&rig)).await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::SignedIn),
        "the right code still works"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_wrong_codes_close_the_challenge() {
    let rig = challenged().await;
    let mut last = None;
    for _ in 0..5 {
        last = crate::support::verify(&rig.session, wrong(&rig))
            .await
            .err();
    }
    let last = last.expect("refused");
    assert_eq!(last.code, ErrorCode::OtpTooMany);
    assert_eq!(
        why(&rig.state()),
        Some(SignedOutReason::Never),
        "the challenge is over"
    );
    let more = crate::support::verify(&rig.session, right(&rig)).await;
    assert_eq!(code(&more), Some(ErrorCode::NoChallenge));
    assert_eq!(
        rig.backend.requests("POST", "/verify-otp"),
        5,
        "no further code is sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_code_closes_the_challenge() {
    let rig = Rig::with(Config {
        otp_ttl: Duration::ZERO,
        ..Config::default()
    })
    .await;
    ask(&rig).await;
    let result = crate::support::verify(&rig.session, right(&rig)).await;
    assert_eq!(code(&result), Some(ErrorCode::OtpExpired));
    assert_eq!(
        why(&rig.state()),
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
        let rig = challenged().await;
        let open = challenge(&rig);
        if name == "dropped" {
            rig.backend.faults().add(
                vestibule_backend::Fault::on("POST", "/verify-otp", effect)
                    .before()
                    .times(1),
            );
        } else {
            rig.strike("/verify-otp", effect);
        }
        let error = crate::support::verify(&rig.session, right(&rig))
            .await
            .expect_err(name);
        assert_eq!(error.code, wanted, "{name}");
        assert_eq!(error.retry_after_ms, wait, "{name}: how long to wait");
        assert_eq!(challenge(&rig), open, "{name}: the challenge is still open");
        assert_eq!(
            rig.backend.requests("POST", "/verify-otp"),
            1,
            "{name}: asked once"
        );
        let outcome = crate::support::verify(&rig.session, right(&rig)).await;
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
        let rig = challenged().await;
        rig.strike("/verify-otp", effect);
        let error = crate::support::verify(&rig.session, right(&rig))
            .await
            .expect_err(name);
        assert_eq!(error.code, wanted, "{name}");
        assert_eq!(challenge(&rig), None, "{name}: the challenge is over");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_code_may_be_asked_for_later() {
    let rig = challenged().await;
    rig.backend.set_resend_interval(Duration::from_secs(77));
    let refused = rig.session.resend_otp().await.expect_err("too soon");
    assert_eq!(refused.code, ErrorCode::RateLimited);
    let wait = refused.retry_after_ms.expect("a wait");
    assert!(
        (70_000..=77_000).contains(&wait),
        "the backend's own wait: {wait}"
    );
    let open = challenge(&rig).expect("still open");
    assert!(
        open.resend_in_ms >= 70_000,
        "the countdown follows the backend: {open:?}"
    );

    rig.backend.set_resend_interval(Duration::ZERO);
    let before = rig.backend.last_code(MAILED);
    let sent = rig.session.resend_otp().await.expect("sent");
    assert_eq!(
        (sent.id, &sent.email),
        (open.id, &open.email),
        "the same challenge"
    );
    assert_eq!(challenge(&rig).as_ref(), Some(&sent), "shown");
    // With a probability of one in a million two codes are equal.
    assert!(rig.backend.last_code(MAILED).is_some() && before.is_some());
    let outcome = crate::support::verify(&rig.session, right(&rig)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn), "the new code works");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_code_may_be_asked_for_within_the_hour_whatever_the_backend_asks() {
    for (name, value) in [
        ("retry-after", "18446744073709551615"),
        ("retry-after", "18446744073709551"),
        ("ratelimit-reset", "1800000000"),
    ] {
        let rig = challenged().await;
        let open = challenge(&rig).expect("open");
        let busy = answer(429, json!({"message": "later"}), &[(name, value)]);
        rig.strike("/resend-otp", busy);
        let refused = rig.session.resend_otp().await.expect_err(value);
        assert_eq!(refused.code, ErrorCode::RateLimited, "{name}: {value}");
        let hour = 3_600_000;
        assert_eq!(refused.retry_after_ms, Some(hour), "{name}: {value}");
        let still = challenge(&rig).expect("still open");
        assert_eq!(still.resend_in_ms, hour, "{open:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sent_code_moves_the_time_of_the_next() {
    let rig = challenged().await;
    let open = challenge(&rig).expect("open");
    for (name, effect) in [
        ("204", Effect::Empty { status: 204 }),
        ("200", answer(200, json!({}), &[])),
    ] {
        rig.pass(Duration::from_millis(5));
        let left = challenge(&rig).expect("open").resend_in_ms;
        assert!(left < open.resend_in_ms, "{name}: it counts down");
        rig.strike("/resend-otp", effect);
        let sent = rig.session.resend_otp().await.expect(name);
        assert_eq!(sent.resend_in_ms, open.resend_in_ms, "{name}: from now");
        assert_eq!(sent.id, open.id, "{name}: the same challenge");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_that_finds_the_challenge_void_closes_it() {
    let rig = challenged().await;
    rig.strike("/resend-otp", refusal(410, "OTP_EXPIRED"));
    let result = rig.session.resend_otp().await;
    assert_eq!(code(&result), Some(ErrorCode::OtpExpired));
    assert_eq!(challenge(&rig), None, "the challenge is over");
    let again = rig.session.resend_otp().await;
    assert_eq!(code(&again), Some(ErrorCode::NoChallenge));
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_goes_back() {
    let rig = challenged().await;
    rig.session.cancel_otp();
    assert_eq!(
        why(&rig.state()),
        Some(SignedOutReason::Never),
        "the screen from before"
    );
    let result = crate::support::verify(&rig.session, right(&rig)).await;
    assert_eq!(
        code(&result),
        Some(ErrorCode::NoChallenge),
        "the code no longer works"
    );
    rig.session.cancel_otp();
    assert_eq!(
        why(&rig.state()),
        Some(SignedOutReason::Never),
        "cancelling twice succeeds"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_over_a_stale_session_does_not_cost_it() {
    let rig = Rig::signed_in().await;
    let before = rig.kept();
    rig.backend.faults().add(vestibule_backend::Fault::on(
        "POST",
        REFRESH,
        Effect::status(503),
    ));
    rig.session.refresh().await.expect_err("an outage");
    assert!(is_stale(&rig.state()));
    ask(&rig).await;
    assert!(challenge(&rig).is_some(), "the code is asked for");
    rig.session.cancel_otp();
    let state = rig.state();
    assert!(is_stale(&state), "back to the stale session: {state:?}");
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(PLAIN));
    assert_eq!(rig.kept(), before, "its token was never touched");

    ask(&rig).await;
    let outcome = crate::support::verify(&rig.session, right(&rig)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let state = rig.state();
    assert!(is_fresh(&state), "the new session is fresh: {state:?}");
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(MAILED));
    assert_ne!(rig.kept(), before, "and kept in place of the old one");
}
