//! Statuses that say nothing about the session, with various bodies and `Retry-After` headers.

use std::net::SocketAddr;

use super::{HTML, JSON, NetworkFault, PAGE, REFUSAL, says};
use crate::proxy::{End, Script};

const CLIENT: [&str; 22] = [
    "400 Bad Request",
    "402 Payment Required",
    "403 Forbidden",
    "404 Not Found",
    "405 Method Not Allowed",
    "406 Not Acceptable",
    "407 Proxy Authentication Required",
    "408 Request Timeout",
    "409 Conflict",
    "410 Gone",
    "411 Length Required",
    "413 Content Too Large",
    "415 Unsupported Media Type",
    "418 I'm a teapot",
    "421 Misdirected Request",
    "422 Unprocessable Content",
    "423 Locked",
    "425 Too Early",
    "426 Upgrade Required",
    "428 Precondition Required",
    "431 Request Header Fields Too Large",
    "451 Unavailable For Legal Reasons",
];

const SERVER: [&str; 12] = [
    "500 Internal Server Error",
    "501 Not Implemented",
    "502 Bad Gateway",
    "503 Service Unavailable",
    "504 Gateway Timeout",
    "505 HTTP Version Not Supported",
    "507 Insufficient Storage",
    "511 Network Authentication Required",
    "520 Unknown Error",
    "522 Connection Timed Out",
    "526 Invalid Certificate",
    "599 Network Timeout",
];

/// Values of `Retry-After` and similar headers; some of them are invalid.
const WAITS: [(&str, &str); 14] = [
    ("retry-after", "1"),
    ("retry-after", "120"),
    ("retry-after", "0"),
    ("retry-after", "-5"),
    ("retry-after", "soon"),
    ("retry-after", "99999999999999999999999"),
    ("retry-after", "18446744073709551615"),
    ("retry-after", "1.5"),
    ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),
    ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ("retry-after", "\u{ff}\u{fe}"),
    ("x-retry-after", "30"),
    ("ratelimit-reset", "45"),
    ("ratelimit-reset", "1767225599000"),
];

pub(super) fn rows(trap: SocketAddr) -> Vec<NetworkFault> {
    let mut rows = Vec::new();
    for status in CLIENT.iter().chain(&SERVER) {
        rows.push(says(*status, Script::answer(status, JSON, REFUSAL)));
    }
    for status in ["403 Forbidden", "404 Not Found", "500 Error", "503 Busy"] {
        rows.push(says(
            format!("{status} with an error page"),
            Script::answer(status, HTML, PAGE).then(End::Close),
        ));
        rows.push(says(
            format!("{status} without a body"),
            Script::answer(status, "", ""),
        ));
    }
    for (status, code) in [
        ("400 Bad Request", "REFRESH_REUSED"),
        ("403 Forbidden", "FORBIDDEN"),
        ("403 Forbidden", "REFRESH_REUSED"),
        ("500 Error", "SESSION_REVOKED"),
        ("503 Busy", "DEVICE_MISMATCH"),
    ] {
        rows.push(says(
            format!("{status} that says {code}"),
            Script::answer(status, JSON, format!(r#"{{"code":"{code}"}}"#)),
        ));
    }
    for (name, value) in WAITS {
        rows.push(says(
            format!("429 with {name}: {}", value.escape_debug()),
            Script::answer(
                "429 Too Many Requests",
                &format!("{JSON}{name}: {value}\r\n"),
                REFUSAL,
            ),
        ));
    }
    rows.push(says(
        "429 with a page",
        Script::answer("429 Too Many Requests", HTML, PAGE),
    ));
    rows.push(says(
        "503 with Retry-After",
        Script::answer("503 Busy", "retry-after: 60\r\n", ""),
    ));
    rows.extend(redirects(trap));
    rows
}

fn redirects(trap: SocketAddr) -> Vec<NetworkFault> {
    let mut rows: Vec<_> = ["300", "301", "302", "303", "304", "307", "308"]
        .into_iter()
        .map(|status| {
            says(
                format!("{status} to another port"),
                Script::answer(
                    &format!("{status} Elsewhere"),
                    &format!("{JSON}location: http://{trap}/refresh-token\r\n"),
                    REFUSAL,
                ),
            )
        })
        .collect();
    rows.push(says(
        "302 to a portal's page",
        Script::answer(
            "302 Found",
            &format!("{HTML}location: http://{trap}/portal\r\n"),
            PAGE,
        )
        .then(End::Close),
    ));
    rows.push(says(
        "307 in a circle",
        Script::answer("307 Again", "location: /refresh-token\r\n", ""),
    ));
    rows
}
