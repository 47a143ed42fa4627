//! The table of transient faults: everything that can come instead of an answer and says nothing
//! about the session. [`crate::transient`] runs them.

mod bodies;
mod connections;
mod cookies;
mod statuses;

use std::net::SocketAddr;
use std::time::Duration;

use crate::proxy::{Act, End, Script};

#[derive(Clone, Debug)]
pub struct NetworkFault {
    /// Its name in reports.
    pub name: String,
    pub kind: FaultKind,
    /// Whether one of the core's time limits has to expire.
    pub slow: bool,
}

/// Where the fault is.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// Between the core and a backend that can be reached at other times.
    Way(Act),
    /// At the origin itself: its name, or its handshake.
    Origin(Origin),
}

/// An https origin with which no connection is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Its name cannot be resolved.
    Unresolvable,
    /// Its certificate is not signed by a trusted authority.
    SelfSigned,
    /// It answers plain HTTP, like a captive portal.
    PlainHttp,
    /// It resets in the handshake.
    ResetsInHandshake,
    /// It never answers the handshake.
    SilentInHandshake,
}

/// Every row. Redirects lead to `trap`, where nothing may arrive.
pub fn all(trap: SocketAddr) -> Vec<NetworkFault> {
    let mut rows = connections::rows();
    rows.extend(statuses::rows(trap));
    rows.extend(bodies::rows());
    rows.extend(cookies::rows());
    rows.extend(origins());
    rows
}

fn origins() -> Vec<NetworkFault> {
    let row = |name: &str, origin, slow| NetworkFault {
        name: name.into(),
        kind: FaultKind::Origin(origin),
        slow,
    };
    vec![
        row("no such host", Origin::Unresolvable, false),
        row("a certificate of its own making", Origin::SelfSigned, false),
        row("plain HTTP in place of TLS", Origin::PlainHttp, false),
        row("reset in the handshake", Origin::ResetsInHandshake, false),
        row("silent in the handshake", Origin::SilentInHandshake, true),
    ]
}

fn row(name: impl Into<String>, act: Act) -> NetworkFault {
    NetworkFault {
        name: name.into(),
        kind: FaultKind::Way(act),
        slow: false,
    }
}

fn slow(name: impl Into<String>, act: Act) -> NetworkFault {
    NetworkFault {
        slow: true,
        ..row(name, act)
    }
}

fn says(name: impl Into<String>, script: Script) -> NetworkFault {
    row(name, Act::Instead(script))
}

const JSON: &str = "content-type: application/json\r\n";
const HTML: &str = "content-type: text/html\r\n";
const PAGE: &str = "<!doctype html><title>Sign in to the network</title><h1>Welcome</h1>";
const REFUSAL: &str = r#"{"message":"no","code":"NO"}"#;
/// A pause between bytes with which any answer takes longer than the core waits.
const DRIP: Duration = Duration::from_millis(250);

/// An answer whose `content-length` is larger than its body.
fn promised_more(status: &str, headers: &str, body: &str, end: End) -> Script {
    let length = body.len() + 100;
    Script::of(
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}"),
        end,
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own() {
        let rows = all(SocketAddr::from(([127, 0, 0, 1], 9)));
        let mut names = BTreeSet::new();
        for row in &rows {
            assert!(names.insert(&row.name), "{} stands twice", row.name);
        }
        assert!(rows.len() > 100, "{}", rows.len());
    }
}
