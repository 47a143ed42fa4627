//! A desktop that a test plays: it opens no browser, but says what was to be opened.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use url::Url;
use vestibule_core::browser::Desktop;
use vestibule_core::{AuthError, ErrorCode};

use crate::wait::soon;

/// What the core has asked of the desktop.
#[derive(Default)]
pub struct TestDesktop {
    opened: watch::Sender<Vec<Url>>,
    copied: Mutex<Vec<String>>,
    fronts: watch::Sender<usize>,
    scheme: Mutex<Option<String>>,
    has_no_browser: Mutex<bool>,
}

impl TestDesktop {
    /// The app's scheme from now on.
    pub fn set_scheme(&self, scheme: &str) {
        *lock(&self.scheme) = Some(scheme.to_owned());
    }

    /// Whether no browser can be started from now on.
    pub fn set_without_browser(&self, without: bool) {
        *lock(&self.has_no_browser) = without;
    }

    /// The addresses that were opened, in order.
    pub fn opened(&self) -> Vec<Url> {
        self.opened.borrow().clone()
    }

    /// Waits for the opening with this number, from one. Returns its address.
    pub async fn opening(&self, number: usize) -> Url {
        let mut opened = self.opened.subscribe();
        let what = format!("opening {number} of the browser");
        let all = soon(&what, async {
            let all = opened.wait_for(|all| all.len() >= number).await;
            all.expect("the desktop is there").clone()
        })
        .await;
        all[number - 1].clone()
    }

    /// What was put on the clipboard, in order.
    pub fn copied(&self) -> Vec<String> {
        lock(&self.copied).clone()
    }

    /// How often the app's window was brought to the front.
    pub fn fronts(&self) -> usize {
        *self.fronts.borrow()
    }
}

impl Desktop for TestDesktop {
    fn open(&self, address: &Url) -> Result<(), AuthError> {
        if *lock(&self.has_no_browser) {
            return Err(ErrorCode::CannotStart.into());
        }
        self.opened.send_modify(|all| all.push(address.clone()));
        Ok(())
    }

    fn copy(&self, text: &str) -> Result<(), AuthError> {
        lock(&self.copied).push(text.to_owned());
        Ok(())
    }

    fn come_to_front(&self) {
        self.fronts.send_modify(|count| *count += 1);
    }

    fn scheme(&self) -> Option<String> {
        lock(&self.scheme).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
