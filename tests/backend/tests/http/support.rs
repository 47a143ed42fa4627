//! A client for the tests. It keeps cookies and the access token itself, so that a test sees
//! exactly what was sent and can send something else.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vestibule_backend::{Backend, Config};

pub const PASSWORD: &str = "vestibule-demo";
pub const DEMO: &str = "demo@vestibule.test";

pub async fn start() -> Backend {
    start_with(Config::default()).await
}

pub async fn start_with(config: Config) -> Backend {
    Backend::start(config).await.expect("the backend starts")
}

/// An answer that was read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The status and the code of a refusal.
    #[track_caller]
    pub fn refused(&self) -> (u16, String) {
        let body = self.json();
        let message = body["message"].as_str().expect("a message");
        assert!(!message.is_empty(), "a refusal says why");
        (self.status, body["code"].as_str().expect("a code").into())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The whole `Set-Cookie` header with this name.
    pub fn set_cookie(&self, name: &str) -> Option<String> {
        self.headers
            .get_all("set-cookie")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find(|cookie| cookie.starts_with(&format!("{name}=")))
            .map(str::to_owned)
    }

    #[track_caller]
    pub fn refresh_token(&self) -> String {
        let cookie = self
            .set_cookie("__refresh_token")
            .expect("a session cookie");
        let value = cookie.split(';').next().and_then(|c| c.split_once('='));
        value.expect("a value").1.to_owned()
    }

    #[track_caller]
    pub fn access_token(&self) -> String {
        let body = self.json();
        body["tokens"]["token"].as_str().expect("a token").into()
    }
}

/// A device with its own cookies and access token.
#[derive(Clone)]
pub struct Device {
    http: reqwest::Client,
    base: String,
    pub id: String,
    pub cookies: BTreeMap<String, String>,
    pub access: Option<String>,
}

impl Device {
    pub fn new(backend: &Backend) -> Self {
        Self::at(backend.url())
    }

    pub fn at(base: String) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Self {
            http: http.expect("a client"),
            base,
            id: uuid::Uuid::new_v4().to_string(),
            cookies: BTreeMap::new(),
            access: None,
        }
    }

    pub fn fingerprint(&self) -> Value {
        json!({ "fingerprint": self.id, "os": "Debian 12 x86_64", "browser": "Vestibule/0.1.0" })
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if let Some(token) = &self.access {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request
    }

    pub async fn try_send(
        &mut self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let reply = Reply {
            status,
            headers,
            body: response.bytes().await?.to_vec(),
        };
        self.keep(&reply);
        Ok(reply)
    }

    fn keep(&mut self, reply: &Reply) {
        for cookie in reply.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let (pair, rest) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        let body = serde_json::from_slice::<Value>(&reply.body).unwrap_or_default();
        if let Some(token) = body["tokens"]["token"].as_str() {
            self.access = Some(token.into());
        }
    }

    #[track_caller]
    fn sent(result: Result<Reply, reqwest::Error>) -> Reply {
        result.expect("an answer")
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        Self::sent(self.try_send("GET", path, None).await)
    }

    pub async fn delete(&mut self, path: &str) -> Reply {
        Self::sent(self.try_send("DELETE", path, None).await)
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Reply {
        Self::sent(self.try_send("POST", path, Some(body)).await)
    }

    pub async fn login(&mut self, email: &str, password: &str) -> Reply {
        let device = self.fingerprint();
        let body = json!({ "email": email, "password": password, "fingerprint": device });
        self.post("/login", body).await
    }

    /// Signs in with the plain demo account; panics if that fails.
    pub async fn sign_in(&mut self) -> Reply {
        let reply = self.login(DEMO, PASSWORD).await;
        assert_eq!(reply.status, 200, "the demo account signs in");
        reply
    }

    pub async fn register(&mut self, name: &str, email: &str, password: &str) -> Reply {
        let device = self.fingerprint();
        let body = json!({ "name": name, "email": email, "password": password,
            "fingerprint": device });
        self.post("/register", body).await
    }

    pub async fn verify(&mut self, email: &str, code: &str) -> Reply {
        self.verify_at("/verify-otp", email, code).await
    }

    pub async fn verify_at(&mut self, path: &str, email: &str, code: &str) -> Reply {
        let device = self.fingerprint();
        let body = json!({ "email": email, "code": code, "fingerprint": device });
        self.post(path, body).await
    }

    pub async fn resend(&mut self, email: &str) -> Reply {
        let device = self.fingerprint();
        self.post(
            "/resend-otp",
            json!({ "email": email, "fingerprint": device }),
        )
        .await
    }

    pub async fn try_refresh(&mut self) -> Result<Reply, reqwest::Error> {
        let body = json!({ "fingerprint": self.fingerprint() });
        self.try_send("POST", "/refresh-token", Some(body)).await
    }

    pub async fn refresh(&mut self) -> Reply {
        Self::sent(self.try_refresh().await)
    }

    pub async fn logout(&mut self) -> Reply {
        Self::sent(self.try_send("POST", "/logout", None).await)
    }

    pub fn refresh_token(&self) -> String {
        self.cookies["__refresh_token"].clone()
    }

    pub fn with_refresh_token(&self, token: &str) -> Self {
        let mut copy = self.clone();
        copy.cookies.insert("__refresh_token".into(), token.into());
        copy
    }
}
