//! `keyring ADDRESS EMAIL FOLDER SERVICE`: one session over the system's own keyring, in a process
//! of its own like the app, on the bus that its environment names.
//!
//! It reads one command a line, and prints a line of JSON, a [`ChildMessage`], for each change of
//! the state, for each token that the keyring has confirmed, and at the end of each command. A
//! thread stands in for the window: it reads the state all the time and records how long that took.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use vestibule_core::profile::Profile;
use vestibule_core::session::{self, Session};
use vestibule_core::testing::{BoundedStore, Item, ManualClock, WriteOrder};
use vestibule_core::wire::{LoginInput, SessionChanged};
use vestibule_core::{AuthError, Keyring, SecretBytes, SecretStore, StoreError};

use crate::rig::{PASSWORD, WORKSPACE, get, is_session_item};

/// A report of this process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildMessage {
    /// The new state.
    State(Box<SessionChanged>),
    /// The keyring has confirmed to hold the token of this generation.
    Kept(u64),
    /// A command has ended.
    CommandResult(CommandResult),
}

/// The result of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommandResult {
    /// How long it took.
    pub ms: u64,
    /// The error, if it failed.
    pub error: Option<String>,
    /// The longest read of the state since the previous command.
    pub window_ms: u64,
}

/// Runs until the input ends.
pub fn run(arguments: &[String]) -> ExitCode {
    let [address, email, folder, service] = arguments else {
        eprintln!("keyring ADDRESS EMAIL FOLDER SERVICE");
        return ExitCode::from(2);
    };
    let started = runtime().map_err(|error| error.to_string());
    let started = started.and_then(|runtime| {
        let _inside = runtime.enter();
        let child = KeyringChild::open(address, email, folder.as_ref(), service)?;
        drop(_inside);
        Ok((runtime, child))
    });
    let (runtime, mut child) = match started {
        Ok(started) => started,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let window = PollingWindow::open(runtime.handle().clone(), child.session.clone());
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let started = Instant::now();
        let result = runtime.block_on(child.run_command(&line));
        send(&ChildMessage::CommandResult(CommandResult {
            ms: ms(started.elapsed()),
            error: result.err(),
            window_ms: window.worst(),
        }));
    }
    // A call that hangs must not keep the process from ending.
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

/// As many threads as the app has on a machine with two processors, so that a call that blocks one
/// of them delays the reads of the state.
fn runtime() -> std::io::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
}

struct KeyringChild {
    session: Session,
    clock: Arc<ManualClock>,
    email: String,
    /// An item of its own, with which single calls are timed.
    probe: BoundedStore,
    calls: u64,
    rotating: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl KeyringChild {
    fn open(address: &str, email: &str, folder: &Path, service: &str) -> Result<Self, String> {
        let store = Arc::new(RecordingStore(Keyring::new(service)));
        let clock = Arc::new(ManualClock::new(SystemTime::now()));
        let profile = Profile::default().with_backend(address);
        let config = session::Config {
            workspace: WORKSPACE.into(),
            profile: profile.map_err(|error| error.to_string())?,
            folder: folder.to_owned(),
            store: store.clone(),
            product: "Vestibule 0.1.0".into(),
        };
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
        Ok(Self {
            probe: BoundedStore::new(store, "probe"),
            session,
            clock,
            email: email.to_owned(),
            calls: 0,
            rotating: None,
        })
    }

    async fn run_command(&mut self, line: &str) -> Result<(), String> {
        let told = |error: AuthError| format!("{:?}", error.code);
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "login" => {
                let input = LoginInput::new(&self.email, PASSWORD);
                self.session.login(input).await.map(drop).map_err(told)
            }
            "refresh" => self.session.refresh().await.map_err(told),
            "logout" => {
                self.session.logout().await;
                Ok(())
            }
            "call" => {
                let reply = self.session.fetch(get("/me")).await.map_err(told)?;
                let well = reply.status == 200;
                well.then_some(()).ok_or(format!("{}", reply.status))
            }
            "pass" => {
                let seconds = rest
                    .parse()
                    .map_err(|_| "the number of seconds is not a number")?;
                self.clock.advance(Duration::from_secs(seconds));
                Ok(())
            }
            "read" => probed(self.probe.read().await.map(drop)),
            "write" => {
                self.calls += 1;
                let value = SecretBytes::new(b"probe".to_vec());
                probed(
                    self.probe
                        .write(WriteOrder::write(1, self.calls.into()), value)
                        .await,
                )
            }
            "unlock" => probed(self.probe.unlock().await),
            "rotate" => {
                self.rotate();
                Ok(())
            }
            "rest" => {
                if let Some((stop, rotating)) = self.rotating.take() {
                    stop.store(true, Ordering::Release);
                    rotating.await.map_err(|error| error.to_string())?;
                }
                Ok(())
            }
            _ => Err(format!("there is no command {word}")),
        }
    }

    /// Rotates without pause until told to stop.
    fn rotate(&mut self) {
        let stop = Arc::new(AtomicBool::new(false));
        let (session, stopped) = (self.session.clone(), stop.clone());
        let rotating = tokio::spawn(async move {
            while !stopped.load(Ordering::Acquire) {
                // A failure shows in the state.
                let _ = session.refresh().await;
                tokio::task::yield_now().await;
            }
        });
        self.rotating = Some((stop, rotating));
    }
}

fn probed(result: Result<(), StoreError>) -> Result<(), String> {
    result.map_err(|error| format!("{error:?}"))
}

/// The keyring; reports which tokens it has confirmed.
struct RecordingStore(Keyring);

impl SecretStore for RecordingStore {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.0.read(account)
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        self.0.write(account, value)?;
        if is_session_item(account)
            && let Some(item) = Item::from_bytes(value)
        {
            send(&ChildMessage::Kept(item.generation.number()));
        }
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        self.0.delete(account)
    }

    fn unlock(&self) -> Result<(), StoreError> {
        self.0.unlock()
    }
}

/// Reads the state as a window does, on the runtime that everything else uses. Delays of the whole
/// machine at the same moment are subtracted.
struct PollingWindow(Arc<AtomicU64>);

/// How often the state is read, and how often the delay of the machine is measured.
const BEAT: Duration = Duration::from_millis(5);
/// A wait from this length on is compared with the delay of the machine.
const FELT: Duration = Duration::from_millis(50);

impl PollingWindow {
    fn open(runtime: Handle, session: Session) -> Self {
        let worst = Arc::new(AtomicU64::new(0));
        let noted = worst.clone();
        let late = late();
        std::thread::spawn(move || {
            loop {
                late.store(0, Ordering::Release);
                let (asked, asking) = (Instant::now(), session.clone());
                let answer = runtime.spawn(async move { asking.snapshot() });
                if runtime.block_on(answer).is_err() {
                    return;
                }
                let waited = asked.elapsed();
                let pause = if waited > FELT { 4 * BEAT } else { BEAT };
                std::thread::sleep(pause);
                let late = late.load(Ordering::Acquire);
                noted.fetch_max(ms(waited).saturating_sub(late), Ordering::AcqRel);
            }
        });
        Self(worst)
    }

    fn worst(&self) -> u64 {
        self.0.swap(0, Ordering::AcqRel)
    }
}

/// The largest delay, in milliseconds, with which a thread that only sleeps was woken.
fn late() -> Arc<AtomicU64> {
    let late = Arc::new(AtomicU64::new(0));
    let noted = late.clone();
    std::thread::spawn(move || {
        loop {
            let slept = Instant::now();
            std::thread::sleep(BEAT);
            let late = slept.elapsed().saturating_sub(BEAT);
            noted.fetch_max(ms(late), Ordering::AcqRel);
        }
    });
    late
}

fn send(what: &ChildMessage) {
    let mut out = std::io::stdout().lock();
    // The parent may be gone; then the input ends too, and with it this process.
    let line = serde_json::to_string(what).unwrap_or_default();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
