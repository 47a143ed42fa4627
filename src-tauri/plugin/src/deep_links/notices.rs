//! What links ask of the person, until the page of their window takes it: at a cold start that page is not
//! there yet, and after a change of account it is another one.

use std::collections::VecDeque;

use vestibule_core::wire::{LinkNotice, LinkNotices, LinkSubject};

/// The most notices that wait, of all windows together.
pub const MOST: usize = 16;

/// The notices that wait, each with the label of its window.
#[derive(Default)]
pub struct Notices {
    revision: u64,
    last_id: u32,
    waiting: VecDeque<(String, LinkNotice)>,
}

impl Notices {
    /// Adds one for a window. What waits there already does not wait twice, and nothing is added to
    /// [`MOST`]. Whether something was added or waited already.
    pub fn add(&mut self, window: &str, about: LinkSubject) -> bool {
        let mut same = self.waiting.iter();
        if same.any(|(label, waiting)| label == window && waiting.about == about) {
            return true;
        }
        if self.waiting.len() >= MOST {
            return false;
        }
        self.revision += 1;
        self.last_id = self.last_id.wrapping_add(1);
        let id = self.last_id;
        let notice = LinkNotice { id, about };
        self.waiting.push_back((window.to_owned(), notice));
        true
    }

    /// The page of a window shows this one now.
    pub fn take(&mut self, window: &str, id: u32) {
        self.retain(|label, notice| label != window || notice.id != id);
    }

    /// Nobody can see the notices of this window any more.
    pub fn window_closed(&mut self, window: &str) {
        self.retain(|label, _| label != window);
    }

    /// Those of a window.
    pub fn of(&self, window: &str) -> LinkNotices {
        let of_window = self.waiting.iter().filter(|(label, _)| label == window);
        LinkNotices {
            revision: self.revision,
            waiting: of_window.map(|(_, notice)| notice.clone()).collect(),
        }
    }

    fn retain(&mut self, keeps: impl Fn(&str, &LinkNotice) -> bool) {
        let before = self.waiting.len();
        self.waiting.retain(|(label, notice)| keeps(label, notice));
        if self.waiting.len() != before {
            self.revision += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(host: &str) -> LinkSubject {
        let address = format!("https://{host}");
        LinkSubject::Join { address }
    }

    fn waiting(notices: &Notices, window: &str) -> Vec<LinkSubject> {
        let waiting = notices.of(window).waiting.into_iter();
        waiting.map(|notice| notice.about).collect()
    }

    #[test]
    fn a_window_gets_its_own_in_their_order() {
        let mut notices = Notices::default();
        for (window, host) in [
            ("main", "a.example"),
            ("window-2", "b.example"),
            ("main", "c.example"),
        ] {
            assert!(notices.add(window, join(host)));
        }
        assert_eq!(
            waiting(&notices, "main"),
            [join("a.example"), join("c.example")]
        );
        assert_eq!(waiting(&notices, "window-2"), [join("b.example")]);
    }

    #[test]
    fn one_is_taken_once_and_by_its_own_window() {
        let mut notices = Notices::default();
        notices.add("main", join("a.example"));
        let before = notices.of("main");
        notices.take("window-2", before.waiting[0].id);
        notices.take("main", before.waiting[0].id + 1);
        assert_eq!(notices.of("main"), before);
        notices.take("main", before.waiting[0].id);
        let after = notices.of("main");
        assert!(after.waiting.is_empty() && after.revision > before.revision);
        notices.add("main", join("a.example"));
        assert_ne!(notices.of("main").waiting[0].id, before.waiting[0].id);
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut notices = Notices::default();
        assert!((0..1_000).all(|_| notices.add("main", join("same.example"))));
        assert_eq!(waiting(&notices, "main").len(), 1);
        let added =
            (0..1_000).filter(|number| notices.add("main", join(&format!("{number}.example"))));
        assert_eq!(added.count(), MOST - 1);
        assert_eq!(notices.of("main").waiting.len(), MOST);
    }

    #[test]
    fn nothing_is_kept_of_a_window_that_is_closed() {
        let mut notices = Notices::default();
        notices.add("main", join("a.example"));
        notices.add("window-2", join("b.example"));
        notices.window_closed("main");
        assert!(waiting(&notices, "main").is_empty());
        assert_eq!(waiting(&notices, "window-2").len(), 1);
    }
}
