//! Faults on demand: which endpoint fails, how, how often and when.
//!
//! This module holds the faults and picks one for each request; `effects` applies it. Without
//! a fault in force it costs one lock per request. It never touches the database: a fault set to
//! `before` answers in place of the endpoint, one set to `after` lets the endpoint do its work
//! and then replaces or damages the answer.

mod effects;
mod fault_list;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use effects::{alter_response, replace_response};
pub use fault_list::{FaultId, FaultList};

/// One fault: an endpoint, an effect, and to which requests it applies.
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
    /// To how many requests it applies; absent means until it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How many matching requests it lets pass first.
    pub skip: u32,
    /// The probability, from 0 to 1, with which it applies to a matching request.
    pub rate: f64,
    /// Before or after the endpoint's work; [`Effect::usually`] is the default.
    pub when: When,
    /// What it does.
    #[serde(flatten)]
    pub effect: Effect,
}

/// When a fault applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Instead of the endpoint's work: the database is not touched.
    Before,
    /// After the work is done and committed: only the answer is affected.
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

/// Where in the answer a reset happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Before the first byte of the answer.
    #[default]
    BeforeHeaders,
    /// After the status line and part of the headers.
    InHeaders,
    /// After the headers, before the body.
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
    /// Waits, then answers as usual.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Never answers; holds the connection until the client gives up.
    Hang {},
    /// Answers with another status, and `{message, code}` or a body of your own.
    Status {
        /// The status of the answer.
        status: u16,
        /// The `code` in the body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The `message` in the body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// A JSON body instead of `{message, code}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        /// Additional headers, such as `Retry-After`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// A web page, as a captive portal or a proxy would send.
    Html {
        /// The status; 200 by default.
        #[serde(default = "ok")]
        status: u16,
    },
    /// A text that calls itself this.
    Text {
        /// The status; 200 by default.
        #[serde(default = "ok")]
        status: u16,
        /// The media type.
        media: String,
        /// The body.
        text: String,
    },
    /// An answer without a body.
    Empty {
        /// The status; 200 by default.
        #[serde(default = "ok")]
        status: u16,
    },
    /// JSON of another shape: `{"unexpected": true}` or a body of your own.
    WrongJson {
        /// The status; 200 by default.
        #[serde(default = "ok")]
        status: u16,
        /// The JSON body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
    },
    /// A body that is declared as JSON and ends in the middle of a string.
    BrokenJson {
        /// The status; 200 by default.
        #[serde(default = "ok")]
        status: u16,
    },
    /// A redirect to another address.
    Redirect {
        /// The value of `Location`.
        location: String,
        /// The status; 307 by default.
        #[serde(default = "temporary")]
        status: u16,
    },
    /// The true headers with the full `Content-Length`, half the body, then the end.
    Truncate {
        /// How the connection ends.
        #[serde(default)]
        cut: Cut,
    },
    /// A TCP reset.
    Reset {
        /// Where in the answer.
        #[serde(default)]
        at: Point,
    },
    /// The connection ends without a byte of an answer.
    Drop {
        /// How the connection ends.
        #[serde(default)]
        cut: Cut,
    },
    /// A body of this size: the true body, if there is one, followed by spaces.
    Huge {
        /// Bytes in all; 8 MiB by default.
        #[serde(default = "eight_mib")]
        bytes: u64,
    },
    /// The true headers, followed by this many bytes of others.
    HugeHeaders {
        /// Bytes added; 256 KiB by default.
        #[serde(default = "quarter_mib")]
        bytes: usize,
    },
    /// The true answer, a few bytes at a time.
    Drip {
        /// Bytes at a time; 1 by default.
        #[serde(default = "one")]
        bytes: usize,
        /// Milliseconds between them; 100 by default.
        #[serde(default = "hundred")]
        every_ms: u64,
    },
    /// The true answer with a change to its JSON, as a merge patch (RFC 7396): null removes a member.
    Patch {
        /// The patch.
        body: Value,
    },
    /// The true answer from a clock that is wrong: `expires` and `Date` are shifted, `expiresIn` is
    /// not.
    WrongClock {
        /// Seconds ahead, or behind if negative.
        seconds: i64,
    },
}

impl Effect {
    /// When this effect applies by default: effects that show the true answer, and a drop, after
    /// the work; all others before.
    #[must_use]
    pub fn usually(&self) -> When {
        match self {
            Self::Truncate { .. }
            | Self::Drop { .. }
            | Self::HugeHeaders { .. }
            | Self::Drip { .. }
            | Self::Patch { .. }
            | Self::WrongClock { .. }
            | Self::Reset {
                at: Point::InHeaders | Point::AfterHeaders,
            } => When::After,
            Self::Delay { .. }
            | Self::Hang {}
            | Self::Status { .. }
            | Self::Html { .. }
            | Self::Text { .. }
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

    /// An answer with this status and a generic body.
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
    /// A fault that applies to every request to this endpoint until it is removed.
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

    /// Applies to this many requests only.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Applies with this probability, from 0 to 1.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = rate.clamp(0.0, 1.0);
        self
    }

    /// Applies before the work: the database is not touched.
    #[must_use]
    pub fn before(mut self) -> Self {
        self.when = When::Before;
        self
    }

    /// Applies after the work is committed.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.when = When::After;
        self
    }

    /// Parses the flat JSON form; the error says what is wrong with it.
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
