//! What a person does and sees in a window.

use serde_json::Value;
use thirtyfour::{Key, WebDriver, WebElement};
use url::Url;

use crate::app::App;
use crate::element::{Name, Role, find};
use crate::record::Record;
use crate::wait::until;

/// The origin of the app's own pages on Linux.
const ORIGIN: &str = "tauri://localhost";

impl App {
    /// Loads a page of the app by its address.
    pub async fn open(&self, path: &str) {
        let loaded = self.driver().goto(format!("{ORIGIN}{path}")).await;
        loaded.unwrap_or_else(|error| panic!("{path} does not load: {error}"));
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        let loaded = self.driver().refresh().await;
        loaded.unwrap_or_else(|error| panic!("the page does not load again: {error}"));
    }

    /// Waits for a visible element with this role and name.
    pub async fn find(&self, role: Role, name: impl Into<Name>) -> WebElement {
        let name = name.into();
        until(&format!("the {role:?} {name}"), async || {
            find(self.driver(), role, &name).await
        })
        .await
    }

    /// Whether a visible element has this role and name now.
    pub async fn shows(&self, role: Role, name: impl Into<Name>) -> bool {
        find(self.driver(), role, &name.into()).await.is_ok()
    }

    /// Waits until no visible element has this role and name.
    pub async fn gone(&self, role: Role, name: impl Into<Name>) {
        let name = name.into();
        until(
            &format!("the {role:?} {name} to go"),
            async || match find(self.driver(), role, &name).await {
                Ok(_) => Err("the element is still there".into()),
                Err(_) => Ok(()),
            },
        )
        .await;
    }

    /// Clicks the element once it is there and accepts clicks.
    pub async fn click(&self, role: Role, name: impl Into<Name>) {
        let name = name.into();
        until(&format!("a click on the {role:?} {name}"), async || {
            let element = find(self.driver(), role, &name).await?;
            if !element.is_enabled().await.unwrap_or(false) {
                return Err("the element accepts no clicks".into());
            }
            element.click().await.map_err(|error| error.to_string())
        })
        .await;
    }

    /// Types into the field with this label and replaces its text.
    pub async fn fill(&self, label: &str, text: &str) {
        let name = Name::from(label);
        let field = until(&format!("the field {label:?} to type into"), async || {
            let field = find(self.driver(), Role::Field, &name).await?;
            let emptied = async {
                field.click().await?;
                field.send_keys(Key::Control + "a").await?;
                field.send_keys(Key::Backspace + "").await
            };
            emptied.await.map_err(|error| error.to_string())?;
            Ok(field)
        })
        .await;
        // Typed only once: the last digit of a code sends it.
        let typed = field.send_keys(text).await;
        typed.unwrap_or_else(|error| panic!("the field {label:?} takes no text: {error}"));
    }

    /// The text of the field with this label.
    pub async fn value(&self, label: &str) -> String {
        let field = self.find(Role::Field, label).await;
        field.prop("value").await.ok().flatten().unwrap_or_default()
    }

    /// Waits until the page shows this text anywhere.
    pub async fn reads(&self, text: &str) {
        until(&format!("the text {text:?}"), async || {
            let page = self.text().await;
            if page.contains(text) {
                Ok(())
            } else {
                Err(format!("the page reads {page:?}"))
            }
        })
        .await;
    }

    /// Waits until an alert or a status message contains this text.
    pub async fn says(&self, text: &str) {
        until(&format!("a message {text:?}"), async || {
            let said = self.messages().await;
            if said.iter().any(|message| message.contains(text)) {
                Ok(())
            } else {
                Err(format!("the messages are {said:?}"))
            }
        })
        .await;
    }

    /// Everything that a screen reader announces: alerts, status messages, toasts.
    pub async fn messages(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll(
            '[role=alert], [role=status], [aria-live=polite], [aria-live=assertive]'
        )].map((element) => element.innerText).filter((text) => text.trim());";
        serde_json::from_value(self.run(script).await).unwrap_or_default()
    }

    /// The rendered text of the page.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The window's address, without the origin.
    pub async fn address(&self) -> String {
        let url = self.driver().current_url().await.expect("an address");
        let query = url.query().map(|query| format!("?{query}"));
        format!("{}{}", url.path(), query.unwrap_or_default())
    }

    /// Waits until the window is at this path, whatever its query. Returns the query's parameter
    /// `next`.
    pub async fn arrives(&self, path: &str) -> Option<String> {
        until(&format!("the address {path}"), async || {
            let url = self.driver().current_url().await;
            let url: Url = url.map_err(|error| error.to_string())?;
            if url.path() != path {
                return Err(format!("the window is at {url}"));
            }
            let mut query = url.query_pairs();
            let next = query.find(|(key, _)| key == "next");
            Ok(next.map(|(_, value)| value.into_owned()))
        })
        .await
    }

    /// Runs the body of a script in the page and returns its result.
    pub async fn run(&self, script: &str) -> Value {
        run(self.driver(), script).await
    }

    /// The same for a script that calls `done(value)` later; it may use `argument`.
    pub async fn run_async(&self, script: &str, argument: Value) -> Value {
        run_async(self.driver(), script, argument).await
    }

    /// The text of the first frame that showed the app itself.
    ///
    /// # Panics
    /// If an earlier frame was not neutral. A window is shown after 1.5 s at the latest, so on a
    /// busy machine an empty page, or the text that the app is opening, may be drawn before.
    pub async fn first_paint(&self) -> String {
        let mut frames = until("a first frame of the app", async || {
            let frames = self.record().await.latest().frames.clone();
            match frames.last() {
                Some(frame) if frame.whole => Ok(frames),
                _ => Err(format!("so far {frames:?}")),
            }
        })
        .await;
        let whole = frames.pop().map(|frame| frame.text);
        for frame in frames {
            let neutral = frame.text.is_empty() || frame.text.starts_with("Opening ");
            assert!(neutral, "drawn before the session was known: {frame:?}");
        }
        whole.unwrap_or_default()
    }

    /// What the recorder has collected in this window.
    pub async fn record(&self) -> Record {
        let record = self.run("return window.vestibuleRecord").await;
        serde_json::from_value(record).expect("the recorder runs in every page")
    }
}

/// Runs the body of a script in any page.
pub(crate) async fn run(page: &WebDriver, script: &str) -> Value {
    let returned = page.execute(script, Vec::new()).await;
    let returned = returned.unwrap_or_else(|error| panic!("the script {script:?} fails: {error}"));
    returned.json().clone()
}

/// Runs the body of a script in any page. It calls `done(value)` with its result, and may use
/// `argument`.
///
/// # Panics
/// If the page does not answer.
pub async fn run_async(page: &WebDriver, script: &str, argument: Value) -> Value {
    let script = format!(
        "const done = arguments[arguments.length - 1]; const argument = arguments[0];
         (async () => {{ {script} }})().catch((error) => done(`failed: ${{error}}`));"
    );
    let returned = page.execute_async(&*script, vec![argument]).await;
    let returned = returned.unwrap_or_else(|error| panic!("the script {script:?} fails: {error}"));
    returned.json().clone()
}
