//! The time from the click on "Sign in" to the dashboard, in the page, with the real keyring; as
//! its floor, the same request to the same backend by bare reqwest and one write to the keyring.

use std::time::Instant;

use serde_json::{Value, json};
use vestibule_acceptance::{DEMO, PASSWORD, Role, Stage};
use vestibule_backend::Config;

use crate::bare::Bare;
use crate::floors::ItemInKeyring;
use crate::in_page::InPage;
use crate::instruments::messages::Messages;
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

const ROUNDS: usize = 30;
/// How many milliseconds more than the floor it may take.
const MOST_OVER: f64 = 30.0;

/// A script that ends in the layout of the first frame with the dashboard's heading.
const CLICK: &str = "
    const begun = performance.now();
    const look = () => {
      const heading = document.querySelector('h1')?.textContent ?? '';
      if (location.pathname !== '/dashboard/' || !heading.startsWith('Good ')) return;
      watch.disconnect();
      document.body.getBoundingClientRect();
      done(performance.now() - begun);
    };
    const watch = new MutationObserver(look);
    watch.observe(document, { subtree: true, childList: true, characterData: true });
    document.querySelector('button[type=submit]').click();
";

/// Measures it, with sign-outs in between.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let stage = Stage::new("bench-click", Config::default()).await;
    let page = InPage::start(&stage, "", &[]).await?;
    let item = tokio::task::spawn_blocking(ItemInKeyring::connect);
    let item = std::sync::Arc::new(item.await.map_err(|error| error.to_string())??);
    let (mut clicks, mut requests, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    let mut bare = Bare::new(&stage.backend.url())?;
    for round in setting.rounds_of_seconds(ROUNDS) {
        let click = click(&page).await?;
        page.invoke("plugin:vestibule|logout", json!({})).await?;
        let begun = Instant::now();
        bare.sign_in().await?;
        let request = begun.elapsed().as_secs_f64() * 1e3;
        let held = std::sync::Arc::clone(&item);
        let write = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            held.write().map(|()| begun.elapsed().as_secs_f64() * 1e3)
        });
        let write = write.await.map_err(|error| error.to_string())??;
        if round > 0 {
            clicks.push(click);
            requests.push(request);
            writes.push(write);
        }
        setting.progress("sign-ins by a click", round, ROUNDS);
    }
    drop(page);
    let said = messages(&stage).await;
    let figure = "click on \"Sign in\" to the dashboard";
    let row = Row::new("click", figure, Unit::Ms)
        .this("until it is in the document", clicks)
        .floor("the backend, by bare reqwest", requests)
        .floor("one keyring write", writes)
        .in_turns()
        .count("commands", said.commands.len() as f64)
        .count("session changes sent to the page", said.changes as f64)
        .target(Target::OverFloor(MOST_OVER));
    Ok(vec![row])
}

/// The messages between page and shell in such a sign-in, counted in another one with the recorder.
pub async fn messages(stage: &Stage) -> Messages {
    let app = stage.start_at("/auth/login/").await;
    app.fill("E-mail", DEMO).await;
    app.fill("Password", PASSWORD).await;
    let before = Messages::so_far(&app).await;
    app.click(Role::Button, "Sign in").await;
    app.reads("Your session").await;
    Messages::so_far(&app).await.since(&before)
}

/// Signs the demo account in by the form; the milliseconds from the click to the dashboard.
///
/// # Errors
/// If the dashboard does not appear.
pub async fn click(page: &InPage) -> Outcome<f64> {
    let app = &page.app;
    app.open("/auth/login/").await;
    app.fill("E-mail", DEMO).await;
    app.fill("Password", PASSWORD).await;
    app.find(Role::Button, "Sign in").await;
    match app.run_async(CLICK, Value::Null).await {
        Value::Number(took) => took.as_f64().ok_or_else(|| format!("{took} is no time")),
        other => Err(format!("the dashboard did not appear: {other}")),
    }
}
