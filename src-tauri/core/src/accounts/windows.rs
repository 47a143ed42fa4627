//! Which account each window shows. A window is known by its label.
//!
//! A page belongs to the account that its window showed when the page began. So a window that is
//! switched to another account shows none until its next page begins: the page that is still there
//! gets nothing of the account that comes.

use std::collections::HashMap;

use super::FIRST_WINDOW;
use super::index::Index;
use crate::error::{AuthError, ErrorCode};
use crate::identity::AccountId;

#[derive(Default)]
pub(super) struct Windows(HashMap<String, Shown>);

enum Shown {
    /// This account; `None` where a person has to choose.
    Account(Option<AccountId>),
    /// Nothing until the page of this account has been requested and begins. A page that begins before it
    /// is requested is one that the former page has loaded.
    Awaits {
        next: Option<AccountId>,
        is_requested: bool,
    },
}

impl Windows {
    /// The account that a window shows. A window that is not known yet gets one: the app's first window
    /// the one that it showed last, and any window the only one that there is.
    ///
    /// # Errors
    /// If the window waits for the page of another account.
    pub(super) fn attach(
        &mut self,
        window: &str,
        index: &Index,
    ) -> Result<Option<AccountId>, AuthError> {
        match self.0.get(window) {
            Some(Shown::Account(shown)) => return Ok(*shown),
            Some(Shown::Awaits { .. }) => {
                let words = "This window is changing to another account.";
                return Err(AuthError::with_message(ErrorCode::Busy, words));
            }
            None => {}
        }
        let mut seen = index.seen().map(|entry| entry.id);
        let last = index.shown.filter(|_| window == FIRST_WINDOW);
        let last = last.filter(|id| index.seen().any(|entry| entry.id == *id));
        let only = seen.next().filter(|_| seen.next().is_none());
        let shown = last.or(only);
        self.0.insert(window.to_owned(), Shown::Account(shown));
        Ok(shown)
    }

    pub(super) fn show(&mut self, window: &str, id: AccountId) {
        self.0.insert(window.to_owned(), Shown::Account(Some(id)));
    }

    /// The account that a window shows now.
    pub(super) fn shows(&self, window: &str) -> Option<AccountId> {
        match self.0.get(window) {
            Some(Shown::Account(shown)) => *shown,
            Some(Shown::Awaits { .. }) | None => None,
        }
    }

    pub(super) fn await_page(&mut self, window: &str, next: Option<AccountId>) {
        self.0.insert(window.to_owned(), Shown::awaits(next));
    }

    /// The page for which the window waits is requested now.
    pub(super) fn page_requested(&mut self, window: &str) {
        if let Some(Shown::Awaits { is_requested, .. }) = self.0.get_mut(window) {
            *is_requested = true;
        }
    }

    /// Returns whether the window was waiting for this page.
    pub(super) fn page_began(&mut self, window: &str) -> bool {
        let Some(Shown::Awaits {
            next,
            is_requested: true,
        }) = self.0.get(window)
        else {
            return false;
        };
        let next = *next;
        self.0.insert(window.to_owned(), Shown::Account(next));
        true
    }

    pub(super) fn closed(&mut self, window: &str) {
        self.0.remove(window);
    }

    /// Lets each window that shows one of these accounts, or will, show `next` from its next page on.
    /// Returns these windows.
    pub(super) fn await_pages_of(
        &mut self,
        ids: &[AccountId],
        next: Option<AccountId>,
    ) -> Vec<String> {
        let of = self.0.iter_mut().filter(|(_, shown)| {
            let id = shown.account();
            id.is_some_and(|id| ids.contains(&id))
        });
        of.map(|(window, shown)| {
            *shown = Shown::awaits(next);
            window.clone()
        })
        .collect()
    }

    pub(super) fn is_shown(&self, id: AccountId) -> bool {
        self.0.values().any(|shown| shown.account() == Some(id))
    }

    pub(super) fn is_shown_elsewhere(&self, id: AccountId, window: &str) -> bool {
        let mut others = self.0.iter().filter(|(label, _)| *label != window);
        others.any(|(_, shown)| shown.account() == Some(id))
    }
}

impl Shown {
    fn awaits(next: Option<AccountId>) -> Self {
        Self::Awaits {
            next,
            is_requested: false,
        }
    }

    fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(id) | Self::Awaits { next: id, .. } => *id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_begins_before_the_awaited_one_is_requested_is_the_former_pages() {
        let mut windows = Windows::default();
        let (former, next) = (AccountId::new(), AccountId::new());
        windows.show("main", former);
        windows.await_page("main", Some(next));
        assert!(!windows.page_began("main"), "the former page has reloaded");
        assert_eq!(windows.shows("main"), None);
        windows.page_requested("main");
        assert!(windows.page_began("main"));
        assert_eq!(windows.shows("main"), Some(next));
        assert!(!windows.page_began("main"), "it begins once");
    }

    #[test]
    fn a_window_that_is_switched_again_awaits_a_request_again() {
        let mut windows = Windows::default();
        let (first, second) = (AccountId::new(), AccountId::new());
        windows.await_page("main", Some(first));
        windows.page_requested("main");
        windows.await_page("main", Some(second));
        assert!(!windows.page_began("main"), "the page of the first");
        windows.page_requested("main");
        assert!(windows.page_began("main"));
        assert_eq!(windows.shows("main"), Some(second));
    }
}
