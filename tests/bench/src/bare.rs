//! The same requests without the product: `reqwest` alone, with the TLS and the settings that the
//! core gives its own client.

use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use vestibule_acceptance::{DEMO, PASSWORD};

use crate::registry::Outcome;

/// A client, and the tokens of the last answer.
pub struct Bare {
    client: Client,
    url: String,
    device: Value,
    cookie: String,
    bearer: String,
}

impl Bare {
    /// A client that has no connection yet.
    ///
    /// # Errors
    /// If the client cannot be built.
    pub fn new(url: &str) -> Outcome<Self> {
        let mut builder = Client::builder()
            .user_agent("bench")
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5));
        if url.starts_with("http:") {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| error.to_string())?;
        let id = uuid::Uuid::new_v4();
        Ok(Self {
            client,
            url: url.to_owned(),
            device: json!({ "fingerprint": id, "os": "an os", "browser": "bare" }),
            cookie: String::new(),
            bearer: String::new(),
        })
    }

    /// Signs the demo account in.
    ///
    /// # Errors
    /// If the sign-in is refused.
    pub async fn sign_in(&mut self) -> Outcome<()> {
        let body = json!({ "email": DEMO, "password": PASSWORD, "fingerprint": self.device });
        self.session("/login", &body).await
    }

    /// Exchanges the refresh token for a new one.
    ///
    /// # Errors
    /// If the refresh is refused.
    pub async fn refresh(&mut self) -> Outcome<()> {
        let body = json!({ "fingerprint": self.device });
        self.session("/refresh-token", &body).await
    }

    /// A GET with the access token and further cookies; reads the whole body.
    ///
    /// # Errors
    /// If the answer is not 200.
    pub async fn fetch(&self, path: &str, cookies: &str) -> Outcome<()> {
        let mut answer = self.get(path, cookies).await?;
        while answer.chunk().await.map_err(told)?.is_some() {}
        Ok(())
    }

    async fn get(&self, path: &str, cookies: &str) -> Outcome<Response> {
        let mut request = self
            .client
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.bearer);
        if !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        let answer = request.send().await.map_err(told)?;
        match answer.status().as_u16() {
            200 => Ok(answer),
            status => Err(format!("{path} is answered with {status}")),
        }
    }

    async fn session(&mut self, path: &str, body: &Value) -> Outcome<()> {
        let request = self.client.post(format!("{}{path}", self.url));
        let request = request.header("cookie", &self.cookie).json(body);
        let answer = request.send().await.map_err(told)?;
        if !answer.status().is_success() {
            return Err(format!("{path} is answered with {}", answer.status()));
        }
        let lines = answer.headers().get_all("set-cookie").iter();
        let refresh = lines
            .filter_map(|line| line.to_str().ok()?.split(';').next())
            .find(|pair| pair.starts_with("__refresh_token="));
        self.cookie = refresh.ok_or("no refresh token was set")?.to_owned();
        let answer: Value = answer.json().await.map_err(told)?;
        let bearer = answer["tokens"]["token"].as_str();
        self.bearer = bearer.ok_or("no access token came")?.to_owned();
        match answer["user"]["id"].is_string() {
            true => Ok(()),
            false => Err("the answer names no user".into()),
        }
    }
}

fn told(error: reqwest::Error) -> String {
    format!("bare reqwest: {error}")
}
