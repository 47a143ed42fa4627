//! How a call through the core grows: with the ordinary cookies that it carries, and with the
//! body that it brings back.

use std::collections::BTreeMap;
use std::sync::Arc;

use vestibule_backend::{Effect, Fault};
use vestibule_core::secrets::MemoryStore;
use vestibule_core::session::Session;

use crate::bare::Bare;
use crate::registry::Outcome;
use crate::row::{Point, Row};
use crate::setting::Setting;
use crate::stand::{Road, Seat, Stand, fetch, get, sign_in, timed};
use crate::summary::Summary;
use crate::target::Target;
use crate::unit::Unit;

const COOKIES: [usize; 8] = [1, 2, 5, 10, 20, 30, 40, 50];
const COOKIE_ROUNDS: usize = 30;
/// Calls in one sample: one by itself is within the scatter of a connection.
const CALLS: usize = 10;

const BODIES: [u64; 6] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
const BODY_ROUNDS: usize = 30;
/// Bodies from this size on are measured less often.
const LARGE: u64 = 10_000_000;
const LARGE_ROUNDS: usize = 6;

/// A call that carries one cookie, to fifty.
pub async fn cookies(setting: &Setting) -> Outcome<Vec<Row>> {
    let stand = Stand::start(Road::Tls, &setting.folder).await?;
    let (client, seat) = both(&stand).await?;
    let mut points = Vec::new();
    let mut held: Vec<String> = Vec::new();
    for many in COOKIES {
        while held.len() < many {
            let cookie = format!("bench-{}={}", held.len(), "v".repeat(100));
            set_cookie(&stand, &seat.session, &cookie).await?;
            held.push(cookie);
        }
        let line = held.join("; ");
        let (mut bare, mut core) = (Vec::new(), Vec::new());
        for _ in 0..setting.rounds(COOKIE_ROUNDS) {
            bare.push(timed(calls(|| client.fetch("/me", &line))).await? / CALLS as f64);
            core.push(timed(calls(|| fetch(&seat.session, "/me"))).await? / CALLS as f64);
        }
        let seen = stand.backend.last_request("GET", "/me");
        let sent = seen.map_or(0, |seen| {
            (0..many)
                .filter(|one| seen.cookie(&format!("bench-{one}")).is_some())
                .count()
        });
        if sent != many {
            return Err(format!("{sent} of {many} cookies were sent"));
        }
        points.push(point(many as f64, core, bare)?);
    }
    let row = Row::new("cookies", "a call with 50 cookies", Unit::Ms)
        .grows("cookies", points)
        .target(Target::NoWorseThanLinear);
    Ok(vec![row])
}

async fn calls<F: Future<Output = Outcome<()>>>(call: impl Fn() -> F) -> Outcome<()> {
    for _ in 0..CALLS {
        call().await?;
    }
    Ok(())
}

/// Lets the backend set a cookie in an answer to the session.
async fn set_cookie(stand: &Stand, session: &Session, cookie: &str) -> Outcome<()> {
    let headers = BTreeMap::from([("set-cookie".to_owned(), format!("{cookie}; Path=/"))]);
    let effect = Effect::Status {
        status: 200,
        code: None,
        message: None,
        body: None,
        headers,
    };
    stand
        .backend
        .faults()
        .add(Fault::on("GET", "/me", effect).times(1));
    fetch(session, "/me").await
}

/// A body of a kilobyte, to a hundred megabytes.
pub async fn bodies(setting: &Setting) -> Outcome<Vec<Row>> {
    let stand = Stand::start(Road::Tls, &setting.folder).await?;
    let (client, seat) = both(&stand).await?;
    let mut points = Vec::new();
    for bytes in BODIES {
        let path = format!("/transfer?bytes={bytes}");
        let usual = if bytes < LARGE {
            BODY_ROUNDS
        } else {
            LARGE_ROUNDS
        };
        let (mut bare, mut core) = (Vec::new(), Vec::new());
        for _ in 0..setting.rounds(usual) {
            bare.push(timed(client.fetch(&path, "")).await?);
            core.push(timed(read(&seat.session, &path, bytes)).await?);
        }
        points.push(point(bytes as f64, core, bare)?);
    }
    let row = Row::new("bodies", "a body of 100 MB through the core", Unit::Ms)
        .grows("bytes of the body", points)
        .target(Target::NoWorseThanLinear);
    Ok(vec![row])
}

/// Reads a body through the core, as a window does, to its end.
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
        false => Err(format!("{bytes} bytes of {wanted} came")),
    }
}

/// A client and a session, both signed in.
async fn both(stand: &Stand) -> Outcome<(Bare, Seat)> {
    let mut client = Bare::new(&stand.url())?;
    client.sign_in().await?;
    let seat = stand.seat(Arc::<MemoryStore>::default()).await?;
    sign_in(&seat.session).await?;
    Ok((client, seat))
}

fn point(x: f64, core: Vec<f64>, bare: Vec<f64>) -> Outcome<Point> {
    Ok(Point {
        x,
        this: Summary::of("core", core).ok_or("no sample was taken")?,
        floor: Summary::of("bare reqwest", bare),
    })
}
