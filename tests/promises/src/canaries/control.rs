//! The control: shows that the search finds what is there. A text of the length of a mark is put
//! into the page's memory in every look, into a storage, into a message in each direction and into
//! a file, and must be found in each place. Without that, finding no token would mean nothing.

use std::collections::BTreeSet;

use serde_json::json;
use vestibule_acceptance::{App, Role, Stage, until};
use vestibule_backend::{Effect, Fault};
use vestibule_harness::Lost;

use super::search::{Look, Search, looks};
use super::watch::{in_files, in_messages, in_webview};

/// Puts `planted` everywhere and searches for it. The app cannot be used for a search afterwards.
pub async fn finds(stage: &Stage, app: &App, planted: &str) -> Result<(), Lost> {
    let search = Search::of(&[planted]);
    let (before, _) = in_webview(stage, &search)?;
    if let Some((_, place)) = before.first() {
        return Err(format!("found before it was there: {place}"));
    }
    page(stage, app, planted, &search).await?;
    storage(stage, app, planted, &search).await;
    messages(stage, app, planted, &search).await;
    file(stage, planted, &search)
}

/// Plants it in the page's memory, in every look.
async fn page(stage: &Stage, app: &App, planted: &str, search: &Search) -> Result<(), Lost> {
    app.run_async(PLANT, json!(planted)).await;
    let (seen, _) = in_webview(stage, search)?;
    let seen = seen
        .iter()
        .filter(|(_, place)| place.contains("WebKitWebProcess"));
    let seen: BTreeSet<Look> = seen.map(|(sighting, _)| sighting.hit.look).collect();
    let missing: Vec<_> = looks().filter(|look| !seen.contains(look)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("planted in a page, but not found as {missing:?}")),
    }
}

/// Plants it in a storage, which the network process keeps in its memory and in a file.
async fn storage(stage: &Stage, app: &App, planted: &str, search: &Search) {
    app.run_async(
        "localStorage.setItem('planted', argument); done(true);",
        json!(planted),
    )
    .await;
    until(
        "what a storage holds, in the network process and in a file",
        async || {
            let (seen, _) = in_webview(stage, search)?;
            let network = seen
                .iter()
                .any(|(_, place)| place.contains("WebKitNetworkProcess"));
            let files = in_files(stage, search);
            match network && !files.is_empty() {
                true => Ok(()),
                false => Err(format!("in the network process: {network}, in {files:?}")),
            }
        },
    )
    .await;
}

/// Plants it in a command, in the answer to it and in the headers of that answer.
async fn messages(stage: &Stage, app: &App, planted: &str, search: &Search) {
    let told = Effect::Status {
        status: 200,
        code: None,
        message: None,
        body: Some(json!([{ "slug": planted }])),
        headers: [("x-told".to_owned(), planted.to_owned())].into(),
    };
    let fault = stage.backend.faults().add(Fault::on("GET", "/plans", told));
    app.run_async(
        "const request = { path: `/plans?${argument}`, method: 'GET', headers: [], body: null };
         await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|backend_fetch', { exchange: 1, request });
         done(true);",
        json!(planted),
    )
    .await;
    stage.backend.faults().remove(fault);
    until("what was said, in the messages", async || {
        let seen = in_messages(app, search).await;
        let of = |what: &str| seen.iter().any(|place| place.ends_with(what));
        match of("what backend_fetch was given") && of("the answer to backend_fetch") {
            true => Ok(()),
            false => Err(format!("only in {seen:?}")),
        }
    })
    .await;
    app.open("/payment/").await;
    app.find(Role::Link, "Choose Team").await;
}

fn file(stage: &Stage, planted: &str, search: &Search) -> Result<(), Lost> {
    let file = stage.desktop.home().join("data/planted");
    std::fs::write(&file, format!("x{planted}y")).map_err(|error| error.to_string())?;
    let seen = in_files(stage, search);
    let name = file.display().to_string();
    match seen.iter().any(|place| place.ends_with(&name)) {
        true => Ok(()),
        false => Err(format!("planted in {name}, found only in {seen:?}")),
    }
}

/// Plants every look that the search knows, each as a text of its own. The engine puts off writing
/// out a concatenated text until one of its characters is read, so the script reads one.
const PLANT: &str = "
  const bytes = [...argument].map((character) => character.charCodeAt(0));
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
  const texts = [
    argument,
    btoa(argument),
    hex.map((digits) => `%${digits}`).join(''),
    hex.join(''),
    bytes.join(', '),
  ];
  window.planted = texts.flatMap((text) => [`<${text}>`, `<${text}>\\u2603`]);
  for (const text of window.planted) text.charCodeAt(text.length - 1);
  done(window.planted.length);
";
