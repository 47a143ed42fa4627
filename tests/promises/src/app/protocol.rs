//! What the app's process and its parent say to each other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vestibule_core::wire::{Phase, SessionChanged, SessionState};
use vestibule_harness::child::{Heard, Protocol};

/// The app's process.
pub struct AppProtocol;

/// What the app is started with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppStart {
    /// The backend's address.
    pub address: String,
    /// How tokens travel and where the user comes from; see [`crate::carrier::profile`].
    pub carrier: String,
    /// The email address of its account.
    pub email: String,
    /// The folder with its records.
    pub folder: PathBuf,
    /// Its name in the keyring.
    pub service: String,
    /// Whether the app's clock runs many times faster than real time, so that pauses of seconds end
    /// quickly. Otherwise only [`Command::Pass`] advances it.
    pub is_fast: bool,
    /// Whether it reports the steps of the core, and how long reads of the state take.
    pub watched: Watched,
    /// The step at which it kills itself, like a kill from outside.
    pub dies_at: Option<String>,
}

/// What a process measures of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Watched {
    /// The steps of the core ([`vestibule_core::failpoints`]).
    Steps,
    /// How long a window would wait for the state.
    Window,
}

/// What the parent can ask for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Sign in with this account, or with the own one.
    SignIn(Option<String>),
    Refresh,
    SignOut,
    /// Make a call of the backend's API.
    Call,
    /// Ask the backend to whom the token of this session's calls belongs.
    AskOwner,
    /// Advance the clock by this many seconds.
    Pass(u64),
    /// Make one call of the keyring, with an item of its own.
    Probe(Probe),
    /// Rotate without pause until [`Command::Rest`].
    Rotate,
    /// The same; the timer, a call and a click cause the rotations in turn.
    RotateMixed,
    /// Stop rotating. An error if a rotation failed.
    Rest,
    /// Let every write to a file fail, as on a full disk.
    FillDisk,
    /// Read the keyring and report what it holds.
    ReadItem,
    /// Delete the session's item, since a keyring that fills up becomes slow.
    DeleteItem,
    /// Die when the core reaches this step for this time.
    DieAt(String, u32),
}

/// A call of the keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    Read,
    Write,
    Unlock,
}

/// How a command went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Done {
    /// How long it took.
    pub ms: u64,
    /// The longest read of the state since the previous command; see [`Watched::Window`].
    pub window_ms: u64,
    /// Why the keyring refused a [`Probe`].
    pub refused: Option<String>,
    /// The owner of the token, for [`Command::AskOwner`].
    pub owner: Option<String>,
}

/// What the app reports.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
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
}

/// What a process has said so far.
pub type AppReport = Heard<AppProtocol>;

/// What a process has reported so far.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    /// The latest state.
    pub state: Option<SessionState>,
    /// Whether anybody was ever signed in.
    pub was_signed_in: bool,
    /// The generation in the keyring when it last read it, if there was one.
    pub found: Option<u64>,
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
    /// Everybody whom the window has shown, in order.
    pub people: Vec<String>,
}

impl Reported {
    /// How often it has reached this step.
    pub fn passings(&self, step: &str) -> u64 {
        self.passed.get(step).copied().unwrap_or(0)
    }

    /// Whether the state is known and matches `wanted`.
    pub fn is(&self, wanted: impl Fn(&SessionState) -> bool) -> bool {
        self.state.as_ref().is_some_and(wanted)
    }
}

impl Protocol for AppProtocol {
    const NAME: &'static str = "app";
    type Arguments = AppStart;
    type Command = Command;
    type Answer = Done;
    type Event = Event;
    type Report = Reported;

    fn take(report: &mut Reported, event: Event) {
        match event {
            Event::Found(generation) => report.found = generation,
            Event::State(now) => {
                if let Phase::SignedIn { user, .. } = &now.state.phase {
                    report.was_signed_in = true;
                    if report.people.last() != Some(&user.email) {
                        report.people.push(user.email.clone());
                    }
                }
                report.state = Some(now.state);
            }
            Event::Kept(generation) => {
                report.kept = report.kept.max(generation);
                report.generations.push(generation);
            }
            Event::Step(step) => {
                *report.passed.entry(step.clone()).or_default() += 1;
                report.step = step;
            }
            Event::Rotated(us) => report.rotated.push(Duration::from_micros(us)),
            Event::Shown(us) => report.shown = Some(Duration::from_micros(us)),
        }
    }
}

/// A process that has never written to the keyring, and reads there which generation it holds for
/// the session of these records.
pub struct ItemProtocol;

impl Protocol for ItemProtocol {
    const NAME: &'static str = "item";
    /// The name in the keyring, and the folder with the records.
    type Arguments = (String, PathBuf);
    type Command = ();
    type Answer = Option<u64>;
    type Event = ();
    type Report = ();

    fn take((): &mut (), (): ()) {}
}
