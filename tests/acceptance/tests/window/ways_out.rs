//! Leaving the window: only links that the adopter names open, in the system's browser.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use thirtyfour::By;
use vestibule_acceptance::{App, Role, scenario, until};

const KNOWN: &str = "https://help.example/start";

/// Installs a system browser that records what it is to open; returns its folder.
fn browser(home: &Path) -> PathBuf {
    let folder = home.join("browser");
    fs::create_dir(&folder).expect("a folder");
    let program = folder.join("xdg-open");
    fs::write(&program, "#!/bin/sh\necho \"$1\" >>\"$0.log\"\n").expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it can be run");
    folder
}

/// The addresses that the browser was to open.
fn opened(folder: &Path) -> Vec<String> {
    let log = fs::read_to_string(folder.join("xdg-open.log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

async fn click(app: &App, address: &str, target: &str) {
    app.run_async(
        "const { address, target } = argument;
         document.getElementById('way')?.remove();
         const link = document.createElement('a');
         Object.assign(link, { id: 'way', href: address, target, textContent: 'way out' });
         link.style.cssText = 'position: fixed; inset: 0; z-index: 9999; background: white';
         document.body.append(link);
         done(1);",
        json!({ "address": address, "target": target }),
    )
    .await;
    let link = app.driver().find(By::Id("way")).await.expect("the link");
    link.click().await.expect("it takes a click");
}

#[test]
fn only_a_known_link_leaves_the_app_and_it_opens_in_the_system_browser() {
    scenario(async |stage| {
        let folder = browser(stage.desktop.home());
        let path = std::env::var("PATH").expect("a path");
        let path = format!("{}:{path}", folder.display());
        let environment = [("VESTIBULE_LINK", KNOWN.to_owned()), ("PATH", path)];
        let app = stage.start_with(&environment).await;
        app.find(Role::Link, "Sign in").await;
        app.run("window.stay = true").await;
        for unknown in [
            "https://evil.example/",
            "https://help.example/start?told=secret",
            "https://help.example/start#secret",
            "http://help.example/start",
            "file:///etc/passwd",
            "mailto:someone@evil.example",
        ] {
            for target in ["", "_blank"] {
                click(&app, unknown, target).await;
            }
        }
        for (target, count) in [("", 1), ("_blank", 2)] {
            // At most one a second: until then a click does nothing.
            until("the link to open in the browser", async || {
                if opened(&folder).len() < count {
                    click(&app, KNOWN, target).await;
                }
                match opened(&folder).len() {
                    many if many >= count => Ok(()),
                    many => Err(format!("{many} so far")),
                }
            })
            .await;
        }
        let opened = opened(&folder);
        assert!(opened.iter().all(|url| url == KNOWN), "{opened:?}");
        assert_eq!(app.run("return window.stay").await, true, "the page stays");
        let windows = app.driver().windows().await.expect("windows");
        assert_eq!(windows.len(), 1, "no other window");
    });
}

#[test]
fn a_page_is_granted_nothing() {
    scenario(async |stage| {
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        let answers = app
            .run_async(
                "const place = new Promise((resolve) => navigator.geolocation.getCurrentPosition(
                   () => resolve('granted'),
                   ({ code, PERMISSION_DENIED }) => resolve(code === PERMISSION_DENIED ? 'denied' : code)));
                 done({ place: await place, notices: await Notification.requestPermission() });",
                json!({}),
            )
            .await;
        assert_eq!(answers, json!({ "place": "denied", "notices": "denied" }));
    });
}
