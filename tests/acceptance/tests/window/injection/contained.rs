//! In the app's window nothing runs, nobody hears, and the page stays.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use vestibule_acceptance::{App, DEMO, DEMO_NAME, Role, Stranger, containing, scenario};

use super::{ATTACKS, attack, names};
use crate::signed_in;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Another machine, as far as addresses go.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Nothing tells that nothing will come. In the browser without a policy the slowest attack
/// arrives within 0.2 s.
const QUIET: Duration = Duration::from_secs(2);

#[test]
fn nothing_that_is_injected_reaches_another_port() {
    comes_to_nothing(LOOPBACK, "127.0.0.1");
}

#[test]
fn nothing_that_is_injected_reaches_another_host() {
    comes_to_nothing(ELSEWHERE, "127.0.0.2");
}

/// By the only name that the policy lets a page speak to, for the sake of Windows.
#[test]
fn nothing_that_is_injected_reaches_the_shell_by_its_name_on_windows() {
    comes_to_nothing(LOOPBACK, "ipc.localhost");
}

fn comes_to_nothing(host: IpAddr, name: &str) {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        let mut strangers = Vec::new();
        app.run(ATTACKS).await;
        app.run("window.stay = true").await;
        let attacks = "[...running, ...reaching, ...idle]";
        let attacks = names(app.driver(), attacks).await;
        assert!(attacks.len() > 80, "all of them: {}", attacks.len());
        for which in attacks {
            let stranger = Stranger::at(host).await;
            let address = format!("http://{name}:{}", stranger.port());
            attack(app.driver(), &which, &address).await;
            assert!(stays(&app).await, "{which} leads the window away");
            strangers.push((which, stranger));
        }
        tokio::time::sleep(QUIET).await;
        assert!(stays(&app).await, "the window was led away");
        let ran = app.run("return attacks.ran()").await;
        assert_eq!(ran, serde_json::json!([]), "code ran");
        let heard: Vec<_> = strangers
            .iter()
            .map(|(which, stranger)| (which, stranger.heard()))
            .filter(|(_, heard)| *heard != (0, 0))
            .collect();
        assert!(heard.is_empty(), "heard (connections, bytes): {heard:?}");
        for (_, stranger) in &strangers {
            stranger.would_have_heard().await;
        }
        let windows = app.driver().windows().await.expect("windows");
        assert_eq!(windows.len(), 1, "no other window");

        // And the app is as it was.
        app.reload().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

async fn stays(app: &App) -> bool {
    app.run("return window.stay === true").await == true
}
