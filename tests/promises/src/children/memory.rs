//! `memory ADDRESS EMAIL`: one session in a process of its own, whose memory is measured. Signs in
//! and prints a report; then each line on the standard input makes it try one refresh, and it
//! prints how that went and how much memory it uses.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use vestibule_harness::{A_LIFE, Lost, is_fresh, retry_in, why};

use crate::client::Client;

/// The result of a refresh, as a line of four words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `fresh`, `stale` or `ended`.
    pub state: String,
    /// How long the refresh took.
    pub ms: u64,
    /// The peak memory of the process so far; zero where the system does not tell.
    pub peak_kib: u64,
    /// The memory that the process uses now; zero where the system does not tell.
    pub now_kib: u64,
}

impl Report {
    /// Parses a line.
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

    fn send(&self) {
        let mut out = std::io::stdout().lock();
        let (ms, peak, now) = (self.ms, self.peak_kib, self.now_kib);
        // The parent may be gone; then the input ends too, and with it this process.
        let _ = writeln!(out, "{} {ms} {peak} {now}", self.state);
        let _ = out.flush();
    }
}

/// Runs until the input ends.
pub fn run(arguments: &[String]) -> ExitCode {
    let [address, email] = arguments else {
        eprintln!("memory ADDRESS EMAIL");
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
    report("fresh", 0).send();
    for line in std::io::stdin().lock().lines() {
        if line.is_err() {
            break;
        }
        match runtime.block_on(attempt(&client)) {
            Ok(report) => report.send(),
            Err(lost) => {
                eprintln!("{lost}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Two worker threads, as many as the desktop app has on a machine with two processors. The number
/// matters: the system's allocator keeps up to 2 MiB of freed memory for each thread.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
}

/// Makes one refresh, through the schedule or by a call.
async fn attempt(client: &Client) -> Result<Report, Lost> {
    let revision = client.session.snapshot().revision;
    let started = Instant::now();
    if is_fresh(&client.session.snapshot().state) {
        client.clock.advance(A_LIFE);
        // The schedule and this call ask at the same time and share one refresh. Twice, because the
        // first call may have joined a refresh that was just ending.
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
