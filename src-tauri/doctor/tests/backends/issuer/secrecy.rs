//! What is said of a provider: no secret, and nothing that a terminal acts upon.

use serde_json::{Value, json};
use vestibule_doctor::table;

use super::{DISCOVERY, plan, strict};
use crate::proxy::Proxy;
use crate::support::{Clerk, examined, examined_and_kept, fails};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_said_of_a_provider_holds_a_secret() {
    let backend = strict().await;
    let clerk = Clerk::at(&backend);
    let mut plan = plan(&backend.url());
    plan.allowed.replay = true;
    let (report, recorder) = examined_and_kept(&plan, clerk.clone()).await;
    let said = format!(
        "{}\n{}\n{}",
        table(&report),
        serde_json::to_string(&report).expect("JSON"),
        clerk.lines().join("\n")
    );
    let mut found = 0;
    for exchange in recorder.exchanges() {
        let body = exchange
            .body
            .as_ref()
            .map_or(&[][..], |body| body.as_slice());
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let sent = exchange.sent.as_deref().unwrap_or_default();
        let sent: Value = (url::form_urlencoded::parse(sent).into_owned())
            .map(|(name, value)| (name, Value::from(value)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        for name in [
            "access_token",
            "refresh_token",
            "id_token",
            "code",
            "code_verifier",
        ] {
            // The `code` of an answer names an error.
            let of_body = if name == "code" {
                &Value::Null
            } else {
                &body[name]
            };
            for secret in [of_body, &sent[name]].into_iter().filter_map(Value::as_str) {
                found += 1;
                assert!(!said.contains(secret), "{name} is shown in\n{said}");
            }
        }
    }
    assert!(found > 8, "there are secrets to search for: {found}");
    assert!(
        said.contains("POST /oidc/token {grant_type, code"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_cannot_speak_to_the_terminal() {
    let backend = strict().await;
    let proxy = Proxy::before(backend.address(), |passing| {
        if passing.path.ends_with(DISCOVERY) {
            passing.body = json!({
                "issuer": "https://evil.example/\u{1b}]0;title\u{7}\u{202e}",
                "code_challenge_methods_supported": ["\u{1b}[2J"],
            })
            .to_string();
        }
    })
    .await;
    let report = examined(&plan(&proxy.url()), Clerk::at(&backend)).await;
    let shown = table(&report);
    assert!(fails(&report, "discovery").contains("evil.example"));
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown}");
}
