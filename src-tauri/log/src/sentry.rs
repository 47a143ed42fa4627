//! Sends reports to a Sentry server.
//!
//! Sentry's own client would add a second HTTP and TLS stack, and it collects more than it is given
//! (host name, environment). So only Sentry's types are used: an event holds what a [`Report`]
//! holds and is sent on the app's own [`Transport`], with its proxies and bounds.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use sentry_types::protocol::v7::{Breadcrumb, Envelope, Event, Level, Map, Value};
use sentry_types::{Dsn, Scheme};
use tokio::runtime::Handle;
use tokio::sync::mpsc as queue;
use vestibule_core::backend::retry_after_of;
use vestibule_core::transport::{
    HeaderMap, HeaderName, HeaderValue, HttpRequest, HttpTransport, Method, NetworkSettings,
    RequestBody, StatusCode, Transport, Url,
};

use crate::report::{Call, Fact, Facts, Report, Reporter};

const AGENT: &str = concat!("vestibule/", env!("CARGO_PKG_VERSION"));
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// The most reports that wait while one is being sent. Further reports are dropped.
const QUEUE: usize = 16;
/// How long no report is sent after a 429 that does not say how long to wait.
const PAUSE: Duration = Duration::from_secs(60);

/// Why reports cannot be sent.
#[derive(Debug)]
pub enum Unusable {
    /// The address is not that of a Sentry project.
    Address,
    /// The address has plain HTTP and is not on this machine.
    PlainHttp,
    /// No HTTP client can be made.
    Client,
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Address => "that is not the DSN of a Sentry project",
            Self::PlainHttp => "a DSN with plain HTTP is for this machine only",
            Self::Client => "no HTTP client can be made",
        })
    }
}

impl std::error::Error for Unusable {}

/// What every event says about the app.
#[derive(Clone, Debug)]
pub struct About {
    /// `vestibule@0.1.0`.
    pub release: String,
    /// `production` or `development`.
    pub environment: String,
}

enum Task {
    Send(Box<Report>),
    /// Answered when everything before it has been sent.
    Flush(mpsc::Sender<()>),
}

/// Sends reports to one Sentry project, one at a time and in order.
pub struct Sentry(queue::Sender<Task>);

impl Sentry {
    /// A reporter for the project of `dsn`. Its requests run on `runtime` and use the same proxies
    /// as requests to the backend.
    ///
    /// # Errors
    /// If `dsn` is not the address of a project, or is plain HTTP to another machine.
    pub fn new(
        dsn: &str,
        about: About,
        runtime: &Handle,
        network: NetworkSettings,
    ) -> Result<Self, Unusable> {
        let dsn: Dsn = dsn.parse().map_err(|_| Unusable::Address)?;
        if dsn.scheme() == Scheme::Http && !is_this_machine(dsn.host()) {
            return Err(Unusable::PlainHttp);
        }
        let address = dsn.envelope_api_url();
        let address = Url::parse(address.as_str()).map_err(|_| Unusable::Address)?;
        let transport = HttpTransport::with_network(network, &address, AGENT);
        let transport = transport.map_err(|_| Unusable::Client)?;
        let (sender, tasks) = queue::channel(QUEUE);
        let sending = Sending {
            transport,
            address,
            dsn,
            about,
            silent_until: None,
        };
        runtime.spawn(sending.run(tasks));
        Ok(Self(sender))
    }
}

impl Reporter for Sentry {
    fn report(&self, report: Report) {
        // A full queue drops the newest report, because the first failure explains the others.
        let _ = self.0.try_send(Task::Send(Box::new(report)));
    }

    fn flush(&self, limit: Duration) {
        let (done, wait) = mpsc::channel();
        if self.0.try_send(Task::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(limit);
        }
    }
}

struct Sending {
    transport: HttpTransport,
    address: Url,
    dsn: Dsn,
    about: About,
    /// Until when the server has asked for no reports.
    silent_until: Option<Instant>,
}

impl Sending {
    async fn run(mut self, mut tasks: queue::Receiver<Task>) {
        while let Some(task) = tasks.recv().await {
            match task {
                Task::Flush(done) => drop(done.send(())),
                Task::Send(_) if self.is_silent() => {}
                Task::Send(report) => self.send(*report).await,
            }
        }
    }

    fn is_silent(&self) -> bool {
        self.silent_until.is_some_and(|end| Instant::now() < end)
    }

    async fn send(&mut self, report: Report) {
        let envelope = Envelope::from(event(report, &self.about));
        let mut body = Vec::new();
        if envelope.to_writer(&mut body).is_err() {
            return;
        }
        let Some(headers) = self.headers() else {
            return;
        };
        let request = HttpRequest {
            method: Method::POST,
            url: self.address.clone(),
            headers,
            body: RequestBody::Whole(body.into()),
            new_connection: false,
        };
        let sent = tokio::time::timeout(SEND_TIMEOUT, self.transport.send(request));
        match sent.await {
            Ok(Ok(answer)) if answer.status.is_success() => {}
            // A warning and not an error, because an error would make another report, without end.
            Ok(Ok(answer)) => {
                let status = answer.status.as_u16();
                tracing::warn!(status, "the Sentry server refused a report; it is dropped");
                let limited = answer.status == StatusCode::TOO_MANY_REQUESTS;
                let asked = retry_after_of(limited, &answer.headers);
                // The wait is bounded where it is read, so the sum cannot overflow.
                let wait = asked.or(limited.then_some(PAUSE));
                self.silent_until = wait.map(|wait| Instant::now() + wait);
            }
            Ok(Err(error)) => {
                tracing::warn!(why = %error.obstacle(), "a report could not be sent; it is dropped")
            }
            Err(_) => {
                tracing::warn!("the Sentry server did not answer in time; the report is dropped")
            }
        }
    }

    fn headers(&self) -> Option<HeaderMap> {
        let mut auth = HeaderValue::from_str(&self.dsn.to_auth(Some(AGENT)).to_string()).ok()?;
        auth.set_sensitive(true);
        let kind = HeaderValue::from_static("application/x-sentry-envelope");
        Some(HeaderMap::from_iter([
            (HeaderName::from_static("content-type"), kind),
            (HeaderName::from_static("x-sentry-auth"), auth),
        ]))
    }
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn event(report: Report, about: &About) -> Event<'static> {
    let mut extra = map(&report.facts);
    let mut fingerprint = vec![report.module.into()];
    if let Some((file, line)) = report.line {
        extra.insert("source".into(), format!("{file}:{line}").into());
        fingerprint.push(format!("{file}:{line}").into());
    }
    // All panics are logged by the same line, so their place tells them apart.
    if let Some((_, place)) = report.facts.iter().find(|(name, _)| *name == "place") {
        fingerprint.push(place.to_string().into());
    }
    Event {
        level: Level::Error,
        fingerprint: fingerprint.into(),
        logger: Some(report.module.to_owned()),
        message: Some(report.words),
        timestamp: report.at,
        release: Some(about.release.clone().into()),
        environment: Some(about.environment.clone().into()),
        breadcrumbs: report.calls.iter().map(crumb).collect::<Vec<_>>().into(),
        extra,
        ..Event::default()
    }
}

fn crumb(call: &Call) -> Breadcrumb {
    Breadcrumb {
        timestamp: call.at,
        ty: "http".into(),
        category: Some("backend".into()),
        data: map(&call.facts),
        ..Breadcrumb::default()
    }
}

fn map(facts: &Facts) -> Map<String, Value> {
    let value = |fact: &Fact| match fact {
        Fact::Number(number) => Value::from(*number),
        Fact::Flag(flag) => Value::from(*flag),
        Fact::Word(word) => Value::from(word.as_str()),
    };
    let facts = facts.iter();
    facts
        .map(|(name, fact)| ((*name).to_owned(), value(fact)))
        .collect()
}
