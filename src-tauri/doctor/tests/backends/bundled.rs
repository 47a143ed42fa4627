//! The bundled backend without faults, and what the doctor leaves behind there.

use std::time::Duration;

use vestibule_backend::{Config, Effect, Fault, When};
use vestibule_core::profile::Profile;
use vestibule_doctor::{Holds, Outcome, Suggestion};
use vestibule_harness::{DEMO, OTP, start_backend};

use crate::support::{Clerk, WATCH_TIME, all_over, examined, fails, holds, plan, rows, thorough};

/// The rows that are never tried here: there is no https on this machine, and no backend can show
/// what the app does without a token.
const NEVER: [&str; 2] = ["plain_http", "no_token"];

fn limited() -> Config {
    Config {
        limits: true,
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_that_can_be_tried_holds() {
    let backend = start_backend(limited()).await;
    let report = examined(&thorough(&backend.url()), Clerk::at(&backend)).await;
    assert_eq!(rows(&report, Holds::No), [""; 0], "{report:#?}");
    assert_eq!(rows(&report, Holds::NotTried), NEVER, "{report:#?}");
    assert_eq!(report.outcome, Outcome::Fits);
    assert_eq!(report.exit_code(true), 0);
    assert_eq!(
        report.measured.grace_at_least_s,
        Some(3),
        "the grace window is at least as long as was tried"
    );
    assert_eq!(report.measured.grace_less_than_s, None);
    assert_eq!(report.measured.reuse_ends_family, Some(true));
    assert_eq!(report.measured.access_life_s, Some(900));
    assert!(report.measured.retry_after_s.is_some());
    assert!(matches!(report.suggestion, Suggestion::Fits { .. }));
    for email in [DEMO, OTP, "new@vestibule.test"] {
        all_over(&backend, email);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unasked_it_signs_in_and_out_and_no_more() {
    let backend = start_backend(Config::default()).await;
    let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
    assert_eq!(report.outcome, Outcome::Fits, "{report:#?}");
    assert_eq!(
        backend.requests("POST", "/login"),
        3,
        "an empty, a wrong and the right sign-in"
    );
    for (method, path) in [
        ("POST", "/register"),
        ("POST", "/verify-otp"),
        ("POST", "/resend-otp"),
        ("POST", "/logout-all"),
    ] {
        assert_eq!(backend.requests(method, path), 0, "{method} {path}");
    }
    let sessions = backend.sessions(DEMO);
    assert_eq!(sessions.len(), 1, "the doctor's own");
    assert_eq!(sessions[0].ended.as_deref(), Some("signed_out"));
    for id in [
        "grace",
        "reuse",
        "family",
        "device",
        "revoked",
        "session_end",
        "logout_all",
        "limits",
        "register",
        "otp_wanted",
    ] {
        let row = report.row(id);
        assert_eq!(row.holds, Holds::NotTried, "{id}");
        assert!(!row.got.is_empty(), "{id} says why");
    }
}

/// As Express has it: `res.send("OK")`.
#[tokio::test(flavor = "multi_thread")]
async fn a_word_after_a_sign_out_is_no_fault_and_a_page_is_one() {
    for (text, is_fault) in [("OK", false), ("<!doctype html><p>OK</p>", true)] {
        let backend = start_backend(Config::default()).await;
        let said = Effect::Text {
            status: 200,
            media: "text/html; charset=utf-8".into(),
            text: text.into(),
        };
        let mut fault = Fault::on("POST", "/logout", said);
        fault.when = When::After;
        backend.faults().add(fault);
        let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
        let wanted = if is_fault { Holds::No } else { Holds::Yes };
        assert_eq!(report.row("json").holds, wanted, "{text}: {report:#?}");
        assert_eq!(report.row("logout").holds, wanted, "{text}: {report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_account_it_looks_from_outside() {
    let backend = start_backend(Config::default()).await;
    let mut outside = plan(&backend.url());
    outside.account = None;
    let report = examined(&outside, Clerk::at(&backend)).await;
    for id in [
        "reachable",
        "tls",
        "direct",
        "json",
        "clock",
        "login_invalid",
        "unknown_token",
    ] {
        holds(&report, id);
    }
    assert_eq!(report.row("login").holds, Holds::NotTried);
    assert_eq!(
        report.outcome,
        Outcome::NotExamined,
        "without a sign-in the backend is not examined"
    );
    assert_eq!(report.exit_code(false), 2);
    let text = vestibule_doctor::table(&report);
    let last = text.lines().last().expect("a verdict");
    for said in ["sign-in", "refresh", "sign-out", "--email"] {
        assert!(last.contains(said), "{last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_backend_has_no_window_and_notices_reuse() {
    let backend = start_backend(Config {
        grace: Duration::ZERO,
        ..Config::default()
    })
    .await;
    let mut plan = plan(&backend.url());
    plan.allowed.replay = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    assert!(fails(&report, "grace").contains("60 s"));
    assert!(report.row("grace").got.starts_with("none"), "{report:#?}");
    assert_eq!(report.measured.grace_at_least_s, Some(0));
    holds(&report, "reuse");
    holds(&report, "family");
    assert_eq!(report.row("successor").holds, Holds::NotTried);
    assert_eq!(
        report.outcome,
        Outcome::Fits,
        "the backend works, with a drawback"
    );
    assert_eq!((report.exit_code(false), report.exit_code(true)), (0, 1));
    all_over(&backend, DEMO);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_window_is_measured_from_both_sides() {
    let backend = start_backend(Config {
        grace: Duration::from_secs(1),
        ..Config::default()
    })
    .await;
    let mut plan = plan(&backend.url());
    plan.allowed.replay = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    fails(&report, "grace");
    assert_eq!(
        report.measured.grace_at_least_s,
        Some(0),
        "a replay right after the rotation still succeeds"
    );
    let shut = report.measured.grace_less_than_s.expect("it shut");
    assert!((1..=4).contains(&shut), "{shut}");
    holds(&report, "successor");
    holds(&report, "reuse");
}

/// The last replay comes after the window has shut, which it did on time.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_exactly_the_wanted_time_is_enough() {
    let backend = start_backend(Config {
        grace: WATCH_TIME,
        ..Config::default()
    })
    .await;
    let mut plan = plan(&backend.url());
    plan.allowed.replay = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    holds(&report, "grace");
    assert!(report.measured.grace_at_least_s >= Some(2), "{report:#?}");
    holds(&report, "reuse");
    assert_eq!(report.exit_code(true), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_waited_for_is_not_judged() {
    let backend = start_backend(Config::default()).await;
    let mut plan = plan(&backend.url());
    plan.allowed.replay = true;
    for seconds in [0, 1] {
        plan.patience = Duration::from_secs(seconds);
        let report = examined(&plan, Clerk::at(&backend)).await;
        let grace = report.row("grace");
        assert_eq!(grace.holds, Holds::NotTried, "{grace:#?}");
        assert!(grace.got.contains("not tried long enough"), "{grace:#?}");
        holds(&report, "successor");
        holds(&report, "reuse");
    }
    backend.set_grace(Duration::ZERO);
    let report = examined(&plan, Clerk::at(&backend)).await;
    assert!(
        fails(&report, "grace").contains("60 s"),
        "a window that is shut is not measured as open"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_registrations_fit_too() {
    use vestibule_backend::Registration;
    for registration in [Registration::Code, Registration::Accept] {
        let backend = start_backend(Config {
            registration,
            ..Config::default()
        })
        .await;
        let mut plan = plan(&backend.url());
        plan.register = Some("new@vestibule.test".into());
        let report = examined(&plan, Clerk::at(&backend)).await;
        holds(&report, "register");
        assert_eq!(report.outcome, Outcome::Fits, "{registration:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_profile_does_not_have_is_not_asked_for() {
    let backend = start_backend(Config::default()).await;
    let profile = serde_json::json!({
        "backend": backend.url(),
        "endpoints": {
            "logout": false, "resend_otp": false, "sessions": false, "end_session": false,
        },
        "api": {"allow": []},
    });
    let mut plan = plan(&backend.url());
    plan.profile = Profile::from_json(profile).expect("a profile");
    let report = examined(&plan, Clerk::at(&backend)).await;
    for id in ["logout", "sessions"] {
        assert_eq!(report.row(id).holds, Holds::NotTried, "{id}");
    }
    assert!(
        report.row("sessions").got.contains("endpoints.sessions"),
        "{report:#?}"
    );
}
