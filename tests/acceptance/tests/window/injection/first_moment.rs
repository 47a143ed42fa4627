//! The engine is locked before the first page, in every window: a script that runs before all
//! scripts of the page already finds no network.

use std::fs;

use vestibule_acceptance::{
    DEMO, DEMO_NAME, Host, Role, containing, scenario, until, with_outside,
};

use crate::windows::{another, turn_to};
use crate::{enter, pick};

/// At the document's start, records what the engine claims to support, and looks up names from then
/// on.
const SCRIPT: &str = r#"
  const link = (href) => {
    const link = document.createElement("link");
    link.rel = "dns-prefetch";
    link.href = href;
    return link;
  };
  window.couldAsk = link("").relList.supports("dns-prefetch");
  window.asked = 0;
  const ask = () => {
    const name = `typed${Math.round(performance.now())}.HOST`;
    document.documentElement?.append(link(`https://${name}/`));
    window.asked += 1;
  };
  ask();
  setInterval(ask, 100);
"#;

#[test]
fn no_window_looks_a_name_up_from_its_first_moment_on() {
    with_outside(|outside| {
        scenario(async |stage| {
            let host = Host::numbered(0);
            let script = stage.desktop.home().join("asking.js");
            fs::write(&script, SCRIPT.replace("HOST", &host.name())).expect("a script");
            let script = ("VESTIBULE_E2E_SCRIPT", script.display().to_string());
            let app = stage.start_with(&[script]).await;
            app.open("/auth/login/").await;
            enter(&app, DEMO).await;
            app.find(Role::Button, containing(DEMO_NAME)).await;
            let first = app.driver().window().await.expect("a window");
            pick(&app, DEMO_NAME, "New window").await;
            let second = another(&app, std::slice::from_ref(&first)).await;
            for window in [second, first] {
                turn_to(&app, &window).await;
                // WebKit looks up nothing in the first second after it starts.
                until(
                    "the page to have made lookups for two seconds",
                    async || {
                        let asked = app.run("return window.asked").await;
                        match asked.as_u64() > Some(20) {
                            true => Ok(()),
                            false => Err(format!("asked {asked} times")),
                        }
                    },
                )
                .await;
                assert_eq!(outside.lookups(), [""; 0]);
                let could_ask = app.run("return window.couldAsk").await;
                assert_eq!(could_ask, false, "the engine claims to support lookups");
            }
            assert_eq!(outside.packets(), []);
        });
    });
}
