//! Visits the screens of several accounts, of few and of many.

use serde_json::json;
use vestibule_backend::{Backend, Config};

use crate::app::App;
use crate::element::{Role, containing};
use crate::paths::screens;
use crate::scenario::Stage;
use crate::screen::Screen;
use crate::{ADMIN, DEMO, DEMO_NAME, PASSWORD};

/// People with one account each, enough of them that a list of accounts can be searched.
const PEOPLE: [(&str, &str); 8] = [
    ("bo@vestibule.test", "Bo Berg"),
    ("carla@vestibule.test", "Carla Costa"),
    ("emil@vestibule.test", "Emil Eriksen"),
    ("fatima@vestibule.test", "Fatima Farouk"),
    ("gus@vestibule.test", "Gus Green"),
    (
        "hubert.blaine.wolfeschlegelsteinhausenbergerdorff@a-rather-long-domain.example.com",
        "Wolfeschlegelsteinhausenbergerdorff Hubert Blaine",
    ),
    ("ines@vestibule.test", "Ines Ito"),
    ("jonas@vestibule.test", "Jonas Jensen"),
];

/// Visits the screens; `visit` is called at each one with its name.
///
/// # Panics
/// If a screen does not appear.
pub async fn walk(stage: &Stage, mut visit: impl AsyncFnMut(&App, &str)) {
    let app = stage.start_at("/auth/login/").await;
    enter(&app, DEMO).await;
    app.arrives("/dashboard/").await;
    few(stage, &app, &mut visit).await;
    many(stage, &app, &mut visit).await;
    app.kill();
}

async fn few(stage: &Stage, app: &App, visit: &mut impl AsyncFnMut(&App, &str)) {
    app.open("/accounts/add/").await;
    app.click(Role::Button, containing("Another server")).await;
    app.find(Role::Field, "Server address").await;
    visit(app, "accounts-server").await;
    let other = Backend::start(Config::default()).await.expect("a backend");
    app.fill("Server address", &other.url()).await;
    app.click(Role::Button, "Look").await;
    stage.keyboard().focus("Contact 127.0.0.1:.*").await;
    let question = Screen::at(stage.desktop.display()).and_then(|screen| {
        let picture = screens().join("accounts-question.png");
        screen.save(&picture)
    });
    question.expect("a picture of the question");
    visit(app, "accounts-server-looking").await;
    stage.keyboard().accept("Contact 127.0.0.1:.*").await;
    app.find(Role::Button, "Add this server").await;
    visit(app, "accounts-server-found").await;
    app.click(Role::Button, "Add this server").await;
    app.find(Role::Button, "Accounts").await;
    // There is no window manager that would give the focus back after the question.
    stage.keyboard().focus("Vestibule").await;
    app.open("/auth/login/").await;
    app.find(Role::Field, "Password").await;
    visit(app, "accounts-login").await;
    app.click(Role::Button, "Accounts").await;
    app.find(Role::MenuItem, containing("Add account")).await;
    visit(app, "accounts-menu-signed-out").await;
    app.open("/auth/login/").await;
    enter(app, ADMIN).await;
    app.arrives("/dashboard/").await;
    app.open("/accounts/add/").await;
    app.find(Role::Button, containing("Another server")).await;
    visit(app, "accounts-add").await;
    app.open("/accounts/").await;
    app.find(Role::Heading, "Accounts").await;
    visit(app, "accounts-page").await;
    app.click(Role::Button, containing(crate::ADMIN_NAME)).await;
    app.find(Role::MenuRadio, containing(DEMO_NAME)).await;
    visit(app, "accounts-switcher").await;
}

async fn many(stage: &Stage, app: &App, visit: &mut impl AsyncFnMut(&App, &str)) {
    for (email, name) in PEOPLE {
        let added = stage.backend.add_account(email, PASSWORD, name, &["user"]);
        assert!(added, "the account of {name} is new");
        app.run(
            "window.__TAURI_INTERNALS__.invoke('plugin:vestibule|add_account', { workspace: 'default' })
               .catch(() => undefined);",
        )
        .await;
        app.find(Role::Link, "Sign in").await;
        app.open("/auth/login/").await;
        enter(app, email).await;
        app.find(Role::Button, containing(name)).await;
    }
    stage.backend.revoke_session(PEOPLE[0].0);
    let (_, shown) = PEOPLE[PEOPLE.len() - 1];
    app.open("/dashboard/").await;
    app.click(Role::Button, containing(shown)).await;
    app.find(Role::MenuItem, containing("Search accounts"))
        .await;
    visit(app, "accounts-switcher-many").await;
    app.click(Role::MenuItem, containing("Search accounts"))
        .await;
    app.find(Role::Field, containing("Search")).await;
    visit(app, "accounts-find").await;
    app.open("/accounts/").await;
    app.click(Role::Button, containing("Remove Carla")).await;
    app.find(Role::Heading, containing("Remove")).await;
    visit(app, "accounts-remove").await;
    app.open("/accounts/add/").await;
    app.reads("at most").await;
    visit(app, "accounts-full").await;
    app.run_async(
        "const { invoke } = window.__TAURI_INTERNALS__;
         const { current } = await invoke('plugin:vestibule|accounts', {});
         invoke('plugin:vestibule|remove_account', { account: current }).catch(() => undefined);
         done(true);",
        json!(null),
    )
    .await;
    app.find(Role::Heading, "Who is it?").await;
    visit(app, "accounts-chooser").await;
}

async fn enter(app: &App, email: &str) {
    app.fill("E-mail", email).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
}
