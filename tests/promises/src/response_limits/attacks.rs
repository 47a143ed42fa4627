//! Answers made to use up the core's time or memory.

use std::time::Duration;

use crate::children::memory::After;
use crate::proxy::{Act, Answer, End, Script};

const MIB: u64 = 1 << 20;
/// Bytes that may be in the system's socket buffers. They are sent, but not in the core's memory.
const IN_BUFFERS: u64 = 40 * MIB;
const NOW: Duration = Duration::ZERO;

/// One hostile answer.
pub struct Attack {
    pub name: String,
    pub act: Act,
    /// Whether the core hangs up only when its time limit is over.
    pub slow: bool,
    /// The state in which it leaves the session.
    pub leaves: After,
    /// How many bytes may be sent before the core hangs up.
    pub most: u64,
}

fn attack(name: &str, act: Act) -> Attack {
    Attack {
        name: name.into(),
        act,
        slow: false,
        leaves: After::Stale,
        most: MIB + IN_BUFFERS,
    }
}

fn slow(name: &str, act: Act) -> Attack {
    Attack {
        slow: true,
        ..attack(name, act)
    }
}

pub fn all() -> Vec<Attack> {
    let mut all = bodies();
    all.extend(heads());
    all.extend(exact());
    all.extend(drips());
    all
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

fn bodies() -> Vec<Attack> {
    let endless = |status: &str, unit: &str| {
        let head = format!("HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n\r\n");
        let chunk = unit.repeat((16 << 10) / unit.len());
        let chunk = format!("{:x}\r\n{chunk}\r\n", chunk.len());
        Act::Instead(Script::of(head, End::Close).flooding(chunk, u64::MAX, NOW))
    };
    let small_chunks = {
        let head = format!("{HEAD}transfer-encoding: chunked\r\n\r\n");
        Script::of(head, End::Close).flooding("1\r\n \r\n".repeat(1000), u64::MAX, NOW)
    };
    let announced = |length: u64| {
        let head = format!("{HEAD}content-length: {length}\r\n\r\n");
        Act::Instead(Script::of(head, End::Close).flooding(" ".repeat(1 << 14), u64::MAX, NOW))
    };
    vec![
        attack("a body without end", endless("200 OK", " ")),
        attack("a refusal without end", endless("401 Unauthorized", " ")),
        attack("an error without end", endless("500 Error", "<p>")),
        Attack {
            // Chunked encoding sends six bytes for each byte of the body.
            most: 6 * MIB + IN_BUFFERS,
            ..attack("chunks of one byte", Act::Instead(small_chunks))
        },
        attack("8 MiB announced", announced(8 * MIB)),
        attack("2^63 bytes announced", announced(1 << 63)),
        attack(
            "what unpacks to a gigabyte, if anyone unpacks it",
            Act::Instead(Script::answer(
                "200 OK",
                "content-type: application/json\r\ncontent-encoding: gzip\r\n",
                [0x1f, 0x8b].repeat(300 << 10),
            )),
        ),
    ]
}

/// A mebibyte of JSON that takes much more memory once it is parsed.
fn dense(unit: &str) -> Vec<u8> {
    let mut body = b"{\"user\":[".to_vec();
    body.extend(unit.repeat((1 << 20) / unit.len() - 20).into_bytes());
    body.extend(b"0]}");
    body
}

fn exact() -> Vec<Attack> {
    let json = |body: Vec<u8>| {
        Act::Instead(Script::answer(
            "200 OK",
            "content-type: application/json\r\n",
            body,
        ))
    };
    let members: String = (0..80_000).map(|n| format!("\"{n}\":0,")).collect();
    let padded = |room: usize| {
        Act::spoil(move |answer: Answer| {
            let length = answer.body.len() + room;
            let head = answer
                .without_header("content-length")
                .with_headers(&format!("content-length: {length}"));
            let mut bytes = head.bytes();
            bytes.resize(bytes.len() + room, b' ');
            Script::of(bytes, End::Keep)
        })
    };
    vec![
        Attack {
            leaves: After::Fresh,
            ..attack(
                "a true answer of almost a mebibyte",
                padded((1 << 20) - 2048),
            )
        },
        attack("a true answer of a little more", padded(1 << 20)),
        attack("a mebibyte of numbers", json(dense("0,"))),
        attack("a mebibyte of lists", json(dense("[],"))),
        attack("a mebibyte of texts", json(dense("\"\","))),
        attack(
            "a mebibyte of members",
            json(format!("{{{members}\"x\":0}}").into_bytes()),
        ),
        attack("a mebibyte of depth", json(b"[".repeat(1 << 20))),
        attack(
            "a refusal of a mebibyte of numbers, broken",
            Act::Instead(Script::answer(
                "401 Unauthorized",
                "",
                [dense("0,"), b"}".to_vec()].concat(),
            )),
        ),
    ]
}

fn heads() -> Vec<Attack> {
    let start = |text: &str| Script::of(text, End::Close);
    let line = format!("x-more: {}\r\n", "m".repeat(1014));
    let cookie = format!("set-cookie: c{}=1; Path=/\r\n", "c".repeat(100));
    vec![
        attack(
            "headers without end",
            Act::Instead(start("HTTP/1.1 200 OK\r\n").flooding(line, u64::MAX, NOW)),
        ),
        attack(
            "one header without end",
            Act::Instead(start("HTTP/1.1 200 OK\r\nx: ").flooding("m".repeat(4096), u64::MAX, NOW)),
        ),
        attack(
            "a status line without end",
            Act::Instead(start("HTTP/1.1 200 ").flooding("m".repeat(4096), u64::MAX, NOW)),
        ),
        attack(
            "cookies without end",
            Act::Instead(start("HTTP/1.1 500 Error\r\n").flooding(cookie, u64::MAX, NOW)),
        ),
        attack(
            // They cost computing alone, which a build for tests has little of.
            "interim answers, 200,000 at once",
            Act::Instead(start("").flooding(
                "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000),
                200,
                NOW,
            )),
        )
        .with_most(80 * MIB),
    ]
}

impl Attack {
    fn with_most(mut self, most: u64) -> Self {
        self.most = most;
        self
    }
}

fn drips() -> Vec<Attack> {
    let pause = Duration::from_millis(250);
    let drip = |from: fn(&Answer) -> usize| {
        Act::spoil(move |answer| {
            let from = from(&answer);
            let mut script = Script::of(answer.bytes(), End::Keep);
            script.drip = Some((from, pause));
            script
        })
    };
    let trickle = |head: String, unit: String| {
        Act::Instead(Script::of(head, End::Close).flooding(unit, u64::MAX, pause))
    };
    vec![
        slow("silence", Act::Instead(Script::of([], End::Hang))),
        slow("a drip from the first byte", drip(|_| 0)),
        slow("a drip of a body", drip(|answer| answer.head.len())),
        slow(
            "a trickle of headers",
            trickle("HTTP/1.1 200 OK\r\n".into(), "x-more: 1\r\n".into()),
        ),
        slow(
            "a trickle of chunks",
            trickle(
                format!("{HEAD}transfer-encoding: chunked\r\n\r\n"),
                "1\r\n \r\n".into(),
            ),
        ),
        slow(
            "interim answers for ever",
            trickle(String::new(), "HTTP/1.1 100 Continue\r\n\r\n".into()),
        ),
    ]
}
