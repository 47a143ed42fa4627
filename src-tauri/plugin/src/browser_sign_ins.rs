//! Which window has begun a sign-in by the browser. That window comes to the front when the browser is done,
//! and the sign-in is given up when the window closes or changes its account, because nobody waits for it
//! any more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tauri::{AppHandle, Manager as _, Url};
use vestibule_core::AccountId;
use vestibule_core::session::{Session, WeakSession};

use crate::accounts::WindowSession;

/// The sign-ins that go on in the browser, each with its window.
#[derive(Default)]
pub struct BrowserSignIns(Mutex<Running>);

#[derive(Default)]
struct Running {
    next: u64,
    all: HashMap<u64, SignIn>,
}

struct SignIn {
    window: String,
    account: AccountId,
    session: WeakSession,
}

/// One sign-in of a window. It is forgotten when this is dropped: whoever carries the sign-in out holds it
/// to the end, whether or not a page still waits for that.
pub struct Begun {
    app: AppHandle,
    number: u64,
}

impl Drop for Begun {
    fn drop(&mut self) {
        let running = self.app.state::<BrowserSignIns>();
        running.lock().all.remove(&self.number);
    }
}

impl BrowserSignIns {
    /// Notes that this window begins a sign-in of this session.
    pub fn begin(app: &AppHandle, window: &str, session: &WindowSession) -> Begun {
        let number = app
            .state::<Self>()
            .lock()
            .add(window, session.account(), session.downgrade());
        Begun {
            app: app.clone(),
            number,
        }
    }

    /// Gives up what a window has begun that has closed, or shows another account from now on.
    pub fn give_up(app: &AppHandle, window: &str) {
        // Not under the lock: the end of a sign-in takes it.
        let sessions = app.state::<Self>().lock().of_window(window);
        for session in sessions.iter().filter_map(WeakSession::upgrade) {
            session.cancel_browser_sign_in();
        }
    }

    /// The window that has begun the sign-in of this account.
    pub fn window_of(&self, account: AccountId) -> Option<String> {
        self.lock().window_of(account)
    }

    /// Hands an address of the app's scheme to the sign-in that waits for it. Returns its window.
    pub fn take_redirect(&self, address: &Url) -> Option<String> {
        let all = self.lock().newest_first();
        let mut open = all
            .into_iter()
            .filter_map(|(window, session)| Some((window, session.upgrade()?)));
        let (window, _) =
            open.find(|(_, session): &(_, Session)| session.take_redirect(address))?;
        Some(window)
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn add(&mut self, window: &str, account: AccountId, session: WeakSession) -> u64 {
        let number = self.next;
        self.next += 1;
        let window = window.to_owned();
        self.all.insert(
            number,
            SignIn {
                window,
                account,
                session,
            },
        );
        number
    }

    fn of_window(&self, window: &str) -> Vec<WeakSession> {
        // Another window may have begun the newest of that session, which has replaced this one.
        let newest = |it: &&SignIn| self.window_of(it.account).as_deref() == Some(window);
        self.all
            .values()
            .filter(newest)
            .map(|it| it.session.clone())
            .collect()
    }

    /// There is one sign-in at a time for an account: the newest.
    fn window_of(&self, account: AccountId) -> Option<String> {
        let of_account = self.all.iter().filter(|(_, it)| it.account == account);
        let (_, newest) = of_account.max_by_key(|(number, _)| **number)?;
        Some(newest.window.clone())
    }

    fn newest_first(&self) -> Vec<(String, WeakSession)> {
        let mut all: Vec<_> = self.all.iter().collect();
        all.sort_by_key(|(number, _)| std::cmp::Reverse(**number));
        all.into_iter()
            .map(|(_, it)| (it.window.clone(), it.session.clone()))
            .collect()
    }
}
