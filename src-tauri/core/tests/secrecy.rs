//! No secret in any log: everything at TRACE while sessions live, fail and end, searched for
//! passwords, codes, tokens and what a profile's steps keep, raw and in several encodings. This is the
//! only test in its program, since the log belongs to the process.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use vestibule_backend::{Backend, Cut, Effect, Fault, Point};
use vestibule_core::profile::Profile;
use vestibule_core::testing::PAGE_GAP;
use vestibule_core::wire::{LoginInput, SignInOutcome};
use vestibule_core::{Secret, StoreError};
use vestibule_harness::*;
use vestibule_recordings::{Player, Recording};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The secrets: every password, code and token that the backend received.
fn secrets(backend: &Backend, typed: &[String]) -> HashSet<String> {
    let mut secrets: HashSet<String> = typed.iter().cloned().collect();
    for (method, path) in [
        ("POST", REFRESH),
        ("POST", "/logout"),
        ("GET", "/me"),
        ("POST", "/login"),
    ] {
        for request in backend.recent_requests(method, path) {
            secrets.extend(request.cookie(COOKIE).map(str::to_owned));
            let bearer = request.header("authorization");
            secrets.extend(bearer.map(|text| text.trim_start_matches("Bearer ").to_owned()));
        }
    }
    secrets
}

/// The forms in which a careless log could print a secret.
fn disguises(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let decimals: Vec<_> = bytes.iter().map(u8::to_string).collect();
    vec![
        secret.to_owned(),
        decimals.join(", "),
        bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        bytes.iter().map(|byte| format!("%{byte:02X}")).collect(),
    ]
}

async fn tour(typed: &mut Vec<String>) -> Vec<Harness> {
    let harness = Harness::signed_in().await;
    typed.push(PASSWORD.into());
    let wrong = "a-wrong-password-indeed";
    typed.push(wrong.into());
    let mut input = login(DEMO);
    input.password = Secret::new(wrong);
    let error = harness.session.login(input).await.expect_err("refused");
    assert!(
        !format!("{error:?} {error}").contains(wrong),
        "no secret in an error"
    );
    for effect in [
        Effect::status(503),
        Effect::Html { status: 200 },
        Effect::BrokenJson { status: 200 },
        Effect::WrongJson {
            status: 200,
            body: None,
        },
        Effect::Truncate { cut: Cut::Close },
        Effect::Reset {
            at: Point::InHeaders,
        },
        Effect::Huge { bytes: 2 << 20 },
    ] {
        let fault = Fault::on("POST", REFRESH, effect).after().times(1);
        let fault = harness.backend.faults().add(fault);
        // A refresh may join one that is just ending, to which the fault did not apply.
        while harness.backend.faults().fired(fault) == Some(0) {
            let _ = harness.session.refresh().await;
        }
        harness.until_fresh().await;
        harness.get("/me").await.expect("a call");
    }
    harness.store.block(Block::Fail(StoreError::Failed));
    harness.session.refresh().await.expect("in memory");
    harness.store.heal();
    harness.pass(Duration::from_secs(10));
    harness.session.refresh().await.expect("kept");
    harness.pass(PAGE_GAP);
    harness.backend.expire_access_tokens();
    harness.get("/me").await.expect("a call that is sent again");
    harness.session.logout().await;
    harness.reached("/logout", 1).await;

    let coded = Harness::new().await;
    coded.session.login(login(OTP)).await.expect("challenged");
    let code = coded.backend.last_code(OTP).expect("a code");
    typed.push(code.clone());
    verify(&coded.session, Secret::new(code))
        .await
        .expect("signed in");
    coded.session.refresh().await.expect("refreshed");
    coded.backend.revoke_session(OTP);
    coded.session.refresh().await.expect_err("ended");
    vec![harness, coded]
}

/// A backend whose calls begin with a step. It refuses a sign-in in words that repeat what was kept,
/// takes the next one, and renews the session.
const STEPS: &str = r#"
$ curl -si http://127.0.0.1:1/login/api
HTTP/1.1 200 OK
Content-Type: application/json
X-Nonce: nonce-of-the-first-step

{"id":"flow-of-the-first-step"}

$ curl -si -X POST http://127.0.0.1:1/login?flow=flow-of-the-first-step -H X-Flow: nonce-of-the-first-step -d {"password":"password-of-the-steps","csrf":"nonce-of-the-first-step"}
HTTP/1.1 422 Unprocessable Content
Content-Type: application/json

{"message":"flow-of-the-first-step and nonce-of-the-first-step do not fit"}

$ curl -si http://127.0.0.1:1/login/api
HTTP/1.1 200 OK
Content-Type: application/json
X-Nonce: nonce-of-the-second-step

{"id":"flow-of-the-second-step"}

$ curl -si -X POST http://127.0.0.1:1/login?flow=flow-of-the-second-step -H X-Flow: nonce-of-the-second-step -d {"password":"password-of-the-steps","csrf":"nonce-of-the-second-step"}
HTTP/1.1 200 OK
Content-Type: application/json

{"a":"access-of-the-second-step","r":"refresh-of-the-second-step","user":{"id":7,"name":"Ann"}}

$ curl -si -X POST http://127.0.0.1:1/refresh/api -d {"token":"refresh-of-the-second-step"}
HTTP/1.1 200 OK
Content-Type: application/json

{"id":"flow-of-the-third-step"}

$ curl -si -X POST http://127.0.0.1:1/refresh -d {"token":"refresh-of-the-second-step","flow":"flow-of-the-third-step"}
HTTP/1.1 200 OK
Content-Type: application/json

{"a":"access-of-the-third-step","r":"refresh-of-the-third-step","user":{"id":7,"name":"Ann"}}
"#;

/// What `$kept.NAME` stood for is as secret as what it is sent for.
async fn tour_of_steps(typed: &mut Vec<String>) {
    let words = STEPS.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    typed.extend(
        words
            .filter(|word| word.ends_with("-step") || word.ends_with("-steps"))
            .map(str::to_owned),
    );
    let player = Player::start(Recording::parse(STEPS), &[]).await;
    let player = player.expect("a port");
    let answer = json!({"user": ["/user"], "access_token": ["/a"], "refresh_token": ["/r"]});
    let profile = json!({
        "extends": "nothing",
        "name": "Steps",
        "backend": player.url(),
        "endpoints": {
            "login": {
                "path": "/login?flow=$kept.flow",
                "headers": {"x-flow": "$kept.nonce"},
                "body": {"password": "$password", "csrf": "$kept.nonce"},
                "before": {
                    "method": "GET",
                    "path": "/login/api",
                    "keep": {"flow": "/id", "nonce": "header:x-nonce"},
                },
            },
            "refresh": {
                "path": "/refresh",
                "body": {"token": "$refresh_token", "flow": "$kept.flow"},
                "before": {
                    "path": "/refresh/api",
                    "body": {"token": "$refresh_token"},
                    "keep": {"flow": "/id"},
                },
            },
        },
        "answer": {"message": ["/message"], "code": ["/code"], "login": answer, "refresh": answer},
        "user": {"id": ["/id"], "name": ["/name"]},
        "ends": [{"status": 401, "code": "over", "why": "expired"}],
    });
    let profile = Profile::from_json(profile).unwrap_or_else(|error| panic!("{error}"));
    let installation = Installation::new(profile).await;
    let input = || LoginInput::new("ann@example.com", "password-of-the-steps");
    let error = installation.session.login(input()).await;
    let error = error.expect_err("refused");
    for secret in typed.iter().filter(|secret| secret.ends_with("-step")) {
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains(secret.as_str()), "{shown}");
    }
    let outcome = installation.session.login(input()).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    installation.session.refresh().await.expect("renewed");
    let strays = player.strays();
    assert!(strays.is_empty(), "{strays:?}");
}

#[test]
fn no_secret_is_logged() {
    let captured = Captured::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (log, mut wanted) = runtime.block_on(async {
        let mut typed = Vec::new();
        let harnesses = tour(&mut typed).await;
        tour_of_steps(&mut typed).await;
        let mut wanted = HashSet::new();
        for harness in &harnesses {
            wanted.extend(secrets(&harness.backend, &typed));
        }
        let held = captured.0.lock().unwrap_or_else(PoisonError::into_inner);
        (String::from_utf8_lossy(&held).into_owned(), wanted)
    });
    assert!(
        log.contains("/login?flow=$kept.flow"),
        "the control: the log has the step's call, by its template"
    );
    assert!(
        log.contains(REFRESH) && log.contains("the session is kept"),
        "the control: the log has known entries"
    );
    assert!(log.contains("TRACE"), "the log includes TRACE");
    wanted.retain(|secret| !secret.is_empty());
    assert!(
        wanted.len() > 15,
        "there are secrets to search for: {}",
        wanted.len()
    );
    for line in log.lines() {
        // The cookie store logs the values of ordinary cookies. None is a secret of a session, and
        // the app does not log that target.
        for secret in &wanted {
            for form in disguises(secret) {
                // A code has six digits, which can occur inside any number.
                let alone = |c: char| c.is_ascii_alphanumeric();
                let found = match form.len() {
                    0..=8 => line.split(|c: char| !alone(c)).any(|word| word == form),
                    _ => line.contains(&form),
                };
                assert!(!found, "a secret of {} bytes in: {line}", secret.len());
            }
        }
    }
}
