//! What is logged about each request to the backend, for reports of failures. This is the only test
//! in its program, since the log belongs to the process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use vestibule_backend::{Effect, Fault, Point};
use vestibule_core::testing::PAGE_GAP;
use vestibule_harness::*;
use vestibule_log::report::{Call, Fact, Report, Reporter};

#[derive(Default)]
struct Told(Mutex<Vec<Report>>);

impl Reporter for Told {
    fn report(&self, report: Report) {
        self.0.lock().expect("a lock").push(report);
    }

    fn flush(&self, _limit: Duration) {}
}

impl Told {
    /// The requests logged so far.
    fn calls(&self) -> Vec<Call> {
        tracing::error!(target: "vestibule_core", "tell me");
        let mut told = self.0.lock().expect("a lock");
        told.pop().expect("a report").calls
    }
}

fn fact(call: &Call, name: &str) -> String {
    let fact = call.facts.iter().find(|(held, _)| *held == name);
    fact.map(|(_, fact)| fact.to_string()).unwrap_or_default()
}

fn line(call: &Call) -> String {
    let answer = fact(call, "status") + &fact(call, "fault");
    let (method, path) = (fact(call, "method"), fact(call, "path"));
    format!("{method} {path} {} {answer}", fact(call, "attempt"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_one_span_without_its_path() {
    let log = vestibule_log::start();
    let told = Arc::new(Told::default());
    log.report_to(Some(told.clone()));
    let harness = Harness::signed_in().await;

    // Three refreshes in a row, of which two fail.
    let trouble = Fault::on("POST", REFRESH, Effect::status(503)).times(2);
    harness.backend.faults().add(trouble);
    harness.session.refresh().await.expect_err("trouble");
    harness.until_fresh().await;
    // A call that is sent twice, and one with an id in its path and a query.
    harness.pass(PAGE_GAP);
    harness.backend.expire_access_tokens();
    harness.get("/me").await.expect("a call");
    let reply = harness.get("/plans/team?coupon=a-secret-coupon").await;
    assert_eq!(reply.expect("a call").status, 200);
    // A call that gets no answer.
    let at = Point::BeforeHeaders;
    let gone = Fault::on("GET", "/plans", Effect::Reset { at });
    harness.backend.faults().add(gone);
    harness.get("/plans").await.expect_err("no answer");

    let calls = told.calls();
    let lines: Vec<_> = calls.iter().map(line).collect();
    let refreshes: Vec<_> = lines.iter().filter(|it| it.contains(REFRESH)).collect();
    assert_eq!(
        refreshes[..3],
        [
            "POST /refresh-token 1 503",
            "POST /refresh-token 2 503",
            "POST /refresh-token 3 200"
        ]
    );
    assert!(lines.contains(&"POST /login 1 200".into()), "{lines:?}");
    for wanted in ["GET /me 1 401", "GET /me 2 200", "GET /plans/* 1 200"] {
        assert!(lines.contains(&wanted.into()), "{wanted}: {lines:?}");
    }

    let unanswered = calls.iter().find(|call| fact(call, "path") == "/plans");
    let unanswered = unanswered.expect("a call without an answer is logged too");
    assert_eq!(fact(unanswered, "status"), "", "{unanswered:?}");
    assert_ne!(fact(unanswered, "fault"), "", "{unanswered:?}");

    for call in &calls {
        assert!(call.facts.iter().any(|(name, _)| *name == "ms"));
        let Some((_, Fact::Word(id))) = call.facts.iter().find(|(name, _)| *name == "request")
        else {
            panic!("an id: {call:?}");
        };
        assert_eq!(id.len(), 36, "{id}");
    }
    let all = format!("{calls:?}");
    for absent in ["team", "coupon", DEMO] {
        assert!(!all.contains(absent), "{absent} in {all}");
    }
    // The request id lets the backend find the request of a line.
    let sent = harness.backend.last_request("GET", "/plans/team");
    let sent = sent.expect("it arrived");
    let id = sent.header("x-request-id").expect("an id");
    assert!(calls.iter().any(|call| fact(call, "request") == id), "{id}");
}
