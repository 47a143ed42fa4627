//! A provider's refusals that say nothing about the session end none, however often they come.
//!
//! `invalid_grant` alone says that a refresh token is not good any more (RFC 6749 §5.2). A status
//! without it comes from a gateway, from a client that is set up wrongly, or from a provider that has
//! trouble; what three answers by the status alone do to a session of a password, they do not do here.
//! A run is lost if anybody is signed out, if the item is deleted, if the session is another one, or
//! if it is not renewed once the provider is well again.

use std::sync::Arc;
use std::time::Duration;

use vestibule_backend::{Backend, Config};
use vestibule_harness::{Lost, identity};

use crate::carrier::Carrier;
use crate::client::ProxiedClient;
use crate::pool::{self, Job};
use crate::proxy::{Act, Script};
use crate::registry::Setting;
use crate::report::Row;

/// One more than the answers by the status alone that end a session of a password, and some.
const ANSWERS: usize = 6;
/// How many runs the long form has.
const RUNS: usize = 1000;

const ANSWERED: [(&str, &str); 14] = [
    ("400 Bad Request", "{}"),
    ("400 Bad Request", r#"{"error":"invalid_request"}"#),
    ("400 Bad Request", r#"{"error":"unauthorized_client"}"#),
    ("400 Bad Request", r#"{"error":"temporarily_unavailable"}"#),
    ("400 Bad Request", r#"{"code":"invalid_grant"}"#),
    ("401 Unauthorized", "{}"),
    ("401 Unauthorized", r#"{"error":"invalid_client"}"#),
    ("401 Unauthorized", r#"{"error":"invalid_token"}"#),
    ("401 Unauthorized", r#"{"code":"REFRESH_REUSED"}"#),
    ("401 Unauthorized", "null"),
    ("403 Forbidden", r#"{"message":"blocked"}"#),
    ("500 Error", r#"{"error":"invalid_grant"}"#),
    ("200 OK", r#"{"error":"invalid_grant"}"#),
    ("200 OK", r#"{"access_token":"a","token_type":"DPoP"}"#),
];

/// Each once.
pub async fn short(setting: &Setting) -> Row {
    run(setting, ANSWERED.len()).await
}

/// The same, repeated.
pub async fn long(setting: &Setting) -> Row {
    run(setting, RUNS).await
}

async fn run(setting: &Setting, runs: usize) -> Row {
    let strict = Config {
        grace: Duration::ZERO,
        ..Config::default()
    };
    let backend = Backend::start(strict).await;
    let backend = Arc::new(backend.expect("the bundled backend starts on a free port"));
    let jobs = ANSWERED.iter().cycle().take(runs);
    let jobs = jobs.map(|(status, body)| {
        let backend = backend.clone();
        Job {
            name: format!("{status} {body}"),
            slow: false,
            work: Box::pin(async move { one(&backend, status, body).await }),
        }
    });
    let (runs, losses) = pool::run("refusals", setting, jobs.collect()).await;
    Row {
        what: format!(
            "{} refusals of a provider other than invalid_grant, {ANSWERS} times each",
            ANSWERED.len()
        ),
        runs,
        losses,
        bound: "0 sign-outs, 0 deletions",
        holds: losses == 0,
    }
}

async fn one(backend: &Backend, status: &'static str, body: &'static str) -> Result<(), Lost> {
    let client = ProxiedClient::signed_in(backend, Carrier::Provider).await?;
    let before = identity(&client.session.snapshot().state);
    let json = "content-type: application/json\r\n";
    let act = Act::Instead(Script::answer(status, json, body));
    let path = Some(client.carrier.refresh_path());
    let struck = client.proxy.strike(path, act).await;
    struck.map_err(|error| error.to_string())?;
    for answer in 0..ANSWERS {
        let revision = client.session.snapshot().revision;
        match answer {
            0 => drop(client.session.refresh().await),
            _ => client.pass_to_the_next_try(),
        }
        client.until_failed(revision).await?;
    }
    let kept = || client.store.session_deletes() == 0 && client.store.holds_a_session();
    if !kept() || identity(&client.session.snapshot().state) != before {
        return Err(format!("signed out: {:?}", client.session.snapshot()));
    }
    let lifted = client.proxy.lift().await;
    lifted.map_err(|error| error.to_string())?;
    let fresh = client.until_fresh().await?;
    match kept() && identity(&fresh.state) == before {
        true => Ok(()),
        false => Err(format!("another session than before: {fresh:?}")),
    }
}
