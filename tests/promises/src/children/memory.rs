//! One session in a process of its own, whose memory is measured: it signs in, and each command makes
//! it try one refresh, or one sign-in in place of it.

use std::process::ExitCode;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::json;
use vestibule_harness::child::{Protocol, serve};
use vestibule_harness::{A_LIFE, Lost, is_fresh, retry_in, why};

use crate::carrier::Carrier;
use crate::client::Client;

/// What a session tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attempt {
    /// A refresh.
    Refresh,
    /// A sign-in in a process that knows nothing of its provider yet, after a sign-out.
    SignIn,
}

/// The child, started with an address, an email address and the word of a carrier.
pub struct MemoryProtocol;

/// How a refresh went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum After {
    Fresh,
    Stale,
    SignedOut,
}

/// The result of a refresh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    pub after: After,
    /// How long the refresh took.
    pub ms: u64,
    /// The peak memory of the process so far; zero where the system does not tell.
    pub peak_kib: u64,
}

impl Protocol for MemoryProtocol {
    const NAME: &'static str = "memory";
    type Arguments = (String, String, String);
    type Command = Attempt;
    type Answer = Measured;
    type Event = ();
    type Report = ();

    fn take((): &mut (), (): ()) {}
}

/// Runs until the input ends.
pub fn run(arguments: &[String]) -> ExitCode {
    // Two worker threads, as many as the desktop app has on a machine with two processors. The
    // number matters: the system's allocator keeps up to 2 MiB of freed memory for each thread.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        eprintln!("no runtime");
        return ExitCode::FAILURE;
    };
    let begin = |(address, email, carrier): (String, String, String)| {
        let client = runtime.block_on(async {
            let client = Client::new(address, email, Carrier::of(&carrier)?).await?;
            client.sign_in().await?;
            Ok::<_, Lost>(client)
        })?;
        Ok((client, measured(After::Fresh, 0)))
    };
    serve::<MemoryProtocol, Client>(arguments, begin, |client, attempt| {
        runtime.block_on(async {
            match attempt {
                Attempt::Refresh => refresh(client).await,
                Attempt::SignIn => sign_in(client).await,
            }
        })
    })
}

/// Signs in anew. The name is at a place where the ID token has none, so that `userinfo` is asked too.
async fn sign_in(client: &mut Client) -> Result<Measured, Lost> {
    client.session.logout().await;
    let address = client.profile.backend.to_string();
    let elsewhere = json!({"browser": {"user": {"name": ["/display_name"]}}});
    client.profile = client
        .carrier
        .profile(address.trim_end_matches('/'), elsewhere)?;
    client.restart()?;
    client.until_started().await?;
    let started = Instant::now();
    let after = match client.sign_in().await {
        Ok(()) => After::Fresh,
        Err(_) => After::SignedOut,
    };
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(measured(after, ms))
}

/// Makes one refresh, through the schedule or by a call.
async fn refresh(client: &Client) -> Result<Measured, Lost> {
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
    let after = match (is_fresh(&state), why(&state)) {
        (true, _) => After::Fresh,
        (false, None) => After::Stale,
        (false, Some(_)) => After::SignedOut,
    };
    Ok(measured(after, ms))
}

fn measured(after: After, ms: u64) -> Measured {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    let peak = peak.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    Measured {
        after,
        ms,
        peak_kib: peak.unwrap_or_default(),
    }
}
