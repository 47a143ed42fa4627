//! No text of the doctor has a secret in it. The secrets to search for are taken from the
//! exchanges.

use std::collections::BTreeSet;

use serde_json::Value;
use vestibule_backend::Config;
use vestibule_core::backend::Recorder;
use vestibule_doctor::table;
use vestibule_harness::{DEMO, PASSWORD, start_backend};

use crate::proxy::Proxy;
use crate::support::{Clerk, examined_and_kept, thorough};

/// Every secret that was sent or received: passwords, codes, tokens, cookies.
fn needles(recorder: &Recorder) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut keep = |text: &str| {
        if text.len() >= 6 {
            found.insert(text.to_owned());
        }
    };
    for exchange in recorder.exchanges() {
        for line in exchange.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap_or_default().split(';').next();
            if let Some((_, value)) = pair.and_then(|pair| pair.split_once('=')) {
                keep(value);
            }
        }
        let sent = exchange.sent.as_deref().unwrap_or_default();
        let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
        for name in ["/password", "/code"] {
            sent.pointer(name).and_then(Value::as_str).map(&mut keep);
        }
        let body = exchange
            .body
            .as_ref()
            .map_or(&[][..], |body| body.as_slice());
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        body.pointer("/tokens/token")
            .and_then(Value::as_str)
            .map(&mut keep);
    }
    found
}

fn said_of(report: &vestibule_doctor::Report, prompter: &Clerk) -> String {
    let json = serde_json::to_string_pretty(report).expect("JSON");
    format!("{}\n{json}\n{}", table(report), prompter.lines().join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_said_holds_a_secret() {
    let backend = start_backend(Config::default()).await;
    let prompter = Clerk::at(&backend);
    let plan = thorough(&backend.url());
    let (report, recorder) = examined_and_kept(&plan, prompter.clone()).await;
    let needles = needles(&recorder);
    assert!(
        needles.contains(PASSWORD),
        "the search has the password to search for"
    );
    assert!(
        needles.len() > 20,
        "tokens, cookies, codes: {}",
        needles.len()
    );
    let said = said_of(&report, &prompter);
    for needle in &needles {
        assert!(!said.contains(needle), "a secret is shown in\n{said}");
    }
    // A control: the search finds the secrets in the exchanges themselves.
    let wire: String = (recorder.exchanges().iter())
        .filter_map(|one| Some(String::from_utf8_lossy(one.body.as_ref()?).into_owned()))
        .collect();
    assert!(needles.iter().any(|needle| wire.contains(needle)));
}

/// The backend repeats in its errors what it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn not_even_where_the_backend_repeats_one() {
    let backend = start_backend(Config::default()).await;
    let proxy = Proxy::before(backend.address(), |passing| {
        let is_refusal = passing.head.starts_with("HTTP/1.1 4");
        if is_refusal {
            let asked: Value = serde_json::from_str(&passing.asked).unwrap_or_default();
            let password = asked["password"].as_str().unwrap_or_default();
            let mut pairs = passing.asked_head.split([' ', ';', '\r']);
            let token = pairs.find(|pair| pair.starts_with("__refresh_token="));
            let told = format!(
                "{password} is wrong, and so is {}",
                token.unwrap_or_default()
            );
            passing.body = serde_json::json!({"code": "BAD", "message": told}).to_string();
        }
    })
    .await;
    let prompter = Clerk::at(&backend);
    let mut plan = thorough(&proxy.url());
    plan.register = None;
    // The password is wrong for this account, so the backend repeats the real password.
    plan.otp_account.as_mut().expect("one").email = "nobody@vestibule.test".into();
    let (report, recorder) = examined_and_kept(&plan, prompter.clone()).await;
    let said = said_of(&report, &prompter);
    let repeated = recorder.exchanges().iter().any(|one| {
        let body = one.body.as_ref().map_or(&[][..], |body| body.as_slice());
        one.status == Some(401) && String::from_utf8_lossy(body).contains(PASSWORD)
    });
    assert!(repeated, "the backend did repeat the password");
    assert!(!said.contains(PASSWORD), "{said}");
    assert!(
        said.contains("<password> is wrong"),
        "a secret is replaced by its type: {said}"
    );
    assert!(
        said.contains("__refresh_token=<cookie>"),
        "likewise: {said}"
    );
    assert!(said.contains(DEMO), "an address is no secret");
    for needle in needles(&recorder) {
        assert!(!said.contains(&needle), "a secret is shown in\n{said}");
    }
}
