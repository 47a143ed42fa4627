//! Faults on demand: which endpoint misbehaves, how, how often and when.
//!
//! This module decides; `effects` carries out. Without a fault in the book it
//! costs one lock per request. It never touches the database itself: a fault
//! set to `before` keeps the request from reaching it, one set to `after` lets
//! the work be done and spoils the answer.

mod book;
mod effects;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use book::{FaultBook, FaultId};
pub(crate) use effects::{instead, spoil};

/// One fault: an endpoint, an effect, and how often it strikes.
///
/// As JSON it is flat: `{"method": "POST", "path": "/login", "times": 1,
/// "kind": "delay", "ms": 500}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// The method, or `*` for any.
    pub method: String,
    /// The path; `*` for any, or a prefix that ends in `*`.
    pub path: String,
    /// How many requests it strikes; absent means until it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How many matching requests pass unharmed first.
    pub skip: u32,
    /// The chance, from 0 to 1, with which it strikes a matching request.
    pub rate: f64,
    /// Before or after the work; see [`Effect::usually`].
    pub when: When,
    /// What happens.
    #[serde(flatten)]
    pub effect: Effect,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Instead of the work: the database is never touched.
    Before,
    /// Once the work is done and committed: only the answer suffers.
    After,
}

/// How a connection is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    /// An orderly end (FIN).
    #[default]
    Close,
    /// A TCP reset (RST).
    Reset,
}

/// Where a reset strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Not a byte of the answer is sent.
    #[default]
    BeforeHeaders,
    /// The status line and part of the headers are sent.
    InHeaders,
    /// The headers are sent whole, and nothing of the body.
    AfterHeaders,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Effect {
    /// Wait; then answer as usual.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Never answer; hold the connection until the client gives up.
    Hang {},
    /// Another status, with `{message, code}` or a body of your own.
    Status {
        /// The status.
        status: u16,
        /// The `code` of the body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The `message` of the body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// A JSON body in the place of `{message, code}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        /// More headers, such as `Retry-After`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// A web page, as a captive portal or a proxy would send.
    Html {
        /// The status; 200 if not said.
        #[serde(default = "ok")]
        status: u16,
    },
    /// No body at all.
    Empty {
        /// The status; 200 if not said.
        #[serde(default = "ok")]
        status: u16,
    },
    /// JSON of another shape: `{"unexpected": true}` or a body of your own.
    WrongJson {
        /// The status; 200 if not said.
        #[serde(default = "ok")]
        status: u16,
        /// The body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
    },
    /// Declared as JSON, and broken off in the middle of a string.
    BrokenJson {
        /// The status; 200 if not said.
        #[serde(default = "ok")]
        status: u16,
    },
    /// A redirect.
    Redirect {
        /// Where to.
        location: String,
        /// The status; 307 if not said.
        #[serde(default = "temporary")]
        status: u16,
    },
    /// The true headers with the full `Content-Length`, half the body, the end.
    Truncate {
        /// How it ends.
        #[serde(default)]
        cut: Cut,
    },
    /// A TCP reset.
    Reset {
        /// Where.
        #[serde(default)]
        at: Point,
    },
    /// The end of the connection without a byte of an answer.
    Drop {
        /// How it ends.
        #[serde(default)]
        cut: Cut,
    },
    /// A body of this size: the true one, if there is one, and then spaces.
    Huge {
        /// Bytes in all; 8 MiB if not said.
        #[serde(default = "eight_mib")]
        bytes: u64,
    },
    /// True headers, and then this much more of them.
    HugeHeaders {
        /// Bytes more; 256 KiB if not said.
        #[serde(default = "quarter_mib")]
        bytes: usize,
    },
    /// The true answer, a few bytes at a time.
    Drip {
        /// Bytes at a time; 1 if not said.
        #[serde(default = "one")]
        bytes: usize,
        /// Milliseconds between; 100 if not said.
        #[serde(default = "hundred")]
        every_ms: u64,
    },
    /// The true answer by a clock that is off: `expires` and `Date` are shifted,
    /// `expiresIn` is not.
    WrongClock {
        /// Seconds ahead, or behind if negative.
        seconds: i64,
    },
}

impl Effect {
    /// When this effect strikes unless told otherwise: those that show the true
    /// answer, and a drop, after the work; the rest before.
    #[must_use]
    pub fn usually(&self) -> When {
        match self {
            Self::Truncate { .. }
            | Self::Drop { .. }
            | Self::HugeHeaders { .. }
            | Self::Drip { .. }
            | Self::WrongClock { .. }
            | Self::Reset {
                at: Point::InHeaders | Point::AfterHeaders,
            } => When::After,
            Self::Delay { .. }
            | Self::Hang {}
            | Self::Status { .. }
            | Self::Html { .. }
            | Self::Empty { .. }
            | Self::WrongJson { .. }
            | Self::BrokenJson { .. }
            | Self::Redirect { .. }
            | Self::Huge { .. }
            | Self::Reset {
                at: Point::BeforeHeaders,
            } => When::Before,
        }
    }

    /// A plain status with no more than a generic body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status {
            status,
            code: None,
            message: None,
            body: None,
            headers: BTreeMap::new(),
        }
    }
}

impl Fault {
    /// A fault that strikes every request to this endpoint until removed.
    #[must_use]
    pub fn on(method: &str, path: &str, effect: Effect) -> Self {
        Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            times: None,
            skip: 0,
            rate: 1.0,
            when: effect.usually(),
            effect,
        }
    }

    /// Strike only so many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Let so many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Strike with this chance, from 0 to 1.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = rate.clamp(0.0, 1.0);
        self
    }

    /// Strike before the work: the database is never touched.
    #[must_use]
    pub fn before(mut self) -> Self {
        self.when = When::Before;
        self
    }

    /// Strike after the work is committed.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.when = When::After;
        self
    }

    /// Read the flat JSON form; the error says what is wrong with it.
    pub fn from_json(value: Value) -> Result<Self, String> {
        let Value::Object(mut map) = value else {
            return Err("a fault is a JSON object".into());
        };
        let method = take(&mut map, "method")?.unwrap_or_else(|| "*".to_owned());
        let path: String = take(&mut map, "path")?.ok_or("path: missing")?;
        let times = take(&mut map, "times")?;
        let skip = take(&mut map, "skip")?.unwrap_or(0);
        let rate: f64 = take(&mut map, "rate")?.unwrap_or(1.0);
        let when = take(&mut map, "when")?;
        if path != "*" && !path.starts_with('/') {
            return Err("path: begins with / or is *".into());
        }
        if !(0.0..=1.0).contains(&rate) {
            return Err("rate: from 0 to 1".into());
        }
        let effect: Effect =
            serde_json::from_value(Value::Object(map)).map_err(|error| error.to_string())?;
        effect.check()?;
        let mut fault = Self::on(&method, &path, effect).skip(skip).rate(rate);
        fault.times = times;
        fault.when = when.unwrap_or(fault.when);
        Ok(fault)
    }
}

impl Effect {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Status { status, .. }
            | Self::Html { status }
            | Self::Empty { status }
            | Self::WrongJson { status, .. }
            | Self::BrokenJson { status }
            | Self::Redirect { status, .. }
                if !(200..=599).contains(status) =>
            {
                Err("status: from 200 to 599".into())
            }
            Self::Drip { bytes: 0, .. } => Err("bytes: at least 1".into()),
            _ => Ok(()),
        }
    }
}

fn take<T: serde::de::DeserializeOwned>(
    map: &mut Map<String, Value>,
    field: &str,
) -> Result<Option<T>, String> {
    match map.remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value)
            .map(Some)
            .map_err(|error| format!("{field}: {error}")),
    }
}

fn ok() -> u16 {
    200
}

fn temporary() -> u16 {
    307
}

fn eight_mib() -> u64 {
    8 << 20
}

fn quarter_mib() -> usize {
    256 << 10
}

fn one() -> usize {
    1
}

fn hundred() -> u64 {
    100
}
