//! Backends that a test plays: a function from request to answer behind a loopback port, and the same
//! with paths, members and cookies renamed, so that no name can help whoever examines it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as a backend sees it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn is_form(&self) -> bool {
        self.header("content-type")
            .starts_with("application/x-www-form-urlencoded")
    }

    pub fn json(&self) -> Value {
        match self.is_form() {
            true => Value::Null,
            false => serde_json::from_str(&self.body).unwrap_or(Value::Null),
        }
    }

    pub fn form(&self) -> BTreeMap<String, String> {
        match self.is_form() {
            true => url::form_urlencoded::parse(self.body.as_bytes())
                .into_owned()
                .collect(),
            false => BTreeMap::new(),
        }
    }

    pub fn bearer(&self, scheme: &str) -> Option<&str> {
        self.header("authorization")
            .strip_prefix(scheme)?
            .strip_prefix(' ')
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        let mut pairs = self
            .header("cookie")
            .split("; ")
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(held, _)| *held == name)
            .map(|(_, value)| value.to_owned())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        let headers = vec![("content-type".into(), "application/json".into())];
        Self {
            status,
            headers,
            body: body.to_string(),
        }
    }

    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn missing() -> Self {
        Self::json(404, json!({"message": "Not Found"}))
    }
}

type Answers = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A backend behind a port. Ends when dropped.
pub struct Played {
    address: SocketAddr,
    serving: JoinHandle<()>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Played {
    pub async fn start(answers: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answers: Answers = Arc::new(answers);
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let seen = requests.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, seen) = (answers.clone(), seen.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, answers, seen).await;
                });
            }
        });
        Self {
            address,
            serving,
            requests,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: Answers,
    seen: Arc<Mutex<Vec<Request>>>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (
        first.next().unwrap_or_default(),
        first.next().unwrap_or_default(),
    );
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    while body.len() < length.unwrap_or(0) {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(());
        }
    }
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.clone());
    let reply = answers(&request);
    let mut text = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        text += &format!("{name}: {value}\r\n");
    }
    if reply.status != 204 {
        text += &format!("content-length: {}\r\n", reply.body.len());
    }
    stream
        .write_all(format!("{text}\r\n{}", reply.body).as_bytes())
        .await?;
    stream.shutdown().await
}

/// What a proxy calls differently: pairs of the backend's own name and the one outside.
#[derive(Clone, Default)]
pub struct Names {
    pub paths: Vec<(&'static str, &'static str)>,
    pub members: Vec<(&'static str, &'static str)>,
    pub cookies: Vec<(&'static str, &'static str)>,
}

/// The same backend with other names. What has another name outside is not there under its own.
pub fn renamed(
    names: Names,
    inner: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| {
        let mut request = request.clone();
        let outside = names
            .paths
            .iter()
            .find(|(_, outside)| *outside == request.path);
        match outside {
            Some((own, _)) => request.path = (*own).to_owned(),
            None if names.paths.iter().any(|(own, _)| *own == request.path) => {
                return Reply::missing();
            }
            None => {}
        }
        let mut inward: Vec<_> = names
            .members
            .iter()
            .map(|(own, outside)| (*outside, *own))
            .collect();
        // Under its own name nobody outside knows a member.
        inward.extend(names.members.iter().map(|(own, _)| (*own, "unknown")));
        if request.is_form() {
            let pairs = url::form_urlencoded::parse(request.body.as_bytes());
            let pairs = pairs.map(|(name, value)| (called(&name, &inward), value.into_owned()));
            request.body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
        } else if let Ok(body) = serde_json::from_str::<Value>(&request.body) {
            request.body = with_names(&body, &inward).to_string();
        }
        if let Some(line) = request.headers.get_mut("cookie") {
            let pairs = line.split("; ").map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let own = names.cookies.iter().find(|(_, outside)| *outside == name);
                format!("{}={value}", own.map_or(name, |(own, _)| own))
            });
            *line = pairs.collect::<Vec<_>>().join("; ");
        }
        let mut reply = inner(&request);
        if let Ok(body) = serde_json::from_str::<Value>(&reply.body) {
            reply.body = with_names(&body, &names.members).to_string();
        }
        for (name, value) in &mut reply.headers {
            if name == "set-cookie" {
                let (own, rest) = value.split_once('=').unwrap_or((value, ""));
                let outside = names.cookies.iter().find(|(held, _)| *held == own);
                *value = format!("{}={rest}", outside.map_or(own, |(_, outside)| outside));
            }
        }
        reply
    }
}

fn called(name: &str, names: &[(&str, &str)]) -> String {
    let other = names.iter().find(|(held, _)| *held == name);
    other.map_or(name, |(_, other)| other).to_owned()
}

/// Renames members, and the texts by which a validator names one.
fn with_names(value: &Value, names: &[(&str, &str)]) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter();
            let members =
                members.map(|(name, value)| (called(name, names), with_names(value, names)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| with_names(item, names)).collect(),
        Value::String(text) => Value::String(called(text, names)),
        other => other.clone(),
    }
}
