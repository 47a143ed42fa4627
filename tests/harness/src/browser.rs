//! The system's browser, and the person at it, as a test plays them: it opens what the app wanted to
//! open, fills in the provider's form, and takes the answer where the provider sends it.

use std::sync::OnceLock;

use url::Url;
use vestibule_core::session::Session;
use vestibule_core::wire::{BrowserSignInInput, SignInOutcome};

use crate::PASSWORD;
use crate::desktop::TestDesktop;
use crate::wait::Lost;

/// Signs in by the browser, from the click to the session, at the bundled backend as the provider, with
/// the password of the demo accounts.
///
/// # Errors
/// If the app, or the provider, does not sign this account in.
pub async fn sign_in_by_browser(
    session: &Session,
    desktop: &TestDesktop,
    email: &str,
) -> Result<SignInOutcome, Lost> {
    let number = desktop.opened().len() + 1;
    let signing_in = session.sign_in_by_browser(BrowserSignInInput::default());
    tokio::pin!(signing_in);
    let browsing = async {
        let address = desktop.opening(number).await;
        let back = decide(&address, email, Decision::Allow).await?;
        match back.scheme() {
            "http" => come_back(&back).await,
            _ if session.take_redirect(&back) => Ok(()),
            _ => Err("the app does not take the redirect".into()),
        }
    };
    let ended = tokio::select! {
        // It may be over before the browser has read the last page.
        ended = &mut signing_in => ended,
        browsed = browsing => {
            browsed?;
            signing_in.await
        }
    };
    ended.map_err(|error| format!("cannot sign in by the browser: {error}"))
}

/// What a person decides on a page of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// To sign in.
    Allow,
    /// Not to.
    Refuse,
}

/// What this person enters on a page of the bundled backend as the provider.
fn entered(email: &str, decision: Decision) -> [(String, String); 3] {
    let decision = match decision {
        Decision::Allow => "allow",
        Decision::Refuse => "refuse",
    };
    [
        ("email", email),
        ("password", PASSWORD),
        ("decision", decision),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Decides on the provider's page that the browser has opened. Returns where that sends the browser.
///
/// # Errors
/// If it sends it nowhere.
pub async fn decide(address: &Url, email: &str, decision: Decision) -> Result<Url, Lost> {
    let mut form: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    form.extend(entered(email, decision));
    let mut page = address.clone();
    page.set_query(None);
    let answer = send(page, &form).await?;
    let status = answer.status();
    let location = answer.headers().get("location");
    let location = location.and_then(|it| Url::parse(it.to_str().ok()?).ok());
    location.ok_or_else(|| format!("the provider's page does not sign {email} in: {status}"))
}

/// Opens the address of a port of this computer to which the provider sends the browser.
///
/// # Errors
/// If the app does not take it.
pub async fn come_back(back: &Url) -> Result<(), Lost> {
    let answer = client()?.get(back.clone()).send().await;
    let status = answer.map_err(|error| error.to_string())?.status();
    match status.as_u16() {
        303 => Ok(()),
        other => Err(format!("the app answers the redirect with {other}")),
    }
}

/// Types a code into the page of the bundled backend at `issuer`, and signs in there.
///
/// # Errors
/// If the page does not take it.
pub async fn use_device_code(issuer: &str, code: &str, email: &str) -> Result<(), Lost> {
    let page = Url::parse(&format!("{issuer}/oidc/activate")).map_err(|error| error.to_string())?;
    let mut form = vec![("user_code".to_owned(), code.to_owned())];
    form.extend(entered(email, Decision::Allow));
    let answer = send(page, &form).await?;
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    match status.is_success() && text.contains("is signed in") {
        true => Ok(()),
        false => Err(format!(
            "the provider's page does not take the code: {status}"
        )),
    }
}

async fn send(page: Url, form: &[(String, String)]) -> Result<reqwest::Response, Lost> {
    let origin = page.origin().ascii_serialization();
    let request = client()?.post(page).header("origin", origin).form(form);
    request.send().await.map_err(|error| error.to_string())
}

/// One client for the whole program, because making one reads the system's certificates. It keeps no
/// connection, since each test has a runtime of its own.
fn client() -> Result<&'static reqwest::Client, Lost> {
    static CLIENT: OnceLock<Result<reqwest::Client, String>> = OnceLock::new();
    let made = CLIENT.get_or_init(|| {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .no_proxy();
        client.build().map_err(|error| error.to_string())
    });
    made.as_ref().map_err(Clone::clone)
}
