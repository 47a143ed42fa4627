//! How many messages page and shell exchange for a sign-in and for a refresh. The present numbers
//! are asserted, so that a change is noticed. Runs where the app has been built.

use serde_json::Value;
use vestibule_acceptance::{Stage, until};
use vestibule_backend::Config;
use vestibule_bench::instruments::messages::Messages;
use vestibule_bench::registry::runtime;
use vestibule_bench::rows::click;

/// Commands, and the number of session changes that are sent to the page.
const SIGN_IN: (&[&str], usize) = (&["login"], 1);
const REFRESH: (&[&str], usize) = (&["refresh"], 1);

fn messages((commands, changes): (&[&str], usize)) -> Messages {
    Messages {
        commands: commands.iter().map(|name| (*name).to_owned()).collect(),
        changes,
    }
}

#[test]
fn a_sign_in_takes_so_many_messages() {
    runtime().block_on(async {
        let stage = Stage::new("bench-messages-sign-in", Config::default()).await;
        assert_eq!(click::messages(&stage).await, messages(SIGN_IN));
    });
}

#[test]
fn a_refresh_takes_so_many_messages_and_one_more_is_heard() {
    runtime().block_on(async {
        let stage = Stage::new("bench-messages-refresh", Config::default()).await;
        let _ = click::messages(&stage).await;
        let app = stage.start().await;
        app.reads("Welcome back").await;
        let invoke = async |command: &str| {
            let script = "done(await window.__TAURI_INTERNALS__.invoke(argument))";
            app.run_async(script, Value::from(command)).await
        };
        // What a page asks for at its start has been answered.
        until("the page to have begun", async || {
            let said = Messages::so_far(&app).await;
            let begun = |name: &str| said.commands.iter().any(|command| command == name);
            match ["session", "app_info", "window_ready"]
                .into_iter()
                .all(begun)
            {
                true => Ok(()),
                false => Err(format!("{said:?}")),
            }
        })
        .await;
        // A page may cause a refresh only once in five seconds, and its session was refreshed just
        // now.
        let refreshes = || stage.backend.requests("POST", "/refresh-token");
        let sent = refreshes();
        let before = until("a refresh to go out", async || {
            let said = Messages::so_far(&app).await;
            assert_eq!(invoke("plugin:vestibule|refresh").await, Value::Null);
            match refreshes() > sent {
                true => Ok(said),
                false => Err("none does".to_owned()),
            }
        })
        .await;
        let refreshed = Messages::so_far(&app).await;
        assert_eq!(refreshed.since(&before), messages(REFRESH));
        // The control: another command is counted.
        invoke("plugin:vestibule|session").await;
        let heard = Messages::so_far(&app).await.since(&refreshed);
        assert_eq!(heard, messages((&["session"], 0)));
    });
}
