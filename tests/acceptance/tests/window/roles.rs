//! What a role allows: a page and a command, for administrators. The backend decides.

use std::fs;

use serde_json::{Value, json};
use vestibule_acceptance::{
    ADMIN, ADMIN_NAME, App, DEMO, DEMO_NAME, Role, Stage, containing, scenario,
};
use vestibule_backend::{Effect, Fault};

use crate::{enter, signed_in};

const LIST: &str = "/admin/users";
const NOT_YOURS: &str = "This page is not for your account";
const FIELD: &str = "Find by name or e-mail";

/// Calls a command as a script in the page could; returns the result.
async fn call(app: &App, command: &str) -> Value {
    app.run_async(
        "await window.__TAURI_INTERNALS__.invoke(argument).then(
           (value) => done({ value }), (error) => done({ error }));",
        json!(command),
    )
    .await
}

/// The files that the export has written.
fn exported(stage: &Stage) -> Vec<String> {
    let home = stage.desktop.home();
    let folders = [home.to_owned(), home.join("Downloads")];
    let entries = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let files = entries.flatten().flatten().map(|entry| entry.path());
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "csv"))
        .map(|path| path.display().to_string())
        .collect()
}

async fn people_of(app: &App) {
    app.click(Role::Link, "People").await;
    app.arrives("/admin/").await;
    app.find(Role::Field, FIELD).await;
    app.reads(DEMO).await;
}

#[test]
fn a_plain_account_gets_neither_the_page_nor_the_command() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.reads("Your roles").await;
        assert!(
            !app.shows(Role::Link, "People").await,
            "no link to the page is shown"
        );
        app.open("/admin/").await;
        app.find(Role::Heading, NOT_YOURS).await;
        app.reads(DEMO).await;
        assert!(!app.shows(Role::Heading, "People").await);
        assert!(!app.shows(Role::Field, FIELD).await);
        let refused = call(&app, "export_people").await;
        assert_eq!(refused["error"]["status"], 403, "{refused}");
        assert_eq!(exported(stage), [""; 0], "no file");
        assert_eq!(
            stage.backend.requests("GET", LIST),
            0,
            "no request was sent"
        );
        app.click(Role::Link, "Go to your dashboard").await;
        app.arrives("/dashboard/").await;
    });
}

#[test]
fn a_person_who_is_signed_out_signs_in_first_and_comes_back() {
    scenario(async |stage| {
        let app = stage.start_at("/admin/").await;
        let next = app.arrives("/auth/login/").await;
        assert_eq!(next.as_deref(), Some("/admin/"));
        let refused = call(&app, "export_people").await;
        assert_eq!(refused["error"]["status"], 401, "{refused}");
        enter(&app, ADMIN).await;
        app.arrives("/admin/").await;
        app.find(Role::Heading, "People").await;
        app.reads(DEMO).await;
    });
}

#[test]
fn an_administrator_sees_everyone_and_takes_the_list_along() {
    scenario(async |stage| {
        let app = signed_in(stage, ADMIN, ADMIN_NAME).await;
        people_of(&app).await;
        app.click(Role::Button, "Export as CSV").await;
        app.says("4 people exported").await;
        let [file] = &exported(stage)[..] else {
            panic!("one file, not {:?}", exported(stage));
        };
        app.says(file).await;
        let text = fs::read_to_string(file).expect("it can be read");
        assert_eq!(text.lines().count(), 5, "a heading and four people");
        assert!(
            text.contains(&format!("\"{DEMO_NAME}\",\"{DEMO}\"")),
            "{text}"
        );
    });
}

/// The backend refuses what the page still offers.
#[test]
fn a_role_taken_away_closes_the_page_when_the_backend_refuses() {
    scenario(async |stage| {
        let app = signed_in(stage, ADMIN, ADMIN_NAME).await;
        people_of(&app).await;
        assert!(stage.backend.set_roles(ADMIN, &["user"]));
        app.click(Role::Button, "Export as CSV").await;
        app.find(Role::Heading, NOT_YOURS).await;
        assert!(
            !app.text().await.contains(DEMO),
            "the page no longer shows the list"
        );
        app.gone(Role::Link, "People").await;
        assert_eq!(exported(stage), [""; 0], "no file");
        let refused = call(&app, "export_people").await;
        assert_eq!(refused["error"]["status"], 403, "{refused}");
        assert_eq!(
            stage.backend.requests("GET", LIST),
            2,
            "the shell itself refuses now"
        );
        // When the account gets the role again, the user can ask the server again.
        assert!(stage.backend.set_roles(ADMIN, &["user", "admin"]));
        app.click(Role::Button, "Ask the server again").await;
        app.find(Role::Heading, "People").await;
        app.reads(DEMO).await;
    });
}

#[test]
fn a_role_taken_away_closes_everything_at_the_next_refresh() {
    scenario(async |stage| {
        let app = signed_in(stage, ADMIN, ADMIN_NAME).await;
        people_of(&app).await;
        assert!(stage.backend.set_roles(ADMIN, &["user"]));
        let renewed = call(&app, "plugin:vestibule|refresh").await;
        assert_eq!(renewed, json!({ "value": null }));
        app.find(Role::Heading, NOT_YOURS).await;
        app.gone(Role::Link, "People").await;
        let refused = call(&app, "export_people").await;
        assert_eq!(refused["error"]["status"], 403, "{refused}");
        app.click(Role::Link, "Go to your dashboard").await;
        app.find(Role::Button, containing(ADMIN_NAME)).await;
        app.find(Role::Region, "Your roles").await;
        assert!(!app.shows(Role::Region, "People").await);
        assert_eq!(
            stage.backend.requests("GET", LIST),
            1,
            "the roles are confirmed only once"
        );
    });
}

/// A refusal by the backend holds although the roles are confirmed.
#[test]
fn a_backend_that_refuses_an_administrator_is_believed() {
    scenario(async |stage| {
        let app = signed_in(stage, ADMIN, ADMIN_NAME).await;
        let refusal = Fault::on("GET", LIST, Effect::status(403));
        stage.backend.faults().add(refusal);
        app.click(Role::Link, "People").await;
        app.says("Your account may not do this, the server says")
            .await;
        stage.backend.reached("POST", "/refresh-token", 1).await;
        app.click(Role::Button, "Export as CSV").await;
        app.says("Nothing was exported").await;
        assert_eq!(exported(stage), [""; 0], "no file");
        assert!(!app.shows(Role::Field, FIELD).await, "no list");
        assert!(
            !app.shows(Role::Heading, NOT_YOURS).await,
            "the session still has the role"
        );
    });
}

#[test]
fn roles_that_nobody_confirms_open_no_command() {
    scenario(async |stage| {
        let app = signed_in(stage, ADMIN, ADMIN_NAME).await;
        app.kill();
        stage.backend.down().await;
        let app = stage.start_at("/admin/").await;
        app.says("Offline since").await;
        app.find(Role::Heading, "People").await;
        let refused = call(&app, "export_people").await;
        // The server is out of reach, or the app waits before it tries again.
        let status = refused["error"]["status"].as_u64();
        assert!(matches!(status, Some(503 | 429)), "{refused}");
        assert_eq!(exported(stage), [""; 0], "no file");
        app.open("/dashboard/").await;
        app.reads("As the server last said").await;
    });
}
