//! `crash ADDRESS EMAIL FOLDER SERVICE CARRIER [STEP]`: the app without a window, in a process
//! that will be killed: the real core over the system's own keyring, on the bus that the
//! environment names.
//!
//! It reports each step of the core, each state, and each token that the keyring has confirmed, as
//! lines of JSON ([`ChildMessage`]), so that the parent knows how far it had come when it died.
//! With a STEP it kills itself (SIGKILL) when it reaches that step for the first time; the command
//! `arm` does the same later. Its clock runs fast, so that waits of seconds end quickly.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use vestibule_core::profile::Profile;
use vestibule_core::session::{self, Session};
use vestibule_core::testing::{FAILPOINTS, Item, ManualClock};
use vestibule_core::wire::{LoginInput, SessionChanged};
use vestibule_core::{AuthError, Keyring, SecretBytes, SecretStore, StoreError};

use crate::carrier;
use crate::rig::{A_LIFE, PASSWORD, WORKSPACE, get, is_session_item, item_name, why};

/// In each interval of this length …
const BEAT: Duration = Duration::from_millis(10);
/// … the clock advances by this much.
const PASSES: Duration = Duration::from_millis(200);

/// The signal for a file that would become larger than allowed.
const SIGXFSZ: i32 = 25;

/// The longest pause between two rotations, in which other processes can take the lock.
const BREATH: Duration = Duration::from_millis(40);

/// A report of this process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildMessage {
    /// The generation of the token in the keyring, if there is one. Reported first, and on request.
    Found(Option<u64>),
    /// The new state.
    State(Box<SessionChanged>),
    /// The keyring has confirmed to hold the token of this generation.
    Kept(u64),
    /// The core has reached this step.
    Step(String),
    /// A rotation has ended after this many microseconds.
    Rotated(u64),
    /// The effect of the sign-out was visible after this many microseconds.
    Shown(u64),
    /// The person to whom the token belongs according to the backend, if any.
    Whose(Option<String>),
    /// A command has ended, with its error if it failed.
    Done(Option<String>),
}

/// Runs until the input ends or the process is killed.
pub fn run(arguments: &[String]) -> ExitCode {
    let (named, armed) = arguments.split_at(arguments.len().min(5));
    let [address, email, folder, service, carrier] = named else {
        eprintln!("crash ADDRESS EMAIL FOLDER SERVICE CARRIER [STEP]");
        return ExitCode::from(2);
    };
    for step in armed {
        arm(step, 1);
    }
    let opened = announce_steps().and_then(|()| {
        let runtime = runtime().map_err(|error| error.to_string())?;
        let profile = carrier::profile(address, carrier)?;
        let child = CrashChild::open(&runtime, profile, email, folder.as_ref(), service)?;
        Ok((runtime, child))
    });
    let (runtime, mut child) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let result = runtime.block_on(child.run_command(&line));
        send(&ChildMessage::Done(result.err()));
    }
    // A call that hangs must not keep the process from ending.
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

/// A runtime with as many threads as the app has.
fn runtime() -> std::io::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
}

/// The step at which to die, and how many more times it is passed first.
static DEATH: Mutex<Option<(String, u32)>> = Mutex::new(None);

fn arm(step: &str, passing: u32) {
    let mut death = DEATH.lock().unwrap_or_else(PoisonError::into_inner);
    *death = Some((step.to_owned(), passing));
}

fn announce_steps() -> Result<(), String> {
    for step in FAILPOINTS {
        fail::cfg_callback(step, move || come_to(step))?;
    }
    Ok(())
}

fn come_to(step: &str) {
    send(&ChildMessage::Step(step.to_owned()));
    let mut death = DEATH.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, passing)) = &mut *death
        && at == step
    {
        *passing -= 1;
        if *passing == 0 {
            // Like a kill from outside: no destructor runs, and nothing is flushed.
            let me = rustix::process::getpid();
            let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
        }
    }
}

struct CrashChild {
    session: Session,
    store: Arc<RecordingStore>,
    clock: Arc<ManualClock>,
    email: String,
    rotating: Option<(Arc<AtomicBool>, JoinHandle<u64>)>,
}

impl CrashChild {
    fn open(
        runtime: &Runtime,
        profile: Profile,
        email: &str,
        folder: &Path,
        service: &str,
    ) -> Result<Self, String> {
        let store = Arc::new(RecordingStore {
            keyring: Keyring::new(service),
            folder: folder.to_owned(),
        });
        store.look()?;
        let clock = Arc::new(ManualClock::new(SystemTime::now()));
        let config = session::Config {
            workspace: WORKSPACE.into(),
            profile,
            folder: folder.to_owned(),
            store: store.clone(),
            product: "Vestibule 0.1.0".into(),
        };
        let _inside = runtime.enter();
        let session = Session::open_with_clock(config, clock.clone());
        let session = session.map_err(|error| error.to_string())?;
        let mut changes = session.subscribe();
        tokio::spawn(async move {
            loop {
                let now = changes.borrow_and_update().clone();
                send(&ChildMessage::State(Box::new(now)));
                if changes.changed().await.is_err() {
                    return;
                }
            }
        });
        let passing = clock.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                passing.advance(PASSES);
            }
        });
        Ok(Self {
            session,
            store,
            clock,
            email: email.to_owned(),
            rotating: None,
        })
    }

    async fn run_command(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<_> = line.split(' ').collect();
        match *words {
            ["login"] => self.sign_in(&self.email).await,
            ["login", email] => self.sign_in(email).await,
            ["whose"] => {
                send(&ChildMessage::Whose(self.whose().await?));
                Ok(())
            }
            ["logout"] => self.sign_out().await,
            ["rotate"] => {
                self.rotate(false);
                Ok(())
            }
            ["drive"] => {
                self.rotate(true);
                Ok(())
            }
            ["fill"] => fill().map_err(|error| error.to_string()),
            ["rest"] => self.rest().await,
            ["look"] => {
                let store = self.store.clone();
                let looked = tokio::task::spawn_blocking(move || store.look());
                looked.await.map_err(|error| error.to_string())?
            }
            ["wipe"] => {
                let store = self.store.clone();
                let name = self.session.item_name().to_owned();
                let wiped = tokio::task::spawn_blocking(move || store.delete(&name));
                let wiped = wiped.await.map_err(|error| error.to_string())?;
                wiped.map_err(|error| error.to_string())
            }
            ["arm", step, passing] => {
                arm(
                    step,
                    passing
                        .parse()
                        .map_err(|_| "the number of passings is not a number")?,
                );
                Ok(())
            }
            _ => Err(format!("there is no command {line}")),
        }
    }

    async fn sign_in(&self, email: &str) -> Result<(), String> {
        let input = LoginInput::new(email, PASSWORD);
        self.session.login(input).await.map(drop).map_err(told)
    }

    /// Asks the backend to whom the token of this session's calls belongs.
    async fn whose(&self) -> Result<Option<String>, String> {
        let reply = self.session.fetch(get("/me")).await.map_err(told)?;
        let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
        Ok(body["user"]["email"].as_str().map(str::to_owned))
    }

    /// Signs out, and measures how long it takes until a window would show it.
    async fn sign_out(&self) -> Result<(), String> {
        let mut changes = self.session.subscribe();
        let clicked = Instant::now();
        let watching = tokio::spawn(async move {
            let seen = changes.wait_for(|now| why(&now.state).is_some()).await;
            if seen.is_ok() {
                send(&ChildMessage::Shown(since(clicked)));
            }
        });
        self.session.logout().await;
        watching.await.map_err(|error| error.to_string())
    }

    /// Rotates without pause until told to stop. If `mixed`, the timer, a call and a click cause
    /// the rotations in turn.
    fn rotate(&mut self, mixed: bool) {
        let stop = Arc::new(AtomicBool::new(false));
        let (session, clock, stopped) = (self.session.clone(), self.clock.clone(), stop.clone());
        let rotating = tokio::spawn(async move {
            let (mut tries, mut failures) = (0_u64, 0);
            while !stopped.load(Ordering::Acquire) {
                tries += 1;
                let began = Instant::now();
                let rotated = if mixed && tries.is_multiple_of(2) {
                    clock.advance(A_LIFE);
                    session.fetch(get("/me")).await.map(drop)
                } else {
                    session.refresh().await
                };
                if rotated.is_err() {
                    failures += 1;
                    // Keeps this loop from spinning; nothing is waited for.
                    tokio::time::sleep(BEAT).await;
                    continue;
                }
                send(&ChildMessage::Rotated(since(began)));
                if mixed {
                    // A process that finds the lock taken sleeps a little longer each time. Without
                    // this pause the others would never get the lock.
                    tokio::time::sleep(BREATH.mul_f64(rand::random())).await;
                }
            }
            failures
        });
        self.rotating = Some((stop, rotating));
    }

    async fn rest(&mut self) -> Result<(), String> {
        let Some((stop, rotating)) = self.rotating.take() else {
            return Ok(());
        };
        stop.store(true, Ordering::Release);
        match rotating.await {
            Ok(0) => Ok(()),
            Ok(failures) => Err(format!("{failures} tries failed")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Sets the limit of file size to zero: from now on this process can create files, but writing to
/// them fails as on a full disk.
fn fill() -> std::io::Result<()> {
    // Without a handler the signal would end the process. A handler stays once it is installed.
    drop(signal(SignalKind::from_raw(SIGXFSZ))?);
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    Ok(setrlimit(Resource::Fsize, none)?)
}

fn since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn told(error: AuthError) -> String {
    format!("{:?}", error.code)
}

/// The keyring; reports which tokens it has confirmed.
struct RecordingStore {
    keyring: Keyring,
    /// The folder with the records, which contain the item's name.
    folder: PathBuf,
}

impl RecordingStore {
    fn look(&self) -> Result<(), String> {
        let bytes = match item_name(&self.folder) {
            Some(name) => self.read(&name).map_err(|error| error.to_string())?,
            None => None,
        };
        let item = bytes.and_then(|bytes| Item::from_bytes(&bytes));
        send(&ChildMessage::Found(
            item.map(|item| item.generation.number()),
        ));
        Ok(())
    }
}

impl SecretStore for RecordingStore {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.keyring.read(account)
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        self.keyring.write(account, value)?;
        if is_session_item(account)
            && let Some(item) = Item::from_bytes(value)
        {
            send(&ChildMessage::Kept(item.generation.number()));
        }
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        self.keyring.delete(account)
    }

    fn unlock(&self) -> Result<(), StoreError> {
        self.keyring.unlock()
    }
}

fn send(what: &ChildMessage) {
    let mut out = std::io::stdout().lock();
    // The parent may be gone; then the input ends too, and with it this process.
    let line = serde_json::to_string(what).unwrap_or_default();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
