//! Processes that an entry measures from outside: `bench --part user URL FOLDER`.
//!
//! It has one session, and does what a line on its standard input says: `use` is a bit of
//! everything that people do, `hold BYTES` keeps so much more memory for good. Each is
//! answered by a line; the end of the input is its end.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use vestibule_core::clock::SystemClock;
use vestibule_core::secrets::MemoryStore;
use vestibule_core::session::Session;

use crate::registry::{Outcome, runtime};
use crate::stand::{fetch, get, open, refresh, sign_in};

const DONE: &str = "done";
/// In one bit of use.
const REFRESHES: usize = 5;
const CALLS: usize = 20;
const BODY: &str = "/transfer?bytes=1000000";

/// Runs a part until its input ends.
#[must_use]
pub fn run(arguments: &[String]) -> ExitCode {
    let result = match arguments {
        [part, url, folder] if part == "user" => user(url, Path::new(folder)),
        _ => Err("--part user URL FOLDER".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn user(url: &str, folder: &Path) -> Outcome<()> {
    let runtime = runtime();
    let store = Arc::<MemoryStore>::default();
    let session = open(url, "user", folder, store, Arc::new(SystemClock));
    let session = runtime.block_on(session)?;
    let mut held: Vec<Vec<u8>> = Vec::new();
    say()?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        match line.split_once(' ') {
            None if line == "use" => runtime.block_on(some_use(&session))?,
            Some(("hold", bytes)) => {
                let bytes = bytes.parse().map_err(|error| format!("{line}: {error}"))?;
                // Not zeroes: those the kernel would give only when they are written to.
                held.push(vec![1; bytes]);
            }
            _ => return Err(format!("`{line}` is no use")),
        }
        say()?;
    }
    // Until now, or nobody would have noticed.
    drop(held);
    Ok(())
}

async fn some_use(session: &Session) -> Outcome<()> {
    sign_in(session).await?;
    for _ in 0..REFRESHES {
        refresh(session).await?;
    }
    for _ in 0..CALLS {
        fetch(session, "/me").await?;
    }
    let answer = session.call(get(BODY)).await;
    let (_, rest) = answer.map_err(|error| format!("a call: {error}"))?;
    if let Some(mut rest) = rest {
        while rest
            .read()
            .await
            .map_err(|fault| format!("a body: {fault}"))?
            .is_some()
        {}
    }
    session.logout().await;
    Ok(())
}

fn say() -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    let said = writeln!(out, "{DONE}").and_then(|()| out.flush());
    said.map_err(|error| error.to_string())
}

/// Such a process, from outside. It ends when this is dropped.
pub struct User {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl User {
    /// Started, and nobody signed in.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(program: &Path, url: &str, folder: &Path) -> Outcome<Self> {
        let mut child = Command::new(program)
            .args(["--part", "user", url])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let streams = child.stdin.take().zip(child.stdout.take());
        let (input, output) = streams.ok_or("the process has no streams")?;
        let mut user = Self {
            child,
            input,
            output: BufReader::new(output).lines(),
        };
        user.answer().await?;
        Ok(user)
    }

    /// A bit of everything that people do.
    ///
    /// # Errors
    /// If something of it fails.
    pub async fn some_use(&mut self) -> Outcome<()> {
        self.ask("use\n").await
    }

    /// Makes it keep so many bytes more.
    ///
    /// # Errors
    /// If it has ended.
    pub async fn hold(&mut self, bytes: usize) -> Outcome<()> {
        self.ask(&format!("hold {bytes}\n")).await
    }

    /// What it weighs.
    ///
    /// # Errors
    /// If it has ended.
    pub fn weight(&self) -> Outcome<f64> {
        let weight = self.child.id().and_then(crate::memory::pss);
        Ok(weight.ok_or("the process has ended")? as f64)
    }

    async fn ask(&mut self, line: &str) -> Outcome<()> {
        let asked = self.input.write_all(line.as_bytes()).await;
        asked.map_err(|error| format!("the process does not listen: {error}"))?;
        self.answer().await
    }

    async fn answer(&mut self) -> Outcome<()> {
        match self.output.next_line().await {
            Ok(Some(line)) if line == DONE => Ok(()),
            other => Err(format!("the process has ended: {other:?}")),
        }
    }
}
