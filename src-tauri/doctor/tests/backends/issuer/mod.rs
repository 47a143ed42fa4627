//! The provider of a sign-in by the browser: the bundled backend as the issuer, without faults and with
//! one in its discovery, its keys, its pages or its tokens, each of which shows in its own row.

mod discovery;
mod page;
mod program;
mod secrecy;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_backend::{Backend, Config, Fault};
use vestibule_core::profile::Profile;
use vestibule_doctor::{Holds, Outcome, Plan, Report};
use vestibule_harness::{DEMO, merge, start_backend};

use crate::support::{Clerk, WATCH_TIME, all_over, examined, fails};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const PAGE: &str = "/oidc/authorize";
const TOKEN: &str = "/oidc/token";

/// The rows that need nobody.
const WITHOUT_SIGN_IN: [&str; 12] = [
    "discovery",
    "provider_endpoints",
    "pkce",
    "provider_keys",
    "answers_name_issuer",
    "revocation",
    "device_codes",
    "client",
    "loopback",
    "foreign_redirect",
    "pkce_demanded",
    "implicit",
];
/// The rows that need a person at the browser.
const WITH_SIGN_IN: [&str; 10] = [
    "browser_sign_in",
    "browser_token",
    "id_token",
    "user_info",
    "api_takes_token",
    "browser_refresh",
    "browser_rotation",
    "spent_token",
    "spent_family",
    "revoked_token",
];

/// A profile with a sign-in by the browser at this address, and more in its section.
fn profile(address: &str, more: Value) -> Profile {
    let mut section =
        json!({"kind": "oidc", "issuer": address, "client_id": "vestibule", "device": true});
    merge(&mut section, more);
    let profile = json!({
        "backend": address,
        "browser": section,
        "endpoints": {"me": {
            "path": "/me", "method": "GET", "headers": {"authorization": "Bearer $access_token"},
        }},
        "answer": {"me": {"user": ["/user", ""]}},
    });
    Profile::from_json(profile).expect("a profile")
}

/// A plan with a person at the browser.
fn plan(address: &str) -> Plan {
    let mut plan = Plan::new(profile(address, json!({})));
    plan.browser = true;
    (plan.grace, plan.patience) = (WATCH_TIME, WATCH_TIME);
    plan
}

/// A backend that takes no spent token.
async fn strict() -> Arc<Backend> {
    start_backend(Config {
        grace: Duration::ZERO,
        ..Config::default()
    })
    .await
}

/// The names of the rows about the browser with this result.
fn rows(report: &Report, wanted: Holds) -> Vec<&'static str> {
    let all = WITHOUT_SIGN_IN.into_iter().chain(WITH_SIGN_IN);
    all.filter(|id| report.row(id).holds == wanted).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fits_holds_every_row() {
    let backend = strict().await;
    let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
    assert_eq!(rows(&report, Holds::No), [""; 0], "{report:#?}");
    assert_eq!(
        rows(&report, Holds::NotTried),
        ["spent_token", "spent_family"],
        "{report:#?}"
    );
    assert_eq!(report.outcome, Outcome::Fits);
    assert_eq!(report.exit_code(true), 0, "{report:#?}");
    assert!(report.row("revoked_token").got.contains("invalid_grant"));
    all_over(&backend, DEMO);

    let mut plan = plan(&backend.url());
    plan.allowed.replay = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    assert_eq!(rows(&report, Holds::No), [""; 0], "{report:#?}");
    // The replay has ended the session that would have been revoked.
    assert_eq!(
        rows(&report, Holds::NotTried),
        ["revoked_token"],
        "{report:#?}"
    );
    all_over(&backend, DEMO);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_person_it_looks_from_outside() {
    let backend = strict().await;
    let mut outside = plan(&backend.url());
    outside.browser = false;
    let report = examined(&outside, Clerk::at(&backend)).await;
    assert_eq!(rows(&report, Holds::Yes), WITHOUT_SIGN_IN, "{report:#?}");
    assert_eq!(rows(&report, Holds::NotTried), WITH_SIGN_IN);
    assert!(report.row("browser_sign_in").got.contains("--browser"));
    assert_eq!(report.outcome, Outcome::NotExamined);
    assert_eq!(backend.requests("POST", TOKEN), 0, "nobody signs in");
    assert_eq!(backend.sessions(DEMO).len(), 0);
    // A backend where nobody signs in by the browser has no rows about it.
    let plain = Plan::new(
        Profile::default()
            .with_backend(&backend.url())
            .expect("one"),
    );
    let report = examined(&plain, Clerk::at(&backend)).await;
    let about_it = [&WITHOUT_SIGN_IN[..], &WITH_SIGN_IN[..]].concat();
    let rows: Vec<_> = report.rows.iter().map(|row| row.id).collect();
    assert!(rows.iter().all(|id| !about_it.contains(id)), "{rows:?}");
    assert_eq!(backend.requests("GET", DISCOVERY), 1, "by the first alone");
}

/// Examines a backend with a fault. Asserts that exactly `row` fails of those about the browser, and
/// answers the advice.
async fn with_fault(row: &str, fault: impl Fn(&str) -> Fault) -> String {
    with_fault_and(row, fault, |_| {}).await
}

async fn with_fault_and(
    row: &str,
    fault: impl Fn(&str) -> Fault,
    change: impl Fn(&mut Plan),
) -> String {
    let backend = start_backend(Config::default()).await;
    let address = backend.url();
    let fault = fault(&address);
    let shown = format!("{fault:?}");
    let fault = backend.faults().add(fault);
    let mut plan = plan(&address);
    change(&mut plan);
    let report = examined(&plan, Clerk::at(&backend)).await;
    assert!(backend.faults().fired(fault) > Some(0), "{row}: {shown}");
    assert_eq!(rows(&report, Holds::No), [row], "{shown}\n{report:#?}");
    fails(&report, row)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_cancels() {
    let backend = strict().await;
    let report = examined(&plan(&backend.url()), Clerk::cancelling(&backend)).await;
    assert!(fails(&report, "browser_sign_in").contains("agree"));
    assert_eq!(report.row("browser_refresh").holds, Holds::NotTried);
    assert_eq!(report.outcome, Outcome::DoesNotFit);
}
