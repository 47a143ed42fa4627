//! The child's side: the app in a process that will be killed, or whose keyring will fail. It reports
//! each state, each token that the keyring has confirmed, and each step of the core, so that the
//! parent knows how far it had come when it died.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use vestibule_core::session::{Config, Session};
use vestibule_core::testing::{BoundedStore, FAILPOINTS, Item, WriteOrder};
use vestibule_core::{AuthError, Keyring, SecretBytes, SecretStore, StoreError};
use vestibule_harness::child::{report, serve, serve_once};
use vestibule_harness::{
    A_LIFE, Pace, TestClock, TestDesktop, clock, config, get, is_session_item, item_name, owner,
    why,
};

use super::protocol::{AppProtocol, AppStart, Command, Done, Event, ItemProtocol, Probe, Watched};
use super::window::PollingWindow;
use crate::carrier::{self, Carrier};

/// How fast the clock of a fast app goes.
const FAST: Pace = Pace {
    beat: Duration::from_millis(10),
    passes: Duration::from_millis(200),
};
/// The pause after a rotation or a read that failed, which keeps the loop from spinning; nothing is
/// waited for.
const PAUSE: Duration = Duration::from_millis(10);

/// The signal for a file that would become larger than allowed.
const SIGXFSZ: i32 = 25;

/// The longest pause between two rotations, in which other processes can take the lock.
const BREATH: Duration = Duration::from_millis(40);

/// How often a keyring is read: the service reports an error if an item is deleted meanwhile, by a call
/// of a process that was killed after it had sent it.
const MAX_READS: usize = 20;

/// Runs the app until the input ends or the process is killed.
pub fn run(arguments: &[String]) -> ExitCode {
    serve::<AppProtocol, _>(
        arguments,
        |start| Ok((AppChild::begin(start)?, Done::default())),
        AppChild::perform,
    )
}

/// Reads which generation the keyring holds.
pub fn run_item(arguments: &[String]) -> ExitCode {
    serve_once::<ItemProtocol>(arguments, |(service, folder)| {
        let keyring = Keyring::new(service);
        let name = item_name(&folder).ok_or("the folder has no records")?;
        let Some(bytes) = read_item(&keyring, &name)? else {
            return Ok(None);
        };
        let item = Item::from_bytes(&bytes).ok_or("the keyring's item cannot be parsed")?;
        Ok(Some(item.generation.number()))
    })
}

/// Reads an item, again after an error.
fn read_item(keyring: &Keyring, name: &str) -> Result<Option<SecretBytes>, String> {
    let mut read = keyring.read(name);
    for _ in 1..MAX_READS {
        if read.is_ok() {
            break;
        }
        std::thread::sleep(PAUSE);
        read = keyring.read(name);
    }
    read.map_err(|error| error.to_string())
}

/// The step at which to die, and how many more times it is passed first.
static DEATH: Mutex<Option<(String, u32)>> = Mutex::new(None);

fn die_at(step: String, passing: u32) {
    let mut death = DEATH.lock().unwrap_or_else(PoisonError::into_inner);
    *death = Some((step, passing));
}

fn report_steps() -> Result<(), String> {
    for step in FAILPOINTS {
        fail::cfg_callback(step, move || come_to(step))?;
    }
    Ok(())
}

fn come_to(step: &str) {
    report::<AppProtocol>(Event::Step(step.to_owned()));
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

struct AppChild {
    /// As many threads as the app has on a machine with two processors, so that a call that blocks
    /// one of them delays the reads of the state.
    runtime: Option<Runtime>,
    app: RunningApp,
    window: Option<PollingWindow>,
}

impl Drop for AppChild {
    fn drop(&mut self) {
        // A call that hangs must not keep the process from ending.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl AppChild {
    fn begin(start: AppStart) -> Result<Self, String> {
        if let Some(step) = start.dies_at.clone() {
            die_at(step, 1);
        }
        if start.watched == Watched::Steps {
            report_steps()?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let watched = start.watched;
        let app = {
            let _inside = runtime.enter();
            RunningApp::open(start)?
        };
        let window = (watched == Watched::Window)
            .then(|| PollingWindow::open(runtime.handle().clone(), app.session.clone()));
        Ok(Self {
            runtime: Some(runtime),
            app,
            window,
        })
    }

    fn perform(&mut self, command: Command) -> Result<Done, String> {
        let Self {
            runtime,
            app,
            window,
        } = self;
        let runtime = runtime.as_ref().ok_or("the app has ended")?;
        let began = Instant::now();
        let done = runtime.block_on(app.perform(command))?;
        Ok(Done {
            ms: ms(began.elapsed()),
            window_ms: window.as_ref().map_or(0, PollingWindow::worst),
            ..done
        })
    }
}

struct RunningApp {
    session: Session,
    store: Arc<RecordingStore>,
    /// An item of its own, with which single calls are timed.
    probe: BoundedStore,
    probes: u64,
    clock: Arc<TestClock>,
    carrier: Carrier,
    /// The browser of a sign-in by it is played in this process, and dies with it.
    desktop: Arc<TestDesktop>,
    email: String,
    rotating: Option<(Arc<AtomicBool>, JoinHandle<u64>)>,
}

impl RunningApp {
    fn open(start: AppStart) -> Result<Self, String> {
        let store = Arc::new(RecordingStore {
            keyring: Keyring::new(start.service),
            folder: start.folder.clone(),
        });
        if start.watched == Watched::Steps {
            // With a keyring that hangs this would keep the app from starting.
            store.look()?;
        }
        let clock = clock();
        let (carrier, profile) = carrier::profile(&start.address, &start.carrier)?;
        let desktop = Arc::new(TestDesktop::default());
        let config = Config {
            desktop: desktop.clone(),
            ..config(profile, &start.folder, store.clone())
        };
        let session = Session::open_with_clock(config, clock.clone());
        let session = session.map_err(|error| error.to_string())?;
        let mut changes = session.subscribe();
        tokio::spawn(async move {
            loop {
                let now = changes.borrow_and_update().clone();
                report::<AppProtocol>(Event::State(Box::new(now)));
                if changes.changed().await.is_err() {
                    return;
                }
            }
        });
        if start.is_fast {
            let clock = clock.clone();
            tokio::spawn(async move { FAST.run(&clock).await });
        }
        Ok(Self {
            session,
            probe: BoundedStore::new(store.clone(), "probe"),
            probes: 0,
            store,
            clock,
            carrier,
            desktop,
            email: start.email,
            rotating: None,
        })
    }

    async fn perform(&mut self, command: Command) -> Result<Done, String> {
        let mut done = Done::default();
        match command {
            Command::SignIn(email) => {
                let email = email.as_deref().unwrap_or(&self.email);
                let (session, desktop) = (&self.session, &self.desktop);
                self.carrier.sign_in(session, desktop, email).await?;
            }
            Command::Refresh => self.session.refresh().await.map_err(code)?,
            Command::SignOut => self.sign_out().await?,
            Command::Call => {
                let reply = self.session.fetch(get("/me")).await.map_err(code)?;
                if reply.status != 200 {
                    return Err(reply.status.to_string());
                }
            }
            Command::AskOwner => done.owner = owner(&self.session).await,
            Command::Pass(seconds) => self.clock.advance(Duration::from_secs(seconds)),
            Command::Probe(probe) => {
                let refused = self.probe(probe).await.err();
                done.refused = refused.map(|error| format!("{error:?}"));
            }
            Command::Rotate => self.rotate(false),
            Command::RotateMixed => self.rotate(true),
            Command::Rest => self.rest().await?,
            Command::FillDisk => fill().map_err(|error| error.to_string())?,
            Command::ReadItem => {
                let store = self.store.clone();
                let looked = tokio::task::spawn_blocking(move || store.look());
                looked.await.map_err(|error| error.to_string())??;
            }
            Command::DeleteItem => {
                let (store, name) = (self.store.clone(), self.session.item_name().to_owned());
                let deleted = tokio::task::spawn_blocking(move || store.delete(&name));
                let deleted = deleted.await.map_err(|error| error.to_string())?;
                deleted.map_err(|error| error.to_string())?;
            }
            Command::DieAt(step, passing) => die_at(step, passing),
        }
        Ok(done)
    }

    async fn probe(&mut self, probe: Probe) -> Result<(), StoreError> {
        match probe {
            Probe::Read => self.probe.read().await.map(drop),
            Probe::Write => {
                self.probes += 1;
                let value = SecretBytes::new(b"probe".to_vec());
                let order = WriteOrder::write(1, self.probes.into());
                self.probe.write(order, value).await
            }
            Probe::Unlock => self.probe.unlock().await,
        }
    }

    /// Signs out, and measures how long it takes until a window would show it.
    async fn sign_out(&self) -> Result<(), String> {
        let mut changes = self.session.subscribe();
        let clicked = Instant::now();
        let watching = tokio::spawn(async move {
            let seen = changes.wait_for(|now| why(&now.state).is_some()).await;
            if seen.is_ok() {
                report::<AppProtocol>(Event::Shown(us(clicked.elapsed())));
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
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                report::<AppProtocol>(Event::Rotated(us(began.elapsed())));
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

fn code(error: AuthError) -> String {
    format!("{:?}", error.code)
}

fn us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

pub fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
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
            Some(name) => read_item(&self.keyring, &name)?,
            None => None,
        };
        let item = bytes.and_then(|bytes| Item::from_bytes(&bytes));
        let generation = item.map(|item| item.generation.number());
        report::<AppProtocol>(Event::Found(generation));
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
            report::<AppProtocol>(Event::Kept(item.generation.number()));
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
