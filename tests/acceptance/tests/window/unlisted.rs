//! A window that no capability names: its page can call no command and receives no event.

use std::fs;

use serde_json::{Value, json};
use thirtyfour::WindowHandle;
use vestibule_acceptance::{App, DEMO, DEMO_NAME, Role, containing, repository, scenario, until};

use crate::command_list::command_list;
use crate::windows::turn_to;
use crate::{enter, pick};

const LABEL: &str = "unlisted";

/// Every command that a capability of the app names.
fn commands() -> Vec<String> {
    let folder = repository().join("capabilities");
    let files = fs::read_dir(folder).expect("the capabilities").flatten();
    let permissions = files.flat_map(|file| {
        let text = fs::read_to_string(file.path()).expect("a capability");
        let capability: Value = serde_json::from_str(&text).expect("it is JSON");
        let permissions = capability["permissions"].as_array().expect("a list");
        let name = |it: &Value| it.as_str().or(it["identifier"].as_str()).map(str::to_owned);
        permissions.iter().filter_map(name).collect::<Vec<_>>()
    });
    let command = |permission: String| match permission.rsplit_once(":allow-") {
        Some((plugin, name)) => {
            let plugin = plugin.strip_prefix("core:").unwrap_or(plugin);
            format!("plugin:{plugin}|{}", name.replace('-', "_"))
        }
        None => match permission.strip_prefix("allow-") {
            Some(name) => name.replace('-', "_"),
            None => panic!("{permission} names neither a command nor the plugin's default set"),
        },
    };
    let of = |permission: String| match permission.as_str() {
        "vestibule:default" => command_list!(names).map(of_the_plugin).to_vec(),
        _ => vec![command(permission)],
    };
    permissions.flat_map(of).collect()
}

fn of_the_plugin(command: &str) -> String {
    format!("plugin:vestibule|{command}")
}

/// What the shell answers to each of these commands, called without arguments.
async fn answers(app: &App, commands: &[String]) -> Vec<(String, String)> {
    let answers = app
        .run_async(
            "const answers = [];
             for (const command of argument) {
               answers.push([command, await window.__TAURI_INTERNALS__.invoke(command)
                 .then(() => 'granted', (error) => `refused: ${error?.message ?? error}`)]);
             }
             done(answers);",
            json!(commands),
        )
        .await;
    serde_json::from_value(answers).expect("an answer to each")
}

/// The windows of this app by their labels: the listed one, then the unlisted one.
async fn both(app: &App) -> [WindowHandle; 2] {
    let windows = until("two windows", async || {
        let windows = app.driver().windows().await;
        let windows = windows.map_err(|error| error.to_string())?;
        match windows.len() {
            2 => Ok(windows),
            count => Err(format!("there are {count}")),
        }
    })
    .await;
    let mut found = [None, None];
    for window in windows {
        turn_to(app, &window).await;
        let label = app
            .run("return window.__TAURI_INTERNALS__.metadata.currentWindow.label")
            .await;
        found[usize::from(label == LABEL)] = Some(window);
    }
    found.map(|window| window.expect("each label is there once"))
}

#[test]
fn a_window_that_no_capability_names_gets_nothing_and_hears_nothing() {
    scenario(async |stage| {
        let further = [("VESTIBULE_E2E_WINDOW", LABEL.to_owned())];
        let app = stage.start_with(&further).await;
        let [listed, unlisted] = both(&app).await;
        turn_to(&app, &listed).await;
        app.open("/auth/login/").await;
        enter(&app, DEMO).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;

        let commands = commands();
        assert!(
            commands.len() > 25,
            "the list of commands is complete: {commands:?}"
        );
        turn_to(&app, &unlisted).await;
        for (command, said) in answers(&app, &commands).await {
            let refused = said.starts_with("refused: ") && said.contains("not allowed");
            assert!(refused, "{command}: {said}");
        }
        // The control: the same page can call commands in a listed window.
        turn_to(&app, &listed).await;
        let declared = ["session", "app_info", "theme"].map(of_the_plugin);
        for (command, said) in answers(&app, &declared).await {
            assert_eq!(said, "granted", "{command}");
        }

        pick(&app, DEMO_NAME, "Sign out").await;
        app.arrives("/auth/login/").await;
        stage.backend.reached("POST", "/logout", 1).await;
        let record = app.record().await;
        let heard = record.pages().map(|page| page.events.len()).sum::<usize>();
        assert!(
            heard >= 2,
            "the listed window received a sign-in and a sign-out"
        );
        turn_to(&app, &unlisted).await;
        let record = app.record().await;
        for page in record.pages() {
            assert_eq!((&page.events, &page.pushed), (&vec![], &vec![]));
            assert!(!page.texts.iter().any(|text| text.contains(DEMO_NAME)));
        }
    });
}
