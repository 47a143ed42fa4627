//! How the cost of a call through the core grows: with the number of ordinary cookies that it
//! carries, and with the size of the body that it receives.

use std::collections::BTreeMap;
use std::sync::Arc;

use vestibule_backend::{Effect, Fault};
use vestibule_core::session::Session;
use vestibule_core::testing::MemoryStore;
use vestibule_harness::get;

use crate::bare::Bare;
use crate::fixture::{Connection, Fixture, Subject, fetch, sign_in, timed};
use crate::registry::Outcome;
use crate::row::{Point, Row};
use crate::setting::Setting;
use crate::summary::Summary;
use crate::target::Target;
use crate::unit::Unit;

const COOKIES: [usize; 8] = [1, 2, 5, 10, 20, 30, 40, 50];
const COOKIE_ROUNDS: usize = 30;
/// Calls in one sample: the cost of a single call is smaller than the scatter of a connection.
const CALLS: usize = 10;

const BODIES: [u64; 6] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
const BODY_ROUNDS: usize = 30;
/// Bodies from this size on are measured less often.
const LARGE: u64 = 10_000_000;
const LARGE_ROUNDS: usize = 6;

/// Calls with one to fifty cookies: one session for each number, measured in turns, so that a busy
/// moment of the machine does not bend the curve.
pub async fn cookies(setting: &Setting) -> Outcome<Vec<Row>> {
    let fixture = Fixture::start(Connection::Tls, &setting.folder).await?;
    let mut client = Bare::new(&fixture.url())?;
    client.sign_in().await?;
    let mut seats = Vec::new();
    for many in COOKIES {
        let subject = signed_in(&fixture).await?;
        let cookies: Vec<_> = (0..many).map(cookie).collect();
        for cookie in &cookies {
            set_cookie(&fixture, &subject.session, cookie).await?;
        }
        fetch(&subject.session, "/me").await?;
        let seen = fixture.backend.last_request("GET", "/me");
        let sent = (0..many).filter(|one| {
            let name = format!("bench-{one}");
            seen.as_ref()
                .is_some_and(|seen| seen.cookie(&name).is_some())
        });
        match sent.count() {
            sent if sent == many => seats.push((subject, cookies.join("; "))),
            sent => return Err(format!("{sent} of {many} cookies were sent")),
        }
    }
    let mut samples = [const { (Vec::new(), Vec::new()) }; COOKIES.len()];
    for _ in 0..setting.rounds(COOKIE_ROUNDS) {
        for ((subject, line), (bare, core)) in seats.iter().zip(&mut samples) {
            bare.push(timed(calls(|| client.fetch("/me", line))).await? / CALLS as f64);
            core.push(timed(calls(|| fetch(&subject.session, "/me"))).await? / CALLS as f64);
        }
    }
    let points = COOKIES.iter().zip(samples);
    let points = points.map(|(many, (bare, core))| point(*many as f64, core, bare));
    let row = Row::new("cookies", "a call with 50 cookies", Unit::Ms)
        .grows("cookies", points.collect::<Outcome<_>>()?)
        .target(Target::NoWorseThanLinear);
    Ok(vec![row])
}

fn cookie(number: usize) -> String {
    format!("bench-{number}={}", "v".repeat(100))
}

async fn calls<F: Future<Output = Outcome<()>>>(call: impl Fn() -> F) -> Outcome<()> {
    for _ in 0..CALLS {
        call().await?;
    }
    Ok(())
}

/// Makes the backend set a cookie in an answer to the session.
async fn set_cookie(fixture: &Fixture, session: &Session, cookie: &str) -> Outcome<()> {
    let headers = BTreeMap::from([("set-cookie".to_owned(), format!("{cookie}; Path=/"))]);
    let effect = Effect::Status {
        status: 200,
        code: None,
        message: None,
        body: None,
        headers,
    };
    fixture
        .backend
        .faults()
        .add(Fault::on("GET", "/me", effect).times(1));
    fetch(session, "/me").await
}

/// Bodies of a kilobyte to a hundred megabytes, measured in turns.
pub async fn bodies(setting: &Setting) -> Outcome<Vec<Row>> {
    let fixture = Fixture::start(Connection::Tls, &setting.folder).await?;
    let mut client = Bare::new(&fixture.url())?;
    client.sign_in().await?;
    let subject = signed_in(&fixture).await?;
    let mut samples = [const { (Vec::new(), Vec::new()) }; BODIES.len()];
    for round in 0..setting.rounds(BODY_ROUNDS) {
        for (bytes, (bare, core)) in BODIES.into_iter().zip(&mut samples) {
            if bytes >= LARGE && round >= LARGE_ROUNDS {
                continue;
            }
            let path = format!("/transfer?bytes={bytes}");
            bare.push(timed(client.fetch(&path, "")).await?);
            core.push(timed(read(&subject.session, &path, bytes)).await?);
        }
    }
    let points = BODIES.iter().zip(samples);
    let points = points.map(|(bytes, (bare, core))| point(*bytes as f64, core, bare));
    let row = Row::new("bodies", "a body of 100 MB through the core", Unit::Ms)
        .grows("bytes of the body", points.collect::<Outcome<_>>()?)
        .target(Target::NoWorseThanLinear);
    Ok(vec![row])
}

/// Reads a body through the core to its end, as a window does.
async fn read(session: &Session, path: &str, wanted: u64) -> Outcome<()> {
    let answer = session.call(get(path)).await;
    let (reply, rest) = answer.map_err(|error| format!("a call: {error}"))?;
    let mut bytes = reply.body.len() as u64;
    if let Some(mut rest) = rest {
        while let Some(piece) = rest
            .read()
            .await
            .map_err(|fault| format!("a body: {fault}"))?
        {
            bytes += piece.len() as u64;
        }
    }
    match bytes == wanted {
        true => Ok(()),
        false => Err(format!("{bytes} bytes of {wanted} arrived")),
    }
}

async fn signed_in(fixture: &Fixture) -> Outcome<Subject> {
    let subject = fixture.subject(Arc::<MemoryStore>::default()).await?;
    sign_in(&subject.session).await?;
    Ok(subject)
}

fn point(x: f64, core: Vec<f64>, bare: Vec<f64>) -> Outcome<Point> {
    Ok(Point {
        x,
        this: Summary::of("core", core).ok_or("no sample was taken")?,
        floor: Summary::of("bare reqwest", bare),
    })
}
