//! Child processes that an entry measures from outside: `bench --child user URL FOLDER`.
//!
//! The process has one session and reads commands, one a line: `use` does some of everything that
//! users do, `hold BYTES` allocates that much memory for good. It answers each with a line, and
//! ends when its input does.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use vestibule_core::session::Session;
use vestibule_core::testing::{MemoryStore, SystemClock};

use crate::fixture::{fetch, get, open, refresh, sign_in};
use crate::registry::{Outcome, runtime};

const DONE: &str = "done";
/// How many refreshes one `use` makes.
const REFRESHES: usize = 5;
const CALLS: usize = 20;
const BODY: &str = "/transfer?bytes=1000000";

/// Runs the named child until its input ends.
#[must_use]
pub fn run(arguments: &[String]) -> ExitCode {
    let result = match arguments {
        [part, url, folder] if part == "user" => user(url, Path::new(folder)),
        _ => Err("--child user URL FOLDER".to_owned()),
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
                // Not zeroes, for which the kernel would provide memory only when they are written
                // to.
                held.push(vec![1; bytes]);
            }
            _ => return Err(format!("there is no command `{line}`")),
        }
        say()?;
    }
    // Kept until here, so that the compiler cannot drop it earlier.
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

/// Starts and drives such a process. Killed when dropped.
pub struct User {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl User {
    /// Starts the process, in which nobody is signed in.
    ///
    /// # Errors
    /// If the process does not start.
    pub async fn start(program: &Path, url: &str, folder: &Path) -> Outcome<Self> {
        let mut child = Command::new(program)
            .args(["--child", "user", url])
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

    /// Makes it do some of everything that users do.
    ///
    /// # Errors
    /// If something of that fails.
    pub async fn some_use(&mut self) -> Outcome<()> {
        self.ask("use\n").await
    }

    /// Makes it allocate this many bytes for good.
    ///
    /// # Errors
    /// If the process has ended.
    pub async fn hold(&mut self, bytes: usize) -> Outcome<()> {
        self.ask(&format!("hold {bytes}\n")).await
    }

    /// Its memory in bytes.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn weight(&self) -> Outcome<f64> {
        let weight = self.child.id().and_then(crate::memory::pss);
        Ok(weight.ok_or("the process has ended")? as f64)
    }

    async fn ask(&mut self, line: &str) -> Outcome<()> {
        let asked = self.input.write_all(line.as_bytes()).await;
        asked.map_err(|error| format!("the process does not read its input: {error}"))?;
        self.answer().await
    }

    async fn answer(&mut self) -> Outcome<()> {
        match self.output.next_line().await {
            Ok(Some(line)) if line == DONE => Ok(()),
            other => Err(format!("the process has ended: {other:?}")),
        }
    }
}
