//! One process of the model, as its surroundings see it: alive until it is killed, and without
//! effect from then on.
//!
//! A killed process is cut off: nothing that its tasks still do reaches a disk, the keyring or the
//! backend. Then its runtime is dropped, and every task with it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};

use tokio::sync::watch;
use vestibule_core::wire::{Phase, SessionChanged};

/// When a process is killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KillTrigger {
    /// When it reaches this failpoint of the core for the given time.
    Step(&'static str, u32),
    /// Before the given effect on a disk, the keyring or the network takes place.
    Effect(u32),
}

pub struct ModelProcess {
    /// The account whose session it has. Accounts of one installation die together.
    pub account: usize,
    /// Distinguishes it from earlier processes.
    pub number: u64,
    dead: AtomicBool,
    death: Mutex<Option<KillTrigger>>,
    /// Counts everything that it does: while this grows the process is not waiting.
    activity: AtomicU64,
    /// Calls of the keyring that are being answered now.
    calls: AtomicUsize,
    state: OnceLock<watch::Receiver<SessionChanged>>,
}

impl ModelProcess {
    pub fn new(account: usize, number: u64) -> Arc<Self> {
        Arc::new(Self {
            account,
            number,
            dead: AtomicBool::new(false),
            death: Mutex::default(),
            activity: AtomicU64::new(0),
            calls: AtomicUsize::new(0),
            state: OnceLock::new(),
        })
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    /// Plans its death.
    pub fn set_trigger(&self, death: KillTrigger) {
        *self.death() = Some(death);
    }

    pub fn clear_trigger(&self) {
        *self.death() = None;
    }

    fn death(&self) -> std::sync::MutexGuard<'_, Option<KillTrigger>> {
        self.death.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is about to do something that others see. Returns false if it is dead, so that it does
    /// not.
    pub fn acts(&self) -> bool {
        self.moves();
        if let Some(KillTrigger::Effect(left)) = &mut *self.death() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.kill();
            }
        }
        !self.is_dead()
    }

    /// Counts an activity.
    pub fn moves(&self) {
        self.activity.fetch_add(1, Ordering::SeqCst);
    }

    pub fn activity(&self) -> u64 {
        self.activity.load(Ordering::SeqCst)
    }

    pub fn call_begins(&self) {
        self.moves();
        self.calls.fetch_add(1, Ordering::SeqCst);
    }

    pub fn call_ends(&self) {
        self.moves();
        self.calls.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether the keyring is answering a call of it.
    pub fn is_called(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > 0
    }

    pub fn shows(&self, state: watch::Receiver<SessionChanged>) {
        let _ = self.state.set(state);
    }

    /// What its window shows; `None` before it has one.
    pub fn phase(&self) -> Option<Phase> {
        let state = self.state.get()?;
        let phase = state.borrow().state.phase.clone();
        Some(phase)
    }

    fn comes_to(&self, step: &str) {
        self.moves();
        let mut death = self.death();
        if let Some(KillTrigger::Step(at, passing)) = &mut *death
            && *at == step
        {
            *passing = passing.saturating_sub(1);
            if *passing == 0 {
                self.kill();
            }
        }
    }
}

thread_local! {
    /// The process whose code this thread runs.
    static RUNNING: RefCell<Option<Arc<ModelProcess>>> = const { RefCell::new(None) };
}

/// From here on this thread runs the code of that process, or of none.
pub fn run_as(life: Option<&Arc<ModelProcess>>) {
    RUNNING.with(|running| *running.borrow_mut() = life.cloned());
}

/// Installs handlers for the core's failpoints, once for this program. On threads that run no
/// process of the model they do nothing.
pub fn listen_to_steps() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for step in super::STEPS {
            let heard = move || {
                RUNNING.with(|running| {
                    if let Some(life) = &*running.borrow() {
                        life.comes_to(step);
                    }
                });
            };
            if let Err(error) = fail::cfg_callback(step, heard) {
                eprintln!("no handler for the step {step} can be installed: {error}");
            }
        }
    });
}
