//! The control: clients that do what the core must not do are noticed by the listeners.

use std::sync::Arc;

use vestibule_backend::Backend;
use vestibule_harness::{Lost, PASSWORD};

use super::other_servers::OtherServers;
use crate::proxy::{Act, Script};

/// A client that follows redirects and one that uses a proxy both send the password there.
pub async fn run(backend: Arc<Backend>) -> Result<(), Lost> {
    let (proxy, email, others) = OtherServers::beside(&backend).await?;
    let broken = |error: &dyn std::fmt::Display| format!("the control itself: {error}");
    let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
    let address = format!("{}/login", proxy.url());
    for other in [&others.host, &others.family, &others.port] {
        let place = format!("location: http://{}/login\r\n", other.address);
        let answer = Script::answer("307 Temporary Redirect", &place, "");
        let struck = proxy.strike(Some("/login"), Act::Instead(answer)).await;
        struck.map_err(|error| broken(&error))?;
        let sent = reqwest::Client::new().post(&address).body(body.clone());
        sent.send().await.map_err(|error| broken(&error))?;
        proxy.lift().await.map_err(|error| broken(&error))?;
        if !other.heard.holds(PASSWORD) {
            return Err(format!(
                "the listener at {} does not notice a password",
                other.address
            ));
        }
        if other.check().is_ok() {
            return Err(format!("{} counts nobody", other.address));
        }
    }
    let trap = super::other_servers::OtherServer::start(([127, 0, 0, 1], 0)).await;
    let trap = trap.map_err(|error| broken(&error))?;
    let way = format!("http://{}", trap.address);
    let way = reqwest::Proxy::all(way).map_err(|error| broken(&error))?;
    let client = reqwest::Client::builder().proxy(way).build();
    let client = client.map_err(|error| broken(&error))?;
    let sent = client.post(&address).body(body).send().await;
    sent.map_err(|error| broken(&error))?;
    match trap.heard.holds(PASSWORD) {
        true => Ok(()),
        false => Err("the proxy does not notice a password".into()),
    }
}
