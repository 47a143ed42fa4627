//! Speaks with a child process that a test has started; the one protocol of all such children.
//!
//! Parent and child are one program, which the child starts as `PROGRAM --child NAME ARGUMENTS`,
//! where ARGUMENTS is JSON. Each command is a line of JSON on the child's standard input. On its
//! standard output the child writes lines of JSON: events, whenever they happen, and one answer for
//! its start and for each command, in their order. An answer is a value or an error in words. The
//! child ends when its input does, so that none outlives its parent.
//!
//! To add one, write a type that implements [`Protocol`], a function that calls [`serve`], and its
//! line in the `main` of the program.

use std::fmt::Debug;
use std::io::{BufRead as _, Write as _};
use std::ops::Deref;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::watch;

use crate::wait::Lost;

/// Longer than any command takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(150);

/// What a child and its parent say to each other.
pub trait Protocol: Send + Sync + 'static {
    /// The name after `--child`.
    const NAME: &'static str;
    /// What the child is started with.
    type Arguments: Serialize + DeserializeOwned;
    /// What the parent can ask for.
    type Command: Serialize + DeserializeOwned + Debug;
    /// What the child answers to its start and to each command.
    type Answer: Serialize + DeserializeOwned + Clone + Debug + Send + Sync;
    /// What the child reports without being asked.
    type Event: Serialize + DeserializeOwned;
    /// What the parent has learnt from all events so far.
    type Report: Default + Clone + Debug + Send + Sync;

    /// Adds an event to the report.
    fn take(report: &mut Self::Report, event: Self::Event);
}

/// A line of the child's output.
#[derive(Serialize, Deserialize)]
enum Line<E, A> {
    Event(E),
    Answer(Result<A, String>),
}

/// In the child: reports an event.
pub fn report<P: Protocol>(event: P::Event) {
    write_line::<P>(&Line::Event(event));
}

/// In the child: answers its start, and then each command until the input ends. `begin` gets the
/// arguments and returns what the commands work on, with the answer to the start.
pub fn serve<P: Protocol, S>(
    arguments: &[String],
    begin: impl FnOnce(P::Arguments) -> Result<(S, P::Answer), String>,
    mut perform: impl FnMut(&mut S, P::Command) -> Result<P::Answer, String>,
) -> ExitCode {
    let begun = match arguments {
        [text] => serde_json::from_str(text).map_err(|error| error.to_string()),
        _ => Err(format!("--child {} ARGUMENTS", P::NAME)),
    };
    let mut state = match begun.and_then(begin) {
        Ok((state, answer)) => {
            write_line::<P>(&Line::Answer(Ok(answer)));
            state
        }
        Err(error) => {
            eprintln!("{error}");
            write_line::<P>(&Line::Answer(Err(error)));
            return ExitCode::FAILURE;
        }
    };
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let command = serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"));
        let answer = command.and_then(|command| perform(&mut state, command));
        write_line::<P>(&Line::Answer(answer));
    }
    ExitCode::SUCCESS
}

/// In the child: does one thing at its start, and gets no commands.
pub fn serve_once<P: Protocol>(
    arguments: &[String],
    work: impl FnOnce(P::Arguments) -> Result<P::Answer, String>,
) -> ExitCode {
    let begin = |arguments| Ok(((), work(arguments)?));
    serve::<P, ()>(arguments, begin, |(), command| {
        Err(format!("there is no command {command:?}"))
    })
}

fn write_line<P: Protocol>(line: &Line<P::Event, P::Answer>) {
    let mut out = std::io::stdout().lock();
    // The parent may be gone; then the input ends too, and with it this process.
    let text = serde_json::to_string(line).unwrap_or_default();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// The command that starts a child of this program; a test can change its environment.
pub fn command<P: Protocol>(program: &Path, arguments: &P::Arguments) -> Result<Command, Lost> {
    let arguments = serde_json::to_string(arguments).map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["--child", P::NAME, &arguments]);
    Ok(command)
}

/// What a child has said so far; reads as its report.
pub struct Heard<P: Protocol> {
    report: P::Report,
    /// The answers to the start and to the commands, in their order.
    pub answers: Vec<Result<P::Answer, String>>,
    /// Whether the process has ended, so that nothing more will come.
    pub is_over: bool,
}

impl<P: Protocol> Clone for Heard<P> {
    fn clone(&self) -> Self {
        Self {
            report: self.report.clone(),
            answers: self.answers.clone(),
            is_over: self.is_over,
        }
    }
}

impl<P: Protocol> Debug for Heard<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let last = self.answers.last();
        write!(f, "{:?}, last answer {last:?}", self.report)
    }
}

impl<P: Protocol> Deref for Heard<P> {
    type Target = P::Report;

    fn deref(&self) -> &P::Report {
        &self.report
    }
}

/// A child process, as its parent sees it. Killed when dropped.
pub struct ChildProcess<P: Protocol> {
    process: Child,
    input: ChildStdin,
    heard: watch::Receiver<Heard<P>>,
    commands: usize,
}

impl<P: Protocol> ChildProcess<P> {
    /// Starts the process; does not wait for its first answer.
    pub fn start(command: Command) -> Result<Self, Lost> {
        let mut process = tokio::process::Command::from(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the process does not start: {error}"))?;
        let streams = process.stdin.take().zip(process.stdout.take());
        let (input, output) = streams.ok_or("the process has no streams")?;
        let (saying, heard) = watch::channel(Heard {
            report: P::Report::default(),
            answers: Vec::new(),
            is_over: false,
        });
        tokio::spawn(listen::<P>(output, saying));
        Ok(Self {
            process,
            input,
            heard,
            commands: 0,
        })
    }

    /// Waits for the answer to the start.
    pub async fn ready(&mut self) -> Result<P::Answer, Lost> {
        self.ready_within(ANSWER_TIMEOUT).await
    }

    /// The same for a start that takes long.
    pub async fn ready_within(&mut self, limit: Duration) -> Result<P::Answer, Lost> {
        self.answer_to(0, limit, "the start").await
    }

    /// Sends a command, and returns at which place among [`Heard::answers`] its answer will be.
    pub async fn tell(&mut self, command: &P::Command) -> Result<usize, Lost> {
        let line = serde_json::to_string(command).map_err(|error| error.to_string())? + "\n";
        let told = self.input.write_all(line.as_bytes()).await;
        told.map_err(|error| format!("{command:?}: the process does not read its input: {error}"))?;
        self.commands += 1;
        Ok(self.commands)
    }

    /// Sends a command and waits for its answer.
    pub async fn ask(&mut self, command: P::Command) -> Result<P::Answer, Lost> {
        let place = self.tell(&command).await?;
        self.answer_to(place, ANSWER_TIMEOUT, &format!("{command:?}"))
            .await
    }

    async fn answer_to(
        &mut self,
        place: usize,
        limit: Duration,
        what: &str,
    ) -> Result<P::Answer, Lost> {
        let is_there = |heard: &Heard<P>| heard.answers.len() > place;
        let heard = self
            .within(limit, &format!("the answer to {what}"), is_there)
            .await;
        let answer = heard?.answers[place].clone();
        answer.map_err(|error| format!("{what}: {error}"))
    }

    /// What it has said so far.
    pub fn heard(&self) -> Heard<P> {
        self.heard.borrow().clone()
    }

    /// Waits until what it has said is `wanted`.
    pub async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&Heard<P>) -> bool,
    ) -> Result<Heard<P>, Lost> {
        self.within(ANSWER_TIMEOUT, what, wanted).await
    }

    /// The same for at most this time.
    pub async fn within(
        &mut self,
        limit: Duration,
        what: &str,
        wanted: impl Fn(&Heard<P>) -> bool,
    ) -> Result<Heard<P>, Lost> {
        let enough = |heard: &Heard<P>| wanted(heard) || heard.is_over;
        let waited = tokio::time::timeout(limit, self.heard.wait_for(enough)).await;
        drop(waited);
        let now = self.heard();
        match wanted(&now) {
            true => Ok(now),
            false => Err(format!("waited for {what}, but it is {now:?}")),
        }
    }

    /// The process's number; `None` once it has ended.
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Closes the child's input. The child then ends, and this waits for it.
    pub async fn leave(self) -> Result<(), Lost> {
        let Self {
            mut process, input, ..
        } = self;
        drop(input);
        match ended(&mut process).await? {
            status if status.success() => Ok(()),
            status => Err(format!("the process ended with {status}")),
        }
    }

    /// Kills the child. Returns everything that it has sent.
    pub async fn kill(&mut self) -> Result<Heard<P>, Lost> {
        // An error means that the process has ended already.
        let _ = self.process.start_kill();
        self.end().await
    }

    /// Waits until a signal has killed the child (a kill point in the child itself, or another process).
    /// Returns everything that the child has sent.
    pub async fn end(&mut self) -> Result<Heard<P>, Lost> {
        let status = ended(&mut self.process).await;
        let status = status.map_err(|lost| format!("{lost}: {:?}", self.heard()))?;
        if !was_killed(status) {
            let heard = self.heard();
            return Err(format!("the process ended with {status}: {heard:?}"));
        }
        self.until("its last words", |heard| heard.is_over).await
    }
}

async fn ended(process: &mut Child) -> Result<ExitStatus, Lost> {
    match tokio::time::timeout(ANSWER_TIMEOUT, process.wait()).await {
        Ok(Ok(status)) => Ok(status),
        Ok(Err(error)) => Err(format!("the process's end is not known: {error}")),
        Err(_) => Err("the process does not end".into()),
    }
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    const SIGKILL: i32 = 9;
    status.signal() == Some(SIGKILL)
}

#[cfg(not(unix))]
fn was_killed(status: ExitStatus) -> bool {
    !status.success()
}

async fn listen<P: Protocol>(output: ChildStdout, saying: watch::Sender<Heard<P>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Line::Event(event)) => {
                saying.send_modify(|heard| P::take(&mut heard.report, event));
            }
            Ok(Line::Answer(answer)) => saying.send_modify(|heard| heard.answers.push(answer)),
            // A kill may have cut the last line short.
            Err(_) if !line.ends_with('}') => {}
            Err(error) => eprintln!("\rnot understood: {line}: {error}"),
        }
    }
    saying.send_modify(|heard| heard.is_over = true);
}
