//! Sign-in on another device by a code (RFC 8628).

use std::time::Duration;

use serde_json::json;
use url::Url;
use vestibule_backend::{Config, Cut, Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::{
    BrowserSignInInput, DeviceCode, SessionState, SignInOutcome, SignedOutReason,
};
use vestibule_harness::{DEMO, PASSWORD, Pace, alive, answer, code, eventually, why};

use super::{App, Attempt, TOKEN, browser, outcome, pending};

fn on_device() -> BrowserSignInInput {
    BrowserSignInInput {
        button: None,
        device: true,
    }
}

/// An app whose provider does not mind how soon it is asked: its clock is not the one that the test
/// advances.
async fn app() -> App {
    let config = Config {
        device_interval: Duration::ZERO,
        ..Config::default()
    };
    App::of(config, json!({})).await
}

async fn begun(app: &App) -> (Attempt, DeviceCode) {
    let attempt = app.click_on(on_device());
    let shows = |state: &SessionState| pending(state).is_some_and(|it| it.device.is_some());
    app.install.until("a code", shows).await;
    let shown = app.pending().and_then(|it| it.device).expect("a code");
    (attempt, shown)
}

/// Lets time pass, slowly enough that a question is answered within the life of a code.
async fn passing<T>(app: &App, work: impl Future<Output = T>) -> T {
    let pace = Pace {
        beat: Duration::from_millis(50),
        ..Pace::FAST
    };
    vestibule_harness::passing(&app.install.clock, pace, work).await
}

/// Types the code on the other device.
async fn decide(shown: &DeviceCode, decision: &str) {
    let address = Url::parse(&shown.address).expect("an address");
    let form = [
        ("user_code", shown.code.as_str()),
        ("email", DEMO),
        ("password", PASSWORD),
        ("decision", decision),
    ];
    let origin = address.origin().ascii_serialization();
    let answer = browser()
        .post(address)
        .header("origin", origin)
        .form(&form)
        .send()
        .await;
    assert_eq!(answer.expect("an answer").status().as_u16(), 200);
}

fn polls(app: &App) -> usize {
    app.backend().requests("POST", TOKEN)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_used_on_another_device() {
    let app = app().await;
    let (attempt, shown) = begun(&app).await;
    assert!(
        shown
            .complete_address
            .is_some_and(|it| it.contains(&shown.code))
    );
    assert!(
        app.install.desktop.opened().is_empty(),
        "no browser is opened here"
    );
    let asked = eventually("a question", || polls(&app) > 0);
    passing(&app, asked).await;
    decide(
        &DeviceCode {
            complete_address: None,
            ..shown
        },
        "allow",
    )
    .await;
    let ended = passing(&app, outcome(attempt)).await;
    assert_eq!(ended, Ok(SignInOutcome::SignedIn));
    assert_eq!(app.email(), Some(DEMO.into()));
    assert_eq!(app.install.desktop.fronts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_down_is_obeyed() {
    let app = app().await;
    let (_attempt, _) = begun(&app).await;
    // Auth0 says it with 429.
    for status in [400, 429] {
        let slow = answer(status, json!({"error": "slow_down"}), &[]);
        app.backend()
            .faults()
            .add(Fault::on("POST", TOKEN, slow).times(1));
    }
    let mut asked_at = Vec::new();
    for second in 1..60 {
        app.install.pass(Duration::from_secs(1));
        // Time for a question to arrive. One that is late is counted late.
        tokio::time::sleep(Duration::from_millis(10)).await;
        while asked_at.len() < polls(&app) {
            asked_at.push(second);
        }
    }
    assert!(asked_at.len() >= 3, "it asks: {asked_at:?}");
    // Five seconds, where the provider names none. Twice five more: ten, then fifteen, and it stays so.
    for (asked, earliest) in asked_at.iter().zip([5, 15, 30, 45, 60]) {
        assert!(*asked >= earliest, "{asked_at:?}");
    }
}

/// An app whose provider changes its answer to the first question like this.
async fn app_with_answer(change: serde_json::Value) -> App {
    let app = app().await;
    let patch = Effect::Patch { body: change };
    app.backend()
        .faults()
        .add(Fault::on("POST", "/oidc/device", patch));
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn however_small_an_interval_is_it_asks_once_a_second() {
    let app = app_with_answer(json!({"interval": 0.001})).await;
    let (_attempt, _) = begun(&app).await;
    for _ in 0..40 {
        app.install.pass(Duration::from_millis(100));
        // Time for a question to arrive.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let asked = polls(&app);
    assert!((1..=4).contains(&asked), "{asked} in four seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_down_is_obeyed_where_the_interval_is_long() {
    let app = app_with_answer(json!({"interval": 60})).await;
    let (_attempt, _) = begun(&app).await;
    let slow = answer(400, json!({"error": "slow_down"}), &[]);
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, slow).times(1));
    let mut asked_at = Vec::new();
    for step in 1..=60 {
        app.install.pass(Duration::from_secs(5));
        // Time for a question to arrive. One that is late is counted late.
        tokio::time::sleep(Duration::from_millis(10)).await;
        while asked_at.len() < polls(&app) {
            asked_at.push(step * 5);
        }
    }
    assert!(asked_at.len() >= 3, "it asks: {asked_at:?}");
    // After 60 seconds, then after 65 each.
    for (asked, earliest) in asked_at.iter().zip([60, 125, 190, 255]) {
        assert!(*asked >= earliest, "{asked_at:?}");
    }
}

/// GitHub answers each error with 200.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_with_a_success_is_an_error() {
    let app = app().await;
    let (attempt, _) = begun(&app).await;
    let said = |error: &str| answer(200, json!({ "error": error }), &[]);
    let faults = app.backend().faults();
    faults.add(Fault::on("POST", TOKEN, said("authorization_pending")).times(2));
    faults.add(Fault::on("POST", TOKEN, said("access_denied")));
    let ended = app.install.passing(outcome(attempt)).await;
    let refused = ended.expect_err("refused");
    assert!(
        refused.message.contains("on the other device"),
        "{}",
        refused.message
    );
    assert_eq!(polls(&app), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_on_the_way_is_no_answer() {
    let app = app().await;
    let (attempt, shown) = begun(&app).await;
    for trouble in [
        answer(503, json!({}), &[]),
        answer(502, json!("a page"), &[]),
        answer(429, json!({}), &[("retry-after", "2")]),
        answer(503, json!({"error": "access_denied"}), &[]),
        answer(429, json!({"error": "expired_token"}), &[]),
        answer(408, json!({"error": "invalid_request"}), &[]),
    ] {
        app.backend()
            .faults()
            .add(Fault::on("POST", TOKEN, trouble).times(1));
        let before = polls(&app);
        let asked = eventually("a question", || polls(&app) > before);
        passing(&app, asked).await;
        assert!(app.pending().is_some(), "it goes on");
    }
    decide(&shown, "allow").await;
    assert_eq!(
        passing(&app, outcome(attempt)).await,
        Ok(SignInOutcome::SignedIn)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_and_a_late_code_have_their_words() {
    let app = app().await;
    let (attempt, shown) = begun(&app).await;
    decide(&shown, "refuse").await;
    let refused = app
        .install
        .passing(outcome(attempt))
        .await
        .expect_err("refused");
    assert_eq!(refused.code, ErrorCode::BrowserSignInRefused);
    assert!(
        refused.message.contains("on the other device"),
        "{}",
        refused.message
    );

    let (attempt, _) = begun(&app).await;
    let late = answer(400, json!({"error": "expired_token"}), &[]);
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, late).times(1));
    let expired = app
        .install
        .passing(outcome(attempt))
        .await
        .expect_err("expired");
    assert!(expired.message.contains("new one"), "{}", expired.message);
    assert_eq!(why(&app.state()), Some(SignedOutReason::Never));
}

/// The provider has given the tokens out, and nobody has got them: the code works no more.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_got_lost_is_said_to_be() {
    let app = app().await;
    let (attempt, shown) = begun(&app).await;
    let cut = Effect::Truncate { cut: Cut::Close };
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, cut).times(1));
    decide(&shown, "allow").await;
    let lost = passing(&app, outcome(attempt)).await.expect_err("lost");
    assert_eq!(lost.code, ErrorCode::BrowserSignInRefused);
    assert!(lost.message.contains("got lost"), "{}", lost.message);
    assert_eq!(polls(&app), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_the_questions() {
    let app = app().await;
    let (attempt, shown) = begun(&app).await;
    app.install.session.cancel_browser_sign_in();
    assert_eq!(
        code(&outcome(attempt).await),
        Some(ErrorCode::BrowserSignInOver)
    );
    decide(&shown, "allow").await;
    app.install.pass(Duration::from_secs(60));
    tokio::task::yield_now().await;
    assert_eq!((polls(&app), alive(app.backend(), DEMO)), (0, 0));
}

/// A sign-in whose code does not come: this endpoint of the provider does not answer.
async fn preparing(endpoint: (&str, &str)) -> (App, Attempt) {
    let app = app().await;
    let (method, path) = endpoint;
    app.backend()
        .faults()
        .add(Fault::on(method, path, Effect::Hang {}));
    let attempt = app.click_on(on_device());
    app.install
        .until("the sign-in to be shown", |state| pending(state).is_some())
        .await;
    app.backend().reached(method, path, 1).await;
    let shown = app.pending().expect("it goes on");
    assert_eq!((shown.device, shown.redirect), (None, None));
    (app, attempt)
}

const STEPS: [(&str, &str); 2] = [
    ("GET", "/.well-known/openid-configuration"),
    ("POST", "/oidc/device"),
];

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_given_up_before_there_is_a_code() {
    for step in STEPS {
        let (app, attempt) = preparing(step).await;
        app.install.session.cancel_browser_sign_in();
        let given_up = outcome(attempt).await;
        assert_eq!(
            code(&given_up),
            Some(ErrorCode::BrowserSignInOver),
            "{step:?}"
        );
        assert_eq!(app.pending(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_count_before_there_is_a_code() {
    for step in STEPS {
        let (app, attempt) = preparing(step).await;
        app.install.pass(Duration::from_secs(11 * 60));
        let ended = outcome(attempt).await.expect_err("over");
        assert!(
            ended.message.contains("longer"),
            "{step:?}: {}",
            ended.message
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_answer_begins_nothing() {
    for odd in [
        json!({}),
        json!({"device_code": "d", "user_code": "u", "verification_uri": "javascript:alert(1)", "expires_in": 60}),
        json!({"device_code": "d", "user_code": "u", "verification_uri": "http://evil.example/", "expires_in": 60}),
        json!({"device_code": "d", "user_code": "u", "verification_uri": "https://a.example/", "expires_in": 0}),
        json!({"device_code": "", "user_code": "u", "verification_uri": "https://a.example/", "expires_in": 60}),
        json!({"device_code": "d", "user_code": "\u{202e}\u{200b}", "verification_uri": "https://a.example/", "expires_in": 60}),
        json!({"device_code": "d", "user_code": "  ", "verification_uri": "https://a.example/", "expires_in": 60}),
    ] {
        let app = app().await;
        let fault = Fault::on("POST", "/oidc/device", answer(200, odd.clone(), &[]));
        app.backend().faults().add(fault);
        let failed = outcome(app.click_on(on_device())).await;
        assert_eq!(code(&failed), Some(ErrorCode::BadAnswer), "{odd}");
        assert_eq!(app.pending(), None);
    }
}

/// The screen shows code and address as they are given, and a person copies them.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_what_it_seems_to_be() {
    let app = app_with_answer(json!({
        "user_code": " AB\u{202e}CD ",
        "verification_uri": "https://\u{456}d.example/de\u{202e}vice\n",
        "verification_uri_complete": "https://a.example/\u{200b}",
    }))
    .await;
    let (_attempt, shown) = begun(&app).await;
    assert_eq!(shown.code, "ABCD");
    assert_eq!(shown.address, "https://xn--d-evb.example/de%E2%80%AEvice");
    let complete = shown.complete_address.as_deref();
    assert_eq!(complete, Some("https://a.example/%E2%80%8B"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_refused_where_the_profile_does_not_offer_it() {
    let app = App::with(json!({"device": false})).await;
    let refused = app.install.session.sign_in_by_browser(on_device()).await;
    assert_eq!(code(&refused), Some(ErrorCode::Unsupported));
    assert_eq!(app.backend().all_requests(), 0);
}
