//! 'Refresh, at the edges': every answer that says nothing about the session leaves it valid.

use serde_json::json;
use vestibule_backend::{Config, Cut, Effect, Fault, Point};
use vestibule_core::ErrorCode;
use vestibule_harness::*;

/// Which refresh token the keyring holds after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// The old one: no new one arrived.
    Same,
    /// The new one, which arrived with the headers.
    New,
}

struct Row {
    name: &'static str,
    fault: Fault,
    code: ErrorCode,
    token: Token,
}

fn row(name: &'static str, effect: Effect, code: ErrorCode) -> Row {
    Row {
        name,
        fault: Fault::on("POST", REFRESH, effect),
        code,
        token: Token::Same,
    }
}

impl Row {
    fn with_new_token(mut self) -> Self {
        self.token = Token::New;
        self
    }

    fn after_the_work(mut self) -> Self {
        self.fault = self.fault.after();
        self
    }
}

fn statuses() -> Vec<Row> {
    use ErrorCode::{BackendFault, BadAnswer, RateLimited};
    vec![
        row("400", refusal(400, "INVALID_INPUT"), BadAnswer),
        row("403 without a code", Effect::status(403), BadAnswer),
        row(
            "403 with another code",
            refusal(403, "ACCOUNT_BLOCKED"),
            BadAnswer,
        ),
        row("404", refusal(404, "NOT_FOUND"), BadAnswer),
        row("405", Effect::status(405), BadAnswer),
        row("408", Effect::status(408), BadAnswer),
        row(
            "409 with a known code",
            refusal(409, "SESSION_REVOKED"),
            BadAnswer,
        ),
        row("425", Effect::status(425), BadAnswer),
        row("429 alone", Effect::status(429), RateLimited),
        row("500", Effect::status(500), BackendFault),
        row(
            "500 with a known code",
            refusal(500, "REFRESH_REUSED"),
            BackendFault,
        ),
        row("501", Effect::status(501), BackendFault),
        row("502", Effect::Html { status: 502 }, BackendFault),
        row("503", Effect::status(503), BackendFault),
        row("504", Effect::Empty { status: 504 }, BackendFault),
        row("599", Effect::status(599), BackendFault),
    ]
}

fn bodies() -> Vec<Row> {
    use ErrorCode::{BadAnswer, TooLarge};
    let html = |status| Effect::Html { status };
    let empty = |status| Effect::Empty { status };
    let broken = |status| Effect::BrokenJson { status };
    let no_user = json!({"tokens": {"token": "t", "expiresIn": 900}});
    let no_access = json!({"user": {"id": "u", "email": "a@b.c"}});
    let set = format!("{COOKIE}=rotated-at-{}; Path=/; Max-Age=900", "headers");
    vec![
        row("200 with HTML", html(200), BadAnswer),
        row("401 with HTML", html(401), BadAnswer),
        row("403 with HTML", html(403), BadAnswer),
        row("200 without a body", empty(200), BadAnswer),
        row("204", empty(204), BadAnswer),
        row("401 without a body", empty(401), BadAnswer),
        row("200 with broken JSON", broken(200), BadAnswer),
        row("401 with broken JSON", broken(401), BadAnswer),
        row(
            "200 with other JSON",
            Effect::WrongJson {
                status: 200,
                body: None,
            },
            BadAnswer,
        ),
        row("200 with null", answer(200, json!(null), &[]), BadAnswer),
        row(
            "200 without a user",
            answer(200, no_user.clone(), &[]),
            BadAnswer,
        ),
        row(
            "200 without an access token",
            answer(200, no_access, &[]),
            BadAnswer,
        ),
        row(
            "200 without a user, with a new cookie",
            answer(200, no_user, &[("set-cookie", &set)]),
            BadAnswer,
        )
        .with_new_token(),
        row("8 MiB", Effect::Huge { bytes: 8 << 20 }, TooLarge),
        row(
            "8 MiB after the cookie",
            Effect::Huge { bytes: 8 << 20 },
            TooLarge,
        )
        .after_the_work()
        .with_new_token(),
    ]
}

fn connections() -> Vec<Row> {
    use ErrorCode::Unreachable;
    let reset = |at| Effect::Reset { at };
    vec![
        row(
            "reset before the headers",
            reset(Point::BeforeHeaders),
            Unreachable,
        ),
        row(
            "reset before the headers, after the commit",
            reset(Point::BeforeHeaders),
            Unreachable,
        )
        .after_the_work(),
        row("reset in the headers", reset(Point::InHeaders), Unreachable),
        row(
            "dropped after the commit",
            Effect::Drop { cut: Cut::Close },
            Unreachable,
        ),
        row(
            "reset after the commit",
            Effect::Drop { cut: Cut::Reset },
            Unreachable,
        ),
        row(
            "truncated, closed",
            Effect::Truncate { cut: Cut::Close },
            Unreachable,
        )
        .with_new_token(),
        row(
            "truncated, reset",
            Effect::Truncate { cut: Cut::Reset },
            Unreachable,
        )
        .with_new_token(),
        row(
            "endless headers",
            Effect::HugeHeaders { bytes: 4 << 20 },
            Unreachable,
        ),
    ]
}

/// Applies the row's fault once; then time passes until the next planned refresh, which the backend
/// answers.
async fn check(row: Row, config: Config) {
    let name = row.name;
    let harness = Harness::signed_in_with(config).await;
    let before = harness.kept().expect("a session is kept");
    harness.backend.faults().add(row.fault.times(1));

    let result = harness.session.refresh().await;
    assert_eq!(code(&result), Some(row.code), "{name}: the caller's error");
    let state = harness.state();
    assert!(
        is_stale(&state),
        "{name}: the session stays, marked stale: {state:?}"
    );
    let kept = harness
        .kept()
        .unwrap_or_else(|| panic!("{name}: the keyring holds a token"));
    assert_eq!(
        kept != before,
        row.token == Token::New,
        "{name}: the keyring holds the newest token that arrived"
    );
    let known = user(&state).map(|user| user.email.as_str());
    assert_eq!(known, Some(DEMO), "{name}: the user is still known");

    if row.name == "200 without a user, with a new cookie" {
        // The test invented that cookie, so the backend does not know it.
        return;
    }
    harness.until_fresh().await;
    assert_eq!(
        harness.refreshes(),
        2,
        "{name}: the failed refresh and the planned one, no more"
    );
    let now = harness.kept();
    assert!(
        now.is_some_and(|now| now != before),
        "{name}: the token is rotated in the end"
    );
}

async fn check_all(rows: Vec<Row>, config: Config) {
    let running: Vec<_> = rows
        .into_iter()
        .map(|row| tokio::spawn(check(row, config.clone())))
        .collect();
    for check in running {
        check.await.expect("every row holds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_no_rule_names_keeps_the_session() {
    check_all(statuses(), Config::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_understood_keeps_the_session() {
    check_all(bodies(), Config::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_keeps_the_session() {
    check_all(connections(), Config::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_came_with_the_headers_is_used_next_even_by_a_strict_backend() {
    let strict = Config {
        grace: std::time::Duration::ZERO,
        ..Config::default()
    };
    let rows = [bodies(), connections()]
        .into_iter()
        .flatten()
        .filter(|row| row.token == Token::New)
        .collect();
    check_all(rows, strict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Harness::new().await;
        let location = format!("{}{REFRESH}", elsewhere.backend.url());
        check(
            row(
                "a redirect",
                Effect::Redirect { location, status },
                ErrorCode::BadAnswer,
            ),
            Config::default(),
        )
        .await;
        assert_eq!(
            elsewhere.refreshes(),
            0,
            "{status}: the other host receives nothing"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_down_keeps_the_session() {
    let harness = Harness::signed_in().await;
    let before = harness.kept();
    harness.backend.down().await;
    let result = harness.session.refresh().await;
    assert_eq!(
        code(&result),
        Some(ErrorCode::Unreachable),
        "connection refused"
    );
    assert!(
        is_stale(&harness.state()),
        "the session is stale and not signed out"
    );
    assert_eq!(harness.kept(), before, "the token stays");
    harness.backend.up().await.expect("the same port is free");
    harness.until_fresh().await;
}
