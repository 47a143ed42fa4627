//! A sign-in that is given up at its very end: while its session is written, or while its code is exchanged.

use std::time::Duration;

use vestibule_backend::{Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::{SignInOutcome, SignedOutReason};
use vestibule_harness::{ADMIN, Block, DEMO, alive, code, eventually, why};

use super::{App, Attempt, TOKEN, approve, outcome, visit};

/// A sign-in of this person that waits for the keyring.
async fn being_written(app: &App, email: &str) -> Attempt {
    let number = app.install.desktop.opened().len() + 1;
    let attempt = app.click();
    let address = app.install.desktop.opening(number).await;
    let back = approve(&address, email).await;
    app.install.store.block(Block::Hang);
    visit(&back).await;
    eventually("the keyring to be asked", || {
        app.install.store.waiting() > 0
    })
    .await;
    attempt
}

/// The sign-in comes to nothing, and nothing is left of it.
async fn comes_to_nothing(app: &App, attempt: Attempt, email: &str) {
    app.install.store.heal();
    let ended = outcome(attempt).await;
    assert_eq!(code(&ended), Some(ErrorCode::BrowserSignInOver));
    let over = eventually("its session to be over at the provider", || {
        alive(app.backend(), email) == 0
    });
    app.install.passing(over).await;
    let emptied = app.install.until_nothing_kept();
    app.install.passing(emptied).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_while_the_keyring_is_written_signs_nobody_in() {
    let mut app = App::new().await;
    let attempt = being_written(&app, DEMO).await;
    app.install.session.cancel_browser_sign_in();
    comes_to_nothing(&app, attempt, DEMO).await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::Never));
    assert_eq!(app.pending(), None);
    app.install.restart();
    app.install.until_signed_out().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_sign_in_while_the_keyring_is_written_is_the_one_that_counts() {
    let app = App::new().await;
    let attempt = being_written(&app, DEMO).await;
    let newer = app.click();
    let address = app.install.desktop.opening(2).await;
    comes_to_nothing(&app, attempt, DEMO).await;
    assert!(app.pending().is_some(), "the newer one goes on");
    visit(&approve(&address, ADMIN).await).await;
    assert_eq!(outcome(newer).await, Ok(SignInOutcome::SignedIn));
    assert_eq!(app.email(), Some(ADMIN.into()));
    assert_eq!(alive(app.backend(), ADMIN), 1);
}

/// The keyring no longer holds the token of the session before, so that session ends, and no user is shown.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_signed_in_before_is_signed_out() {
    let mut app = App::new().await;
    app.sign_in(DEMO).await;
    let attempt = being_written(&app, ADMIN).await;
    app.install.session.cancel_browser_sign_in();
    comes_to_nothing(&app, attempt, ADMIN).await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::ByUser));
    let over = eventually("the session before to be over too", || {
        alive(app.backend(), DEMO) == 0
    });
    app.install.passing(over).await;
    app.install.restart();
    assert_eq!(
        app.install.until_signed_out().await,
        SignedOutReason::ByUser
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_sign_in_does_not_wait_for_the_answer_of_one_that_was_given_up() {
    let app = App::new().await;
    let silent = Fault::on("POST", TOKEN, Effect::Hang {}).times(1);
    app.backend().faults().add(silent);
    let _given_up = app.click();
    let address = app.install.desktop.opening(1).await;
    visit(&approve(&address, DEMO).await).await;
    app.backend().reached("POST", TOKEN, 1).await;
    app.install.session.cancel_browser_sign_in();
    // The provider would have half a minute to answer.
    let next = tokio::time::timeout(Duration::from_secs(20), app.sign_in(ADMIN));
    next.await.expect("it does not wait");
    assert_eq!(app.email(), Some(ADMIN.into()));
}
