//! The app can be used without a mouse.

use serde_json::json;
use vestibule_acceptance::{
    App, DEMO, DEMO_NAME, Keyboard, PASSWORD, Role, containing, focused, scenario, until,
};

/// Presses Tab until an element with this name has the focus; at each stop the focus must be
/// visible.
async fn tab_to(app: &App, keyboard: &Keyboard<'_>, name: &str) {
    let mut stops = Vec::new();
    for _ in 0..30 {
        let before = mark(app).await;
        keyboard.press(&["Tab"]);
        until("the focus to move", async || {
            match mark(app).await == before {
                true => Err(format!("it is still on {before}")),
                false => Ok(()),
            }
        })
        .await;
        let stop = focused(app).await;
        assert!(
            has_visible_focus(app).await,
            "the focus on {stop:?} cannot be seen"
        );
        if stop == name {
            return;
        }
        stops.push(stop);
    }
    panic!("Tab does not reach {name:?}, but {stops:?}");
}

/// Which element has the focus, as a value that can be compared.
async fn mark(app: &App) -> serde_json::Value {
    app.run(
        "const all = [...document.querySelectorAll('*')];
         return all.indexOf(document.activeElement)",
    )
    .await
}

/// Waits until an element with this name has the focus.
async fn is_on(app: &App, name: &str) {
    until(&format!("the focus on {name:?}"), async || {
        let focus = focused(app).await;
        match focus == name {
            true => Ok(()),
            false => Err(format!("it is on {focus:?}")),
        }
    })
    .await;
}

/// Whether the focused element looks different from the same element without focus: an outline, or
/// another border or shadow.
async fn has_visible_focus(app: &App) -> bool {
    let seen = app
        .run(
            "const { activeElement } = document;
             if (!activeElement.matches(':focus-visible')) return false;
             const look = () => {
               const style = getComputedStyle(activeElement);
               const outline = style.outlineStyle === 'none' ? 'none'
                 : `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}`;
               return [outline, style.borderColor, style.boxShadow].join(' ');
             };
             const focused = look();
             activeElement.blur();
             const blurred = look();
             activeElement.focus({ focusVisible: true });
             return focused !== blurred",
        )
        .await;
    seen == json!(true)
}

#[test]
fn the_keyboard_alone_signs_in_and_the_focus_is_always_visible() {
    scenario(async |stage| {
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        let keyboard = stage.keyboard();
        keyboard.focus("Vestibule").await;
        tab_to(&app, &keyboard, "Skip to content").await;
        tab_to(&app, &keyboard, "Sign in").await;
        keyboard.press(&["Return"]);
        app.arrives("/auth/login/").await;
        is_on(&app, "E-mail").await;
        keyboard.type_text(DEMO);
        tab_to(&app, &keyboard, "Password").await;
        keyboard.type_text(PASSWORD);
        tab_to(&app, &keyboard, "Show password").await;
        tab_to(&app, &keyboard, "Sign in").await;
        keyboard.press(&["Return"]);
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;

        // And back out, through the menu.
        tab_to(&app, &keyboard, &format!("{DEMO_NAME}, account menu")).await;
        keyboard.press(&["Return"]);
        app.find(Role::MenuItem, "Sign out").await;
        keyboard.press(&["End"]);
        is_on(&app, "Sign out").await;
        keyboard.press(&["Return"]);
        app.arrives("/auth/login/").await;
    });
}

#[test]
fn what_opens_over_the_page_is_left_by_keyboard_and_gives_the_focus_back() {
    const QUESTION: &str = "Sign out everywhere";
    scenario(async |stage| {
        let app = crate::signed_in(stage, DEMO, DEMO_NAME).await;
        app.open("/account/").await;
        app.find(Role::Button, QUESTION).await;
        let keyboard = stage.keyboard();
        keyboard.focus("Vestibule").await;

        let menu = format!("{DEMO_NAME}, account menu");
        tab_to(&app, &keyboard, &menu).await;
        keyboard.press(&["Return"]);
        app.find(Role::MenuItem, "Sign out").await;
        keyboard.press(&["Escape"]);
        app.gone(Role::MenuItem, "Sign out").await;
        is_on(&app, &menu).await;

        tab_to(&app, &keyboard, QUESTION).await;
        keyboard.press(&["Return"]);
        app.find(Role::Heading, "Sign out everywhere?").await;
        is_on(&app, "Cancel").await;
        // Tab stays within the dialog and never reaches the page behind it.
        tab_to(&app, &keyboard, QUESTION).await;
        tab_to(&app, &keyboard, "Cancel").await;
        keyboard.press(&["Escape"]);
        app.gone(Role::Heading, "Sign out everywhere?").await;
        is_on(&app, QUESTION).await;
        assert_eq!(stage.backend.requests("POST", "/logout-all"), 0);
    });
}
