//! Starts and drives the child process whose keyring fails; see [`crate::children::keyring`].

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;
use vestibule_backend::Backend;
use vestibule_bus::Bus;
use vestibule_core::wire::{Phase, SessionChanged, SessionState, StorageStatus};
use vestibule_harness::{Lost, account};

use crate::children::keyring::{ChildMessage, CommandResult};
use crate::registry::Setting;

/// Longer than any command takes.
const CHILD_ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// What remains when the process ends: its account, its folder, and its name in the keyring.
pub struct Installation {
    program: PathBuf,
    address: String,
    email: String,
    folder: PathBuf,
    service: String,
}

impl Installation {
    /// A new one. Its records lie in the bus's folder and are deleted with it.
    pub fn new(setting: &Setting, backend: &Backend, bus: &Bus) -> Result<Self, Lost> {
        Ok(Self {
            program: setting.program.clone(),
            address: backend.url(),
            email: account(backend)?,
            folder: bus.home().join("records"),
            service: format!("vestibule-promise-{}", Uuid::new_v4()),
        })
    }

    fn child_command(&self, bus: &Bus, name: &str, arguments: &[&str]) -> tokio::process::Command {
        let mut command = Command::new(&self.program);
        command.args(["--child", name]).args(arguments);
        bus.apply_environment(&mut command);
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true).stdout(Stdio::piped());
        command
    }

    /// Starts the app.
    pub fn start(&self, bus: &Bus) -> Result<KeyringChild, Lost> {
        let folder = self.folder.display().to_string();
        let arguments = [&*self.address, &self.email, &folder, &self.service];
        let mut command = self.child_command(bus, "keyring", &arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the process does not start: {error}"))?;
        let streams = child.stdin.take().zip(child.stdout.take());
        let (input, output) = streams.ok_or("the process has no streams")?;
        let (told, heard) = watch::channel(ChildReport::default());
        let (over, done) = mpsc::unbounded_channel();
        tokio::spawn(listen(output, told, over));
        Ok(KeyringChild {
            child,
            input,
            heard,
            done,
            slowest_ms: 0,
        })
    }

    /// The generation that the keyring holds, as another process reads it.
    pub async fn generation(&self, bus: &Bus) -> Result<Option<u64>, Lost> {
        let folder = self.folder.display().to_string();
        let mut look = self.child_command(bus, "item", &[&self.service, &folder]);
        let looked = tokio::time::timeout(CHILD_ANSWER_TIMEOUT, look.output()).await;
        let looked = looked.map_err(|_| "reading the keyring does not end")?;
        let looked = looked.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&looked.stdout);
        match text.trim() {
            "none" => Ok(None),
            number => number.parse().map(Some).map_err(|_| {
                let why = String::from_utf8_lossy(&looked.stderr);
                format!("the keyring cannot be read: {}", why.trim())
            }),
        }
    }
}

/// What a process has reported so far.
#[derive(Clone, Default)]
struct ChildReport {
    state: Option<SessionChanged>,
    kept: u64,
}

async fn listen(
    output: ChildStdout,
    told: watch::Sender<ChildReport>,
    over: mpsc::UnboundedSender<CommandResult>,
) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(ChildMessage::State(state)) => told.send_modify(|heard| heard.state = Some(*state)),
            Ok(ChildMessage::Kept(generation)) => {
                told.send_modify(|heard| heard.kept = heard.kept.max(generation));
            }
            Ok(ChildMessage::CommandResult(done)) => {
                let _ = over.send(done);
            }
            Err(error) => eprintln!("not understood: {line}: {error}"),
        }
    }
}

/// One run of the app. Killed when dropped.
pub struct KeyringChild {
    child: Child,
    input: ChildStdin,
    heard: watch::Receiver<ChildReport>,
    done: mpsc::UnboundedReceiver<CommandResult>,
    slowest_ms: u64,
}

impl KeyringChild {
    /// Sends a command and waits until it has ended.
    pub async fn ask(&mut self, command: &str) -> Result<CommandResult, Lost> {
        let line = format!("{command}\n");
        let asked = self.input.write_all(line.as_bytes()).await;
        asked
            .map_err(|error| format!("{command}: the process does not read its input: {error}"))?;
        let done = tokio::time::timeout(CHILD_ANSWER_TIMEOUT, self.done.recv()).await;
        let done = done.map_err(|_| format!("{command}: it does not end"))?;
        let done = done.ok_or_else(|| format!("{command}: the process has ended"))?;
        self.slowest_ms = self.slowest_ms.max(done.window_ms);
        Ok(done)
    }

    /// Sends a command that has to succeed.
    pub async fn expect_ok(&mut self, command: &str) -> Result<CommandResult, Lost> {
        let done = self.ask(command).await?;
        match &done.error {
            None => Ok(done),
            Some(error) => Err(format!("{command}: {error}")),
        }
    }

    /// The newest generation that the keyring has confirmed to hold.
    pub fn kept(&self) -> u64 {
        self.heard.borrow().kept
    }

    /// The longest time that a read of the state took.
    pub fn slowest_ms(&self) -> u64 {
        self.slowest_ms
    }

    /// Waits for a state that is `wanted`.
    pub async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&SessionState) -> bool,
    ) -> Result<SessionState, Lost> {
        self.within(CHILD_ANSWER_TIMEOUT, what, wanted).await
    }

    /// Waits for such a state for at most the promised time.
    pub async fn within(
        &mut self,
        limit: Duration,
        what: &str,
        wanted: impl Fn(&SessionState) -> bool,
    ) -> Result<SessionState, Lost> {
        let is_it = |heard: &ChildReport| matches!(&heard.state, Some(now) if wanted(&now.state));
        let found = tokio::time::timeout(limit, self.heard.wait_for(is_it)).await;
        if let Ok(Ok(heard)) = &found
            && let Some(now) = &heard.state
        {
            return Ok(now.state.clone());
        }
        drop(found);
        let now = self.heard.borrow().state.clone();
        Err(format!("waited for {what}, but it is {now:?}"))
    }

    /// Advances the app's clock, by a minute at most, until the state is `wanted`.
    pub async fn in_time(
        &mut self,
        what: &str,
        wanted: impl Fn(&SessionState) -> bool,
    ) -> Result<SessionState, Lost> {
        let soon = Duration::from_millis(100);
        for _ in 0..60 {
            if let Ok(state) = self.within(soon, what, &wanted).await {
                return Ok(state);
            }
            self.expect_ok("pass 1").await?;
        }
        // A call of the core may be in progress, and its own limits are in real time.
        let limit = Duration::from_secs(5);
        self.within(limit, what, wanted).await
    }

    /// Kills it with SIGKILL.
    pub async fn kill(&mut self) -> Result<(), Lost> {
        let killed = self.child.kill().await;
        killed.map_err(|error| format!("the process cannot be killed: {error}"))
    }
}

/// Whether somebody is signed in, and still would be after a restart.
pub fn is_kept(state: &SessionState) -> bool {
    remembered(state) == Some(true) && state.storage == StorageStatus::Ok
}

/// Whether the signed-in user still would be after a restart.
pub fn remembered(state: &SessionState) -> Option<bool> {
    match state.phase {
        Phase::SignedIn { remembered, .. } => Some(remembered),
        _ => None,
    }
}
