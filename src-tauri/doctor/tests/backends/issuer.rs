//! The provider of a sign-in by the browser: the bundled backend as the issuer, without faults and with
//! one in its discovery, its keys, its pages or its tokens, each of which shows in its own row.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_backend::{Backend, Config, Effect, Fault};
use vestibule_core::profile::{Layer, Profile, load};
use vestibule_doctor::{Holds, Outcome, Plan, Report, Suggestion, table};
use vestibule_harness::{DEMO, PASSWORD, answer, merge, start_backend};

use crate::proxy::Proxy;
use crate::support::{
    Clerk, WATCH_TIME, account, all_over, examined, examined_and_kept, fails, holds, program, text,
};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const PAGE: &str = "/oidc/authorize";
const TOKEN: &str = "/oidc/token";

/// The rows that need nobody.
const WITHOUT_SIGN_IN: [&str; 12] = [
    "discovery",
    "provider_endpoints",
    "pkce",
    "provider_keys",
    "answers_name_issuer",
    "revocation",
    "device_codes",
    "client",
    "loopback",
    "foreign_redirect",
    "pkce_demanded",
    "implicit",
];
/// The rows that need a person at the browser.
const WITH_SIGN_IN: [&str; 10] = [
    "browser_sign_in",
    "browser_token",
    "id_token",
    "user_info",
    "api_takes_token",
    "browser_refresh",
    "browser_rotation",
    "spent_token",
    "spent_family",
    "revoked_token",
];

/// A profile with a sign-in by the browser at this address, and more in its section.
fn profile(address: &str, more: Value) -> Profile {
    let mut section =
        json!({"kind": "oidc", "issuer": address, "client_id": "vestibule", "device": true});
    merge(&mut section, more);
    let profile = json!({
        "backend": address,
        "browser": section,
        "endpoints": {"me": {
            "path": "/me", "method": "GET", "headers": {"authorization": "Bearer $access_token"},
        }},
        "answer": {"me": {"user": ["/user", ""]}},
    });
    Profile::from_json(profile).expect("a profile")
}

/// A plan with a person at the browser.
fn plan(address: &str) -> Plan {
    let mut plan = Plan::new(profile(address, json!({})));
    plan.browser = true;
    (plan.grace, plan.patience) = (WATCH_TIME, WATCH_TIME);
    plan
}

/// A backend that takes no spent token.
async fn strict() -> Arc<Backend> {
    start_backend(Config {
        grace: Duration::ZERO,
        ..Config::default()
    })
    .await
}

/// The names of the rows about the browser with this result.
fn rows(report: &Report, wanted: Holds) -> Vec<&'static str> {
    let all = WITHOUT_SIGN_IN.into_iter().chain(WITH_SIGN_IN);
    all.filter(|id| report.row(id).holds == wanted).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fits_holds_every_row() {
    let backend = strict().await;
    let report = examined(&plan(&backend.url()), Clerk::at(&backend)).await;
    assert_eq!(rows(&report, Holds::No), [""; 0], "{report:#?}");
    assert_eq!(
        rows(&report, Holds::NotTried),
        ["spent_token", "spent_family"],
        "{report:#?}"
    );
    assert_eq!(report.outcome, Outcome::Fits);
    assert_eq!(report.exit_code(true), 0, "{report:#?}");
    assert!(report.row("revoked_token").got.contains("invalid_grant"));
    all_over(&backend, DEMO);

    let mut plan = plan(&backend.url());
    plan.allowed.replay = true;
    let report = examined(&plan, Clerk::at(&backend)).await;
    assert_eq!(rows(&report, Holds::No), [""; 0], "{report:#?}");
    // The replay has ended the session that would have been revoked.
    assert_eq!(
        rows(&report, Holds::NotTried),
        ["revoked_token"],
        "{report:#?}"
    );
    all_over(&backend, DEMO);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_person_it_looks_from_outside() {
    let backend = strict().await;
    let mut outside = plan(&backend.url());
    outside.browser = false;
    let report = examined(&outside, Clerk::at(&backend)).await;
    assert_eq!(rows(&report, Holds::Yes), WITHOUT_SIGN_IN, "{report:#?}");
    assert_eq!(rows(&report, Holds::NotTried), WITH_SIGN_IN);
    assert!(report.row("browser_sign_in").got.contains("--browser"));
    assert_eq!(report.outcome, Outcome::NotExamined);
    assert_eq!(backend.requests("POST", TOKEN), 0, "nobody signs in");
    assert_eq!(backend.sessions(DEMO).len(), 0);
    // A backend where nobody signs in by the browser has no rows about it.
    let plain = Plan::new(
        Profile::default()
            .with_backend(&backend.url())
            .expect("one"),
    );
    let report = examined(&plain, Clerk::at(&backend)).await;
    let about_it = [&WITHOUT_SIGN_IN[..], &WITH_SIGN_IN[..]].concat();
    let rows: Vec<_> = report.rows.iter().map(|row| row.id).collect();
    assert!(rows.iter().all(|id| !about_it.contains(id)), "{rows:?}");
    assert_eq!(backend.requests("GET", DISCOVERY), 1, "by the first alone");
}

/// The discovery with these members changed; null removes one.
fn discovery(address: &str, changes: Value) -> Effect {
    let mut document = json!({
        "issuer": address,
        "authorization_endpoint": format!("{address}{PAGE}"),
        "token_endpoint": format!("{address}{TOKEN}"),
        "device_authorization_endpoint": format!("{address}/oidc/device"),
        "revocation_endpoint": format!("{address}/oidc/revoke"),
        "userinfo_endpoint": format!("{address}/oidc/userinfo"),
        "jwks_uri": format!("{address}/oidc/keys"),
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    for (name, value) in changes.as_object().expect("an object") {
        document[name] = value.clone();
    }
    answer(200, document, &[])
}

/// Examines a backend with a fault. Asserts that exactly `row` fails of those about the browser, and
/// answers the advice.
async fn with_fault(row: &str, fault: impl Fn(&str) -> Fault) -> String {
    with_fault_and(row, fault, |_| {}).await
}

async fn with_fault_and(
    row: &str,
    fault: impl Fn(&str) -> Fault,
    change: impl Fn(&mut Plan),
) -> String {
    let backend = start_backend(Config::default()).await;
    let address = backend.url();
    let fault = fault(&address);
    let shown = format!("{fault:?}");
    let fault = backend.faults().add(fault);
    let mut plan = plan(&address);
    change(&mut plan);
    let report = examined(&plan, Clerk::at(&backend)).await;
    assert!(backend.faults().fired(fault) > Some(0), "{row}: {shown}");
    assert_eq!(rows(&report, Holds::No), [row], "{shown}\n{report:#?}");
    fails(&report, row)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_the_discovery_is_one_row() {
    let of = |changes: Value| {
        move |address: &str| Fault::on("GET", DISCOVERY, discovery(address, changes.clone()))
    };
    for (row, changes, said) in [
        (
            "discovery",
            json!({"issuer": "https://evil.example"}),
            "browser.issuer",
        ),
        ("discovery", json!({"issuer": null}), "browser.issuer"),
        (
            "provider_endpoints",
            json!({"token_endpoint": null}),
            "name it",
        ),
        (
            "provider_endpoints",
            json!({"authorization_endpoint": 7}),
            "name it",
        ),
        (
            "provider_endpoints",
            json!({"token_endpoint": "http://id.example/t"}),
            "https",
        ),
        (
            "provider_endpoints",
            json!({"userinfo_endpoint": "http://id.example/u"}),
            "https",
        ),
        (
            "pkce",
            json!({"code_challenge_methods_supported": ["plain"]}),
            "S256",
        ),
        (
            "pkce",
            json!({"code_challenge_methods_supported": []}),
            "S256",
        ),
        ("provider_keys", json!({"jwks_uri": null}), ""),
        (
            "provider_keys",
            json!({"id_token_signing_alg_values_supported": ["HS256"]}),
            "RS256",
        ),
        (
            "revocation",
            json!({"revocation_endpoint": null}),
            "RFC 7009",
        ),
        (
            "device_codes",
            json!({"device_authorization_endpoint": null}),
            "browser.device",
        ),
        (
            "answers_name_issuer",
            json!({"authorization_response_iss_parameter_supported": false}),
            "RFC 9207",
        ),
    ] {
        // The sign-in is not the point, and would fail without keys.
        let advice = with_fault_and(row, of(changes), |plan| plan.browser = false).await;
        assert!(advice.contains(said), "{row}: {advice}");
    }
    for effect in [
        Effect::status(404),
        Effect::Html { status: 200 },
        Effect::BrokenJson { status: 200 },
        answer(200, json!([]), &[]),
    ] {
        let fault = move |_: &str| Fault::on("GET", DISCOVERY, effect.clone());
        with_fault_and("discovery", fault, |plan| plan.browser = false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_check_nothing_are_one_row() {
    let point = "WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis";
    for keys in [
        json!({"keys": []}),
        json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
        json!({"keys": [{"kty": "EC", "crv": "secp256k1", "x": point, "y": point}]}),
        json!({"keys": [{"kty": "EC", "crv": "P-256", "x": point, "y": point}]}),
        json!({"keys": [{"kty": "RSA", "e": "AQAB"}]}),
        json!({"keys": [{"kty": "new"}]}),
        json!("a page"),
    ] {
        let effect = answer(200, keys, &[]);
        let fault = move |_: &str| Fault::on("GET", "/oidc/keys", effect.clone());
        with_fault_and("provider_keys", fault, |plan| plan.browser = false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_the_page_is_one_row() {
    let refused = |words: &str| answer(400, json!({"error": words}), &[]);
    let elsewhere = Effect::Redirect {
        location: "https://vestibule-doctor.invalid/callback?code=c".into(),
        status: 302,
    };
    // The app's request, another port, a foreign redirect, without PKCE, response_type=token.
    for (row, number, effect, said) in [
        ("client", 0, refused("invalid_client"), "browser.client_id"),
        ("client", 0, answer(404, json!({}), &[]), "the page"),
        ("loopback", 0, refused("Redirect URI mismatch"), "any port"),
        (
            "loopback",
            1,
            refused("redirect_uri is not registered"),
            "browser.ports",
        ),
        ("foreign_redirect", 2, elsewhere, "not registered"),
        ("pkce_demanded", 3, Effect::Html { status: 200 }, "PKCE"),
        ("implicit", 4, Effect::Html { status: 200 }, "implicit"),
    ] {
        let fault = move |_: &str| Fault::on("GET", PAGE, effect.clone()).skip(number).times(1);
        let advice = with_fault(row, fault).await;
        assert!(advice.contains(said), "{row}: {advice}");
    }
    let backend = strict().await;
    let mut unknown = plan(&backend.url());
    unknown.profile = profile(&backend.url(), json!({"client_id": "nobody"}));
    unknown.browser = false;
    let report = examined(&unknown, Clerk::at(&backend)).await;
    assert_eq!(rows(&report, Holds::No), ["client"], "{report:#?}");
}

/// A page that cannot be read is not judged.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_does_not_say_is_not_tried() {
    for effect in [
        Effect::Html { status: 200 },
        answer(400, json!({"message": "something is wrong"}), &[]),
        Effect::status(429),
        Effect::status(503),
        Effect::Drop {
            cut: Default::default(),
        },
    ] {
        let backend = strict().await;
        backend.faults().add(Fault::on("GET", PAGE, effect.clone()));
        let mut plan = plan(&backend.url());
        plan.browser = false;
        let report = examined(&plan, Clerk::at(&backend)).await;
        for id in [
            "client",
            "loopback",
            "foreign_redirect",
            "pkce_demanded",
            "implicit",
        ] {
            let row = report.row(id);
            assert_eq!(row.holds, Holds::NotTried, "{effect:?}: {row:#?}");
            assert!(!row.got.is_empty(), "{row:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_the_tokens_is_one_row() {
    let tokens = |more: Value| {
        let mut body = json!({"access_token": "access-of-una", "token_type": "Bearer"});
        merge(&mut body, more);
        answer(200, body, &[])
    };
    let forged = json!({"refresh_token": "refresh-of-una", "id_token": "a.b.c"});
    let invalid = |code: &str| answer(400, json!({"error": code}), &[]);
    for (row, path, number, effect) in [
        ("browser_sign_in", TOKEN, 0, invalid("invalid_client")),
        ("browser_sign_in", TOKEN, 0, Effect::status(500)),
        (
            "browser_token",
            TOKEN,
            0,
            tokens(json!({"id_token": "a.b.c"})),
        ),
        ("id_token", TOKEN, 0, tokens(forged)),
        (
            "id_token",
            TOKEN,
            0,
            tokens(json!({"refresh_token": "refresh-of-una"})),
        ),
        ("browser_refresh", TOKEN, 1, Effect::status(500)),
        ("browser_refresh", TOKEN, 1, invalid("invalid_grant")),
        ("browser_rotation", TOKEN, 1, tokens(json!({}))),
    ] {
        let fault = move |_: &str| {
            Fault::on("POST", path, effect.clone())
                .skip(number)
                .times(1)
        };
        with_fault(row, fault).await;
    }
    for (row, method, path, effect) in [
        (
            "user_info",
            "GET",
            "/oidc/userinfo",
            answer(200, json!({"sub": "somebody"}), &[]),
        ),
        ("user_info", "GET", "/oidc/userinfo", Effect::status(401)),
        ("api_takes_token", "GET", "/me", Effect::status(401)),
        (
            "revoked_token",
            "POST",
            "/oidc/revoke",
            Effect::Empty { status: 200 },
        ),
        ("revoked_token", "POST", "/oidc/revoke", Effect::status(500)),
    ] {
        let fault = move |_: &str| Fault::on(method, path, effect.clone());
        with_fault(row, fault).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_token_and_its_family() {
    let replay = |plan: &mut Plan| plan.allowed.replay = true;
    // It works for the whole minute that the bundled backend grants.
    let idle = |_: &str| Fault::on("GET", "/me", Effect::Delay { ms: 1 });
    assert!(
        with_fault_and("spent_token", idle, replay)
            .await
            .contains("invalid_grant")
    );
    // It is refused, and the newest one is not.
    let refused = answer(400, json!({"error": "invalid_grant"}), &[]);
    let once = move |_: &str| Fault::on("POST", TOKEN, refused.clone()).skip(2).times(1);
    assert!(
        with_fault_and("spent_family", once, replay)
            .await
            .contains("RFC 9700")
    );
    // Not tried for long enough to say.
    let backend = start_backend(Config::default()).await;
    let mut short = plan(&backend.url());
    replay(&mut short);
    short.patience = Duration::ZERO;
    let report = examined(&short, Clerk::at(&backend)).await;
    assert_eq!(report.row("spent_token").holds, Holds::NotTried);
    assert!(
        report
            .row("spent_token")
            .got
            .contains("not tried long enough")
    );
    holds(&report, "revoked_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_cancels() {
    let backend = strict().await;
    let report = examined(&plan(&backend.url()), Clerk::cancelling(&backend)).await;
    assert!(fails(&report, "browser_sign_in").contains("agree"));
    assert_eq!(report.row("browser_refresh").holds, Holds::NotTried);
    assert_eq!(report.outcome, Outcome::DoesNotFit);
}

/// The address of an issuer, and nothing more.
async fn guessed(backend: &Arc<Backend>, change: impl Fn(&mut Plan)) -> Report {
    let profile = Profile::default().with_backend(&backend.url());
    let mut plan = Plan::new(profile.expect("an address"));
    plan.is_guess = true;
    change(&mut plan);
    examined(&plan, Clerk::at(backend)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_an_issuer_gets_a_profile() {
    let backend = strict().await;
    // Beside a sign-in with a password it is examined, and the contract stays the profile.
    let report = guessed(&backend, |plan| plan.account = Some(account(DEMO))).await;
    assert!(
        matches!(report.suggestion, Suggestion::Fits { .. }),
        "{report:#?}"
    );
    assert_eq!(
        rows(&report, Holds::Yes).len(),
        6,
        "what the discovery says: {report:#?}"
    );
    assert!(report.row("client").got.contains("--client-id"));
    holds(&report, "login");

    // Nothing there takes a password.
    backend
        .faults()
        .add(Fault::on("POST", "/login", Effect::status(404)));
    backend
        .faults()
        .add(Fault::on("POST", "/refresh-token", Effect::status(404)));
    for named in [None, Some("vestibule")] {
        let report = guessed(&backend, |plan| {
            plan.client_id = named.map(str::to_owned);
            plan.browser = named.is_some();
        })
        .await;
        let Suggestion::Written { toml, how } = &report.suggestion else {
            panic!("{:?}", report.suggestion)
        };
        assert!(how.contains("issuer"), "{how}");
        let layer = Layer::text("profile.toml", toml).expect("TOML");
        let profile = load(&[layer]).expect("a profile");
        let section = profile.browser.get().expect("a section");
        let issuer = section
            .issuer
            .as_ref()
            .expect("an issuer")
            .url()
            .to_string();
        assert_eq!(issuer.trim_end_matches('/'), backend.url());
        assert_eq!(section.client_id == "vestibule", named.is_some(), "{toml}");
        assert_eq!(toml.contains("Fill in"), named.is_none(), "{toml}");
        assert_eq!(rows(&report, Holds::No), [""; 0], "{report:#?}");
        assert!(report.row("login").got.contains("by the browser alone"));
        let outcome = if named.is_some() {
            Outcome::Fits
        } else {
            Outcome::NotExamined
        };
        assert_eq!(report.outcome, outcome, "{report:#?}");
    }
    all_over(&backend, DEMO);
}

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

#[tokio::test(flavor = "multi_thread")]
async fn the_program_prints_the_address_and_waits() {
    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
    let backend = strict().await;
    let url = backend.url();
    let asked = [
        "--issuer",
        &url,
        "--client-id",
        "vestibule",
        "--browser",
        "--json",
    ];
    let mut child = program(&asked, "").start().await;
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let address = loop {
        let line = lines.next_line().await.expect("text").expect("an address");
        if line.contains("code_challenge=") {
            break line;
        }
    };
    crate::support::sign_in_on_page(&address.trim().parse().expect("an address"), false).await;
    let mut out = String::new();
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_to_string(&mut out).await.expect("text");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["outcome"], "fits", "{report:#}");
    let rows = report["rows"].as_array().expect("rows");
    let row = |id: &str| rows.iter().find(|row| row["id"] == id).expect("a row");
    assert_eq!(row("browser_sign_in")["holds"], "yes");
    assert_eq!(row("browser_sign_in")["group"], "browser");
    assert_eq!(row("revoked_token")["holds"], "yes");
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
    all_over(&backend, DEMO);

    for (arguments, said) in [
        (
            &["--issuer", "http://id.example", "--client-id", "a"][..],
            "browser.issuer",
        ),
        (&["--profile", "oidc", "--client-id", "a"], "--issuer"),
        (&["--issuer", "https://id.example"], "browser.client_id"),
        (
            &["--profile", "oidc", "--backend", "https://a.example"],
            "browser.issuer",
        ),
    ] {
        let ended = program(arguments, PASSWORD).run().await;
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{told}");
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}
