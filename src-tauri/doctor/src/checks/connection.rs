//! How the backend is reached: address, TLS, plain http. The first request takes the same way as
//! the app's own. Only plain http, which the app never uses, has a client of its own.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client as HttpClient, Method, Response, StatusCode};
use url::Url;
use vestibule_core::Obstacle;
use vestibule_core::reading;
use vestibule_core::transport::{self, RequestBody, Transport as _, TransportError};

use super::{Judged, NotTried, Observations, Obstruction, Probe};
use crate::client::{Client, PRODUCT};
use crate::finding::{Finding, Side};
use crate::stop::Stopped;

const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(crate) struct Connection {
    /// The status of the answer to a plain GET.
    first: Probe<Result<u16, Obstacle>>,
    plain_http: Probe<PlainHttp>,
}

/// What answers at the same address without TLS.
struct PlainHttp {
    sent: String,
    /// None where nothing answers.
    answer: Option<PlainAnswer>,
}

struct PlainAnswer {
    status: StatusCode,
    leads_to_tls: bool,
}

impl Connection {
    pub(crate) fn reached(&self) -> Result<u16, NotTried> {
        (*self.first.result()?).map_err(|_| NotTried::NotRun)
    }
}

/// Asks whether anything answers. Answers false where nothing else can be tried.
pub(crate) async fn connect(client: &Client, seen: &mut Observations<'_>) -> Result<bool, Stopped> {
    let base = &seen.plan.profile.backend;
    client.begin(&format!("looking at {base}"))?;
    let request = transport::HttpRequest {
        method: Method::GET,
        url: base.clone(),
        headers: HeaderMap::new(),
        body: RequestBody::Empty,
        new_connection: false,
    };
    let asked = tokio::time::timeout(TIMEOUT, client.transport().send(request));
    let answer = client.stop.race(asked).await?;
    let answer = answer.unwrap_or(Err(TransportError::TimedOut));
    let answer = answer.map(|response| response.status.as_u16());
    let answer = answer.map_err(TransportError::obstacle);
    seen.connection.first = Probe::done(answer);
    if answer.is_err() {
        seen.stopped_at = Some(Obstruction {
            why: "the backend was not reached",
            not_examined: true,
        });
        let note = "The backend cannot be reached, so nothing else was tried.";
        seen.notes.push(note.into());
        return Ok(false);
    }
    seen.connection.plain_http = match plain_address(seen) {
        Ok(address) => ask_without_tls(client, address).await?,
        Err(why) => Probe::skipped(why),
    };
    Ok(true)
}

/// Where plain http would be served; in words where that cannot be tried.
fn plain_address(seen: &Observations<'_>) -> Result<Url, &'static str> {
    let base = &seen.plan.profile.backend;
    if base.scheme() == "http" {
        return Err("the backend is on this machine and is reached by plain http");
    }
    if base.port().is_some() {
        return Err("https has a port of its own, so no client tries plain http there");
    }
    let mut plain = base.clone();
    if plain.set_scheme("http").is_err() {
        return Err("there is no such address over plain http");
    }
    if seen.plan.network.policy.proxy.is_some() {
        return Err("an administrator's policy says how this computer reaches the network");
    }
    Ok(plain)
}

async fn ask_without_tls(client: &Client, address: Url) -> Result<Probe<PlainHttp>, Stopped> {
    let sent = format!("GET {address}");
    let Ok(http) = plain_client() else {
        return Ok(Probe::skipped("no HTTP client could be made for it"));
    };
    let answer = client.stop.race(http.get(address).send()).await?;
    let answer = answer.ok().map(|answer| PlainAnswer {
        status: answer.status(),
        leads_to_tls: leads_to_tls(&answer),
    });
    Ok(Probe::done(PlainHttp { sent, answer }))
}

fn plain_client() -> reqwest::Result<HttpClient> {
    HttpClient::builder()
        .user_agent(PRODUCT)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
}

fn leads_to_tls(answer: &Response) -> bool {
    let location = answer.headers().get("location");
    let location = location.map(reading::address);
    answer.status().is_redirection() && location.is_some_and(|to| to.starts_with("https://"))
}

pub(crate) fn reachable(seen: &Observations<'_>) -> Judged {
    let sent = format!("GET {}", seen.plan.profile.backend.path());
    Ok(match *seen.connection.first.result()? {
        Ok(status) => Finding::yes(sent, format!("answers ({status})")),
        Err(obstacle) if is_of_tls(obstacle) => {
            Finding::unclear(sent, "a server accepts the connection, but TLS fails")
        }
        Err(obstacle) => Finding::no(sent, obstacle.words().problem).advise_against(obstacle),
    })
}

pub(crate) fn tls(seen: &Observations<'_>) -> Judged {
    let base = &seen.plan.profile.backend;
    let sent = format!("to {}", base.origin().ascii_serialization());
    Ok(match *seen.connection.first.result()? {
        Ok(_) if base.scheme() == "http" => {
            Finding::yes(sent, "plain http, which stays on this machine")
        }
        Ok(_) => Finding::yes(sent, "this system trusts the certificate"),
        Err(obstacle) if is_of_tls(obstacle) => {
            Finding::no(sent, obstacle.words().problem).advise_against(obstacle)
        }
        Err(_) => return Err(NotTried::NotRun),
    })
}

pub(crate) fn plain_http(seen: &Observations<'_>) -> Judged {
    let PlainHttp { sent, answer } = seen.connection.plain_http.result()?;
    Ok(match answer {
        None => Finding::yes(sent, "nothing is served without TLS"),
        Some(PlainAnswer { status, .. }) if is_of_a_gateway(*status) => {
            Finding::yes(sent, "nothing is served without TLS, as a proxy answers")
        }
        Some(answer) if answer.leads_to_tls => {
            Finding::yes(sent, format!("{} to https", answer.status.as_u16()))
        }
        Some(answer) => {
            let got = format!("{} in the clear", answer.status.as_u16());
            Finding::no(sent, got).advise(
                Side::Network,
                "answer port 80 with a redirect to https, or not at all. The app itself never \
                 uses plain http, but other clients may",
            )
        }
    })
}

/// Whether there was a connection, but no TLS over it.
fn is_of_tls(obstacle: Obstacle) -> bool {
    use Obstacle::{
        Certificate, CertificateDate, CertificateIssuer, CertificateName, NotTls, TlsRefused,
    };
    matches!(
        obstacle,
        Certificate | CertificateDate | CertificateIssuer | CertificateName | NotTls | TlsRefused
    )
}

fn is_of_a_gateway(status: StatusCode) -> bool {
    matches!(status.as_u16(), 502..=504)
}
