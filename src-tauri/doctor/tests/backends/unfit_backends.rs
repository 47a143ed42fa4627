//! Backends that do not fit: each fault shows in its own row, with advice.

use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::Secret;
use vestibule_core::profile::Profile;
use vestibule_doctor::{Holds, Outcome};
use vestibule_harness::start_backend;

use crate::proxy::Proxy;
use crate::support::{Clerk, account, examined, fails, holds, plan};

/// A refusal in place of an answer.
fn status(status: u16, code: &str) -> Effect {
    Effect::Status {
        status,
        code: Some(code.into()),
        message: None,
        body: None,
        headers: Default::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_does_not_reach_the_sign_out() {
    let backend = start_backend(Config::default()).await;
    let proxy = Proxy::before(backend.address(), |passing| {
        passing.head = passing.head.replace("Path=/;", "Path=/refresh-token;");
    })
    .await;
    let report = examined(&plan(&proxy.url()), Clerk::at(&backend)).await;
    holds(&report, "refresh");
    assert!(fails(&report, "logout_token").contains("Path=/"));
    fails(&report, "logout");
    fails(&report, "logout_ends");
    assert_eq!(report.outcome, Outcome::DoesNotFit);
    assert_eq!(report.exit_code(false), 1);
    let notes = report.notes.join(" ");
    assert!(notes.contains("has not confirmed the end of 1"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_never_comes_back() {
    let backend = start_backend(Config::default()).await;
    let proxy = Proxy::before(backend.address(), |passing| {
        passing.head = passing.head.replace("Path=/;", "Path=/auth/cookies;");
    })
    .await;
    let report = examined(&plan(&proxy.url()), Clerk::at(&backend)).await;
    assert!(fails(&report, "refresh").contains("Path=/"));
    assert_eq!(report.outcome, Outcome::DoesNotFit);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_pages_could_read() {
    let backend = start_backend(Config::default()).await;
    let proxy = Proxy::before(backend.address(), |passing| {
        passing.head = passing.head.replace("HttpOnly; ", "");
    })
    .await;
    let report = examined(&plan(&proxy.url()), Clerk::at(&backend)).await;
    assert!(fails(&report, "cookie").contains("HttpOnly"));
    assert_eq!(report.outcome, Outcome::Fits, "the app works with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_does_not_say_how_long() {
    let backend = start_backend(Config {
        limits: true,
        ..Config::default()
    })
    .await;
    let proxy = Proxy::before(backend.address(), |passing| {
        let lines = passing.head.split("\r\n");
        let kept = lines.filter(|line| !line.to_ascii_lowercase().starts_with("retry-after"));
        passing.head = kept.collect::<Vec<_>>().join("\r\n");
    })
    .await;
    let mut plan = plan(&proxy.url());
    plan.allowed.limits = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    for row in ["limits", "limits_refresh"] {
        assert!(fails(&report, row).contains("Retry-After"), "{row}");
    }
    assert_eq!(report.measured.tries_before_limit, Some(10));
    assert_eq!(report.measured.retry_after_s, None);
    assert_eq!((report.exit_code(false), report.exit_code(true)), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_the_app_would_take_for_the_end_of_the_session() {
    let backend = start_backend(Config::default()).await;
    // Three refreshes come before: with an unknown token, after the sign-in, after the sign-out.
    // Then the fifth of many is refused.
    let mut limit = Fault::on("POST", "/refresh-token", status(401, "SLOW_DOWN"));
    limit.skip = 3 + 4;
    backend.faults().add(limit);
    let mut plan = plan(&backend.url());
    plan.allowed.limits = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    assert!(fails(&report, "limits_refresh").contains("429"));
    let got = &report.row("limits_refresh").got;
    assert!(
        got.contains("401") && got.contains("after 4 refreshes"),
        "{got}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_by_which_a_firewall_signs_people_out() {
    let backend = start_backend(Config::default()).await;
    let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
    holds(&report, "transient");
    for (ends, said) in [
        (
            serde_json::json!([{"status": 403, "why": "expired"}]),
            "403",
        ),
        (
            serde_json::json!([
                {"status": 403, "empty": true, "why": "expired"},
                {"status": 404, "pointer": "/token", "absent": true, "why": "expired"},
            ]),
            "403 and 404",
        ),
    ] {
        let profile = serde_json::json!({"backend": backend.url(), "ends": ends});
        let mut plan = plan(&backend.url());
        plan.profile = Profile::from_json(profile).expect("a profile");
        let report = examined(&plan, Clerk::at(&backend)).await;
        assert!(fails(&report, "transient").contains("[[ends]]"));
        let got = &report.row("transient").got;
        assert!(got.contains(&format!("any {said} ends")), "{got}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_a_limit_too() {
    let backend = start_backend(Config::default()).await;
    let mut plan = plan(&backend.url());
    plan.allowed.limits = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    holds(&report, "limits");
    let got = &report.row("limits").got;
    assert!(
        got.contains("423") && got.contains("after 10 tries"),
        "{got}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_limit_at_all_is_told_and_is_no_failure() {
    let backend = start_backend(Config::default()).await;
    let proxy = Proxy::before(backend.address(), |passing| {
        passing.head = passing.head.replace("423 Locked", "401 Unauthorized");
        passing.body = passing
            .body
            .replace("ACCOUNT_LOCKED", "INVALID_CREDENTIALS");
    })
    .await;
    let mut plan = plan(&proxy.url());
    plan.allowed.limits = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    let row = report.row("limits");
    assert_eq!(row.holds, Holds::NotTried);
    assert!(row.got.contains("40"), "{row:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong() {
    let backend = start_backend(Config::default()).await;
    let wrong = Effect::WrongClock { seconds: -7200 };
    backend.faults().add(Fault::on("*", "*", wrong));
    let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
    assert!(fails(&report, "clock").contains("NTP"));
    let ahead = report.measured.clock_ahead_s.expect("a Date");
    assert!((-7205..=-7190).contains(&ahead), "{ahead}");
    assert!(report.row("clock").got.contains("behind"), "{report:#?}");
    holds(&report, "refresh");
    assert_eq!(
        report.outcome,
        Outcome::Fits,
        "the app works with a wrong clock"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_the_place_of_json() {
    let backend = start_backend(Config::default()).await;
    backend
        .faults()
        .add(Fault::on("POST", "/login", Effect::Html { status: 200 }));
    let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
    assert!(fails(&report, "login").contains("page"));
    assert!(fails(&report, "json").contains("JSON"));
    assert!(report.row("login").got.contains("text/html"), "{report:#?}");
    assert_eq!(report.outcome, Outcome::DoesNotFit);
    assert_eq!(report.row("refresh").got, "the sign-in failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_leads_elsewhere() {
    let backend = start_backend(Config::default()).await;
    let away = Effect::Redirect {
        location: "https://elsewhere.example/refresh-token?t=1".into(),
        status: 308,
    };
    backend
        .faults()
        .add(Fault::on("POST", "/refresh-token", away));
    let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
    assert!(fails(&report, "direct").contains("redirect"));
    let got = &report.row("direct").got;
    assert!(
        got.contains("308") && got.contains("elsewhere.example"),
        "{got}"
    );
    assert!(!got.contains("t=1"), "a query may hold a secret");
    fails(&report, "refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_where_a_dead_token_should_be_called_dead() {
    let backend = start_backend(Config::default()).await;
    let trouble = Fault::on("POST", "/refresh-token", Effect::status(500)).times(1);
    backend.faults().add(trouble);
    let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
    assert!(fails(&report, "unknown_token").contains("401"));
    holds(&report, "refresh");
    assert_eq!(report.outcome, Outcome::DoesNotFit);

    let odd = status(400, "bad_token");
    backend
        .faults()
        .add(Fault::on("POST", "/refresh-token", odd).times(1));
    let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
    let advice = fails(&report, "unknown_token");
    assert!(
        advice.contains("status = 400, code = \"bad_token\""),
        "{advice}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_does_not_tell_the_user() {
    let backend = start_backend(Config::default()).await;
    let proxy = Proxy::before(backend.address(), |passing| {
        if passing.path == "/refresh-token" {
            passing.body = passing.body.replace("\"user\":", "\"owner\":");
        }
    })
    .await;
    let report = examined(&plan(&proxy.url()), Clerk::at(&backend)).await;
    fails(&report, "user_again");
    assert!(fails(&report, "refresh").contains("user_from"));
    assert_eq!(report.outcome, Outcome::DoesNotFit);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_backend_and_a_refused_account_are_not_examined() {
    let backend = start_backend(Config::default()).await;
    let mut wrong = plan(&backend.url());
    wrong.account = Some(account("nobody@vestibule.test"));
    let report = examined(&wrong, Clerk::at(&backend)).await;
    assert!(fails(&report, "login").contains("--email"));
    assert_eq!(report.outcome, Outcome::NotExamined);
    assert_eq!(report.exit_code(false), 2);
    assert_eq!(
        backend.requests("POST", "/login"),
        3,
        "the password is not tried with another profile"
    );

    let mut other = account("demo@vestibule.test");
    other.password = Secret::new("something else");
    wrong.account = Some(other);
    let report = examined(&wrong, Clerk::at(&backend)).await;
    assert_eq!(report.outcome, Outcome::NotExamined);

    let gone = backend.url();
    backend.down().await;
    let report = examined(&plan(&gone), Clerk::at(&backend)).await;
    fails(&report, "reachable");
    let others = report.rows.iter().filter(|row| row.id != "reachable");
    for row in others {
        assert_eq!(row.got, "the backend was not reached", "{}", row.id);
    }
    assert_eq!(report.outcome, Outcome::NotExamined);
    assert_eq!(report.exit_code(false), 2);
}

/// A refusal of this account or at this moment says nothing about how the backend fits.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_could_not_be_made_is_not_examined() {
    let backend = start_backend(Config::default()).await;
    for (refusal, said) in [
        (status(429, "RATE_LIMITED"), "wait"),
        (status(403, "ACCOUNT_BLOCKED"), "name another"),
        (status(423, "ACCOUNT_LOCKED"), "name another"),
        (
            Effect::Reset {
                at: Default::default(),
            },
            "Try again",
        ),
    ] {
        let faults = backend.faults();
        let mut fault = Fault::on("POST", "/login", refusal);
        // After the sign-ins with nothing and with a wrong password.
        fault.skip = 2;
        let number = faults.add(fault);
        let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
        assert!(fails(&report, "login").contains(said), "{report:#?}");
        assert_eq!(report.outcome, Outcome::NotExamined, "{said}");
        assert_eq!(report.exit_code(false), 2);
        let notes = report.notes.join(" ");
        assert!(notes.contains("so nothing after it was tried"), "{notes}");
        faults.remove(number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_does_not_bind_devices_or_end_what_it_lists() {
    let backend = start_backend(Config {
        device_binding: vestibule_backend::DeviceBinding::Off,
        ..Config::default()
    })
    .await;
    let gone = Effect::Status {
        status: 204,
        code: None,
        message: None,
        body: None,
        headers: Default::default(),
    };
    // The backend says that it has ended the session, and has not.
    backend
        .faults()
        .add(Fault::on("DELETE", "/sessions/*", gone));
    let mut plan = plan(&backend.url());
    plan.allowed.replay = true;
    plan.allowed.revoke = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    assert!(fails(&report, "device").contains("fingerprint"));
    holds(&report, "session_end");
    assert!(fails(&report, "revoked").contains("refresh tokens"));
    crate::support::all_over(&backend, "demo@vestibule.test");
}

/// A mistyped path must not lead to advice by which every missing endpoint ends a session.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_missing() {
    let backend = start_backend(Config::default()).await;
    let report = examined(
        &plan(&format!("{}/api", backend.url())),
        Clerk::at(&backend),
    )
    .await;
    let advice = fails(&report, "unknown_token");
    assert!(advice.contains("no such endpoint"), "{advice}");
    assert!(!advice.contains("[[ends]]"), "{advice}");
    assert!(
        report.notes.join(" ").contains("such as /api"),
        "{report:#?}"
    );
    assert_eq!(report.outcome, Outcome::DoesNotFit);
}

/// The server answers every request with a page, as a file server does.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_no_auth_backend() {
    let backend = start_backend(Config::default()).await;
    for status in [404, 501] {
        let page = Effect::Html { status };
        let faults = backend.faults();
        let number = faults.add(Fault::on("*", "*", page));
        let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
        assert!(fails(&report, "json").contains("--backend"), "{status}");
        assert!(fails(&report, "login").contains("path"));
        assert!(fails(&report, "unknown_token").contains("no such endpoint"));
        let notes = report.notes.join(" ");
        assert!(notes.contains("such as /api"), "{notes}");
        assert_eq!(report.outcome, Outcome::DoesNotFit);
        faults.remove(number);
    }
}
