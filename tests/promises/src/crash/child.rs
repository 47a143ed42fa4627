//! Starts and drives the child process that is killed; see [`crate::children::crash`].

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::watch;
use uuid::Uuid;
use vestibule_bus::Bus;
use vestibule_core::wire::{Phase, SessionState};
use vestibule_harness::Lost;

use crate::children::crash::ChildMessage;
use crate::registry::Setting;

/// Longer than any command takes.
const CHILD_STEP_TIMEOUT: Duration = Duration::from_secs(120);
const SIGKILL: i32 = 9;

/// What remains when the process dies: its account, its folder, and its name in the keyring.
pub struct ChildHome {
    program: PathBuf,
    bus: Arc<Bus>,
    address: String,
    /// How tokens travel and where the user comes from; see [`crate::carrier::profile`].
    carrier: String,
    service: String,
    /// The e-mail address of its account.
    pub email: String,
    /// The folder with its records.
    pub folder: PathBuf,
}

impl ChildHome {
    /// A new one. Its records lie in the bus's folder and are deleted with it.
    pub fn new(
        setting: &Setting,
        bus: &Arc<Bus>,
        address: String,
        carrier: impl Into<String>,
        email: String,
    ) -> Self {
        let service = format!("vestibule-promise-{}", Uuid::new_v4());
        Self {
            program: setting.program.clone(),
            bus: bus.clone(),
            address,
            carrier: carrier.into(),
            email,
            folder: bus.home().join(&service),
            service,
        }
    }

    /// Starts the app. With `armed`, it kills itself when it reaches that step.
    pub fn start(&self, armed: Option<&str>) -> Result<ChildProcess, Lost> {
        let mut command = Command::new(&self.program);
        command.args(["--child", "crash", &self.address, &self.email]);
        command.arg(&self.folder).arg(&self.service);
        command.arg(&self.carrier).args(armed);
        self.bus.apply_environment(&mut command);
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the process does not start: {error}"))?;
        let streams = child.stdin.take().zip(child.stdout.take());
        let (input, output) = streams.ok_or("the process has no streams")?;
        let (told, heard) = watch::channel(ChildReport::default());
        tokio::spawn(listen(output, told));
        Ok(ChildProcess {
            child,
            input,
            heard,
        })
    }
}

/// What a process has reported so far.
#[derive(Clone, Debug, Default)]
pub struct ChildReport {
    /// The latest state.
    pub state: Option<SessionState>,
    /// Whether anybody was ever signed in.
    pub was_signed_in: bool,
    /// The generation in the keyring when it last read it, if there was one.
    pub found: Option<u64>,
    /// How often it has read the keyring.
    pub looks: u64,
    /// The newest generation that the keyring has confirmed to hold.
    pub kept: u64,
    /// Every generation that it has written there.
    pub generations: Vec<u64>,
    /// The latest step.
    pub step: String,
    /// How often each step was reached.
    pub passed: BTreeMap<String, u64>,
    /// The durations of the completed rotations.
    pub rotated: Vec<Duration>,
    /// The time until the sign-out was visible.
    pub shown: Option<Duration>,
    /// The owner of the token, as the backend last answered.
    pub whose: Option<String>,
    /// Everybody whom the window has shown, in order.
    pub people: Vec<String>,
    /// The completed commands, each with its error if it failed.
    pub done: Vec<Option<String>>,
    /// Whether the process has ended, so that nothing more will come.
    pub over: bool,
}

impl ChildReport {
    fn take(&mut self, said: ChildMessage) {
        match said {
            ChildMessage::Found(generation) => {
                self.found = generation;
                self.looks += 1;
            }
            ChildMessage::State(now) => {
                if let Phase::SignedIn { user, .. } = &now.state.phase {
                    self.was_signed_in = true;
                    if self.people.last() != Some(&user.email) {
                        self.people.push(user.email.clone());
                    }
                }
                self.state = Some(now.state);
            }
            ChildMessage::Kept(generation) => {
                self.kept = self.kept.max(generation);
                self.generations.push(generation);
            }
            ChildMessage::Step(step) => {
                *self.passed.entry(step.clone()).or_default() += 1;
                self.step = step;
            }
            ChildMessage::Whose(email) => self.whose = email,
            ChildMessage::Rotated(us) => self.rotated.push(Duration::from_micros(us)),
            ChildMessage::Shown(us) => self.shown = Some(Duration::from_micros(us)),
            ChildMessage::Done(error) => self.done.push(error),
        }
    }

    /// How often it has reached this step.
    pub fn passings(&self, step: &str) -> u64 {
        self.passed.get(step).copied().unwrap_or(0)
    }

    /// Whether the state is known and matches `wanted`.
    pub fn is(&self, wanted: impl Fn(&SessionState) -> bool) -> bool {
        self.state.as_ref().is_some_and(wanted)
    }
}

async fn listen(output: ChildStdout, told: watch::Sender<ChildReport>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(said) => told.send_modify(|heard| heard.take(said)),
            // The kill may have cut the last line short.
            Err(_) if !line.ends_with('}') => {}
            Err(error) => eprintln!("\rnot understood: {line}: {error}"),
        }
    }
    told.send_modify(|heard| heard.over = true);
}

/// One run of the app. Killed when dropped.
pub struct ChildProcess {
    child: Child,
    input: ChildStdin,
    heard: watch::Receiver<ChildReport>,
}

impl ChildProcess {
    /// Sends a command.
    pub async fn tell(&mut self, command: &str) -> Result<(), Lost> {
        let line = format!("{command}\n");
        let told = self.input.write_all(line.as_bytes()).await;
        told.map_err(|error| format!("{command}: the process does not read its input: {error}"))
    }

    /// Sends a command and waits until it has succeeded.
    pub async fn ask(&mut self, command: &str) -> Result<(), Lost> {
        let before = self.heard.borrow().done.len();
        self.tell(command).await?;
        let what = format!("the end of {command}");
        let heard = self.until(&what, |heard| heard.done.len() > before).await?;
        match heard.done.last() {
            Some(Some(error)) => Err(format!("{command}: {error}")),
            _ => Ok(()),
        }
    }

    /// Waits until its reports match `wanted`.
    pub async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&ChildReport) -> bool,
    ) -> Result<ChildReport, Lost> {
        let enough = |heard: &ChildReport| wanted(heard) || heard.over;
        let found = tokio::time::timeout(CHILD_STEP_TIMEOUT, self.heard.wait_for(enough)).await;
        drop(found);
        let now = self.heard();
        if wanted(&now) {
            return Ok(now);
        }
        Err(format!("waited for {what}, but it is {now:?}"))
    }

    /// Whether the latest state matches `wanted`.
    pub fn is(&self, wanted: impl Fn(&SessionState) -> bool) -> bool {
        self.heard.borrow().is(wanted)
    }

    /// What it has reported so far.
    pub fn heard(&self) -> ChildReport {
        self.heard.borrow().clone()
    }

    /// Kills it with SIGKILL. Returns all its reports.
    pub async fn kill(mut self) -> Result<ChildReport, Lost> {
        // An error means that the process has ended already.
        let _ = self.child.start_kill();
        self.end().await
    }

    /// Waits until it has killed itself. Returns all its reports.
    pub async fn end(mut self) -> Result<ChildReport, Lost> {
        let ended = tokio::time::timeout(CHILD_STEP_TIMEOUT, self.child.wait()).await;
        let Ok(Ok(status)) = ended else {
            let heard = self.heard();
            return Err(format!("the process does not end: {heard:?}"));
        };
        if status.signal() != Some(SIGKILL) {
            let heard = self.heard();
            return Err(format!("the process ended with {status}: {heard:?}"));
        }
        self.until("its last reports", |heard| heard.over).await
    }
}
