//! In a browser with the same engine and without a policy each attack succeeds and is recorded.

use thirtyfour::{WebDriver, WindowHandle};
use vestibule_acceptance::{Driver, Host, scenario, until, with_outside};

use super::{ATTACKS, attack, names};

/// The address of an empty page without any policy.
const PAGE: &str = "http://127.0.0.1/x.html";

#[test]
fn where_there_is_no_policy_every_attack_succeeds() {
    with_outside(|outside| {
        scenario(async |stage| {
            let mut driver = Driver::start(&stage.desktop, &stage.log(), &[]).await;
            let page = driver.open_browser().await.expect("a browser");
            let first = page.window().await.expect("a window");
            let mut number = 0;
            for kind in ["running", "asking", "speaking", "leading"] {
                open(&page).await;
                for name in names(&page, kind).await {
                    open(&page).await;
                    let host = Host::numbered(number);
                    number += 1;
                    attack(&page, &name, &[format!("http://{}", host.name())]).await;
                    until(&format!("{name} to succeed"), async || {
                        let came_true = match kind {
                            "running" => ran(&page, &name).await?,
                            "asking" => outside.was_asked_for(host),
                            _ => outside.was_asked_for(host) && outside.was_spoken_to(host),
                        };
                        match came_true {
                            true => Ok(()),
                            false => Err("nothing was sent, and no code ran".into()),
                        }
                    })
                    .await;
                    close_others(&page, &first).await;
                }
            }
            let _ = page.leak();
        });
    });
}

/// Whether its code ran, which may have left the page.
async fn ran(page: &WebDriver, name: &str) -> Result<bool, String> {
    let script = "return window.attacks ? attacks.ran().includes(arguments[0]) : true";
    let seen = page.execute(script, vec![name.into()]).await;
    Ok(seen.map_err(|error| error.to_string())?.json() == true)
}

async fn open(page: &WebDriver) {
    page.goto(PAGE).await.expect("the page loads");
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
