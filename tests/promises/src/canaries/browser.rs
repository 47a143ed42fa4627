//! Sign-ins outside of the app: by the system's browser, and by a code on another device. What only the app
//! and the provider may know of them is searched for as tokens are: `state` and nonce, which the address
//! that the browser opens holds; the code with which it comes back; the verifier of the exchange; the
//! device code. The page knows that a sign-in goes on, by which button and until when, and of another
//! device what a person has to type there. It does not know the address: the app opens and copies it.
//!
//! The control is the app's own memory: whatever a sign-in needs is found there while it goes on.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use url::Url;
use vestibule_acceptance::{
    App, DEMO, DEMO_NAME, Role, Stage, SystemBrowser, containing, issuer_profile,
};
use vestibule_backend::{Effect, Fault};
use vestibule_harness::{Decision, Lost, TOKEN, come_back, decide, use_device_code};

use super::person::{SignedIn, at_rest, sign_out};
use super::watch::{Watch, app_process};

/// How long the provider thinks about a code. The app is stopped meanwhile, which takes a moment.
const THINKS_MS: u64 = 1_000;

/// Signs in by the browser, after one sign-in that is given up and one whose code is refused.
pub async fn by_browser(
    stage: &Stage,
    app: &App,
    browser: &SystemBrowser,
    watch: &mut Watch<'_>,
) -> Result<(), Lost> {
    app.open("/auth/login/").await;
    send_out(app, browser, watch).await?;
    app.click(Role::Button, "Copy the address").await;
    app.says("Copied.").await;
    watch.look("the browser's page, copied and given up")?;
    app.click(Role::Button, "Cancel").await;
    app.arrives("/auth/login/").await;
    // The clipboard holds the address until something else is copied, so the app's own memory does too.

    let address = send_out(app, browser, watch).await?;
    let refusal = Effect::Status {
        status: 400,
        code: None,
        message: None,
        body: Some(json!({ "error": "invalid_grant" })),
        headers: Default::default(),
    };
    let refused = Fault::on("POST", TOKEN, refusal).times(1);
    stage.backend.faults().add(refused);
    let back = decide(&address, DEMO, Decision::Allow).await?;
    watch.search_for(value_of(&back, "code")?);
    let exchanged = exchange(stage, &back).await?;
    watch.search_for(field_of(&exchanged, "code_verifier")?);
    app.arrives("/auth/login/").await;
    app.says("You could not be signed in").await;
    watch.look("a sign-in whose code was refused")?;
    watch.left.push(at_rest(watch).await?);

    let address = send_out(app, browser, watch).await?;
    let slow = Fault::on("POST", TOKEN, Effect::Delay { ms: THINKS_MS }).times(1);
    stage.backend.faults().add(slow);
    let back = decide(&address, DEMO, Decision::Allow).await?;
    watch.search_for(value_of(&back, "code")?);
    let exchanged = exchange(stage, &back).await?;
    // The exchange goes on for as long as the search takes.
    let stopped = Stopped::new(stage)?;
    watch.search_for(field_of(&exchanged, "code_verifier")?);
    watch.finds_sign_in()?;
    drop(stopped);
    Ok(())
}

/// Signs in by a code on another device, after one code that is given up.
pub async fn by_code(stage: &Stage, app: &App, watch: &mut Watch<'_>) -> Result<(), Lost> {
    app.open("/auth/login/").await;
    ask_for_code(stage, app, watch).await?;
    watch.look("a code for another device, given up")?;
    app.click(Role::Button, "Cancel").await;
    app.arrives("/auth/login/").await;
    watch.left.push(at_rest(watch).await?);

    ask_for_code(stage, app, watch).await?;
    let text = app.text().await;
    let is_code = |word: &&str| word.len() == 9 && word.as_bytes()[4] == b'-';
    let code = text.split_whitespace().find(is_code);
    let code = code.ok_or("the screen shows no code")?;
    use_device_code(&stage.backend.url(), code, DEMO).await
}

/// Signs in by the browser where it comes back by the app's scheme: by another launch of the app, which
/// has the code in its arguments and hands it over.
pub async fn by_link(
    stage: &Stage,
    browser: &SystemBrowser,
    watch: &mut Watch<'_>,
) -> Result<(), Lost> {
    let (_profile, profile) = issuer_profile(stage, false, "redirect = 'scheme'\n");
    let app = stage.start_with(&[("VESTIBULE_PROFILE", profile)]).await;
    app.open("/auth/login/").await;
    let address = send_out(&app, browser, watch).await?;
    let back = decide(&address, DEMO, Decision::Allow).await?;
    watch.search_for(value_of(&back, "code")?);
    let mut launch = stage.desktop.command(vestibule_acceptance::app());
    launch
        .arg(back.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let ended = launch.status().map_err(|error| error.to_string())?;
    if !ended.success() {
        return Err(format!("a second launch ends: {ended}"));
    }
    app.arrives("/dashboard/").await;
    app.find(Role::Button, containing(DEMO_NAME)).await;
    watch.look("signed in by a link")?;
    sign_out(stage, &app, watch, &SignedIn::at_provider()).await?;
    app.kill();
    Ok(())
}

/// Clicks, until the browser has opened. Returns the address, whose secrets are searched for.
async fn send_out(app: &App, browser: &SystemBrowser, watch: &mut Watch<'_>) -> Result<Url, Lost> {
    let number = browser.opened().len() + 1;
    app.click(Role::Button, "Continue in your browser").await;
    app.find(Role::Heading, "Continue in your browser").await;
    let address = browser.opening(number).await;
    watch.forget_sign_in();
    for name in ["state", "nonce"] {
        watch.search_for(value_of(&address, name)?);
    }
    app.find(Role::Button, "Open again").await;
    watch.finds_sign_in()?;
    Ok(address)
}

/// Clicks, until a code is shown and the provider was asked once whether it was used.
async fn ask_for_code(stage: &Stage, app: &App, watch: &mut Watch<'_>) -> Result<(), Lost> {
    let before = stage.backend.requests("POST", TOKEN);
    app.click(Role::Button, containing("code on another device"))
        .await;
    app.reads("/oidc/activate").await;
    stage.backend.received("POST", TOKEN, before + 1).await;
    let asked = stage.backend.last_request("POST", TOKEN);
    let body = asked.map(|asked| asked.body).unwrap_or_default();
    watch.forget_sign_in();
    watch.search_for(field_of(&body, "device_code")?);
    watch.finds_sign_in()
}

/// The browser comes back, and the app exchanges the code. Returns the form that it sends.
async fn exchange(stage: &Stage, back: &Url) -> Result<Vec<u8>, Lost> {
    let before = stage.backend.requests("POST", TOKEN);
    come_back(back).await?;
    stage.backend.received("POST", TOKEN, before + 1).await;
    let sent = stage.backend.last_request("POST", TOKEN);
    Ok(sent.map(|sent| sent.body).unwrap_or_default())
}

fn value_of(address: &Url, name: &str) -> Result<String, Lost> {
    field_of(address.query().unwrap_or_default().as_bytes(), name)
}

fn field_of(form: &[u8], name: &str) -> Result<String, Lost> {
    let mut all = url::form_urlencoded::parse(form);
    let found = all.find(|(of, _)| of == name);
    let (_, value) = found.ok_or_else(|| format!("a sign-in outside of the app has no {name}"))?;
    Ok(value.into_owned())
}

/// The app's process, which does nothing until this is dropped.
struct Stopped(Pid);

impl Stopped {
    fn new(stage: &Stage) -> Result<Self, Lost> {
        let process = i32::try_from(app_process(stage)?)
            .ok()
            .and_then(Pid::from_raw);
        let process = process.ok_or("the app has no process id")?;
        let stopped = kill_process(process, Signal::STOP);
        stopped.map_err(|error| format!("the app cannot be stopped: {error}"))?;
        Ok(Self(process))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::CONT);
    }
}
