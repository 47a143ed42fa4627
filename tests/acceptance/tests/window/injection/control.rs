//! In a browser of the same engine, without a policy, each attack succeeds.

use std::net::{IpAddr, Ipv4Addr};

use thirtyfour::{WebDriver, WindowHandle};
use vestibule_acceptance::{Driver, Stranger, scenario, until};

use super::{ATTACKS, attack, names};

#[test]
fn where_there_is_no_policy_every_attack_succeeds() {
    scenario(async |stage| {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        // Serves an empty page, with nothing that would forbid anything.
        let server = Stranger::at(host).await;
        let url = format!("http://127.0.0.1:{}/x.html", server.port());
        let mut driver = Driver::start(&stage.desktop, &stage.log(), &[]).await;
        let page = driver.open_browser().await.expect("a browser");
        let first = page.window().await.expect("a window");
        open(&page, &url).await;
        for name in names(&page, "[...running, ...reaching]").await {
            open(&page, &url).await;
            let stranger = Stranger::at(host).await;
            attack(
                &page,
                &name,
                &format!("http://127.0.0.1:{}", stranger.port()),
            )
            .await;
            until(&format!("{name} to succeed"), async || {
                if stranger.heard().0 > 0 {
                    return Ok(());
                }
                let script = "return window.attacks ? attacks.ran().includes(arguments[0]) : true";
                let seen = page.execute(script, vec![name.clone().into()]).await;
                match seen.map_err(|error| error.to_string())?.json() == true {
                    true => Ok(()),
                    false => Err("nobody heard, nothing ran, the page is where it was".into()),
                }
            })
            .await;
            close_others(&page, &first).await;
        }
        let _ = page.leak();
    });
}

async fn open(page: &WebDriver, url: &str) {
    page.goto(url).await.expect("the page loads");
    page.execute(ATTACKS, Vec::new())
        .await
        .expect("the attacks load");
}

async fn close_others(page: &WebDriver, first: &WindowHandle) {
    for window in page.windows().await.expect("windows") {
        if window != *first {
            page.switch_to_window(window).await.expect("a window");
            page.close_window().await.expect("it closes");
        }
    }
    page.switch_to_window(first.clone())
        .await
        .expect("the first window");
}
