//! A session that ends while the user types does not lose the typed text.

use serde_json::json;
use vestibule_acceptance::endings::Ending;
use vestibule_acceptance::tokens::{Reach, files_holding};
use vestibule_acceptance::{
    ADMIN, ADMIN_NAME, App, DEMO, DEMO_NAME, OTP, OTP_NAME, PASSWORD, Role, Stage, containing,
    scenario, until,
};

use crate::{enter, pick, signed_in};

const FIELD: &str = "Find by name or e-mail";
const NOTE: &str = "Note for yourself";
const TYPED: &str = "dana and nobody else";

/// An administrator has typed into a guarded page.
async fn at_work(stage: &Stage) -> App {
    let app = signed_in(stage, ADMIN, ADMIN_NAME).await;
    app.click(Role::Link, "People").await;
    app.arrives("/admin/").await;
    app.fill(FIELD, TYPED).await;
    app
}

/// Signs in again through the form in front of the page, which names the account.
async fn back_in(app: &App) {
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
}

#[test]
fn after_each_ending_the_input_is_there_for_the_same_person() {
    scenario(async |stage| {
        let app = at_work(stage).await;
        for ending in Ending::ALL {
            ending.strike(stage, &app, ADMIN).await;
            app.says(ending.words()).await;
            app.find(Role::Heading, "Sign in").await;
            assert_eq!(app.value("E-mail").await, ADMIN, "{ending:?}");
            assert!(!app.shows(Role::Field, FIELD).await, "{ending:?}");
            assert_eq!(app.address().await, "/admin/", "{ending:?}");
            back_in(&app).await;
            app.find(Role::Button, containing(ADMIN_NAME)).await;
            assert_eq!(app.value(FIELD).await, TYPED, "{ending:?}");
            assert!(!app.text().await.contains(ending.words()), "{ending:?}");
        }
        assert_eq!(
            app.record().await.pages().count(),
            2,
            "no page was reloaded"
        );
    });
}

#[test]
fn a_guarded_page_that_waits_shows_nothing_and_is_nowhere_else() {
    scenario(async |stage| {
        let app = at_work(stage).await;
        app.reads("No account matches").await;
        app.run(
            "window.added = [];
             new MutationObserver((changes) => {
               for (const { addedNodes } of changes)
                 for (const node of addedNodes) window.added.push(node.textContent);
             }).observe(document, { subtree: true, childList: true });",
        )
        .await;
        Ending::Expired.strike(stage, &app, ADMIN).await;
        app.find(Role::Heading, "Sign in").await;

        let shown = app.text().await;
        let added = app.run("return window.added.join('\\n')").await;
        let added = added.as_str().expect("text").to_owned();
        assert!(added.contains("Password"), "the observer sees: {added:?}");
        for secret in [
            "Everyone with an account",
            "No account matches",
            "Export",
            DEMO,
            TYPED,
        ] {
            assert!(!shown.contains(secret), "{secret:?} is shown: {shown:?}");
            assert!(!added.contains(secret), "{secret:?} was added: {added:?}");
        }
        for region in ["Accounts", "Export"] {
            assert!(!app.shows(Role::Region, region).await, "{region} is there");
        }
        // The typed text is in memory only.
        let places = Reach::of(&app).await;
        let kept = ["the document"];
        let held = places.holding(TYPED);
        assert!(held.iter().all(|place| kept.contains(place)), "{held:?}");
        let files = files_holding(stage.desktop.home(), TYPED);
        assert_eq!(files, [""; 0], "the typed text is in a file");
    });
}

#[test]
fn another_person_never_sees_the_input() {
    scenario(async |stage| {
        let app = at_work(stage).await;
        Ending::Revoked.strike(stage, &app, ADMIN).await;
        app.find(Role::Heading, "Sign in").await;
        enter(&app, DEMO).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.reads(DEMO).await;
        let document = app.run("return document.documentElement.outerHTML").await;
        let document = document.as_str().expect("text").to_owned();
        assert!(
            document.contains(DEMO),
            "the search covers the whole document"
        );
        for left in [TYPED, ADMIN] {
            assert!(
                !document.contains(left),
                "{left:?} of the other account is still there"
            );
        }
        // The first account does not find its text again either.
        pick(&app, DEMO_NAME, "Sign out").await;
        app.arrives("/auth/login/").await;
        app.open("/auth/login/").await;
        enter(&app, ADMIN).await;
        app.arrives("/dashboard/").await;
        app.click(Role::Link, "People").await;
        assert_eq!(app.value(FIELD).await, "");
    });
}

#[test]
fn a_sign_out_leaves_nothing_for_anybody() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.open("/payment/?plan=team").await;
        app.fill(NOTE, TYPED).await;
        pick(&app, DEMO_NAME, "Sign out").await;
        app.arrives("/").await;
        app.click(Role::Link, "Plans").await;
        app.click(Role::Link, "Choose Team").await;
        app.click(Role::Link, "Sign in to buy").await;
        enter(&app, DEMO).await;
        app.arrives("/payment/").await;
        assert_eq!(app.value(NOTE).await, "");
    });
}

#[test]
fn a_form_on_a_public_page_is_kept_or_let_go() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.open("/payment/?plan=team").await;
        app.fill(NOTE, TYPED).await;
        Ending::Revoked.strike(stage, &app, DEMO).await;
        app.says(Ending::Revoked.words()).await;
        back_in(&app).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        assert_eq!(app.value(NOTE).await, TYPED);
        app.click(Role::Button, "Buy Team").await;
        app.find(Role::Heading, "Team is yours").await;
        app.reads(TYPED).await;

        Ending::Expired.strike(stage, &app, DEMO).await;
        app.click(Role::Button, "Not now").await;
        app.find(Role::Link, "Sign in to buy").await;
        assert!(!app.text().await.contains(TYPED), "let go");
        app.click(Role::Link, "Sign in again").await;
        let next = app.arrives("/auth/login/").await;
        assert_eq!(next.as_deref(), Some("/payment/?plan=team"));
    });
}

#[test]
fn a_question_of_the_page_waits_out_of_sight_too() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.open("/account/").await;
        app.click(Role::Button, "Sign out everywhere").await;
        app.find(Role::Heading, "Sign out everywhere?").await;
        Ending::Expired.strike(stage, &app, DEMO).await;
        app.find(Role::Heading, "Sign in").await;
        app.gone(Role::Heading, "Sign out everywhere?").await;
        // Nothing covers the form: it accepts clicks.
        back_in(&app).await;
        app.find(Role::Heading, "Sign out everywhere?").await;
        app.click(Role::Button, "Cancel").await;
        app.find(Role::Button, "Sign out everywhere").await;
    });
}

#[test]
fn a_code_does_not_come_between() {
    scenario(async |stage| {
        let app = stage
            .start_at("/auth/login/?next=%2Fpayment%2F%3Fplan%3Dteam")
            .await;
        enter(&app, OTP).await;
        app.arrives("/auth/otp/").await;
        let code = stage.backend.last_code(OTP).expect("a code was mailed");
        app.fill("Six-digit code", &code).await;
        app.arrives("/payment/").await;
        app.fill(NOTE, TYPED).await;
        Ending::Expired.strike(stage, &app, OTP).await;
        back_in(&app).await;
        app.find(Role::Heading, "Enter the code").await;
        let fresh = until("a new code", async || {
            let sent = stage.backend.last_code(OTP).filter(|sent| *sent != code);
            sent.ok_or_else(|| "the code has not changed".to_owned())
        })
        .await;
        app.fill("Six-digit code", &fresh).await;
        app.find(Role::Button, containing(OTP_NAME)).await;
        assert_eq!(app.value(NOTE).await, TYPED);
    });
}

#[test]
fn signing_in_again_while_offline_loses_nothing() {
    scenario(async |stage| {
        let app = at_work(stage).await;
        stage.backend.down().await;
        app.run_async(
            "await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|refresh').catch(() => undefined);
             done(true);",
            json!(null),
        )
        .await;
        app.says("Offline since").await;
        pick(&app, ADMIN_NAME, "Sign in again").await;
        app.says("Your session is still held").await;
        assert!(!app.shows(Role::Field, FIELD).await, "it waits");
        app.click(Role::Button, "Not now").await;
        assert_eq!(app.value(FIELD).await, TYPED);
        pick(&app, ADMIN_NAME, "Sign in again").await;
        app.find(Role::Heading, "Sign in").await;
        stage.backend.up().await.expect("the same port");
        app.says("You are back online").await;
        assert_eq!(
            app.value(FIELD).await,
            TYPED,
            "the page is back without signing in again"
        );
    });
}
