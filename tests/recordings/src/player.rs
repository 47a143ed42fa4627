//! A small HTTP server that replays a recording.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::exchange::{Exchange, Wanted, form};
use crate::recording::Recording;

/// A request that is not in the recording. It is answered with 501.
#[derive(Clone, Debug)]
pub struct Stray {
    /// The request's method and path.
    pub request: String,
}

/// Plays one recording until it is dropped.
pub struct Player {
    address: SocketAddr,
    tape: Arc<Mutex<Tape>>,
    serving: JoinHandle<()>,
}

struct Tape {
    exchanges: Vec<Exchange>,
    /// The index of the next exchange that was not replayed. The order is kept, so that the same
    /// request can be answered differently later.
    at: usize,
    origin: String,
    ignored: Vec<String>,
    played: Vec<Wanted>,
    strays: Vec<Stray>,
    heads: Vec<String>,
}

impl Player {
    /// Starts the server. Members named in `ignored` may be in a request's body although they were
    /// not recorded; the backend accepts them.
    ///
    /// # Errors
    /// If it cannot listen on loopback.
    pub async fn start(recording: Recording, ignored: &[&str]) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let tape = Arc::new(Mutex::new(Tape {
            exchanges: recording.exchanges,
            at: 0,
            origin: format!("http://{address}"),
            ignored: ignored.iter().map(|name| (*name).to_owned()).collect(),
            played: Vec::new(),
            strays: Vec::new(),
            heads: Vec::new(),
        }));
        let served = tape.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, served.clone()));
            }
        });
        Ok(Self {
            address,
            tape,
            serving,
        })
    }

    /// The base address of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests that were answered, in order.
    #[must_use]
    pub fn played(&self) -> Vec<Wanted> {
        self.tape().played.clone()
    }

    /// The requests that are not in the recording.
    #[must_use]
    pub fn strays(&self) -> Vec<Stray> {
        self.tape().strays.clone()
    }

    /// The head of each request, with the names of its headers as they came.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.tape().heads.clone()
    }

    fn tape(&self) -> std::sync::MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, tape: Arc<Mutex<Tape>>) {
    while let Some(request) = read(&mut stream).await {
        let answer = {
            let mut tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
            tape.play(&request)
        };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// A request as it arrived.
struct Given {
    head: String,
    line: String,
    headers: Vec<(String, String)>,
    body: Option<Value>,
}

impl Given {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(held, _)| held == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Tape {
    fn play(&mut self, given: &Given) -> Vec<u8> {
        self.heads.push(given.head.clone());
        let ahead = (self.at..self.exchanges.len()).find(|at| self.fits(*at, given, true));
        // A GET changes nothing, so its latest answer is given again, whatever token it carries.
        let behind = || (0..self.at).rev().find(|at| self.fits(*at, given, true));
        let alike = || {
            (0..self.exchanges.len())
                .rev()
                .find(|at| self.fits(*at, given, false))
        };
        let is_read = given.line.starts_with("GET ");
        let found = match ahead {
            None if is_read => behind().or_else(alike),
            // An ended session stays ended, so a refusal can be given again.
            None => behind().filter(|at| self.exchanges[*at].answer.is_refusal()),
            found => found,
        };
        let Some(found) = found else {
            self.strays.push(Stray {
                request: format!("{} {:?}", given.line, given.body),
            });
            return b"HTTP/1.1 501 Not Recorded\r\ncontent-length: 0\r\n\r\n".to_vec();
        };
        self.at = self.at.max(found + 1);
        self.played.push(self.exchanges[found].wanted.clone());
        self.exchanges[found].answer.bytes()
    }

    fn fits(&self, at: usize, given: &Given, exactly: bool) -> bool {
        let wanted = &self.exchanges[at].wanted;
        let line = format!("{} {} ", wanted.method, wanted.path);
        let bearer = match (&wanted.authorization, given.header("authorization")) {
            (None, _) => true,
            (Some(wanted), Some(given)) => wanted == given || !exactly,
            (Some(_), None) => false,
        };
        // Without a token or a password, the cookies identify the user.
        let says_who = wanted.authorization.is_some() || wanted.has_password();
        let cookies = given.header("cookie").is_some();
        let cookies = match wanted.method.as_str() {
            _ if says_who => true,
            "GET" => wanted.cookies == cookies,
            _ => cookies || !wanted.cookies,
        };
        let origin = match &wanted.origin {
            // The server's own origin, at its present address.
            Some(own) if *own == wanted.server => {
                given.header("origin") == Some(self.origin.as_str())
            }
            Some(other) => given.header("origin") == Some(other.as_str()),
            // With cookies, a request without an origin must stay without one.
            None => !wanted.cookies || given.header("origin").is_none(),
        };
        let mut headers = wanted.headers.iter();
        given.line.starts_with(&line)
            && headers.all(|(name, value)| given.header(name) == Some(value))
            && bearer
            && cookies
            && origin
            && self.is_body(wanted, given)
    }

    fn is_body(&self, wanted: &Wanted, given: &Given) -> bool {
        let mut given = given.body.clone();
        let is_wanted = |name: &str| {
            wanted
                .body
                .as_ref()
                .is_some_and(|body| body.get(name).is_some())
        };
        if let Some(Value::Object(members)) = &mut given {
            members.retain(|name, _| is_wanted(name) || !self.ignored.contains(name));
        }
        let given = given.filter(|body| *body != serde_json::json!({}));
        given == wanted.body
    }
}

async fn read(stream: &mut TcpStream) -> Option<Given> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).ok()?;
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let given = Given {
        line,
        headers,
        head,
        body: None,
    };
    let length = given.header("content-length").unwrap_or("0").parse().ok()?;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let kind = given.header("content-type").unwrap_or_default();
    let body = if kind.starts_with("application/x-www-form-urlencoded") {
        std::str::from_utf8(&body).ok().map(form)
    } else {
        serde_json::from_slice(&body).ok()
    };
    Some(Given { body, ..given })
}
