//! The page to which an app sends the browser: requests that it takes, refuses and tells the app of.

use crate::support::{DEMO, Device, PASSWORD, Reply, start};

use super::{Browser, encoded, request, request_with, returned};

#[tokio::test]
async fn a_request_that_cannot_go_back_to_its_app_ends_on_a_page() {
    let backend = start().await;
    let browser = Browser::new(&backend);
    for change in [
        ("client_id", "nobody"),
        ("client_id", ""),
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "http://localhost:1/callback"),
        ("redirect_uri", "another-app:/callback"),
        ("redirect_uri", ""),
    ] {
        let reply = browser.open(&request_with(&[change])).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (400, None),
            "{change:?}"
        );
    }
    let twice = [request(), request()].concat();
    assert_eq!(
        browser.open(&twice).await.status,
        400,
        "each parameter once"
    );
}

#[tokio::test]
async fn what_else_is_wrong_with_a_request_is_told_to_the_app() {
    let backend = start().await;
    let browser = Browser::new(&backend);
    for (change, error) in [
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "everything"), "invalid_scope"),
        (("prompt", "none"), "login_required"),
    ] {
        let reply = browser.open(&request_with(&[change])).await;
        assert_eq!(
            returned(&reply, "error").as_deref(),
            Some(error),
            "{change:?}"
        );
        assert_eq!(
            returned(&reply, "state").as_deref(),
            Some("a state/with+signs")
        );
        assert_eq!(returned(&reply, "iss"), Some(backend.url()));
        let posted = browser
            .submit(
                &request_with(&[change]),
                &[("email", DEMO), ("password", PASSWORD)],
            )
            .await;
        assert_eq!(
            returned(&posted, "error").as_deref(),
            Some(error),
            "a form changes nothing: {change:?}"
        );
    }
    let cancelled = browser.submit(&request(), &[("decision", "refuse")]).await;
    assert_eq!(
        returned(&cancelled, "error").as_deref(),
        Some("access_denied")
    );
}

#[tokio::test]
async fn a_page_elsewhere_signs_nobody_in() {
    let backend = start().await;
    let device = Device::new(&backend);
    let mut form = request();
    form.push(("email", DEMO.into()));
    form.push(("password", PASSWORD.into()));
    for origin in ["https://evil.example", "null"] {
        let request = device.request("POST", "/oidc/authorize");
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", origin)
            .body(encoded(&form));
        let reply = device.send(request).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (400, None),
            "{origin}"
        );
    }
}

/// The name of the sign-in in a page that asks for a code.
fn attempt(reply: &Reply) -> String {
    let page = String::from_utf8(reply.body.clone()).expect("text");
    let (_, rest) = page
        .split_once("name=\"attempt\" value=\"")
        .expect("a page for a code");
    rest.split('"').next().expect("a value").to_owned()
}

#[tokio::test]
async fn a_second_factor_is_asked_for_on_the_page() {
    let backend = start().await;
    for (email, from) in [
        ("otp@vestibule.test", "mail"),
        ("totp@vestibule.test", "app"),
    ] {
        let browser = Browser::new(&backend);
        let wrong = [("email", email), ("password", "wrong")];
        let wrong = browser.submit(&request(), &wrong).await;
        assert!(wrong.header("location").is_none(), "a wrong password");
        let typed = [("email", email), ("password", PASSWORD)];
        let asked = browser.submit(&request(), &typed).await;
        assert!(
            asked.header("location").is_none(),
            "the password alone is not enough"
        );
        let attempt = attempt(&asked);
        let elsewhere = [("email", email), ("code", "000000"), ("attempt", "another")];
        let elsewhere = browser.submit(&request(), &elsewhere).await;
        assert!(elsewhere.header("location").is_none());
        let code = backend.last_code(email).expect("a code");
        let stolen = [
            ("email", email),
            ("code", &code),
            ("attempt", "another"),
            ("from", from),
        ];
        let stolen = browser.submit(&request(), &stolen).await;
        assert!(
            stolen.header("location").is_none(),
            "another sign-in's code"
        );
        let typed = [
            ("email", email),
            ("code", &code),
            ("attempt", &attempt),
            ("from", from),
        ];
        let reply = browser.submit(&request(), &typed).await;
        assert!(returned(&reply, "code").is_some(), "{email}");
    }
}
