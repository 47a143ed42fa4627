//! The backend as an OpenID Connect issuer: sign-in by a browser, by a code on another device, and what
//! neither may be made to do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;
use vestibule_backend::{Backend, Config};

use crate::support::{DEMO, Device, PASSWORD, Reply, start, start_with};

const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-rules-0123456789";
const REDIRECT: &str = "http://127.0.0.1:49152/callback";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// The parameters of a sound request.
fn request() -> Vec<(&'static str, String)> {
    vec![
        ("client_id", "vestibule".into()),
        ("redirect_uri", REDIRECT.into()),
        ("response_type", "code".into()),
        ("scope", "openid profile email offline_access".into()),
        ("state", "a state/with+signs".into()),
        ("nonce", "a-nonce".into()),
        ("code_challenge", challenge(VERIFIER)),
        ("code_challenge_method", "S256".into()),
    ]
}

/// The same with other values; an empty one leaves the parameter out.
fn request_with(changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut all = request();
    for (name, value) in changes {
        all.retain(|(held, _)| held != name);
        if !value.is_empty() {
            all.push((name, (*value).into()));
        }
    }
    all
}

struct Browser<'a> {
    backend: &'a Backend,
    device: Device,
}

impl<'a> Browser<'a> {
    fn new(backend: &'a Backend) -> Self {
        let device = Device::new(backend);
        Self { backend, device }
    }

    async fn open(&self, request: &[(&'static str, String)]) -> Reply {
        let query = encoded(request);
        let path = format!("/oidc/authorize?{query}");
        self.device.send(self.device.request("GET", &path)).await
    }

    async fn post(&self, path: &str, form: &[(&'static str, String)]) -> Reply {
        let request = self.device.request("POST", path);
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", self.backend.url())
            .body(encoded(form));
        self.device.send(request).await
    }

    /// Fills in the form of an app's request.
    async fn submit(
        &self,
        app: &[(&'static str, String)],
        typed: &[(&'static str, &str)],
    ) -> Reply {
        let mut form = app.to_vec();
        form.extend(
            typed
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        self.post("/oidc/authorize", &form).await
    }

    /// Signs in, and returns the code that the browser would take to the app.
    async fn code(&self) -> String {
        let typed = [("email", DEMO), ("password", PASSWORD)];
        let reply = self.submit(&request(), &typed).await;
        returned(&reply, "code").expect("a code")
    }
}

fn encoded(pairs: &[(&'static str, String)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs).finish()
}

/// A parameter of the address to which the browser is sent.
fn returned(reply: &Reply, name: &str) -> Option<String> {
    let address = Url::parse(reply.header("location")?).expect("an address");
    let mut pairs = address.query_pairs();
    pairs
        .find(|(held, _)| held == name)
        .map(|(_, value)| value.into_owned())
}

async fn token(backend: &Backend, form: &[(&'static str, &str)]) -> Reply {
    let mut all = vec![("client_id", "vestibule".to_owned())];
    for (name, value) in form {
        all.retain(|(held, _)| held != name);
        all.push((name, (*value).to_owned()));
    }
    Browser::new(backend).post("/oidc/token", &all).await
}

async fn exchange(backend: &Backend, code: &str, changes: &[(&'static str, &str)]) -> Reply {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changes {
        form.retain(|(held, _)| held != name);
        form.push((name, value));
    }
    token(backend, &form).await
}

async fn refresh(backend: &Backend, refresh_token: &str) -> Reply {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    token(backend, &form).await
}

#[track_caller]
fn text(reply: &Reply, name: &str) -> String {
    let body = reply.json();
    let text = body[name].as_str();
    text.unwrap_or_else(|| panic!("no {name} in {body}")).into()
}

#[track_caller]
fn assert_error(reply: &Reply, status: u16, error: &str) {
    assert_eq!(
        (reply.status, text(reply, "error").as_str()),
        (status, error)
    );
    assert!(!text(reply, "error_description").is_empty(), "it says why");
}

/// The claims of a JWT, after its signature was checked with the issuer's published key.
async fn claims(backend: &Backend, jwt: &str) -> Value {
    let device = Device::new(backend);
    let keys = device
        .send(device.request("GET", "/oidc/keys"))
        .await
        .json();
    let key = &keys["keys"][0];
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let part = |name: &str| decode(key[name].as_str().expect("a coordinate"));
    let point = [vec![4], part("x"), part("y")].concat();
    let (signed, signature) = jwt.rsplit_once('.').expect("three parts");
    let (head, body) = signed.split_once('.').expect("three parts");
    let head: Value = serde_json::from_slice(&decode(head)).expect("JSON");
    assert_eq!(
        (&head["alg"], &head["kid"]),
        (&Value::from("ES256"), &key["kid"])
    );
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &decode(signature))
        .expect("signed by the published key");
    serde_json::from_slice(&decode(body)).expect("JSON")
}

async fn me(backend: &Backend, access: &str) -> u16 {
    let mut device = Device::new(backend);
    device.access = Some(access.to_owned());
    device.send(device.request("GET", "/me")).await.status
}

#[tokio::test]
async fn it_says_where_everything_is_and_under_its_own_name() {
    let backend = start().await;
    let device = Device::new(&backend);
    let path = "/.well-known/openid-configuration";
    let found = device.send(device.request("GET", path)).await.json();
    assert_eq!(found["issuer"], backend.url());
    for endpoint in [
        "authorization",
        "token",
        "device_authorization",
        "revocation",
        "userinfo",
    ] {
        let address = found[format!("{endpoint}_endpoint")].as_str();
        let address = address.expect("an address");
        assert!(address.starts_with(&backend.url()), "{address}");
    }
    assert_eq!(found["code_challenge_methods_supported"][0], "S256");
    let spoofed = device.request("GET", path).header("host", "issuer.example");
    let spoofed = device.send(spoofed).await;
    assert_eq!(
        spoofed.refused(),
        (403, "LOCAL_ONLY".into()),
        "DNS rebinding"
    );
}

#[tokio::test]
async fn a_browser_takes_a_code_to_the_app_which_gets_a_session_of_the_backends() {
    let backend = start().await;
    let browser = Browser::new(&backend);
    let page = browser.open(&request()).await;
    let shown = String::from_utf8(page.body.clone()).expect("text");
    assert_eq!(page.status, 200);
    assert!(shown.contains("Sign in to Vestibule") && shown.contains("development only"));
    assert!(
        page.header("content-security-policy")
            .is_some_and(|policy| policy.contains("frame-ancestors 'none'"))
    );

    let typed = [("email", DEMO), ("password", PASSWORD)];
    let reply = browser.submit(&request(), &typed).await;
    assert_eq!(reply.status, 303);
    assert_eq!(
        returned(&reply, "state").as_deref(),
        Some("a state/with+signs")
    );
    assert_eq!(returned(&reply, "iss"), Some(backend.url()));
    let code = returned(&reply, "code").expect("a code");

    let tokens = exchange(&backend, &code, &[]).await;
    assert_eq!(tokens.status, 200, "{:?}", tokens.json());
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    let id_token = claims(&backend, &text(&tokens, "id_token")).await;
    assert_eq!(id_token["iss"], backend.url());
    assert_eq!(id_token["aud"], "vestibule");
    assert_eq!(id_token["nonce"], "a-nonce");
    assert_eq!(id_token["email"], DEMO);
    assert_eq!(me(&backend, &text(&tokens, "access_token")).await, 200);

    let first = text(&tokens, "refresh_token");
    let renewed = refresh(&backend, &first).await;
    let second = text(&renewed, "refresh_token");
    assert_ne!(first, second, "each is used once");
    backend.set_grace(std::time::Duration::ZERO);
    assert_error(&refresh(&backend, &first).await, 400, "invalid_grant");
    assert_error(&refresh(&backend, &second).await, 400, "invalid_grant");
    assert_eq!(backend.sessions(DEMO)[0].ended.as_deref(), Some("reuse"));
}

#[tokio::test]
async fn a_code_is_exchanged_once_by_whom_it_belongs_to() {
    let backend = start().await;
    let browser = Browser::new(&backend);
    let code = browser.code().await;
    let other = "another-verifier-that-is-long-enough-for-the-rules-98765";
    for change in [
        ("code_verifier", other),
        ("redirect_uri", "http://127.0.0.1:49153/callback"),
        ("client_id", "another-app"),
        ("code", "0123456789abcdef"),
    ] {
        let refused = exchange(&backend, &code, &[change]).await;
        assert_error(&refused, 400, "invalid_grant");
    }
    let short = exchange(&backend, &code, &[("code_verifier", "short")]).await;
    assert_error(&short, 400, "invalid_request");
    let secret = exchange(&backend, &code, &[("client_secret", "x")]).await;
    assert_error(&secret, 400, "invalid_client");
    assert_eq!(
        backend.sessions(DEMO).len(),
        0,
        "none of these began a session"
    );
    let tokens = exchange(&backend, &code, &[]).await;
    assert_eq!(tokens.status, 200, "a wrong try costs the owner nothing");
    assert_error(&exchange(&backend, &code, &[]).await, 400, "invalid_grant");
    assert_eq!(
        me(&backend, &text(&tokens, "access_token")).await,
        401,
        "a thief had the code too"
    );
}

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

#[tokio::test]
async fn revoking_either_token_ends_the_session() {
    let backend = start().await;
    for kind in ["refresh_token", "access_token"] {
        let browser = Browser::new(&backend);
        let tokens = exchange(&backend, &browser.code().await, &[]).await;
        let token = text(&tokens, kind);
        let revoke = async |client: &str, token: &str| {
            let form = [
                ("client_id", client.to_owned()),
                ("token", token.to_owned()),
            ];
            browser.post("/oidc/revoke", &form).await.status
        };
        let access = text(&tokens, "access_token");
        assert_eq!(revoke("another-app", &token).await, 200);
        assert_eq!(revoke("vestibule", "not-a-token").await, 200);
        assert_eq!(me(&backend, &access).await, 200, "not by another client");
        assert_eq!(revoke("vestibule", &token).await, 200);
        assert_eq!(me(&backend, &access).await, 401);
        let after = refresh(&backend, &text(&tokens, "refresh_token")).await;
        assert_error(&after, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn tokens_of_other_roads_are_left_alone() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let by_password = device.sign_in().await.refresh_token();
    let refused = refresh(&backend, &by_password).await;
    assert_error(&refused, 400, "invalid_grant");
    assert_eq!(backend.sessions(DEMO)[0].tokens, 1, "nothing was rotated");
    let plain = exchange(&backend, &Browser::new(&backend).code().await, &[]).await;
    let of_vestibule = text(&plain, "refresh_token");
    let form = [
        ("client_id", "another-app"),
        ("grant_type", "refresh_token"),
        ("refresh_token", &of_vestibule),
    ];
    assert_error(&token(&backend, &form).await, 400, "invalid_grant");
    assert_eq!(refresh(&backend, &of_vestibule).await.status, 200);
}

async fn begin_device(backend: &Backend) -> (String, String) {
    let form = [
        ("client_id", "vestibule".to_owned()),
        ("scope", "openid offline_access".to_owned()),
    ];
    let begun = Browser::new(backend).post("/oidc/device", &form).await;
    assert!(
        text(&begun, "verification_uri_complete").starts_with(&text(&begun, "verification_uri"))
    );
    (text(&begun, "device_code"), text(&begun, "user_code"))
}

async fn ask(backend: &Backend, device_code: &str) -> Reply {
    token(
        backend,
        &[("grant_type", DEVICE_GRANT), ("device_code", device_code)],
    )
    .await
}

#[tokio::test]
async fn a_device_is_approved_elsewhere() {
    let at_once = Config {
        device_interval: std::time::Duration::ZERO,
        ..Config::default()
    };
    let backend = start_with(at_once).await;
    let browser = Browser::new(&backend);
    let (device_code, user_code) = begin_device(&backend).await;
    assert_error(
        &ask(&backend, &device_code).await,
        400,
        "authorization_pending",
    );
    let typed = |code: &str, decision: &str| {
        vec![
            ("user_code", code.to_owned()),
            ("email", DEMO.to_owned()),
            ("password", PASSWORD.to_owned()),
            ("decision", decision.to_owned()),
        ]
    };
    browser
        .post("/oidc/activate", &typed("WRNG-CDXX", "allow"))
        .await;
    assert_error(
        &ask(&backend, &device_code).await,
        400,
        "authorization_pending",
    );
    let as_typed = user_code.to_lowercase().replace('-', " ");
    let done = browser
        .post("/oidc/activate", &typed(&as_typed, "allow"))
        .await;
    assert!(String::from_utf8_lossy(&done.body).contains("Vestibule is signed in"));
    let tokens = ask(&backend, &device_code).await;
    assert_eq!(me(&backend, &text(&tokens, "access_token")).await, 200);
    assert_error(&ask(&backend, &device_code).await, 400, "invalid_grant");

    let (device_code, user_code) = begin_device(&backend).await;
    browser
        .post("/oidc/activate", &typed(&user_code, "refuse"))
        .await;
    assert_error(&ask(&backend, &device_code).await, 400, "access_denied");
}

#[tokio::test]
async fn a_device_that_asks_too_often_is_slowed_down() {
    let seldom = Config {
        device_interval: std::time::Duration::from_secs(3600),
        ..Config::default()
    };
    let backend = start_with(seldom).await;
    let (device_code, user_code) = begin_device(&backend).await;
    assert_error(
        &ask(&backend, &device_code).await,
        400,
        "authorization_pending",
    );
    let form = [
        ("user_code", user_code),
        ("email", DEMO.to_owned()),
        ("password", PASSWORD.to_owned()),
    ];
    Browser::new(&backend).post("/oidc/activate", &form).await;
    assert_error(&ask(&backend, &device_code).await, 400, "slow_down");
}
