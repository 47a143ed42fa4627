//! Connections that fail, break, hang, or carry something that is not HTTP.

use std::time::Duration;

use super::{DRIP, NetworkFault, row, says, slow};
use crate::proxy::{Act, Answer, End, Script};

/// The first half of the head.
fn half_head(answer: &Answer) -> &[u8] {
    &answer.head.as_bytes()[..answer.head.len() / 2]
}

fn half(answer: Answer) -> Vec<u8> {
    let kept = answer.head.len() + answer.body.len() / 2;
    let mut bytes = answer.bytes();
    bytes.truncate(kept);
    bytes
}

pub(super) fn rows() -> Vec<NetworkFault> {
    let mut rows = vec![
        row("refused", Act::Refuse),
        slow("no connection comes about", Act::Deaf),
        row("reset when taken", Act::Accept(End::Reset)),
        row("closed when taken", Act::Accept(End::Close)),
        slow("taken and never read", Act::Accept(End::Hang)),
        says("reset after the request", Script::of([], End::Reset)),
        says("closed after the request", Script::of([], End::Close)),
        row_instead_slow("silent after the request", Script::of([], End::Hang)),
    ];
    rows.extend(broken_off());
    rows.extend(dripped());
    rows.extend(not_http());
    rows
}

fn row_instead_slow(name: &str, script: Script) -> NetworkFault {
    slow(name, Act::Instead(script))
}

/// The backend does its work, and the answer breaks off at every possible place.
fn broken_off() -> Vec<NetworkFault> {
    let ends = [(End::Reset, "reset"), (End::Close, "closed")];
    let mut rows = Vec::new();
    for (end, word) in ends {
        rows.extend([
            row(
                format!("{word} after the work, before the headers"),
                Act::spoil(move |_| Script::of([], end)),
            ),
            row(
                format!("{word} in the status line"),
                Act::spoil(move |answer| Script::of(&answer.head.as_bytes()[..7], end)),
            ),
            row(
                format!("{word} in the headers"),
                Act::spoil(move |answer| Script::of(half_head(&answer), end)),
            ),
            row(
                format!("{word} after the headers"),
                Act::spoil(move |answer| Script::of(answer.head, end)),
            ),
            row(
                format!("{word} in the body"),
                Act::spoil(move |answer| Script::of(half(answer), end)),
            ),
            row(
                format!("{word} before the last byte"),
                Act::spoil(move |answer| {
                    let mut bytes = answer.bytes();
                    bytes.pop();
                    Script::of(bytes, end)
                }),
            ),
        ]);
    }
    rows.extend([
        slow(
            "silent after the work",
            Act::spoil(|_| Script::of([], End::Hang)),
        ),
        slow(
            "silent in the headers",
            Act::spoil(|answer| Script::of(half_head(&answer), End::Hang)),
        ),
        slow(
            "silent after the headers",
            Act::spoil(|answer| Script::of(answer.head, End::Hang)),
        ),
        slow(
            "silent in the body",
            Act::spoil(|answer| Script::of(half(answer), End::Hang)),
        ),
    ]);
    rows
}

fn dripped() -> Vec<NetworkFault> {
    let from = |place: fn(&Answer) -> usize| {
        Act::spoil(move |answer| {
            let place = place(&answer);
            let mut script = Script::of(answer.bytes(), End::Keep);
            script.drip = Some((place, DRIP));
            script
        })
    };
    vec![
        slow("a drip from the first byte", from(|_| 0)),
        slow("a drip of a body", from(|answer| answer.head.len())),
        slow(
            "headers without end, slowly",
            Act::Instead(Script::of("HTTP/1.1 200 OK\r\n", End::Close).flooding(
                "x-more: 1\r\n",
                u64::MAX,
                DRIP,
            )),
        ),
        slow(
            "100 Continue without end",
            Act::Instead(Script::of([], End::Close).flooding(
                "HTTP/1.1 100 Continue\r\n\r\n",
                u64::MAX,
                DRIP,
            )),
        ),
    ]
}

fn not_http() -> Vec<NetworkFault> {
    let now = Duration::ZERO;
    vec![
        says(
            "not HTTP",
            Script::of("SSH-2.0-OpenSSH_9.2\r\n", End::Close),
        ),
        says("zeros", Script::of([0; 4096], End::Close)),
        says("HTTP/0.9", Script::of("<h1>hello</h1>", End::Close)),
        says(
            "HTTP/2 unasked",
            Script::of(
                b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64".to_vec(),
                End::Close,
            ),
        ),
        says(
            "a TLS alert",
            Script::of([0x15, 3, 1, 0, 2, 2, 70], End::Close),
        ),
        says(
            "status 000",
            Script::answer("000 Nothing", "", "{}").then(End::Close),
        ),
        says(
            "status 1000",
            Script::answer("1000 Much", "", "{}").then(End::Close),
        ),
        says(
            "two lengths that disagree",
            Script::of(
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 7\r\n\r\n{}",
                End::Close,
            ),
        ),
        says(
            "a chunk without a length",
            Script::of(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
                End::Close,
            ),
        ),
        says(
            "chunks that break off",
            Script::of(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\n{\"user\":",
                End::Reset,
            ),
        ),
        says(
            "headers without end",
            Script::of("HTTP/1.1 200 OK\r\n", End::Close).flooding(
                format!("x-more: {}\r\n", "m".repeat(1000)),
                u64::MAX,
                now,
            ),
        ),
        says(
            "one header without end",
            Script::of("HTTP/1.1 200 OK\r\nx-long: ", End::Close).flooding(
                "m".repeat(4096),
                u64::MAX,
                now,
            ),
        ),
        row(
            "8 MiB of headers after the work",
            Act::spoil(|answer| {
                let head = answer.head.len() - 2;
                Script::of(&answer.head.as_bytes()[..head], End::Close).flooding(
                    format!("x-more: {}\r\n", "m".repeat(1014)),
                    8 << 10,
                    Duration::ZERO,
                )
            }),
        ),
    ]
}
