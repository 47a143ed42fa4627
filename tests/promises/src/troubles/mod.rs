//! The table of transient troubles: everything that may come in place of an answer and says
//! nothing about the session. Rows only; what is done with them is elsewhere.

mod bodies;
mod connections;
mod cookies;
mod statuses;

use std::net::SocketAddr;
use std::time::Duration;

use crate::proxy::{Act, End, Script};

/// One row.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// What it is called in reports.
    pub name: String,
    /// What happens.
    pub kind: Kind,
    /// It takes one of the core's own time limits to get over it.
    pub slow: bool,
}

/// Where the trouble lies.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Between the core and a backend that can be reached at other times.
    Way(Act),
    /// In the origin itself: its name, or what answers its handshake.
    Origin(Origin),
}

/// An https origin that cannot be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Its name is not known.
    Unresolvable,
    /// It shows a certificate that nobody vouches for.
    SelfSigned,
    /// It speaks plain HTTP, as a portal does that catches every connection.
    PlainHttp,
    /// It resets in the handshake.
    ResetsInHandshake,
    /// It never answers the handshake.
    SilentInHandshake,
}

/// Every row. Redirects lead to `trap`, where nothing must ever arrive.
pub fn all(trap: SocketAddr) -> Vec<Trouble> {
    let mut rows = connections::rows();
    rows.extend(statuses::rows(trap));
    rows.extend(bodies::rows());
    rows.extend(cookies::rows());
    rows.extend(origins());
    rows
}

fn origins() -> Vec<Trouble> {
    let row = |name: &str, origin, slow| Trouble {
        name: name.into(),
        kind: Kind::Origin(origin),
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

fn row(name: impl Into<String>, act: Act) -> Trouble {
    Trouble {
        name: name.into(),
        kind: Kind::Way(act),
        slow: false,
    }
}

fn slow(name: impl Into<String>, act: Act) -> Trouble {
    Trouble {
        slow: true,
        ..row(name, act)
    }
}

fn says(name: impl Into<String>, script: Script) -> Trouble {
    row(name, Act::Instead(script))
}

const JSON: &str = "content-type: application/json\r\n";
const HTML: &str = "content-type: text/html\r\n";
const PAGE: &str = "<!doctype html><title>Sign in to the network</title><h1>Welcome</h1>";
const REFUSAL: &str = r#"{"message":"no","code":"NO"}"#;
/// A pause between bytes that makes any answer last longer than the core waits.
const DRIP: Duration = Duration::from_millis(250);

/// A body that says it has more to come than it has.
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
