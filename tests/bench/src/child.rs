//! Child processes: one session in a process of its own, which an entry measures from outside; and
//! the sign-ins of [`crate::accounts`].

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vestibule_core::session::Session;
use vestibule_core::testing::{MemoryStore, SystemClock};
use vestibule_harness::child::{ChildProcess, Protocol, command, serve};
use vestibule_harness::get;

use crate::accounts::{self, SignIns};
use crate::fixture::{fetch, open, refresh, sign_in};
use crate::registry::{Outcome, runtime};

/// How many refreshes one [`Command::Use`] makes.
const REFRESHES: usize = 5;
const CALLS: usize = 20;
const BODY: &str = "/transfer?bytes=1000000";

struct UserProtocol;

#[derive(Debug, Serialize, Deserialize)]
enum Command {
    /// Do some of everything that users do.
    Use,
    /// Allocate this many bytes for good.
    Hold(usize),
}

impl Protocol for UserProtocol {
    const NAME: &'static str = "user";
    /// The backend's address, and the folder for the records.
    type Arguments = (String, PathBuf);
    type Command = Command;
    type Answer = ();
    type Event = ();
    type Report = ();

    fn take((): &mut (), (): ()) {}
}

/// Runs the named child until its input ends.
#[must_use]
pub fn run(arguments: &[String]) -> ExitCode {
    match arguments.split_first().map(|(name, rest)| (&**name, rest)) {
        Some((UserProtocol::NAME, rest)) => run_user(rest),
        Some((SignIns::NAME, rest)) => accounts::run(rest),
        _ => {
            eprintln!("the children are {}, {}", UserProtocol::NAME, SignIns::NAME);
            ExitCode::FAILURE
        }
    }
}

fn run_user(rest: &[String]) -> ExitCode {
    let runtime = runtime();
    let begin = |(url, folder): (String, PathBuf)| {
        let store = Arc::<MemoryStore>::default();
        let session = open(&url, "user", &folder, store, Arc::new(SystemClock));
        // What is held is kept until the end, so that the compiler cannot drop it earlier.
        let held: Vec<Vec<u8>> = Vec::new();
        Ok(((runtime.block_on(session)?, held), ()))
    };
    serve::<UserProtocol, _>(rest, begin, |(session, held), command| match command {
        Command::Use => runtime.block_on(some_use(session)),
        Command::Hold(bytes) => {
            // Not zeroes, for which the kernel would provide memory only when they are written to.
            held.push(vec![1; bytes]);
            Ok(())
        }
    })
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

/// Starts and drives such a process. Killed when dropped.
pub struct User(ChildProcess<UserProtocol>);

impl User {
    /// Starts the process, in which nobody is signed in.
    ///
    /// # Errors
    /// If the process does not start.
    pub async fn start(program: &Path, url: &str, folder: &Path) -> Outcome<Self> {
        let command = command::<UserProtocol>(program, &(url.to_owned(), folder.to_owned()))?;
        let mut user = Self(ChildProcess::start(command)?);
        user.0.ready().await?;
        Ok(user)
    }

    /// Makes it do some of everything that users do.
    ///
    /// # Errors
    /// If something of that fails.
    pub async fn some_use(&mut self) -> Outcome<()> {
        self.0.ask(Command::Use).await
    }

    /// Makes it allocate this many bytes for good.
    ///
    /// # Errors
    /// If the process has ended.
    pub async fn hold(&mut self, bytes: usize) -> Outcome<()> {
        self.0.ask(Command::Hold(bytes)).await
    }

    /// Its memory in bytes.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn weight(&self) -> Outcome<f64> {
        let weight = self.0.id().and_then(crate::memory::pss);
        Ok(weight.ok_or("the process has ended")? as f64)
    }
}
