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
        let back = approve(&address, email).await?;
        come_back(session, &back).await
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

/// Signs in on the provider's page. Returns where it sends the browser.
async fn approve(address: &Url, email: &str) -> Result<Url, Lost> {
    let mut form: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    form.push(("email".into(), email.into()));
    form.push(("password".into(), PASSWORD.into()));
    let mut page = address.clone();
    page.set_query(None);
    let origin = address.origin().ascii_serialization();
    let request = client()?.post(page).header("origin", origin).form(&form);
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let location = answer.headers().get("location");
    let location = location.and_then(|it| Url::parse(it.to_str().ok()?).ok());
    location.ok_or_else(|| format!("the provider's page does not sign {email} in: {status}"))
}

/// Opens the address to which the provider sends the browser: of a port of this computer, or of the
/// app's own scheme.
async fn come_back(session: &Session, back: &Url) -> Result<(), Lost> {
    if back.scheme() != "http" {
        return match session.take_redirect(back) {
            true => Ok(()),
            false => Err("the app does not take the redirect".into()),
        };
    }
    let answer = client()?.get(back.clone()).send().await;
    let status = answer.map_err(|error| error.to_string())?.status();
    match status.as_u16() {
        303 => Ok(()),
        other => Err(format!("the app answers the redirect with {other}")),
    }
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
