//! A proxy in front of a server that renames what passes, and counts the sign-ins that were refused.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::{Body, to_bytes};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, LOCATION, ORIGIN, REFERER, SET_COOKIE, TRANSFER_ENCODING,
};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::{Url, form_urlencoded};

use super::renaming::Renaming;

/// What belongs to one connection and not to the message, or is different on the other side.
const OF_THE_CONNECTION: [HeaderName; 3] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];
/// The largest body.
const LARGEST: usize = 8 << 20;

/// The proxy. It ends when it is dropped.
pub struct Proxy {
    passing: Arc<Passing>,
    serving: JoinHandle<()>,
}

/// What the proxy does with each request.
struct Passing {
    /// The proxy's own origin.
    outside: String,
    /// The server's origin.
    inside: String,
    renaming: &'static Renaming,
    /// Whose sign-ins are counted.
    email: String,
    refused: AtomicU32,
    client: reqwest::Client,
}

impl Proxy {
    /// Listens in front of the server at this address; counts the refused sign-ins of this account.
    pub async fn before(address: &str, renaming: &'static Renaming, email: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let outside = listener.local_addr().expect("its address");
        let inside = Url::parse(address).expect("the server's address").origin();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        let passing = Arc::new(Passing {
            outside: format!("http://{outside}"),
            inside: inside.ascii_serialization(),
            renaming,
            email: email.to_owned(),
            refused: AtomicU32::new(0),
            client: client.build().expect("a client"),
        });
        let serving = tokio::spawn(accept(listener, passing.clone()));
        Self { passing, serving }
    }

    /// Its address, with this path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.passing.outside)
    }

    /// How many requests that named the account were refused so far.
    pub fn refused(&self) -> u32 {
        self.passing.refused.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, passing: Arc<Passing>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, passing.clone()));
    }
}

async fn serve(stream: TcpStream, passing: Arc<Passing>) {
    let service = service_fn(move |request| {
        let passing = passing.clone();
        async move { Ok::<_, Infallible>(passing.answer(request).await) }
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = serving.await {
        eprintln!("a connection to the proxy has ended: {error}");
    }
}

impl Passing {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let answer = match to_bytes(Body::new(body), LARGEST).await {
            Ok(body) => {
                let body = String::from_utf8_lossy(&body).into_owned();
                let is_counted = self.names_account(&head, &body);
                let answer = self.pass(&head, body).await;
                if is_counted && answer.status().as_u16() >= 400 {
                    self.refused.fetch_add(1, Ordering::SeqCst);
                }
                return answer;
            }
            Err(error) => error.to_string(),
        };
        said(StatusCode::BAD_REQUEST, &answer)
    }

    /// Whether the account stands in the query or the body, as JSON or as a form.
    fn names_account(&self, head: &Parts, body: &str) -> bool {
        let query = head.uri.query().unwrap_or_default();
        let mut pairs =
            form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(body.as_bytes()));
        body.contains(&self.email) || pairs.any(|(_, value)| value.contains(&self.email))
    }

    async fn pass(&self, head: &Parts, body: String) -> Response<Body> {
        let Some(path) = self.renaming.path(head.uri.path()) else {
            return said(StatusCode::NOT_FOUND, "there is no such path");
        };
        let query = head.uri.query();
        let query = query.map_or_else(String::new, |query| {
            format!("?{}", self.renaming.form(query))
        });
        let asked = self
            .client
            .request(head.method.clone(), format!("{}{path}{query}", self.inside))
            .headers(self.asked_headers(&head.headers))
            .body(self.asked_body(&head.headers, body));
        let answer = async {
            let answer = asked.send().await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            Ok::<_, reqwest::Error>(self.answered(status, &headers, answer.text().await?))
        };
        answer
            .await
            .unwrap_or_else(|error| said(StatusCode::BAD_GATEWAY, &error.to_string()))
    }

    fn asked_headers(&self, headers: &HeaderMap) -> HeaderMap {
        let mut asked = headers.clone();
        for name in OF_THE_CONNECTION.iter().chain(&[HOST, ACCEPT_ENCODING]) {
            asked.remove(name);
        }
        for name in [ORIGIN, REFERER] {
            replace(&mut asked, &name, |text| {
                text.replace(&self.outside, &self.inside)
            });
        }
        replace(&mut asked, &COOKIE, |text| self.renaming.cookies(text));
        asked
    }

    fn asked_body(&self, headers: &HeaderMap, body: String) -> String {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default();
        if self.renaming.members.is_empty() || body.is_empty() {
            return body;
        }
        if kind.contains("form-urlencoded") {
            return self.renaming.form(&body);
        }
        match serde_json::from_str(&body) {
            Ok(value) => self.renaming.json(value).to_string(),
            Err(_) => body,
        }
    }

    fn answered(&self, status: StatusCode, headers: &HeaderMap, body: String) -> Response<Body> {
        let body = body.replace(&self.inside, &self.outside);
        let json = serde_json::from_str::<Value>(&body).ok();
        let body = match json.filter(|_| !self.renaming.members.is_empty()) {
            Some(value) if status.as_u16() >= 400 => self.renaming.refusal(value).to_string(),
            Some(value) => self.renaming.json(value).to_string(),
            None => body,
        };
        let mut answer = Response::new(Body::from(body));
        *answer.status_mut() = status;
        *answer.headers_mut() = headers.clone();
        let headers = answer.headers_mut();
        for name in &OF_THE_CONNECTION {
            headers.remove(name);
        }
        replace(headers, &LOCATION, |text| {
            text.replace(&self.inside, &self.outside)
        });
        replace(headers, &SET_COOKIE, |text| self.renaming.cookie(text));
        answer
    }
}

/// Rewrites each value of a header.
fn replace(headers: &mut HeaderMap, name: &HeaderName, by: impl Fn(&str) -> String) {
    let values: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    for value in values {
        let rewritten = value.to_str().ok().map(&by);
        let rewritten = rewritten.and_then(|text| text.parse().ok());
        headers.append(name, rewritten.unwrap_or(value));
    }
}

/// An answer of the proxy's own.
fn said(status: StatusCode, message: &str) -> Response<Body> {
    let body = serde_json::json!({"message": message}).to_string();
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}
