//! Obstacles between the app and the backend are distinguished, with the same words in a command's
//! error and in the session's state. Answers of a portal or a proxy never count as the backend's.

use serde_json::json;
use vestibule_backend::{Config, Cut, Effect, Fault};
use vestibule_core::wire::RegisterInput;
use vestibule_core::{ErrorCode, Obstacle};
use vestibule_harness::*;

fn page() -> Effect {
    Effect::Html { status: 200 }
}

fn away() -> Effect {
    let to = ("location", "https://portal.example/sign-in");
    answer(302, json!({}), &[to])
}

fn rows() -> Vec<(&'static str, Effect, ErrorCode, Obstacle)> {
    use ErrorCode::{BackendFault, BadAnswer, Unreachable};
    vec![
        ("a page", page(), BadAnswer, Obstacle::Portal),
        ("led away", away(), BadAnswer, Obstacle::Portal),
        ("511", Effect::status(511), BadAnswer, Obstacle::Portal),
        (
            "503",
            Effect::status(503),
            BackendFault,
            Obstacle::Maintenance,
        ),
        ("502", Effect::status(502), BackendFault, Obstacle::Gateway),
        ("504", Effect::status(504), BackendFault, Obstacle::Gateway),
        (
            "broken off",
            Effect::Drop { cut: Cut::Close },
            Unreachable,
            Obstacle::BrokenOff,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_told_what_stands_between() {
    for (name, effect, code, obstacle) in rows() {
        let harness = Harness::new().await;
        harness.strike("/login", effect);
        let error = harness.session.login(login(DEMO)).await.expect_err(name);
        assert_eq!(error.code, code, "{name}");
        assert_eq!(error.message, obstacle.sentences(), "{name}");
    }
    let harness = Harness::new().await;
    harness.backend.down().await;
    let error = harness
        .session
        .login(login(DEMO))
        .await
        .expect_err("refused");
    assert_eq!(error.code, ErrorCode::Unreachable);
    assert_eq!(error.message, Obstacle::Refused.sentences());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_says_what_stands_between_until_it_is_over() {
    for (name, effect, code, obstacle) in rows() {
        let harness = Harness::signed_in().await;
        harness.strike(REFRESH, effect);
        let error = harness.session.refresh().await.expect_err(name);
        assert_eq!(error.code, code, "{name}");
        assert_eq!(error.message, obstacle.sentences(), "{name}");
        let shown = outage(&harness.state()).expect("an outage");
        assert_eq!(shown.why, Some(obstacle), "{name}");
        harness.until_fresh().await;
    }
    let harness = Harness::signed_in().await;
    harness.backend.down().await;
    let error = harness.session.refresh().await.expect_err("refused");
    assert_eq!(error.message, Obstacle::Refused.sentences());
    // A click that comes too early gets the same obstacle.
    let click = harness
        .session
        .refresh()
        .await
        .expect_err("the click is too early");
    assert_eq!(
        click.code,
        ErrorCode::Busy,
        "no Retry-After was received: {click:?}"
    );
    let shown = outage(&harness.state()).expect("an outage");
    assert_eq!(shown.why, Some(Obstacle::Refused));
    harness.backend.up().await.expect("the same port");
    harness.until_fresh().await;
    assert_eq!(outage(&harness.state()), None, "the outage is over");

    // Errors of the backend itself are not blamed on the connection.
    let harness = Harness::signed_in().await;
    harness.strike(REFRESH, Effect::status(418));
    harness.session.refresh().await.expect_err("refused");
    assert_eq!(outage(&harness.state()).expect("an outage").why, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_no_yes_to_a_registration() {
    for (name, effect) in [("a page", page()), ("led away", away())] {
        let harness = Harness::new().await;
        harness.strike("/register", effect);
        let input = RegisterInput::new("Una", "una@vestibule.test", PASSWORD);
        let result = harness.session.register(input).await;
        let error = result.expect_err("the backend received nothing");
        assert_eq!(error.message, Obstacle::Portal.sentences(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_no_yes_to_another_code() {
    let harness = Harness::with(Config::default()).await;
    harness.session.login(login(OTP)).await.expect("challenged");
    harness
        .backend
        .set_resend_interval(std::time::Duration::ZERO);
    harness.strike("/resend-otp", page());
    let error = harness
        .session
        .send_otp()
        .await
        .expect_err("no code was sent");
    assert_eq!(error.message, Obstacle::Portal.sentences());
    harness.session.send_otp().await.expect("sent");
}

/// Some frameworks label every text as HTML.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_called_a_page_is_not_one() {
    let harness = Harness::with(Config::default()).await;
    harness.session.login(login(OTP)).await.expect("challenged");
    let text = answer(200, json!("sent"), &[("content-type", "text/html")]);
    harness.strike("/resend-otp", text);
    harness
        .session
        .send_otp()
        .await
        .expect("the answer counts as success");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_call_that_is_led_away_is_told_so() {
    let harness = Harness::signed_in().await;
    harness
        .backend
        .faults()
        .add(Fault::on("GET", "/me", away()));
    let error = harness.get("/me").await.expect_err("not followed");
    assert_eq!(error.code, ErrorCode::BadAnswer);
    assert_eq!(error.message, Obstacle::Portal.sentences());
}

/// A window gets the wait that the core has read from `Retry-After`, whatever form the header had.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_reads_a_wait_in_whole_seconds() {
    let harness = Harness::signed_in().await;
    for (name, value, read) in [
        ("retry-after", "1.5", Some("2")),
        ("retry-after", "99999999999999999999", Some("3600")),
        ("x-retry-after", "7", Some("7")),
        ("ratelimit-reset", "9", Some("9")),
        ("retry-after", "soon", None),
    ] {
        let busy = answer(429, json!({}), &[(name, value)]);
        let busy = Fault::on("GET", "/me", busy).times(1);
        harness.backend.faults().add(busy);
        let reply = harness.get("/me").await.expect("an answer");
        let found: Vec<_> = (reply.headers.iter())
            .filter(|(name, _)| name == "retry-after")
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(found, Vec::from_iter(read), "{name}: {value}");
    }
}
