//! A hostile answer costs no more than 1 MiB of body, 30 s and 8 MiB of memory.
//!
//! Each attack hits a session in a child process, again and again; the peak memory of that
//! process is read from the system. Floods run one after the other through one process, so that
//! leaks add up. A drip or a hang gets a process of its own, since it takes the core's whole
//! 30 s. The answers are those to a refresh of either kind of session, and everything that a provider
//! answers while the browser signs somebody in: discovery, keys, tokens and who it is. An attack counts
//! as a loss if the refresh takes longer, ends the session or counts as
//! answered, or if the process uses more memory than its bound.

mod attacks;

use std::sync::Arc;

use vestibule_backend::{Backend, Config};
use vestibule_harness::child::{ChildProcess, command};
use vestibule_harness::{Lost, TOKEN};

use crate::carrier::Carrier;
use crate::children::memory::{After, Attempt, MemoryProtocol};
use crate::client::way;
use crate::pool::{self, Job};
use crate::registry::Setting;
use crate::report::Row;
use attacks::Attack;

/// The core's time limit for a request, and an allowance for a busy machine. The row names both.
const TIME_LIMIT_MS: u64 = 30_000 + 2_000;
const MEMORY_LIMIT_KIB: u64 = 8 * 1024;
const BOUND: &str = "≤ 8 MiB more, ≤ 30 s (+ 2 s for a busy machine), ≤ 1 MiB of body";
/// Refreshes before the first measurement, so that one-time allocations are not counted.
const WARM_UP: usize = 20;

/// Asked once the ID token has said who it is, so that nothing it answers undoes the sign-in.
const USERINFO: &str = "/oidc/userinfo";

/// What is attacked: the answer to this path while the session tries this.
#[derive(Clone, Copy, Debug)]
struct Target {
    carrier: Carrier,
    attempt: Attempt,
    path: &'static str,
}

const fn refresh(carrier: Carrier, path: &'static str) -> Target {
    Target {
        carrier,
        attempt: Attempt::Refresh,
        path,
    }
}

const fn sign_in(path: &'static str) -> Target {
    Target {
        carrier: Carrier::Provider,
        attempt: Attempt::SignIn,
        path,
    }
}

const TARGETS: [Target; 6] = [
    refresh(Carrier::Cookie, vestibule_harness::REFRESH),
    refresh(Carrier::Provider, TOKEN),
    sign_in("/.well-known/openid-configuration"),
    sign_in("/oidc/keys"),
    sign_in(TOKEN),
    sign_in(USERINFO),
];

/// Each attack on a refresh a few times; some of them on each answer of a provider.
pub async fn short(setting: &Setting) -> Row {
    let some = |target: usize, attack: usize, slow: bool| match target {
        0 => true,
        _ => !slow && attack % TARGETS.len() == target,
    };
    run(setting, 2, 1, some).await
}

/// Each many times.
pub async fn long(setting: &Setting) -> Row {
    run(setting, 60, 6, |_, _, _| true).await
}

/// Runs the attacks that are chosen, by the target, the attack, and whether it is slow.
async fn run(
    setting: &Setting,
    floods: usize,
    drips: usize,
    chosen: impl Fn(usize, usize, bool) -> bool,
) -> Row {
    let backend = Backend::start(Config::default()).await;
    let backend = Arc::new(backend.expect("the bundled backend starts on a free port"));
    let measured = Arc::new(Measured::default());
    let mut courses = Vec::new();
    let (mut tries, attacks) = (0, attacks::all().len());
    for (number, target) in TARGETS.into_iter().enumerate() {
        let attacks = attacks::all().into_iter().enumerate();
        let attacks = attacks.filter(|(at, one)| chosen(number, *at, one.slow));
        let attacks = attacks.map(|(_, one)| one);
        let (slow, fast): (Vec<_>, Vec<_>) = attacks.partition(|one| one.slow);
        tries += (fast.len() * floods + slow.len() * drips) as u64;
        courses.push((format!("floods, {target:?}"), target, fast, floods));
        courses.extend(slow.into_iter().map(|one| {
            let name = format!("{}, {target:?}", one.name);
            (name, target, vec![one], drips)
        }));
    }
    let jobs = courses
        .into_iter()
        .map(|(name, target, attacks, times)| {
            let (backend, setting) = (backend.clone(), setting.clone());
            let measured = measured.clone();
            Job {
                name,
                slow: attacks.iter().any(|one| one.slow),
                work: Box::pin(async move {
                    course(&backend, &setting, target, &attacks, times, &measured).await
                }),
            }
        })
        .collect();
    let (_, losses) = pool::run("response limits", setting, jobs).await;
    let (kib, ms) = measured.read();
    Row {
        what: format!(
            "{attacks} floods, drips, huge heads and bodies, of a backend and of each answer of a \
             provider: at most {:.1} MiB more, {:.1} s",
            kib as f64 / 1024.0,
            ms as f64 / 1000.0
        ),
        runs: tries,
        losses,
        bound: BOUND,
        holds: losses == 0 && kib <= MEMORY_LIMIT_KIB && ms <= TIME_LIMIT_MS,
    }
}

/// The worst figures of all processes.
#[derive(Default)]
struct Measured {
    kib: std::sync::atomic::AtomicU64,
    ms: std::sync::atomic::AtomicU64,
}

impl Measured {
    fn note(&self, kib: u64, ms: u64) {
        use std::sync::atomic::Ordering::Relaxed;
        self.kib.fetch_max(kib, Relaxed);
        self.ms.fetch_max(ms, Relaxed);
    }

    fn read(&self) -> (u64, u64) {
        use std::sync::atomic::Ordering::Relaxed;
        (self.kib.load(Relaxed), self.ms.load(Relaxed))
    }
}

/// Runs some attacks through one process, over and over.
async fn course(
    backend: &Backend,
    setting: &Setting,
    target: Target,
    attacks: &[Attack],
    times: usize,
    measured: &Measured,
) -> Result<(), Lost> {
    let (proxy, email) = way(backend).await?;
    let arguments = (proxy.url(), email, target.carrier.word().to_owned());
    let start = command::<MemoryProtocol>(&setting.program, &arguments)?;
    let mut child = ChildProcess::<MemoryProtocol>::start(start)?;
    child.ready().await?;
    let mut healthy = child.ask(target.attempt).await?;
    for _ in 1..WARM_UP {
        healthy = child.ask(target.attempt).await?;
    }
    let floor = healthy.peak_kib;
    for _ in 0..times {
        for attack in attacks {
            let struck = proxy.strike(Some(target.path), attack.act.clone()).await;
            struck.map_err(|error| error.to_string())?;
            let sent = proxy.sent();
            let report = child.ask(target.attempt).await?;
            let grown = report.peak_kib.saturating_sub(floor);
            measured.note(grown, report.ms);
            let name = &attack.name;
            let leaves = match (target.attempt, attack.leaves) {
                (Attempt::SignIn, _) if target.path == USERINFO => After::Fresh,
                // There is no session yet that could be kept.
                (Attempt::SignIn, After::Stale) => After::SignedOut,
                (_, leaves) => leaves,
            };
            if report.after != leaves {
                return Err(format!("{name}: {:?} in place of {leaves:?}", report.after));
            }
            if report.ms > TIME_LIMIT_MS {
                return Err(format!("{name}: it took {} ms", report.ms));
            }
            if grown > MEMORY_LIMIT_KIB {
                return Err(format!("{name}: {grown} KiB more than {floor} KiB"));
            }
            let taken = proxy.sent() - sent;
            if taken > attack.most {
                return Err(format!("{name}: {taken} bytes went out"));
            }
            proxy.lift().await.map_err(|error| error.to_string())?;
            let healthy = child.ask(target.attempt).await?;
            if healthy.after != After::Fresh {
                return Err(format!("{name}: {:?} after it was over", healthy.after));
            }
        }
    }
    child.leave().await
}
