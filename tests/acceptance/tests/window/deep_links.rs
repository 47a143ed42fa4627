//! Links of the app's scheme: at a cold start, at a running app, several at once, hostile ones, pasted.

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStringExt as _;
use std::process::Stdio;
use std::thread;

use vestibule_acceptance::{
    App, DEMO, DEMO_NAME, OtherServer, Role, Stage, app as program, containing, scenario, until,
};

use crate::signed_in;

const SCHEME: &str = "dev.vestibule.desktop";
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const UNKNOWN: &str = "This link is not one that Vestibule knows.";
const OVER: &str = "That sign-in is not open any more. Start again.";

fn join(address: &str) -> String {
    format!("{SCHEME}:/join?workspace={address}")
}

/// Opens links as the desktop does: by another launch of the app, which ends.
pub fn open<L: AsRef<OsStr>>(stage: &Stage, links: &[L]) {
    let mut launch = stage.desktop.command(program());
    launch
        .args(links)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let ended = launch.status().expect("the app starts");
    assert!(ended.success(), "a second launch ends: {ended}");
}

/// Opens each link by a launch of its own, all at the same time.
fn open_at_once(stage: &Stage, links: &[String]) {
    thread::scope(|threads| {
        for link in links {
            threads.spawn(move || open(stage, std::slice::from_ref(link)));
        }
    });
}

/// Waits for the screen that a link has opened, and for the address in it.
async fn asks_about(app: &App, address: &str) {
    app.find(Role::Heading, "Another server").await;
    assert_eq!(app.value("Server address").await, address);
    app.reads("A link has filled in its address.").await;
}

#[test]
fn a_link_opens_the_screen_and_contacts_nobody_before_the_click() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        let other = OtherServer::at(LOOPBACK).await;
        let address = format!("http://127.0.0.1:{}", other.port());
        open(stage, &[join(&address)]);
        asks_about(&app, &address).await;
        assert_eq!(other.heard(), (0, 0), "nobody was contacted");
        app.click(Role::Button, "Look").await;
        stage.keyboard().focus("Contact 127.0.0.1:.*").await;
        assert_eq!(other.heard(), (0, 0), "the person was asked first");
        stage.keyboard().accept("Contact 127.0.0.1:.*").await;
        app.find(Role::Heading, "Is this your server?").await;
        assert!(other.heard().0 > 0, "the control: the look is heard");
    });
}

#[test]
fn what_somebody_was_typing_is_there_after_a_link() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/register/").await;
        app.fill("E-mail", "ada@vestibule.test").await;
        open(stage, &[join("https://cloud.example")]);
        asks_about(&app, "https://cloud.example").await;
        app.click(Role::Button, "Cancel").await;
        app.gone(Role::Heading, "Another server").await;
        assert_eq!(app.value("E-mail").await, "ada@vestibule.test");
        app.arrives("/auth/register/").await;
    });
}

#[test]
fn links_at_once_are_shown_one_after_the_other() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        open(
            stage,
            &[join("https://one.example"), join("https://two.example")],
        );
        open(stage, &[join("https://three.example")]);
        for host in ["one", "two", "three"] {
            asks_about(&app, &format!("https://{host}.example")).await;
            app.click(Role::Button, "Cancel").await;
        }
        app.gone(Role::Heading, "Another server").await;
    });
}

#[test]
fn launches_at_once_hand_over_a_link_each() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        let hosts = ["one", "two", "three", "four"].map(|name| format!("https://{name}.example"));
        open_at_once(stage, &hosts.clone().map(|host| join(&host)));
        let mut shown = Vec::new();
        for _ in &hosts {
            let next = until("the next link", async || {
                let address = app.value("Server address").await;
                match shown.contains(&address) {
                    true => Err(address),
                    false => Ok(address),
                }
            });
            shown.push(next.await);
            app.click(Role::Button, "Cancel").await;
        }
        shown.sort();
        let mut all = hosts.to_vec();
        all.sort();
        assert_eq!(shown, all);
        app.gone(Role::Heading, "Another server").await;
    });
}

#[test]
fn a_cold_start_shows_what_its_link_asks() {
    scenario(async |stage| {
        let link = join("https%3A%2F%2Fcloud.example%2Flogin");
        let app = stage.start_by(&[&link]).await;
        asks_about(&app, "https://cloud.example").await;
        app.click(Role::Button, "Cancel").await;
        app.gone(Role::Heading, "Another server").await;
        app.reload().await;
        app.find(Role::Link, "Sign in").await;
        assert!(
            !app.shows(Role::Heading, "Another server").await,
            "a link is shown once"
        );
    });
}

#[test]
fn a_redirect_that_nobody_waits_for_says_so() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        open(
            stage,
            &[format!("{SCHEME}:/callback?code=hunter22&state=s")],
        );
        app.reads(OVER).await;
        app.arrives("/auth/login/").await;
        let log = std::fs::read_to_string(stage.log()).expect("a log");
        assert!(log.contains("a sign-in that is not open any more"), "{log}");
        assert!(
            !log.contains("hunter22"),
            "what the link held is in the log"
        );
    });
}

#[test]
fn hostile_links_leave_the_page_and_the_log_as_they_are() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        let windows = app.driver().windows().await.expect("windows").len();
        let link = |behind: &str| OsString::from(format!("{SCHEME}:{behind}"));
        let hostile = [
            link("/account/?hunter22"),
            link("/admin"),
            link("//ada:hunter22@callback"),
            link("/plugin:vestibule|logout?hunter22"),
            link("/callback/../account?hunter22"),
            link("/%63allback?hunter22"),
            link("javascript:location='/account/?hunter22'"),
            link("/join?workspace=javascript:alert('hunter22')"),
            link("/join?workspace=https://ada:hunter22@cloud.example"),
            link(&format!("/callback?code={}", "hunter22".repeat(4096))),
            OsString::from_vec([SCHEME.as_bytes(), b":/\xffhunter22"].concat()),
        ];
        for link in &hostile {
            open(stage, &[link]);
        }
        app.reads(UNKNOWN).await;
        open(stage, &[join("https://cloud.example")]);
        asks_about(&app, "https://cloud.example").await;
        app.click(Role::Button, "Cancel").await;
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        let now = app.driver().windows().await.expect("windows").len();
        assert_eq!(now, windows, "no window was opened");
        let log = std::fs::read_to_string(stage.log()).expect("a log");
        let refused = log.matches("a link is not one of this app").count();
        assert_eq!(refused, hostile.len(), "each has its line");
        assert!(!log.contains("hunter22"), "what a link held is in the log");
    });
}

#[test]
fn a_pasted_link_is_opened_where_an_address_is_asked_for() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        let other = OtherServer::at(LOOPBACK).await;
        let address = format!("http://127.0.0.1:{}", other.port());
        app.open("/accounts/add/").await;
        app.click(Role::Button, containing("Another server")).await;
        app.fill("Server address", "javascript:/alert(1)").await;
        app.click(Role::Button, "Look").await;
        app.says(UNKNOWN).await;
        app.fill("Server address", &join(&address)).await;
        app.click(Role::Button, "Look").await;
        app.reads("A link has filled in its address.").await;
        assert_eq!(app.value("Server address").await, address);
        assert_eq!(other.heard(), (0, 0), "nobody was contacted");
        other.would_have_heard().await;
    });
}
