//! No token is in the window (storages, cookies, answers, events) or in the app's files.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;
use thirtyfour::Cookie;
use vestibule_acceptance::tokens::{Reach, Tokens, files_holding, plant};
use vestibule_acceptance::{
    DEMO, DEMO_NAME, Driver, OtherServer, Role, scenario, scenario_of_one_account,
};
use vestibule_backend::{Effect, Fault};

use crate::{pick, signed_in};

#[test]
fn no_token_reaches_the_window_or_a_file() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.open("/payment/?plan=team").await;
        app.click(Role::Button, "Buy Team").await;
        app.find(Role::Heading, "Team is yours").await;
        // A refused access token, a rotation and a call that is sent again.
        stage.backend.expire_access_tokens();
        app.open("/account/").await;
        app.reads("This session").await;
        stage.backend.reached("POST", "/refresh-token", 1).await;
        app.find(Role::Button, "Sign out everywhere").await;
        let signed_in = Reach::of(&app).await;
        pick(&app, DEMO_NAME, "Sign out").await;
        stage.backend.reached("POST", "/logout", 1).await;
        app.arrives("/auth/login/").await;
        let signed_out = Reach::of(&app).await;

        let record = app.record().await;
        for command in ["session", "login", "backend_fetch", "logout"] {
            let answers = record.answers(command).count();
            assert!(answers > 0, "the answer to {command} was recorded");
        }
        let events: usize = record.pages().map(|page| page.events.len()).sum();
        assert!(events >= 2, "changes of the session were recorded");

        let tokens = Tokens::shown_to(&stage.backend);
        assert!(tokens.access.len() >= 2, "two access tokens were in use");
        assert!(tokens.refresh.len() >= 2, "so were two refresh tokens");
        for token in tokens.all() {
            for reach in [&signed_in, &signed_out] {
                assert_eq!(reach.holding(token), [""; 0], "a token is in the window");
            }
            let files = files_holding(stage.desktop.home(), token);
            assert_eq!(files, [""; 0], "a token is in a file");
        }
    });
}

/// The control: the search finds a token that is there.
#[test]
fn a_planted_token_is_found_in_every_place() {
    const PLANTED: &str = "planted-token-0123456789abcdef";
    scenario_of_one_account(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        assert_eq!(Reach::of(&app).await.holding(PLANTED), [""; 0]);
        // A backend whose public list of plans contains a token.
        let told = Effect::Status {
            status: 200,
            code: None,
            message: None,
            body: Some(json!([{ "slug": PLANTED }])),
            headers: [("x-told".to_owned(), PLANTED.to_owned())].into(),
        };
        stage.backend.faults().add(Fault::on("GET", "/plans", told));
        app.open("/payment/").await;
        stage.backend.reached("GET", "/plans", 1).await;
        plant(&app, PLANTED).await;
        vestibule_acceptance::until("the planted token in every place", async || {
            let reach = Reach::of(&app).await;
            let found = reach.holding(PLANTED);
            let wanted = [
                "IndexedDB",
                "a command's answer",
                "localStorage",
                "sessionStorage",
            ];
            let missing: Vec<_> = wanted.iter().filter(|it| !found.contains(it)).collect();
            match missing.is_empty() {
                true => Ok(()),
                false => Err(format!("not found in {missing:?}")),
            }
        })
        .await;
        let file = stage.desktop.home().join("data/planted");
        std::fs::write(&file, format!("x{PLANTED}y")).expect("a file");
        let found = files_holding(stage.desktop.home(), PLANTED);
        assert!(
            found.contains(&file.display().to_string()),
            "only in {found:?}"
        );
    });
}

/// A page of the app cannot store a cookie, so this is shown in a browser with the same engine: the
/// driver also sees cookies that scripts do not see.
#[test]
fn a_planted_cookie_is_found_with_and_without_a_script() {
    scenario_of_one_account(async |stage| {
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        plant(&app, "no-cookie-0123456789").await;
        let reach = Reach::of(&app).await;
        let cookies = reach.holding("no-cookie-0123456789");
        let cookies: Vec<_> = cookies.iter().filter(|it| it.contains("cookie")).collect();
        assert!(cookies.is_empty(), "{cookies:?}");
        app.kill();

        let server = OtherServer::at(IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
        let mut driver = Driver::start(&stage.desktop, &stage.log(), &[]).await;
        let page = driver.open_browser().await.expect("a browser");
        let url = format!("http://127.0.0.1:{}/x.html", server.port());
        page.goto(&url).await.expect("the page loads");
        const SEEN: &str = "seen-cookie-0123456789";
        const UNSEEN: &str = "unseen-cookie-0123456789";
        let reach = Reach::of_page(&page).await;
        for planted in [SEEN, UNSEEN] {
            assert_eq!(reach.holding(planted), [""; 0]);
        }
        let set = format!("document.cookie = 'seen={SEEN}'");
        page.execute(&*set, Vec::new()).await.expect("a cookie");
        let mut hidden = Cookie::new("hidden", UNSEEN);
        hidden.set_path("/");
        hidden.set_http_only(true);
        page.add_cookie(hidden).await.expect("a cookie");
        let reach = Reach::of_page(&page).await;
        assert_eq!(reach.holding(SEEN), ["cookies", "cookies by WebDriver"]);
        assert_eq!(reach.holding(UNSEEN), ["cookies by WebDriver"]);
        let _ = page.leak();
    });
}
