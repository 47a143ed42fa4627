//! What is left when the process ends in the middle.

use vestibule_core::wire::SignedOutReason;
use vestibule_harness::why;

use super::{App, approve_as_demo};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_a_sign_in_that_was_open() {
    let mut app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    app.install.restart();
    attempt.abort();
    app.install.until_started().await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::Never));
    assert_eq!(app.pending(), None);
    // The process before still listens, as a real one would not: its answer changes nothing here.
    let _ = super::browser()
        .get(approve_as_demo(&address).await)
        .send()
        .await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::Never));
}
