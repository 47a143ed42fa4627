//! One process of the model, as the world around it sees it: alive until it is killed, and
//! without effect from then on.
//!
//! A killed process is cut off: nothing that its tasks still do reaches a disk, the keyring or
//! the backend. Then its runtime is dropped, and every task with it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};

use tokio::sync::watch;
use vestibule_core::wire::{Phase, SessionChanged};

/// What a process is killed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// Coming to this step of the core for the so manyth time.
    Step(&'static str, u32),
    /// Its so manyth effect on a disk, the keyring or the network: before that takes place.
    Effect(u32),
}

/// One process.
pub struct Life {
    /// Which install it belongs to.
    pub install: usize,
    /// Tells it from the one before it.
    pub number: u64,
    dead: AtomicBool,
    death: Mutex<Option<Death>>,
    /// Everything that it has done so far: while this grows it is not at rest.
    activity: AtomicU64,
    /// Calls of the keyring that are being answered right now.
    calls: AtomicUsize,
    state: OnceLock<watch::Receiver<SessionChanged>>,
}

impl Life {
    pub fn new(install: usize, number: u64) -> Arc<Self> {
        Arc::new(Self {
            install,
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

    /// It dies on this.
    pub fn arm(&self, death: Death) {
        *self.death() = Some(death);
    }

    pub fn spare(&self) {
        *self.death() = None;
    }

    fn death(&self) -> std::sync::MutexGuard<'_, Option<Death>> {
        self.death.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is about to do something that others see; false if it is dead and does not.
    pub fn acts(&self) -> bool {
        self.moves();
        if let Some(Death::Effect(left)) = &mut *self.death() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.kill();
            }
        }
        !self.is_dead()
    }

    /// It is at something.
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

    /// Whether the keyring is answering it.
    pub fn is_called(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > 0
    }

    pub fn shows(&self, state: watch::Receiver<SessionChanged>) {
        let _ = self.state.set(state);
    }

    /// What its window shows now; `None` before it has one.
    pub fn phase(&self) -> Option<Phase> {
        let state = self.state.get()?;
        let phase = state.borrow().state.phase.clone();
        Some(phase)
    }

    fn comes_to(&self, step: &str) {
        self.moves();
        let mut death = self.death();
        if let Some(Death::Step(at, passing)) = &mut *death
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
    /// Whose code this thread runs.
    static RUNNING: RefCell<Option<Arc<Life>>> = const { RefCell::new(None) };
}

/// From here on this thread runs the code of that process, or of none.
pub fn run_as(life: Option<&Arc<Life>>) {
    RUNNING.with(|running| *running.borrow_mut() = life.cloned());
}

/// Lets the core's steps be heard, once for this program. Where no process of the model runs
/// they mean nothing.
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
                eprintln!("the step {step} is not heard: {error}");
            }
        }
    });
}
