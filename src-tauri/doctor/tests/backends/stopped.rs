//! Ctrl-C: what was signed in is signed out.

use std::time::Duration;

use vestibule_backend::Config;
use vestibule_doctor::examine;
use vestibule_doctor::report::Outcome;
use vestibule_doctor::stop::Stop;

use crate::support::{Clerk, DEMO, all_over, bundled, order};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_had_enough_leaves_nothing_behind() {
    let backend = bundled(Config::default()).await;
    let mut order = order(&backend.url());
    order.allowed.replay = true;
    order.patience = Duration::from_secs(600);
    let desk = Clerk::at(&backend);
    let (sender, stop) = Stop::new();
    let examination = tokio::spawn(async move { examine(&order, desk, stop).await });
    // Two sessions, one of them waiting for its window to shut.
    backend.reached("POST", "/refresh-token", 5).await;
    assert!(backend.sessions(DEMO).iter().any(|one| one.ended.is_none()));
    sender.send_replace(true);
    let report = tokio::time::timeout(Duration::from_secs(10), examination).await;
    let report = report
        .expect("it ends soon")
        .expect("no panic")
        .expect("a client");
    assert_eq!(report.outcome, Outcome::Interrupted);
    assert_eq!(report.exit_code(false), 130);
    assert_eq!(report.rows.len(), vestibule_doctor::row::ROWS.len());
    all_over(&backend, DEMO);
}
