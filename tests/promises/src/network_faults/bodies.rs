//! Answers with a status that would decide, and a body that does not fit it.

use std::time::Duration;

use super::{HTML, JSON, NetworkFault, PAGE, promised_more, row, says};
use crate::proxy::{Act, End, Script};

const OK: &str = "200 OK";
const NO: &str = "401 Unauthorized";
const FLOOD: u64 = u64::MAX;
const NOW: Duration = Duration::ZERO;

pub(super) fn rows() -> Vec<NetworkFault> {
    let mut rows = not_json();
    rows.extend(other_json());
    rows.extend(cut_refusals());
    rows.extend(huge());
    rows
}

fn not_json() -> Vec<NetworkFault> {
    let mut rows = Vec::new();
    for status in [OK, NO, "403 Forbidden", "201 Created"] {
        let says = |name: &str, headers: &str, body: &[u8]| {
            says(
                format!("{status} with {name}"),
                Script::answer(status, headers, body),
            )
        };
        rows.extend([
            says("a page", HTML, PAGE.as_bytes()),
            says("a page that calls itself JSON", JSON, PAGE.as_bytes()),
            says("nothing", JSON, b""),
            says("a space", JSON, b" "),
            says(
                "broken JSON",
                JSON,
                br#"{"message":"no","code":"REFRESH_RE"#,
            ),
            says("two bodies in one", JSON, br#"{"code":"REFRESH_REUSED"}{}"#),
            says("bytes that are no text", JSON, b"\xff\xfe\x00{"),
            says("very deep JSON", JSON, "[".repeat(200_000).as_bytes()),
        ]);
    }
    rows.extend([
        says(
            "204",
            Script::of("HTTP/1.1 204 No Content\r\n\r\n", End::Keep),
        ),
        says("205", Script::answer("205 Reset Content", "", "")),
        says(
            "200 that says it is compressed",
            Script::answer(
                OK,
                &format!("{JSON}content-encoding: gzip\r\n"),
                // The head of a gzip stream, and nothing that unpacks.
                b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xed\xc1\x01\x0d",
            ),
        ),
    ]);
    rows
}

fn other_json() -> Vec<NetworkFault> {
    let bodies = [
        ("null", "null"),
        ("an empty object", "{}"),
        ("an empty list", "[]"),
        ("a number", "7"),
        ("a text", r#""ok""#),
        ("no user", r#"{"tokens":{"token":"t","expiresIn":900}}"#),
        (
            "a user that is null",
            r#"{"user":null,"tokens":{"token":"t"}}"#,
        ),
        (
            "a user without an id",
            r#"{"user":{},"tokens":{"token":"t"}}"#,
        ),
        ("no tokens", r#"{"user":{"id":"u","name":"n","email":"e"}}"#),
        (
            "an empty token",
            r#"{"user":{"id":"u"},"tokens":{"token":""}}"#,
        ),
        (
            "a token that is a list",
            r#"{"user":{"id":"u"},"tokens":{"token":[]}}"#,
        ),
        (
            "an error inside",
            r#"{"message":"gone","code":"SESSION_REVOKED"}"#,
        ),
    ];
    bodies
        .into_iter()
        .map(|(name, body)| says(format!("200 with {name}"), Script::answer(OK, JSON, body)))
        .collect()
}

/// A refusal that would end the session if it arrived completely.
fn cut_refusals() -> Vec<NetworkFault> {
    let refusal = r#"{"message":"no","code":"REFRESH_REUSED"}"#;
    let mut rows = Vec::new();
    for (end, word) in [(End::Reset, "reset"), (End::Close, "closed")] {
        rows.push(says(
            format!("401 {word} before its body"),
            promised_more(NO, JSON, "", end),
        ));
        rows.push(says(
            format!("401 {word} within its body"),
            promised_more(NO, JSON, refusal, end),
        ));
        rows.push(says(
            format!("403 {word} within its body"),
            promised_more("403 Forbidden", JSON, r#"{"code":"DEVICE_MISMATCH"}"#, end),
        ));
    }
    rows
}

fn huge() -> Vec<NetworkFault> {
    let spaces = || " ".repeat(16 << 10);
    let endless = |status: &str| {
        Script::of(
            format!("HTTP/1.1 {status}\r\n{JSON}transfer-encoding: chunked\r\n\r\n"),
            End::Close,
        )
        .flooding(format!("4000\r\n{}\r\n", spaces()), FLOOD, NOW)
    };
    vec![
        says("200 with a body without end", endless(OK)),
        says("401 with a body without end", endless(NO)),
        says("500 with a body without end", endless("500 Error")),
        says(
            "401 with a terabyte announced",
            Script::of(
                format!("HTTP/1.1 {NO}\r\n{JSON}content-length: 1099511627776\r\n\r\n"),
                End::Close,
            )
            .flooding(spaces(), FLOOD, NOW),
        ),
        row(
            "8 MiB after the true answer",
            Act::spoil(|answer| {
                let answer = answer
                    .without_header("content-length")
                    .with_headers("content-length: 8388608");
                Script::of(answer.bytes(), End::Close).flooding(" ".repeat(1 << 14), 512, NOW)
            }),
        ),
    ]
}
