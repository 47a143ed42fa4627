//! The contract's rows for `login` and `register`.

use serde_json::json;
use vestibule_backend::{Config, Cut, Effect, Registration};
use vestibule_core::wire::{Cause, Phase, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_core::{AuthError, ErrorCode, Secret};
use vestibule_harness::*;

fn newcomer(email: &str) -> RegisterInput {
    RegisterInput::new("Nina New", email, "correct horse battery")
}

/// A refused sign-in changes nothing and costs one request.
fn check_refused(harness: &Harness, name: &str, path: &str, error: &AuthError, wanted: ErrorCode) {
    assert_eq!(error.code, wanted, "{name}");
    assert!(!error.message.is_empty(), "{name}: the error has a message");
    assert_eq!(
        why(&harness.state()),
        Some(SignedOutReason::Never),
        "{name}: still nobody"
    );
    assert_eq!(harness.item(), None, "{name}: no token is stored");
    assert_eq!(
        harness.backend.requests("POST", path),
        1,
        "{name}: asked once"
    );
    assert_eq!(harness.refreshes(), 0, "{name}: no refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_signs_in() {
    let harness = Harness::new().await;
    let revision = harness.session.snapshot().revision;
    harness.sign_in(ADMIN).await;
    let change = harness.session.snapshot();
    let Phase::SignedIn {
        user,
        session,
        remembered,
        ..
    } = &change.state.phase
    else {
        panic!("signed in: {change:?}")
    };
    assert_eq!(user.email, ADMIN);
    assert_eq!(user.roles, ["user", "admin"], "as the backend says");
    assert_eq!(session.user_id, user.id);
    assert!(
        is_fresh(&change.state) && *remembered,
        "fresh, and in the keyring"
    );
    assert_eq!(
        (change.cause, change.revision),
        (Cause::Login, revision + 1),
        "one change"
    );
    assert!(harness.kept().is_some(), "the token is in the keyring");
    assert_eq!(harness.backend.requests("POST", "/login"), 1);
    assert_eq!(harness.refreshes(), 0, "a sign-in needs no refresh");
    let reply = harness.get("/me").await.expect("a call");
    assert_eq!(reply.status, 200, "the access token is in use");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_says_so() {
    let harness = Harness::new().await;
    for email in [DEMO, "nobody@vestibule.test"] {
        let mut input = login(email);
        input.password = Secret::new("not it at all");
        let error = harness.session.login(input).await.expect_err("refused");
        assert_eq!(error.code, ErrorCode::InvalidCredentials, "{email}: 401");
    }
    assert_eq!(harness.item(), None, "no token is stored");
    assert_eq!(harness.backend.requests("POST", "/login"), 2, "one each");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_a_login_has_its_code() {
    use ErrorCode::{
        AccountBlocked, AccountLocked, BackendFault, BadAnswer, InvalidCredentials, InvalidInput,
        RateLimited, TooLarge, Unreachable,
    };
    let retry = |status| {
        answer(
            status,
            json!({"message": "later"}),
            &[("retry-after", "42")],
        )
    };
    let rows = [
        ("400", refusal(400, "INVALID_INPUT"), InvalidInput, None),
        ("422", refusal(422, "INVALID_INPUT"), InvalidInput, None),
        (
            "401",
            refusal(401, "INVALID_CREDENTIALS"),
            InvalidCredentials,
            None,
        ),
        ("403", refusal(403, "ACCOUNT_BLOCKED"), AccountBlocked, None),
        ("423", retry(423), AccountLocked, Some(42_000)),
        ("429", retry(429), RateLimited, Some(42_000)),
        (
            "429 for longer than there is time",
            answer(
                429,
                json!({"message": "later"}),
                &[("retry-after", "18446744073709551615")],
            ),
            RateLimited,
            Some(3_600_000),
        ),
        (
            "429 until a time, not for a time",
            answer(
                429,
                json!({"message": "later"}),
                &[("ratelimit-reset", "1800000000")],
            ),
            RateLimited,
            Some(3_600_000),
        ),
        ("429 alone", Effect::status(429), RateLimited, None),
        (
            "429 with HTML",
            Effect::Html { status: 429 },
            RateLimited,
            None,
        ),
        ("500", Effect::status(500), BackendFault, None),
        (
            "503 with HTML",
            Effect::Html { status: 503 },
            BackendFault,
            None,
        ),
        ("404", Effect::status(404), BadAnswer, None),
        (
            "401 with HTML",
            Effect::Html { status: 401 },
            BadAnswer,
            None,
        ),
        (
            "200 with HTML",
            Effect::Html { status: 200 },
            BadAnswer,
            None,
        ),
        ("200 empty", Effect::Empty { status: 200 }, BadAnswer, None),
        (
            "200 with other JSON",
            Effect::WrongJson {
                status: 200,
                body: None,
            },
            BadAnswer,
            None,
        ),
        (
            "200 without a cookie",
            answer(200, success(), &[]),
            BadAnswer,
            None,
        ),
        ("8 MiB", Effect::Huge { bytes: 8 << 20 }, TooLarge, None),
        (
            "truncated",
            Effect::Truncate { cut: Cut::Close },
            Unreachable,
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
        let harness = Harness::new().await;
        harness.strike("/login", effect);
        let error = harness.session.login(login(DEMO)).await.expect_err(name);
        check_refused(&harness, name, "/login", &error, wanted);
        assert_eq!(error.retry_after_ms, wait, "{name}: how long to wait");
        harness.sign_in(DEMO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_countdown_is_shown_only_where_the_backend_asks_to_wait() {
    let harness = Harness::new().await;
    let body = json!({"message": "no", "code": "INVALID_CREDENTIALS"});
    harness.strike("/login", answer(401, body, &[("ratelimit-reset", "900")]));
    let error = harness
        .session
        .login(login(DEMO))
        .await
        .expect_err("refused");
    assert_eq!(error.code, ErrorCode::InvalidCredentials);
    assert_eq!(
        error.retry_after_ms, None,
        "that header is in every answer and asks for no wait"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backend_itself_blocks_locks_and_limits() {
    let harness = Harness::with(Config {
        limits: true,
        ..Config::default()
    })
    .await;
    harness.backend.block(ADMIN);
    let blocked = harness.session.login(login(ADMIN)).await;
    assert_eq!(code(&blocked), Some(ErrorCode::AccountBlocked));
    let mut last = None;
    for _ in 0..11 {
        let mut input = login(DEMO);
        input.password = Secret::new("not it at all");
        last = harness.session.login(input).await.err();
    }
    let last = last.expect("refused");
    assert!(
        matches!(last.code, ErrorCode::AccountLocked | ErrorCode::RateLimited),
        "the error after too many tries: {last:?}"
    );
    assert!(
        last.retry_after_ms.is_some_and(|ms| ms >= 1000),
        "the error has a wait: {last:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_down_cannot_be_reached() {
    let harness = Harness::new().await;
    harness.backend.down().await;
    let result = harness.session.login(login(DEMO)).await;
    assert_eq!(code(&result), Some(ErrorCode::Unreachable));
    assert_eq!(
        why(&harness.state()),
        Some(SignedOutReason::Never),
        "as before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_goes_to_no_other_host() {
    let harness = Harness::new().await;
    let elsewhere = Harness::new().await;
    let location = format!("{}/login", elsewhere.backend.url());
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        harness.strike("/login", Effect::Redirect { location, status });
        let result = harness.session.login(login(DEMO)).await;
        assert_eq!(code(&result), Some(ErrorCode::BadAnswer), "{status}");
    }
    assert_eq!(
        elsewhere.backend.requests("POST", "/login"),
        0,
        "the other host receives nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_signs_in_where_the_backend_does() {
    let harness = Harness::new().await;
    let outcome = harness.session.register(newcomer("nina@example.com")).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn), "201 with a session");
    let change = harness.session.snapshot();
    assert_eq!(change.cause, Cause::Register);
    assert_eq!(
        user(&change.state).map(|user| user.name.as_str()),
        Some("Nina New")
    );
    assert!(harness.kept().is_some(), "kept");
    harness
        .session
        .refresh()
        .await
        .expect("the session can be refreshed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_may_be_accepted_without_a_session() {
    let harness = Harness::with(Config {
        registration: Registration::Accept,
        ..Config::default()
    })
    .await;
    let outcome = harness.session.register(newcomer("nina@example.com")).await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::Accepted),
        "201 without a session"
    );
    assert_eq!(
        why(&harness.state()),
        Some(SignedOutReason::Never),
        "nobody is signed in"
    );
    for (name, effect) in [
        ("204", Effect::Empty { status: 204 }),
        ("201 empty", Effect::Empty { status: 201 }),
        (
            "201 with a user only",
            answer(201, json!({"user": {"id": "u"}}), &[]),
        ),
    ] {
        harness.strike("/register", effect);
        let outcome = harness.session.register(newcomer("nina@example.com")).await;
        assert_eq!(outcome, Ok(SignInOutcome::Accepted), "{name}");
    }
    assert_eq!(harness.item(), None, "no token is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_may_want_a_code() {
    let harness = Harness::with(Config {
        registration: Registration::Code,
        ..Config::default()
    })
    .await;
    let outcome = harness.session.register(newcomer("nina@example.com")).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let code = harness
        .backend
        .last_code("nina@example.com")
        .expect("a code was mailed");
    let outcome = vestibule_harness::verify(&harness.session, Secret::new(code)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let state = harness.state();
    assert_eq!(
        user(&state).map(|user| user.name.as_str()),
        Some("Nina New")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_a_registration_has_its_code() {
    use ErrorCode::{
        AccountBlocked, BackendFault, BadAnswer, EmailTaken, InvalidInput, RateLimited,
    };
    let rows = [
        ("409", refusal(409, "EMAIL_TAKEN"), EmailTaken, None),
        ("409 alone", Effect::status(409), EmailTaken, None),
        ("400 taken", refusal(400, "EMAIL_TAKEN"), EmailTaken, None),
        ("422 taken", refusal(422, "EMAIL_TAKEN"), EmailTaken, None),
        ("400", refusal(400, "INVALID_INPUT"), InvalidInput, None),
        ("422", refusal(422, "INVALID_INPUT"), InvalidInput, None),
        ("403", refusal(403, "ACCOUNT_BLOCKED"), AccountBlocked, None),
        ("403 by somebody", Effect::status(403), BadAnswer, None),
        (
            "429",
            answer(429, json!({"message": "later"}), &[("retry-after", "7")]),
            RateLimited,
            Some(7000),
        ),
        ("500", Effect::status(500), BackendFault, None),
        (
            "409 with HTML",
            Effect::Html { status: 409 },
            BadAnswer,
            None,
        ),
    ];
    for (name, effect, wanted, wait) in rows {
        let harness = Harness::new().await;
        harness.strike("/register", effect);
        let error = harness
            .session
            .register(newcomer("nina@example.com"))
            .await
            .expect_err(name);
        check_refused(&harness, name, "/register", &error, wanted);
        assert_eq!(error.retry_after_ms, wait, "{name}: how long to wait");
    }
    let harness = Harness::new().await;
    let taken = harness
        .session
        .register(newcomer(DEMO))
        .await
        .expect_err("taken");
    check_refused(
        &harness,
        "a demo account's address",
        "/register",
        &taken,
        EmailTaken,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_adopter_adds_to_a_registration_goes_along_under_our_members() {
    let harness = Harness::new().await;
    let mut input = newcomer("nina@example.com");
    let more = json!({"locale": "de", "email": "forged@example.com"});
    input.more = more.as_object().cloned();
    harness.session.register(input).await.expect("registered");
    let sent = harness
        .backend
        .last_request("POST", "/register")
        .expect("one");
    let body = sent.json().expect("JSON");
    assert_eq!(body["locale"], "de", "the caller's member is sent too");
    assert_eq!(body["email"], "nina@example.com", "ours wins");
}
