//! The menu of a right click: over text it offers to cut, copy and paste. Elsewhere there is none,
//! since the engine's own menu would reload the page or leave it.

use std::time::Duration;

use serde_json::json;
use vestibule_acceptance::{App, Role, Screen, Stage, on_screen, scenario, until};

/// Nothing announces that no menu will open. One that opens is there within 0.1 s.
const QUIET: Duration = Duration::from_millis(700);

/// Makes a right click at this point and waits until the page has received it. Returns whether the
/// page has prevented the menu.
async fn asks_for_menu(stage: &Stage, app: &App, point: &str) -> bool {
    app.run(
        "window.refused = null;
         addEventListener('contextmenu', (event) => {
           window.refused = event.defaultPrevented;
         }, { once: true });",
    )
    .await;
    stage
        .mouse()
        .click_for_menu(on_screen(app.driver(), point).await);
    let refused = until("a right click", async || {
        let refused = app.run("return window.refused").await;
        refused.as_bool().ok_or_else(|| "not yet".to_owned())
    });
    refused.await
}

async fn menus(screen: &Screen, count: usize) {
    until(&format!("{count} menus"), async || match screen.popups() {
        open if open == count => Ok(()),
        open => Err(format!("there are {open}")),
    })
    .await;
}

async fn opens_and_closes(stage: &Stage, screen: &Screen) {
    menus(screen, 1).await;
    stage.keyboard().press(&["Escape"]);
    menus(screen, 0).await;
}

/// A script's expression for the middle of this element or range.
fn middle(of: &str) -> String {
    format!(
        "(({{ x, y, width, height }}) => [x + width / 2, y + height / 2])(
           {of}.getBoundingClientRect())"
    )
}

/// A script's expression for the element with this selector.
fn found(selector: &str) -> String {
    format!("document.querySelector('{selector}')")
}

#[test]
fn only_text_has_a_menu() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        app.find(Role::Field, "E-mail").await;
        app.run("window.stay = true").await;
        let screen = Screen::of(&stage.desktop);
        menus(&screen, 0).await;
        for nothing in [
            "[20, innerHeight - 20]".to_owned(),
            middle(&found("h1")),
            middle(&found("form button")),
            middle(&found("form a, main a")),
        ] {
            assert!(asks_for_menu(stage, &app, &nothing).await, "at {nothing}");
            tokio::time::sleep(QUIET).await;
            assert_eq!(screen.popups(), 0, "at {nothing}");
        }

        // The control: over a field and over selected text there is a menu.
        assert!(!asks_for_menu(stage, &app, &middle(&found("input"))).await);
        opens_and_closes(stage, &screen).await;
        app.run("getSelection().selectAllChildren(document.querySelector('h1'))")
            .await;
        let selected = middle("getSelection().getRangeAt(0)");
        assert!(!asks_for_menu(stage, &app, &selected).await);
        opens_and_closes(stage, &screen).await;
        assert!(asks_for_menu(stage, &app, "[20, innerHeight - 20]").await);
        assert_eq!(app.run("return window.stay").await, json!(true));
    });
}
