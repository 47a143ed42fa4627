//! How the backend is reached: address, TLS, redirects, clock. What is asked here carries no
//! credential, so it does not go through the core's client, which tells no causes.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use reqwest::{Client, Response};
use url::Url;
use vestibule_core::backend::Exchange;

use super::{Exam, PRODUCT, Step};
use crate::row::{Finding, Side};
use crate::shape;

const PATIENCE: Duration = Duration::from_secs(10);
/// A clock that is off by no more than this is right enough for anyone.
const CLOCK_TOLERANCE: i64 = 60;

impl Exam<'_> {
    /// Whether anybody answers; if not, the rest makes no sense.
    pub(super) async fn look_at_the_connection(&mut self) -> Step {
        self.stop.check()?;
        let base = self.order.profile.backend.clone();
        self.desk.progress(&format!("looking at {base}"));
        let is_plain = base.scheme() == "http";
        let sent = format!("GET {}", base.path());
        let client = match bare_client(is_plain) {
            Ok(client) => client,
            Err(error) => {
                self.hopeless = true;
                self.set("reachable", Finding::no(sent, error.to_string()));
                return Ok(());
            }
        };
        match self.stop.race(client.get(base.clone()).send()).await? {
            Ok(response) => {
                let status = response.status().as_u16();
                self.set(
                    "reachable",
                    Finding::yes(sent, format!("answers ({status})")),
                );
                let tls = if is_plain {
                    "plain http, which stays on this machine"
                } else {
                    "the certificate is trusted by this system"
                };
                self.set("tls", Finding::yes(format!("to {}", origin(&base)), tls));
            }
            Err(error) => {
                self.hopeless = true;
                self.cannot_be_reached(&sent, &base, error);
                return Ok(());
            }
        }
        let plain = self.look_at_plain_http(&client, &base).await?;
        self.set("plain_http", plain);
        Ok(())
    }

    fn cannot_be_reached(&mut self, sent: &str, base: &Url, error: reqwest::Error) {
        let error = error.without_url();
        let cause = causes(&error);
        let lower = cause.to_lowercase();
        let is_tls = ["certificate", "tls", "handshake", "peer"]
            .iter()
            .any(|w| lower.contains(w));
        let (side, advice) = if is_tls && base.scheme() == "https" {
            (
                Side::Network,
                "serve a certificate of an authority that the users' systems trust, whole chain \
                 and right name; for tests in your network add your authority to the system",
            )
        } else if lower.contains("dns") || lower.contains("resolve") || lower.contains("lookup") {
            (Side::You, "the name is not known: check --backend")
        } else if error.is_timeout() {
            (
                Side::Network,
                "no answer in time: is a firewall or a proxy between?",
            )
        } else {
            (
                Side::You,
                "nobody listens there: check --backend, and that the backend runs",
            )
        };
        if is_tls {
            let finding = Finding::no(format!("to {}", origin(base)), cause.clone());
            self.set("tls", finding.advise(side, advice));
            self.set("reachable", Finding::no(sent, "no TLS connection"));
        } else {
            self.set("reachable", Finding::no(sent, cause).advise(side, advice));
        }
        self.notes
            .push("The backend cannot be reached, so nothing else was tried.".into());
    }

    async fn look_at_plain_http(
        &mut self,
        client: &Client,
        base: &Url,
    ) -> Result<Finding, crate::stop::Stopped> {
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
        let sent = format!("GET {plain}");
        let answer = self.stop.race(client.get(plain).send()).await?;
        Ok(match answer {
            Err(_) => Finding::yes(sent, "nothing is served without TLS"),
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

    /// What all exchanges together say: pages, redirects, clocks, limits.
    pub(super) fn judge_what_was_seen(&mut self) {
        let seen = self.seen(0);
        let answered: Vec<&Exchange> = seen.iter().filter(|one| one.status.is_some()).collect();
        if answered.is_empty() {
            return;
        }
        self.judge_redirects(&answered);
        self.judge_bodies(&answered);
        self.judge_the_clock(&answered);
        self.judge_limits_seen(&answered);
    }

    fn judge_redirects(&mut self, answered: &[&Exchange]) {
        let led = answered.iter().find(|one| shape::is_redirect(one));
        let finding = match led {
            None => Finding::yes("all of these", "every endpoint answers by itself"),
            Some(one) => Finding::no(shape::sent(one), shape::got(one, &self.masks))
                .advise(
                    Side::Profile,
                    "give the address that it leads to as the backend's base or path (often it is \
                     a slash at the end, or www)",
                )
                .advise(
                    Side::Backend,
                    "answer there at once: the app follows no redirect, because a 307 would carry \
                     the password to wherever it points",
                ),
        };
        self.set("direct", finding);
    }

    fn judge_bodies(&mut self, answered: &[&Exchange]) {
        let not_json = answered.iter().find(|one| {
            let status = one.status.unwrap_or_default();
            // A limiter and a gateway may say it in their own words.
            let is_told_by_status = status == 429 || status >= 500 || shape::is_redirect(one);
            let is_optional = status == 404 && one.sent.is_none();
            let is_other = shape::has_body(one) && shape::body(one).is_none();
            !is_told_by_status && !is_optional && (is_other || shape::is_page(one))
        });
        let finding = match not_json {
            None => Finding::yes("all of these", "JSON, or nothing where nothing is due"),
            Some(one) => Finding::no(shape::sent(one), shape::got(one, &self.masks))
                .advise(
                    Side::Backend,
                    "answer JSON on these paths, refusals too ({message, code}). The app takes a \
                     page for a proxy's or a portal's: it ends no session and signs nobody in",
                )
                .advise(
                    Side::You,
                    "if the path is not there at all, check --backend",
                ),
        };
        self.set("json", finding);
    }

    fn judge_the_clock(&mut self, answered: &[&Exchange]) {
        let ahead = answered.iter().filter_map(|one| ahead(one));
        let Some(ahead) = ahead.max_by_key(|ahead| ahead.abs()) else {
            let finding = Finding::no("all of these", "no Date header");
            self.set(
                "clock",
                finding.advise(
                    Side::Backend,
                    "send Date, as HTTP asks: dates in cookies are read against it, so that a \
                     wrong clock on either side does no harm",
                ),
            );
            return;
        };
        self.measured.clock_ahead_s = Some(ahead);
        let got = match ahead {
            -2..=2 => "as here".to_owned(),
            ahead if ahead > 0 => format!("{ahead} s ahead of this machine's"),
            ahead => format!("{} s behind this machine's", -ahead),
        };
        let finding = if ahead.abs() <= CLOCK_TOLERANCE {
            Finding::yes("the Date of all answers", got)
        } else {
            Finding::no("the Date of all answers", got).advise(
                Side::Backend,
                "set the clock of one of the two by NTP. The app counts lives from receipt and \
                 keeps working; JWTs and `expires` are judged by the wrong clock",
            )
        };
        self.set("clock", finding);
    }
}

fn bare_client(is_plain: bool) -> reqwest::Result<Client> {
    let mut builder = Client::builder()
        .user_agent(PRODUCT)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE);
    if is_plain {
        builder = builder.no_proxy();
    }
    builder.build()
}

fn origin(base: &Url) -> String {
    base.origin().ascii_serialization()
}

fn leads_to_tls(answer: &Response) -> bool {
    let location = answer.headers().get("location");
    let location = location.and_then(|location| location.to_str().ok());
    answer.status().is_redirection() && location.is_some_and(|to| to.starts_with("https://"))
}

/// The words of an error and of all that led to it, the last first: that one knows.
fn causes(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push(inner.to_string());
        cause = inner.source();
    }
    words.pop().unwrap_or_else(|| error.to_string())
}

/// By how many seconds the sender's clock is ahead, as far as that can be told: the answer
/// was written at some moment while we waited.
fn ahead(exchange: &Exchange) -> Option<i64> {
    let date = exchange.headers.get("date")?.to_str().ok()?;
    let date = httpdate(date)?;
    let here = exchange.answered_at;
    let waited = i64::try_from(exchange.took.as_secs()).unwrap_or(0) + 1;
    match date.duration_since(here) {
        Ok(ahead) => i64::try_from(ahead.as_secs()).ok(),
        Err(error) => {
            let behind = i64::try_from(error.duration().as_secs()).ok()?;
            Some(-(behind - waited).max(0))
        }
    }
}

pub(super) fn httpdate(text: &str) -> Option<SystemTime> {
    let form = time::format_description::well_known::Rfc2822;
    let text = text.replace("GMT", "+0000");
    time::OffsetDateTime::parse(&text, &form)
        .ok()
        .map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_read() {
        let at = httpdate("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since.as_secs(), 784_111_777);
        assert_eq!(httpdate("yesterday"), None);
    }
}
