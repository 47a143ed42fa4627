//! Which window has begun a sign-in by the browser: it is given up when its window closes, because nobody
//! waits for it any more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tauri::{AppHandle, Manager as _};
use vestibule_core::session::{Session, WeakSession};

/// The sign-ins that go on in the browser, each with its window.
#[derive(Default)]
pub struct BrowserSignIns(Mutex<Running>);

#[derive(Default)]
struct Running {
    next: u64,
    all: HashMap<u64, (String, WeakSession)>,
}

/// One sign-in of a window. It is forgotten when this is dropped.
pub struct Begun<'a> {
    running: &'a BrowserSignIns,
    number: u64,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.running.lock().all.remove(&self.number);
    }
}

impl BrowserSignIns {
    /// Notes that this window begins a sign-in of this session.
    pub fn begin(&self, window: &str, session: &Session) -> Begun<'_> {
        let mut running = self.lock();
        let number = running.next;
        running.next += 1;
        running
            .all
            .insert(number, (window.to_owned(), session.downgrade()));
        Begun {
            running: self,
            number,
        }
    }

    /// Gives up what a window that has closed had begun.
    pub fn give_up(app: &AppHandle, window: &str) {
        let sessions: Vec<_> = {
            let state = app.state::<Self>();
            let running = state.lock();
            let of_window = running.all.values().filter(|(label, _)| label == window);
            of_window
                .filter_map(|(_, session)| session.upgrade())
                .collect()
        };
        for session in sessions {
            session.cancel_browser_sign_in();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
