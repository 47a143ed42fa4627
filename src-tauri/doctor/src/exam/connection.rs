//! How the backend is reached: address, TLS, plain http. The first request goes the way of the
//! app's own; only plain http, which the app never uses, has a client of its own.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response, StatusCode};
use url::Url;
use vestibule_core::obstacle::Obstacle;
use vestibule_core::transport::{self, RequestBody, Transport as _, TransportError};

use super::{Exam, PRODUCT, Step};
use crate::row::{Finding, Side};
use crate::stop::Stopped;

const PATIENCE: Duration = Duration::from_secs(10);

impl Exam<'_> {
    /// Whether anybody answers; if not, the rest makes no sense.
    pub(super) async fn look_at_the_connection(&mut self) -> Step {
        self.stop.check()?;
        let base = self.order.profile.backend.clone();
        self.desk.progress(&format!("looking at {base}"));
        let sent = format!("GET {}", base.path());
        let transport = self.transport.clone();
        let request = transport::Request {
            method: Method::GET,
            url: base.clone(),
            headers: HeaderMap::new(),
            body: RequestBody::Empty,
            new_connection: false,
        };
        let asked = tokio::time::timeout(PATIENCE, transport.send(request));
        let answer = self.stop.race(asked).await?;
        match answer.unwrap_or(Err(TransportError::TimedOut)) {
            Ok(response) => {
                let status = response.status.as_u16();
                self.set(
                    "reachable",
                    Finding::yes(sent, format!("answers ({status})")),
                );
                let tls = if base.scheme() == "http" {
                    "plain http, which stays on this machine"
                } else {
                    "the certificate is trusted by this system"
                };
                self.set("tls", Finding::yes(format!("to {}", origin(&base)), tls));
            }
            Err(error) => {
                self.hopeless = true;
                self.cannot_be_reached(&sent, &base, error.obstacle());
                return Ok(());
            }
        }
        let plain = self.look_at_plain_http(&base).await?;
        self.set("plain_http", plain);
        Ok(())
    }

    fn cannot_be_reached(&mut self, sent: &str, base: &Url, obstacle: Obstacle) {
        let finding = |sent: &str| Finding::no(sent, obstacle.words().says);
        if is_of_tls(obstacle) {
            let finding = finding(&format!("to {}", origin(base)));
            self.set("tls", finding.advise_against(obstacle));
            let got = "somebody listens there, but there is no TLS to ask through";
            self.set("reachable", Finding::unclear(sent, got));
        } else {
            self.set("reachable", finding(sent).advise_against(obstacle));
        }
        self.sheet.skip_rest("the backend was not reached");
        self.notes
            .push("The backend cannot be reached, so nothing else was tried.".into());
    }

    async fn look_at_plain_http(&mut self, base: &Url) -> Result<Finding, Stopped> {
        if base.scheme() == "http" {
            return Ok(Finding::not_tried(
                "the backend is spoken to on this machine",
            ));
        }
        if base.port().is_some() {
            return Ok(Finding::not_tried(
                "https is on a port of its own; nobody tries http there",
            ));
        }
        let mut plain = base.clone();
        if plain.set_scheme("http").is_err() {
            return Ok(Finding::not_tried(
                "there is no such address over plain http",
            ));
        }
        if self.order.network.policy.proxy.is_some() {
            return Ok(Finding::not_tried(
                "an administrator's policy says how this computer reaches the network",
            ));
        }
        let sent = format!("GET {plain}");
        let Ok(client) = plain_client() else {
            return Ok(Finding::not_tried("no client can be made for it"));
        };
        let answer = self.stop.race(client.get(plain).send()).await?;
        Ok(match answer {
            Err(_) => Finding::yes(sent, "nothing is served without TLS"),
            // In the words of a proxy of this machine.
            Ok(answer) if is_from_a_gateway(answer.status()) => {
                Finding::yes(sent, "nothing is served without TLS, says a proxy")
            }
            Ok(answer) if leads_to_tls(&answer) => {
                Finding::yes(sent, format!("{} to https", answer.status().as_u16()))
            }
            Ok(answer) => {
                let got = format!("{} in the clear", answer.status().as_u16());
                Finding::no(sent, got).advise(
                    Side::Network,
                    "answer port 80 with a redirect to https, or not at all. The app itself never \
                     uses plain http; others might",
                )
            }
        })
    }
}

fn plain_client() -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(PRODUCT)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
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

fn origin(base: &Url) -> String {
    base.origin().ascii_serialization()
}

fn leads_to_tls(answer: &Response) -> bool {
    let location = answer.headers().get("location");
    let location = location.and_then(|location| location.to_str().ok());
    answer.status().is_redirection() && location.is_some_and(|to| to.starts_with("https://"))
}

fn is_from_a_gateway(status: StatusCode) -> bool {
    matches!(status.as_u16(), 502..=504)
}
