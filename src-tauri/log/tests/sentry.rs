//! What arrives at a Sentry server, for which a listener stands in. There is one test, because the
//! log belongs to the whole process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentry_types::protocol::v7::{Envelope, Event};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use vestibule_core::transport::NetworkSettings;
use vestibule_log::report::Reporter;
use vestibule_log::sentry::{About, Sentry};

const SECRET: &str = "token-in-a-report-0123456789";
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(60);

/// A server that keeps everything that it receives.
#[derive(Clone, Default)]
struct Sink {
    heads: Arc<Mutex<Vec<String>>>,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    answer: Arc<Mutex<&'static str>>,
}

impl Sink {
    async fn start() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let sink = Self::default();
        sink.answers("200 OK\r\n");
        let serving = sink.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(client));
            }
        });
        (sink, port)
    }

    fn answers(&self, status: &'static str) {
        *self.answer.lock().expect("a lock") = status;
    }

    async fn serve(self, mut client: TcpStream) {
        let mut bytes = Vec::new();
        loop {
            let head = bytes.windows(4).position(|it| it == b"\r\n\r\n");
            if let Some(end) = head {
                let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |length| length.parse().expect("a number"));
                if bytes.len() >= end + 4 + length {
                    let body = bytes[end + 4..end + 4 + length].to_vec();
                    self.heads.lock().expect("a lock").push(head);
                    self.bodies.lock().expect("a lock").push(body);
                    let status = *self.answer.lock().expect("a lock");
                    let answer = format!("HTTP/1.1 {status}content-length: 0\r\n\r\n");
                    let _ = client.write_all(answer.as_bytes()).await;
                    bytes.drain(..end + 4 + length);
                    continue;
                }
            }
            if client.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
    }

    fn count(&self) -> usize {
        self.bodies.lock().expect("a lock").len()
    }

    fn event(&self, number: usize) -> Event<'static> {
        let bodies = self.bodies.lock().expect("a lock");
        let envelope = Envelope::from_slice(&bodies[number]).expect("an envelope");
        envelope.event().expect("an event").clone()
    }
}

fn about() -> About {
    About {
        release: "vestibule@0.1.0".into(),
        environment: "test".into(),
    }
}

fn fail() {
    let error = std::io::Error::other(SECRET);
    tracing::error!(target: "vestibule_core::session", %error, kind = "io", tries = 3, "it failed");
}

fn call(method: &str) {
    let span = tracing::info_span!(
        target: "vestibule_core::backend",
        "backend",
        method,
        path = "/plans/*",
        note = SECRET,
        status = tracing::field::Empty,
    );
    span.record("status", 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_report_holds_arrives_and_nothing_else() {
    let (sink, port) = Sink::start().await;
    let dsn = format!("http://key@127.0.0.1:{port}/42");
    let log = vestibule_log::start();

    // No report is sent before a reporter is set.
    fail();
    let sentry = Sentry::new(
        &dsn,
        about(),
        &Handle::current(),
        NetworkSettings::default(),
    )
    .expect("a reporter");
    let sentry = Arc::new(sentry);
    let flush = {
        let sentry = sentry.clone();
        move || tokio::task::block_in_place(|| sentry.flush(RECEIVE_TIMEOUT))
    };
    flush();
    assert_eq!(sink.count(), 0, "nobody asked for reports");

    log.report_to(Some(sentry.clone()));
    for _ in 0..30 {
        call("GET");
    }
    call("POST");
    fail();
    // The errors of other crates are not reported.
    tracing::error!(target: "hyper::proto", "{SECRET}");
    tracing::warn!(target: "vestibule_core::session", "a warning");
    flush();
    assert_eq!(sink.count(), 1, "one failure, one report");
    let head = sink.heads.lock().expect("a lock")[0].clone();
    assert!(head.starts_with("post /api/42/envelope/ "), "{head}");
    assert!(head.contains("sentry_key=key"), "{head}");
    let event = sink.event(0);
    assert_eq!(event.message.as_deref(), Some("it failed"));
    assert_eq!(event.logger.as_deref(), Some("vestibule_core::session"));
    assert_eq!(event.release.as_deref(), Some("vestibule@0.1.0"));
    assert_eq!(event.extra["tries"], 3);
    assert_eq!(event.extra["kind"], "io");
    assert!(!event.extra.contains_key("error"), "{:?}", event.extra);
    assert_eq!(event.server_name, None, "nor the name of the machine");
    assert_eq!(
        event.breadcrumbs.len(),
        20,
        "the latest calls, a bounded number"
    );
    let last = &event.breadcrumbs.values[19].data;
    assert_eq!(last["method"], "POST");
    assert_eq!(last["path"], "/plans/*");
    assert_eq!(last["status"], 503);
    assert!(!last.contains_key("note"), "{last:?}");

    let panicked = std::thread::spawn(|| panic!("with {SECRET}")).join();
    assert!(panicked.is_err());
    flush();
    assert_eq!(sink.count(), 2, "a panic is a failure");
    let place = sink.event(1).extra["place"].to_string();
    assert!(place.contains("sentry.rs"), "{place}");

    // A server that asks for a short wait, also a fraction of a second, gets no report meanwhile
    // and gets the next one after it.
    sink.answers("429 Too Many Requests\r\nretry-after: 0.05\r\n");
    fail();
    flush();
    assert_eq!(sink.count(), 3);
    let heard_again = async {
        while sink.count() == 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            fail();
            flush();
        }
    };
    let heard = tokio::time::timeout(RECEIVE_TIMEOUT, heard_again).await;
    assert!(heard.is_ok(), "a moment is not for ever");

    // A server that asks for a very long wait gets no more reports, however long the wait is.
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |about| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        before(about);
    }));
    let enough = "429 Too Many Requests\r\nretry-after: 18446744073709551615\r\n";
    sink.answers(enough);
    while sink.count() < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        fail();
        flush();
    }
    for _ in 0..5 {
        fail();
        flush();
    }
    assert_eq!(sink.count(), 5);
    assert_eq!(
        PANICS.load(Ordering::Relaxed),
        0,
        "and the reporter goes on"
    );

    log.report_to(None);
    fail();
    flush();
    assert_eq!(sink.count(), 5, "off again");
    for body in sink.bodies.lock().expect("a lock").iter() {
        let body = String::from_utf8_lossy(body);
        assert!(!body.contains(SECRET), "{body}");
    }
}

#[tokio::test]
async fn reports_go_to_a_safe_address_only() {
    let new = |dsn: &str| {
        Sentry::new(dsn, about(), &Handle::current(), NetworkSettings::default()).map(drop)
    };
    assert!(new("https://key@sentry.example/1").is_ok());
    assert!(new("http://key@127.0.0.1:9/1").is_ok());
    for dsn in [
        "",
        "https://sentry.example/1",
        "http://key@sentry.example/1",
    ] {
        assert!(new(dsn).is_err(), "{dsn}");
    }
}
