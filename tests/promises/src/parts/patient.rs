//! `patient ADDRESS EMAIL`: one session in a process of its own, so that its memory is its
//! own. Signs in and says so; then each line on the standard input makes it try one refresh,
//! and a line answers how that went and what the process weighs.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use crate::rig::{A_LIFE, Client, Lost, is_fresh, retry_in, why};

/// How a try went, as a line of four words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `fresh`, `stale` or `ended`.
    pub state: String,
    /// How long the try took.
    pub ms: u64,
    /// What the process weighed at most, ever; zero where the system does not say.
    pub peak_kib: u64,
    /// What it weighs now; likewise.
    pub now_kib: u64,
}

impl Report {
    /// Reads a line.
    pub fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let report = Self {
            state: words.next()?.to_owned(),
            ms: words.next()?.parse().ok()?,
            peak_kib: words.next()?.parse().ok()?,
            now_kib: words.next()?.parse().ok()?,
        };
        Some(report)
    }

    fn say(&self) {
        let mut out = std::io::stdout().lock();
        let (ms, peak, now) = (self.ms, self.peak_kib, self.now_kib);
        // Whoever started us may be gone: then the input ends too.
        let _ = writeln!(out, "{} {ms} {peak} {now}", self.state);
        let _ = out.flush();
    }
}

/// Runs until the input ends.
pub fn run(arguments: &[String]) -> ExitCode {
    let [address, email] = arguments else {
        eprintln!("patient ADDRESS EMAIL");
        return ExitCode::from(2);
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let signed_in = async {
        let client = Client::new(address.clone(), email.clone()).await?;
        client.sign_in().await?;
        Ok::<_, Lost>(client)
    };
    let client = match runtime.block_on(signed_in) {
        Ok(client) => client,
        Err(lost) => {
            eprintln!("{lost}");
            return ExitCode::FAILURE;
        }
    };
    report("fresh", 0).say();
    for line in std::io::stdin().lock().lines() {
        if line.is_err() {
            break;
        }
        match runtime.block_on(attempt(&client)) {
            Ok(report) => report.say(),
            Err(lost) => {
                eprintln!("{lost}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Two threads do the work, as many as the desktop app has on a machine with two processors.
/// The number matters: the system's allocator keeps up to 2 MiB of what was freed for each.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
}

/// One refresh, made by whatever is planned.
async fn attempt(client: &Client) -> Result<Report, Lost> {
    let revision = client.session.snapshot().revision;
    let started = Instant::now();
    if is_fresh(&client.session.snapshot().state) {
        client.clock.advance(A_LIFE);
        // The schedule and this ask at once; there is one flight for both. Twice, because
        // the first may have joined the very end of the flight before.
        let _ = client.session.refresh().await;
        let _ = client.session.refresh().await;
    } else {
        client.pass_to_the_next_try();
    }
    let over = client.until("a try to be over", |now| {
        let stale = retry_in(&now.state).is_some() && now.revision > revision;
        stale || is_fresh(&now.state) || why(&now.state).is_some()
    });
    let state = over.await?.state;
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let word = match (is_fresh(&state), why(&state)) {
        (true, _) => "fresh",
        (false, None) => "stale",
        (false, Some(_)) => "ended",
    };
    Ok(report(word, ms))
}

fn report(state: &str, ms: u64) -> Report {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Report {
        state: state.to_owned(),
        ms,
        peak_kib: field("VmHWM:").unwrap_or_default(),
        now_kib: field("VmRSS:").unwrap_or_default(),
    }
}
