//! The backend as an OpenID Connect issuer: sign-in by a browser, by a code on another device, and what
//! neither may be made to do.

mod authorize;
mod device;
mod token;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;
use vestibule_backend::Backend;

use crate::support::{DEMO, Device, PASSWORD, Reply, start};

const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-rules-0123456789";
const REDIRECT: &str = "http://127.0.0.1:49152/callback";

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
