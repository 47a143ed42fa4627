//! Tells a command of a window's page from a late command of the page before. A command is carried out
//! some time after it has arrived, and by then the window may show another account. So each page has a
//! number, which `lockdown/page/bounded_fetch.js` sends along with every command. What arrives before the
//! window leaves a page is of that page, and the numbers of pages that have gone are known.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tauri::http::HeaderMap;
use vestibule_core::{AuthError, ErrorCode};

/// The header with a page's number.
const PAGE: &str = "vestibule-page";
/// How many numbers are remembered for each window: of pages that have gone, and of what a script sends.
const MAX: usize = 16;

#[derive(Default)]
pub struct WindowPages(Mutex<HashMap<String, Pages>>);

#[derive(Default)]
struct Pages {
    /// The numbers that have come since the window left its last page.
    current: HashSet<u32>,
    gone: VecDeque<u32>,
}

impl WindowPages {
    /// Notes the page of a command that has arrived, before it is carried out. Refuses one of a page that
    /// has gone, and one with more numbers than pages send: of what is not noted it could not be told
    /// later that its page has gone. One without a number passes here: its window may not be the
    /// plugin's, which the command itself says in words.
    ///
    /// # Errors
    /// [`ErrorCode::Busy`]. The page that would read it has gone.
    pub fn arrived(&self, window: &str, headers: &HeaderMap) -> Result<(), AuthError> {
        let Some(number) = number(headers) else {
            return Ok(());
        };
        let mut all = self.pages();
        match all.entry(window.to_owned()).or_default().note(number) {
            true => Ok(()),
            false => Err(gone()),
        }
    }

    /// Refuses a command of a page that has gone, and one without a number.
    ///
    /// # Errors
    /// [`ErrorCode::Busy`]. The page that would read it has gone.
    pub fn require_current(&self, window: &str, headers: &HeaderMap) -> Result<(), AuthError> {
        number(headers).ok_or_else(gone)?;
        // A command of the app's own does not pass this plugin when it arrives.
        self.arrived(window, headers)
    }

    /// The window has left its page.
    pub fn page_left(&self, window: &str) {
        if let Some(pages) = self.pages().get_mut(window) {
            let left: Vec<_> = pages.current.drain().collect();
            pages.gone.extend(left);
            let too_many = pages.gone.len().saturating_sub(MAX);
            pages.gone.drain(..too_many);
        }
    }

    /// The window is gone.
    pub fn window_closed(&self, window: &str) {
        self.pages().remove(window);
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<String, Pages>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Whether a command with this number is of the page that the window has now.
    fn note(&mut self, number: u32) -> bool {
        let is_new = !self.current.contains(&number);
        if is_new && (self.current.len() == MAX || self.gone.contains(&number)) {
            return false;
        }
        self.current.insert(number);
        true
    }
}

fn gone() -> AuthError {
    AuthError::with_message(ErrorCode::Busy, "The page that sent this command has gone.")
}

fn number(headers: &HeaderMap) -> Option<u32> {
    headers.get(PAGE)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(number: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(PAGE, number.parse().expect("a header"));
        headers
    }

    #[test]
    fn a_command_that_arrived_before_its_page_was_left_is_refused_after_it() {
        let pages = WindowPages::default();
        let (first, second) = (from("1"), from("2"));
        pages.require_current("main", &first).expect("it is there");
        pages.page_left("main");
        let late = pages.require_current("main", &first);
        assert_eq!(late.expect_err("it has gone").code, ErrorCode::Busy);
        pages
            .require_current("main", &second)
            .expect("the page after it");
        let late = pages.require_current("main", &first);
        late.expect_err("it does not come back");
        let other = pages.require_current("window-2", &first);
        other.expect("a page of another window");
    }

    #[test]
    fn what_names_no_page_is_refused() {
        let pages = WindowPages::default();
        for headers in [HeaderMap::new(), from("x"), from("-1"), from("99999999999")] {
            let arrived = pages.arrived("main", &headers);
            arrived.expect("its window may be one that the plugin has not built");
            let refused = pages.require_current("main", &headers);
            refused.expect_err("it names none");
        }
    }

    #[test]
    fn a_script_that_invents_numbers_fills_nothing() {
        let pages = WindowPages::default();
        let accepted = (0..1_000).filter(|number| {
            let headers = from(&number.to_string());
            pages.arrived("main", &headers).is_ok()
        });
        assert_eq!(
            accepted.count(),
            MAX,
            "the others would pass for the next page's"
        );
        pages.page_left("main");
        let late = pages.require_current("main", &from("3"));
        late.expect_err("a noted number is known to have gone");
        assert_eq!(pages.pages()["main"].gone.len(), MAX);
        pages.window_closed("main");
        assert!(pages.pages().is_empty());
    }
}
