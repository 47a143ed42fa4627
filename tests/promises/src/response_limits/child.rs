//! Starts and drives the child process that is attacked; see [`crate::children::memory`].

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use vestibule_harness::Lost;

use crate::children::memory::Report;

/// Longer than any answer takes.
const ATTACK_TIMEOUT: Duration = Duration::from_secs(150);

/// The child process. Killed when dropped.
pub struct MemoryChild {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl MemoryChild {
    /// Starts the process and signs in.
    pub async fn start(program: &Path, address: &str, email: &str) -> Result<Self, Lost> {
        let mut child = Command::new(program)
            .args(["--child", "memory", address, email])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the attacked process does not start: {error}"))?;
        let streams = child.stdin.take().zip(child.stdout.take());
        let (input, output) = streams.ok_or("the process has no streams")?;
        let mut started = Self {
            child,
            input,
            output: BufReader::new(output).lines(),
        };
        started.report().await?;
        Ok(started)
    }

    pub async fn try_once(&mut self) -> Result<Report, Lost> {
        let asked = self.input.write_all(b"\n").await;
        asked.map_err(|error| format!("the attacked process does not read its input: {error}"))?;
        self.report().await
    }

    /// Closes the input, on which the process ends by itself.
    pub async fn leave(self) -> Result<(), Lost> {
        let Self {
            mut child, input, ..
        } = self;
        drop(input);
        let ended = tokio::time::timeout(ATTACK_TIMEOUT, child.wait()).await;
        match ended {
            Ok(Ok(status)) if status.success() => Ok(()),
            other => Err(format!("the process ended badly: {other:?}")),
        }
    }

    async fn report(&mut self) -> Result<Report, Lost> {
        let line = tokio::time::timeout(ATTACK_TIMEOUT, self.output.next_line()).await;
        let line = line.map_err(|_| "the process does not answer")?;
        let line = line.ok().flatten().ok_or("the process has ended")?;
        Report::read(&line).ok_or_else(|| format!("not a report: {line}"))
    }
}
