//! Profiles that hold a mistake, name another origin, or change under a session; cookies for other
//! domains. Each is refused, or its credentials go to the backend only.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_backend::Backend;
use vestibule_core::profile::Profile;
use vestibule_core::session::Session;
use vestibule_core::testing::MemoryStore;
use vestibule_harness::{Lost, config, get, is_fresh};

use super::actions::{password_of, upload};
use super::other_servers::OtherServers;
use crate::carrier::Carrier;
use crate::client::Client;
use crate::proxy::{Act, Answer, Script};

/// A mistake in a profile or in a cookie.
#[derive(Clone, Copy, Debug)]
pub enum Mistake {
    /// The profile's own address names another host than it seems to.
    Address(&'static str),
    /// An endpoint's path is a full address, or looks like one.
    Endpoint(&'static str),
    /// A path that the window may call is such an address, and the window calls it.
    Allowed(&'static str),
    /// The profile names another origin than the session belongs to.
    Moved(&'static str),
    /// The backend sets its refresh cookie for another domain.
    Cookie(&'static str),
}

/// `P` is the backend's own port, `O` another one of its host.
pub const ALL: [Mistake; 36] = {
    use Mistake::{Address, Allowed, Cookie, Endpoint, Moved};
    [
        Address("http://127.0.0.1:P@127.0.0.2:P"),
        Address("http://demo:secret@127.0.0.2:P"),
        Address("http://vestibule.test:P"),
        Address("http://127.0.0.1.vestibule.test:P"),
        Address("http://localhost.vestibule.test:P"),
        Address("http://0.0.0.0:P"),
        Address("http://[::ffff:127.0.0.2]:P"),
        Address("http://[::]:P"),
        Address("ftp://127.0.0.1:P"),
        Address("ws://127.0.0.1:P"),
        Address("//127.0.0.2:P"),
        Endpoint("http://127.0.0.2:P/login"),
        Endpoint("//127.0.0.2:P/login"),
        Endpoint("/\\127.0.0.2:P/login"),
        Endpoint("\\\\127.0.0.2:P/login"),
        Endpoint("@127.0.0.2:P/login"),
        Endpoint("/@127.0.0.2:P/login"),
        Endpoint("/..//127.0.0.2:P/login"),
        Endpoint("/./\\127.0.0.2:P/login"),
        Endpoint(":O/login"),
        Endpoint(".vestibule.test/login"),
        Endpoint("?http://127.0.0.2:P/login"),
        Allowed("http://127.0.0.2:P/me"),
        Allowed("//127.0.0.2:P/me"),
        Allowed("/\\127.0.0.2:P/me"),
        Allowed("/@127.0.0.2:P/me"),
        Allowed("@127.0.0.2:P/me"),
        Allowed(":O/me"),
        Moved("http://127.0.0.2:P"),
        Moved("http://[::1]:P"),
        Moved("http://127.0.0.1:O"),
        Moved("http://localhost:O"),
        Moved("https://127.0.0.2:P"),
        Cookie("127.0.0.2"),
        Cookie("localhost"),
        Cookie("0.0.1"),
    ]
};

/// Tests one mistake.
pub async fn run(backend: &Backend, mistake: Mistake) -> Result<(), Lost> {
    let (proxy, email, others) = OtherServers::beside(backend).await?;
    let port = proxy.address().port();
    let named = |text: &str| {
        let other = others.port.address.port().to_string();
        let text = text.replace('P', &port.to_string());
        text.replace('O', &other)
    };
    match mistake {
        Mistake::Address(address) => {
            mistaken(json!({ "backend": named(address) }), "/me", &email).await?;
        }
        Mistake::Endpoint(path) => {
            let path = json!({ "path": named(path) });
            let endpoints = json!({ "login": path, "refresh": path, "logout": path });
            let profile = json!({ "backend": proxy.url(), "endpoints": endpoints });
            mistaken(profile, "/me", &email).await?;
        }
        Mistake::Allowed(path) => {
            let path = named(path);
            let profile = json!({ "backend": proxy.url(), "api": { "allow": [&path, format!("POST {path}")] } });
            mistaken(profile, &path, &email).await?;
        }
        Mistake::Moved(to) => {
            let mut client = Client::new(proxy.url(), email, Carrier::Cookie).await?;
            client.sign_in().await?;
            let kept = client.kept().ok_or("there is no token in the item")?;
            client.move_to(&named(to)).await?;
            let _ = client.session.refresh().await;
            let _ = client.session.fetch(get("/me")).await;
            client.session.logout().await;
            // The other address is the configured origin now. It may be called, but without
            // credentials.
            for credential in [&*kept, "authorization", "__refresh_token"] {
                for other in [&others.port, &others.host, &others.family] {
                    if other.heard.holds(credential) {
                        return Err(format!(
                            "{} received a credential of the session",
                            other.address
                        ));
                    }
                }
            }
            return Ok(());
        }
        Mistake::Cookie(domain) => {
            let act = Act::spoil(move |answer: Answer| -> Script {
                let cookie = format!("__refresh_token=for-{domain}; Domain={domain}; Path=/");
                answer
                    .without_header("set-cookie")
                    .with_headers(&format!("set-cookie: {cookie}"))
                    .into()
            });
            let struck = proxy.strike(Some("/login"), act).await;
            struck.map_err(|error| error.to_string())?;
            let mut client = Client::new(proxy.url(), email, Carrier::Cookie).await?;
            let _ = client.session.login(password_of(&client.email)).await;
            if is_fresh(&client.session.snapshot().state) {
                return Err("a cookie for another domain completed a sign-in".into());
            }
            client.move_to(&named("http://127.0.0.2:P")).await?;
            let _ = client.session.fetch(get("/me")).await;
            return no_cookie(&others, domain);
        }
    }
    others.check()
}

fn no_cookie(others: &OtherServers, domain: &str) -> Result<(), Lost> {
    match others.host.heard.holds(&format!("for-{domain}")) {
        true => Err(format!("the cookie for {domain} was sent there")),
        false => Ok(()),
    }
}

/// Makes every call with a profile, if the profile is accepted.
async fn mistaken(profile: Value, path: &str, email: &str) -> Result<(), Lost> {
    let Ok(profile) = Profile::from_json(profile) else {
        return Ok(());
    };
    let folder = tempfile::tempdir().map_err(|error| format!("no folder: {error}"))?;
    let config = config(profile, folder.path(), Arc::new(MemoryStore::default()));
    let session = Session::open(config).map_err(|error| error.to_string())?;
    let _ = session.login(password_of(email)).await;
    let _ = session.fetch(get(path)).await;
    upload(&session, path).await;
    let _ = session.refresh().await;
    session.logout().await;
    Ok(())
}
