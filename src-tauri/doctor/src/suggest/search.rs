//! What every step of a search has at hand: the wire, the address, what the person has told, and what
//! the backend answers where there is nothing.

use std::collections::HashMap;

use serde_json::Value;
use url::Url;
use uuid::Uuid;
use vestibule_core::profile::Profile;
use vestibule_core::transport::{HeaderMap, HeaderName, HeaderValue, Method, TransportError};
use vestibule_core::{Device, RefreshCookie, Secret};

use super::answers::Signature;
use super::body::{Body, Values};
use super::documents::Told;
use super::wire::{Answer, Wire};
use crate::plan::{Account, Hints};
use crate::stop::{Stop, Stopped};

/// Why a search does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The one sentence that says what is missing.
    Sentence(String),
    Stopped,
}

impl From<Stopped> for Missing {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<String> for Missing {
    fn from(sentence: String) -> Self {
        Self::Sentence(sentence)
    }
}

/// What speaks for a session.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    pub access: Option<Secret>,
    pub refresh: Option<Secret>,
    pub cookies: Vec<RefreshCookie>,
}

/// A call that may exist, with placeholders.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub method: Method,
    /// Below the base address.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Body>,
}

impl Call {
    pub(super) fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    #[must_use]
    pub(super) fn with_header(mut self, (name, template): (&str, &str)) -> Self {
        self.headers.push((name.to_owned(), template.to_owned()));
        self
    }

    #[must_use]
    pub(super) fn with_body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }
}

pub(super) struct Search<'a> {
    pub wire: Wire,
    pub base: Url,
    /// Headers of every request, with placeholders.
    pub headers: Vec<(String, String)>,
    pub account: &'a Account,
    pub hints: &'a Hints,
    pub stop: Stop,
    pub device: Device,
    /// What the backend's documents name.
    pub told: Vec<Told>,
    /// What the backend answers at an invented path in a folder.
    nothing: HashMap<(Method, String), Signature>,
    /// A word that no backend knows.
    invented: String,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        wire: Wire,
        given: &Profile,
        account: &'a Account,
        hints: &'a Hints,
        stop: Stop,
        device: Device,
    ) -> Self {
        let headers = given.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), value.source()));
        Self {
            wire,
            base: given.backend.clone(),
            headers: headers.collect(),
            account,
            hints,
            stop,
            device,
            told: Vec::new(),
            nothing: HashMap::new(),
            invented: format!("vd{}", Uuid::new_v4().simple()),
        }
    }

    /// The address of a path below the base.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        url.set_path(&format!("{base}{path}"));
        url.set_query(query);
        url
    }

    /// A path from the root of the origin, as one below the base; none if it is not below it.
    pub(super) fn below(&self, path: &str) -> Option<String> {
        let base = self.base.path().trim_end_matches('/');
        let rest = path.strip_prefix(base)?;
        rest.starts_with('/').then(|| rest.to_owned())
    }

    pub(super) fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// What placeholders stand for in a call with these credentials; the password is in none.
    pub(super) fn values<'b>(&'b self, held: &'b Credentials) -> Values<'b> {
        Values {
            identifier: &self.account.email,
            password: None,
            // Where one token is all, it renews too.
            refresh: held.refresh.as_ref().or(held.access.as_ref()),
            access: held.access.as_ref(),
            device: Some(self.device.payload()),
            device_id: self.device.fingerprint.to_string(),
            origin: self.origin(),
        }
    }

    /// Sends a call that carries what `held` has, cookies too where they go there.
    pub(super) async fn send(&self, call: &Call, held: &Credentials) -> Result<Answer, Missing> {
        let values = self.values(held);
        self.send_with(call, &values, &held.cookies).await
    }

    pub(super) async fn send_with(
        &self,
        call: &Call,
        values: &Values<'_>,
        cookies: &[RefreshCookie],
    ) -> Result<Answer, Missing> {
        let url = self.url(&call.path);
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/json"));
        headers.insert("accept-encoding", HeaderValue::from_static("identity"));
        for (name, template) in self.headers.iter().chain(&call.headers) {
            let value = values.header(template);
            let value = value.and_then(|value| HeaderValue::from_str(&value).ok());
            if let (Ok(name), Some(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
                headers.insert(name, value);
            }
        }
        if let Some(body) = &call.body {
            let kind = HeaderValue::from_static(body.encoding.content_type());
            headers.insert("content-type", kind);
        }
        let mut going: Vec<_> = cookies
            .iter()
            .filter(|cookie| cookie.goes_to(&url))
            .collect();
        going.sort_by_key(|cookie| std::cmp::Reverse(cookie.path().len()));
        let line: Vec<String> = going
            .into_iter()
            .map(|cookie| {
                let (name, value) = cookie.pair();
                format!("{name}={}", value.as_str())
            })
            .collect();
        if let Ok(mut line) = HeaderValue::from_str(&line.join("; "))
            && !line.is_empty()
        {
            line.set_sensitive(true);
            headers.insert("cookie", line);
        }
        let body = call.body.as_ref().map(|body| body.bytes(values));
        let sent = self.wire.ask(call.method.clone(), url, headers, body);
        let answer = self.stop.race(sent).await?;
        let answer = answer.map_err(|error| self.unreachable(error))?;
        match answer.status {
            429 => Err(Missing::Sentence(format!(
                "the backend refuses further requests for now (429 to {} {}): wait, and run this again",
                call.method, call.path
            ))),
            _ => Ok(answer),
        }
    }

    fn unreachable(&self, error: TransportError) -> Missing {
        if self.wire.is_over() {
            let sentence = "the search took longer than a minute, or more requests than it may send: \
                            name the paths that are known, with --login-path and the others";
            return Missing::Sentence(sentence.into());
        }
        Missing::Sentence(format!(
            "the backend did not answer while the doctor looked for its sign-in: {}",
            error.obstacle().words().problem
        ))
    }

    /// What the backend answers to this method where it serves nothing, beside `path`.
    pub(super) async fn nothing_beside(
        &mut self,
        method: &Method,
        path: &str,
    ) -> Result<Signature, Missing> {
        let folder = folder(path).to_owned();
        let key = (method.clone(), folder.clone());
        if let Some(known) = self.nothing.get(&key) {
            return Ok(known.clone());
        }
        let slash = if path.ends_with('/') { "/" } else { "" };
        let invented = format!("{folder}/{}{slash}", self.invented);
        let mut call = Call::new(method.clone(), &invented);
        call.body = (*method == Method::POST).then(|| Body::new(super::body::Encoding::Json));
        let answer = self.send(&call, &Credentials::default()).await?;
        let signature = Signature::of(&answer);
        self.nothing.insert(key, signature.clone());
        Ok(signature)
    }

    /// Asks without any credential whether the backend serves a call; none where it answers as it does
    /// where there is nothing.
    pub(super) async fn probe(&mut self, call: &Call) -> Result<Option<Answer>, Missing> {
        let nothing = self.nothing_beside(&call.method, &call.path).await?;
        let answer = self.send(call, &Credentials::default()).await?;
        let is_nothing =
            Signature::of(&answer) == nothing || matches!(answer.status, 404 | 405 | 501);
        Ok((!is_nothing).then_some(answer))
    }
}

/// `/auth` of `/auth/login` and of `/auth/login/`.
pub(super) fn folder(path: &str) -> &str {
    let plain = path.split('?').next().unwrap_or_default();
    let plain = plain.trim_end_matches('/');
    plain.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The name under which a value stands at a JSON pointer.
pub(super) fn last_name(pointer: &str) -> String {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    last.replace("~1", "/").replace("~0", "~")
}

/// A text of a template in which no placeholder is meant.
pub(super) fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(text.replace('$', "$$")),
        other => other.clone(),
    }
}
