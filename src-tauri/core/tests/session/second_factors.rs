//! Second factors by method, at the bundled backend: which is offered, what is sent, and in which words
//! a code is refused.

use vestibule_core::wire::{Challenge, CodeMethod, OtpInput, Phase, SignInOutcome};
use vestibule_core::{ErrorCode, Secret};
use vestibule_harness::*;

const APP: &str = "totp@vestibule.test";

fn challenge(harness: &Harness) -> Challenge {
    match harness.state().phase {
        Phase::OtpPending { challenge } => challenge,
        other => panic!("{other:?}"),
    }
}

async fn challenged(email: &str) -> Harness {
    let harness = Harness::new().await;
    let outcome = harness.session.login(login(email)).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    harness
}

fn asked(harness: &Harness) -> [usize; 4] {
    [
        "/verify-otp",
        "/verify-totp",
        "/verify-recovery",
        "/resend-otp",
    ]
    .map(|path| harness.backend.requests("POST", path))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_challenge_says_what_is_on_offer_and_no_code_is_sent_for_an_app() {
    let harness = challenged(APP).await;
    let open = challenge(&harness);
    let methods: Vec<_> = open.methods.iter().map(|offered| offered.method).collect();
    assert_eq!(
        methods,
        [CodeMethod::Totp, CodeMethod::Otp, CodeMethod::Recovery]
    );
    let lengths: Vec<_> = open.methods.iter().map(|it| it.form.length).collect();
    assert_eq!(lengths, [Some(6), Some(6), None]);
    let sendable: Vec<_> = open.methods.iter().map(|it| it.can_be_sent).collect();
    assert_eq!(sendable, [false, true, false]);
    assert!(open.methods.iter().all(|it| it.sent_to.is_none()));
    assert_eq!(open.resend_in_ms, 0, "nothing was sent");
    assert_eq!(asked(&harness), [0; 4]);
    assert_eq!(harness.backend.last_mailed_code(APP), None);

    let mailed = challenged(OTP).await;
    let open = challenge(&mailed);
    assert_eq!(open.methods.len(), 1);
    assert_eq!(open.methods[0].sent_to.as_deref(), Some(OTP));
    assert!(open.resend_in_ms > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_method_signs_in_at_its_own_endpoint() {
    let harness = challenged(APP).await;
    let code = harness.backend.last_code(APP).expect("a code of the app");
    let outcome = verify_by(&harness.session, CodeMethod::Totp, Secret::new(code)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert_eq!(asked(&harness), [0, 1, 0, 0]);

    let harness = challenged(APP).await;
    let sent = harness.session.send_otp().await.expect("sent");
    assert_eq!(sent.methods[1].sent_to.as_deref(), Some(APP));
    assert!(
        sent.resend_in_ms > 0,
        "the next one has to wait: {}",
        sent.resend_in_ms
    );
    let code = harness.backend.last_mailed_code(APP).expect("a mail");
    let outcome = verify_by(&harness.session, CodeMethod::Otp, Secret::new(code)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert_eq!(asked(&harness), [1, 0, 0, 1]);

    let harness = challenged(APP).await;
    let code = harness.backend.recovery_codes(APP).remove(0);
    let outcome = verify_by(&harness.session, CodeMethod::Recovery, Secret::new(code)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert_eq!(asked(&harness), [0, 0, 1, 0]);
    assert_eq!(harness.backend.recovery_codes(APP).len(), 7, "it is used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_is_refused_in_the_words_of_its_method() {
    let harness = challenged(APP).await;
    let open = challenge(&harness);
    let mut words = Vec::new();
    for (method, wrong) in [
        (CodeMethod::Otp, "000000"),
        (CodeMethod::Totp, "000000"),
        (CodeMethod::Recovery, "00000-00000"),
    ] {
        let refused = verify_by(&harness.session, method, Secret::new(wrong)).await;
        let error = refused.expect_err("wrong");
        assert_eq!(error.code, ErrorCode::OtpInvalid, "{method:?}");
        assert!(!error.message.contains("tries left"), "{error}");
        words.push(error.message);
    }
    assert_eq!(words[0], ErrorCode::OtpInvalid.message());
    assert!(words[1].contains("authenticator app"), "{}", words[1]);
    assert!(words[2].contains("recovery code"), "{}", words[2]);
    assert_eq!(challenge(&harness).id, open.id, "still open");
    for _ in 0..2 {
        let wrong = Secret::new("00000-00000");
        let refused = verify_by(&harness.session, CodeMethod::Recovery, wrong).await;
        words.push(refused.expect_err("wrong").message);
    }
    let last = words.last().expect("the fifth");
    assert!(last.contains("Too many"), "{last}");
    assert!(!last.contains("new one"), "none is sent: {last}");
    assert!(matches!(harness.state().phase, Phase::SignedOut { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_is_not_on_offer_sends_nothing() {
    let harness = challenged(OTP).await;
    for method in [CodeMethod::Totp, CodeMethod::Recovery] {
        let refused = verify_by(&harness.session, method, Secret::new("123456")).await;
        assert_eq!(code(&refused), Some(ErrorCode::Unsupported), "{method:?}");
    }
    assert_eq!(asked(&harness), [0; 4]);
    let open = challenge(&harness).id;
    let right = harness.backend.last_code(OTP).expect("a mail");
    let input = OtpInput::new(open, Secret::new(right));
    let outcome = harness.session.verify_otp(input).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn), "the first one");
}
