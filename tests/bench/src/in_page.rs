//! The app built for WebDriver, signed in, with measuring code in its page. The recorder of the
//! tests does not run there: it would process every message and be part of every figure.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_acceptance::{App, DEMO, DEMO_NAME, PASSWORD, Role, Stage, bundle, containing};

use crate::registry::Outcome;

/// A script that runs before a page's own scripts.
pub const HEADER: &str = include_str!("page/header.js");
const NO_SCRIPT: &str = "";
const MODULE: &str = "tests/bench/src/page/measure.ts";
/// The time limit of a script in the page. WebDriver's own limit is 30 s, and a measurement takes
/// longer.
const CALL: Duration = Duration::from_secs(55);

/// A page of the running app.
pub struct InPage {
    /// The app.
    pub app: App,
}

impl InPage {
    /// Starts the app with additional environment variables, and signs the demo account in.
    ///
    /// # Errors
    /// If the sign-in fails, or the page does not accept the measuring code.
    pub async fn signed_in(stage: &Stage, variables: &[(&'static str, String)]) -> Outcome<Self> {
        let page = Self::start(stage, NO_SCRIPT, variables).await?;
        page.sign_in().await?;
        // A page that shows whose session it is.
        page.app.open("/payment/?plan=team").await;
        page.app.find(Role::Button, "Buy Team").await;
        page.put(MODULE).await?;
        let read = page.value("ready", json!([])).await?;
        match read == DEMO {
            true => Ok(page),
            false => Err(format!("the page shows {read} as the session's user")),
        }
    }

    /// Starts the app with a script that runs before each page's own scripts.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(
        stage: &Stage,
        script: &str,
        variables: &[(&'static str, String)],
    ) -> Outcome<Self> {
        let file = stage.desktop.home().join("bench.js");
        write(&file, script)?;
        let mut given = vec![("VESTIBULE_E2E_SCRIPT", file.display().to_string())];
        given.extend_from_slice(variables);
        let app = stage.start_with(&given).await;
        let limit = app.driver().set_script_timeout(CALL).await;
        limit.map_err(|error| error.to_string())?;
        Ok(Self { app })
    }

    /// Signs the demo account in by the command, and waits until the header shows it.
    ///
    /// # Errors
    /// If the sign-in is refused.
    pub async fn sign_in(&self) -> Outcome<()> {
        self.log_in().await?;
        self.app.find(Role::Button, containing(DEMO_NAME)).await;
        Ok(())
    }

    /// Signs the demo account in by the command, also over an existing session.
    ///
    /// # Errors
    /// If the sign-in is refused.
    pub async fn log_in(&self) -> Outcome<()> {
        let input = json!({ "email": DEMO, "password": PASSWORD });
        self.invoke("plugin:vestibule|login", json!({ "input": input }))
            .await
            .map(drop)
    }

    /// Calls a command of the shell, and returns its answer.
    ///
    /// # Errors
    /// If the command is refused.
    pub async fn invoke(&self, command: &str, arguments: Value) -> Outcome<Value> {
        let script = "
            const { command, given } = argument;
            const told = (cause) => `failed: ${JSON.stringify(cause)}`;
            done(await window.__TAURI_INTERNALS__.invoke(command, given).catch(told));";
        let argument = json!({ "command": command, "given": arguments });
        answered(self.app.run_async(script, argument).await)
    }

    /// Calls a function of the measuring code; returns its figures.
    ///
    /// # Errors
    /// If the function throws.
    pub async fn figures(&self, function: &str, arguments: Value) -> Outcome<Vec<f64>> {
        let value = self.value(function, arguments).await?;
        serde_json::from_value(value).map_err(|error| format!("{function}: {error}"))
    }

    async fn value(&self, function: &str, arguments: Value) -> Outcome<Value> {
        let script = "done(await window.bench[argument.name](...argument.given));";
        let argument = json!({ "name": function, "given": arguments });
        answered(self.app.run_async(script, argument).await)
    }

    async fn put(&self, module: &str) -> Outcome<()> {
        let script = format!(
            "{}\nwindow.bench = bench; return true;",
            bundle(module, "bench")
        );
        match self.app.run(&script).await {
            Value::Bool(true) => Ok(()),
            other => Err(format!("the page did not accept {module}: {other}")),
        }
    }
}

/// The result of a script, or the error that it reports.
fn answered(value: Value) -> Outcome<Value> {
    match value.as_str() {
        Some(text) if text.starts_with("failed: ") => Err(format!("in the page: {text}")),
        _ => Ok(value),
    }
}

fn write(file: &Path, text: &str) -> Outcome<()> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
