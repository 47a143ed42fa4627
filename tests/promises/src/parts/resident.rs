//! `resident ADDRESS EMAIL FOLDER SERVICE`: one session over the system's own keyring, in a
//! process of its own as the app is one, on whatever bus its environment names.
//!
//! It obeys a command a line, and says a line of JSON, a [`Said`], for each change of the
//! state, for each token that the keyring has taken, and at the end of each command. A thread
//! stands in for the window: it asks for the state all the time and notes how long that took.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use vestibule_core::clock::ManualClock;
use vestibule_core::error::AuthError;
use vestibule_core::profile::Profile;
use vestibule_core::secrets::{SecretBytes, SecretStore, StoreError};
use vestibule_core::session::{self, Item, Session};
use vestibule_core::storage::bounded_store::{BoundedStore, Order};
use vestibule_core::storage::keyring::Keyring;
use vestibule_core::wire::{LoginInput, SessionChanged};

use crate::rig::{PASSWORD, WORKSPACE, get, is_session_item};

/// What this process says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The state is now this.
    State(Box<SessionChanged>),
    /// The keyring has said that it holds the token of this generation.
    Kept(u64),
    /// A command is over.
    Done(Done),
}

/// How a command went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    /// How long it took.
    pub ms: u64,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// The longest that the window has waited for the state since the command before.
    pub window_ms: u64,
}

/// Runs until the input ends.
pub fn run(arguments: &[String]) -> ExitCode {
    let [address, email, folder, service] = arguments else {
        eprintln!("resident ADDRESS EMAIL FOLDER SERVICE");
        return ExitCode::from(2);
    };
    let started = runtime().map_err(|error| error.to_string());
    let started = started.and_then(|runtime| {
        let _inside = runtime.enter();
        let resident = Resident::open(address, email, folder.as_ref(), service)?;
        drop(_inside);
        Ok((runtime, resident))
    });
    let (runtime, mut resident) = match started {
        Ok(started) => started,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let window = Window::open(runtime.handle().clone(), resident.session.clone());
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let started = Instant::now();
        let result = runtime.block_on(resident.obey(&line));
        say(&Said::Done(Done {
            ms: ms(started.elapsed()),
            error: result.err(),
            window_ms: window.worst(),
        }));
    }
    // A call that hangs must not keep this process.
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

/// As many threads as the app has on a machine with two processors: a call that blocked one
/// of them would be felt.
fn runtime() -> std::io::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
}

struct Resident {
    session: Session,
    clock: Arc<ManualClock>,
    email: String,
    /// An item of its own, to time single calls with.
    probe: BoundedStore,
    calls: u64,
    rotating: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Resident {
    fn open(address: &str, email: &str, folder: &Path, service: &str) -> Result<Self, String> {
        let store = Arc::new(Witness(Keyring::new(service)));
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
                say(&Said::State(Box::new(now)));
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

    async fn obey(&mut self, line: &str) -> Result<(), String> {
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
                let seconds = rest.parse().map_err(|_| "how many seconds?")?;
                self.clock.advance(Duration::from_secs(seconds));
                Ok(())
            }
            "read" => probed(self.probe.read().await.map(drop)),
            "write" => {
                self.calls += 1;
                let value = SecretBytes::new(b"probe".to_vec());
                probed(
                    self.probe
                        .write(Order::write(1, self.calls.into()), value)
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

    /// One rotation after the other, until told to rest.
    fn rotate(&mut self) {
        let stop = Arc::new(AtomicBool::new(false));
        let (session, stopped) = (self.session.clone(), stop.clone());
        let rotating = tokio::spawn(async move {
            while !stopped.load(Ordering::Acquire) {
                // What goes wrong shows in the state.
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

/// The keyring itself; says which tokens it has taken.
struct Witness(Keyring);

impl SecretStore for Witness {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.0.read(account)
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        self.0.write(account, value)?;
        if is_session_item(account)
            && let Some(item) = Item::from_bytes(value)
        {
            say(&Said::Kept(item.generation.number()));
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

/// Asks for the state as a window does: on the runtime that everything else runs on. What
/// the machine itself was late in the same moment is not the runtime's doing.
struct Window(Arc<AtomicU64>);

/// How often the window asks, and how often it is looked whether the machine is in time.
const BEAT: Duration = Duration::from_millis(5);
/// A wait that is worth the question whose doing it was.
const FELT: Duration = Duration::from_millis(50);

impl Window {
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

/// How late a thread that only sleeps has been woken, at most, in milliseconds.
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

fn say(what: &Said) {
    let mut out = std::io::stdout().lock();
    // Whoever started us may be gone: then the input ends too.
    let line = serde_json::to_string(what).unwrap_or_default();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
