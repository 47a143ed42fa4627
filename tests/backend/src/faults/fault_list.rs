//! The list of faults in force: adds, removes and counts them, and picks the one that applies to
//! a request.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::Fault;
use crate::secret::below;

/// The number of a fault in the book.
pub type FaultId = u64;

/// The faults in force. Clones share one list.
#[derive(Clone, Default)]
pub struct FaultList(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    last: FaultId,
    entries: Vec<Entry>,
}

struct Entry {
    id: FaultId,
    fault: Fault,
    matched: u32,
    fired: u32,
}

impl FaultList {
    /// Adds a fault. Where several match a request, the one added first applies.
    pub fn add(&self, fault: Fault) -> FaultId {
        self.with(|pages| {
            pages.last += 1;
            pages.entries.push(Entry {
                id: pages.last,
                fault,
                matched: 0,
                fired: 0,
            });
            pages.last
        })
    }

    /// Removes a fault; false if there is none with this number.
    pub fn remove(&self, id: FaultId) -> bool {
        self.with(|pages| {
            let before = pages.entries.len();
            pages.entries.retain(|entry| entry.id != id);
            pages.entries.len() < before
        })
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.with(|pages| pages.entries.clear());
    }

    /// How many requests this fault has been applied to; `None` once it is removed.
    #[must_use]
    pub fn fired(&self, id: FaultId) -> Option<u32> {
        self.with(|pages| {
            let entry = pages.entries.iter().find(|entry| entry.id == id)?;
            Some(entry.fired)
        })
    }

    /// The list as `GET /faults` shows it: each fault with its `id` and `fired`.
    #[must_use]
    pub fn list(&self) -> Value {
        self.with(|pages| {
            let entry = |entry: &Entry| {
                let mut shown = serde_json::to_value(&entry.fault).unwrap_or_default();
                shown["id"] = json!(entry.id);
                shown["fired"] = json!(entry.fired);
                shown
            };
            pages.entries.iter().map(entry).collect()
        })
    }

    /// The fault that applies to this request, if any; adds one to its `fired`.
    pub(crate) fn pick(&self, method: &str, path: &str) -> Option<Fault> {
        self.with(|pages| {
            pages.entries.iter_mut().find_map(|entry| {
                if !entry.fault.matches(method, path) {
                    return None;
                }
                entry.matched = entry.matched.saturating_add(1);
                let spent = entry.fault.times.is_some_and(|times| entry.fired >= times);
                if spent || entry.matched <= entry.fault.skip || !chance(entry.fault.rate) {
                    return None;
                }
                entry.fired += 1;
                Some(entry.fault.clone())
            })
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Entries) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Fault {
    fn matches(&self, method: &str, path: &str) -> bool {
        let path_fits = match self.path.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => self.path == path,
        };
        path_fits && (self.method == "*" || self.method == method)
    }
}

fn chance(rate: f64) -> bool {
    const GRAIN: u32 = 1_000_000;
    f64::from(below(GRAIN)) < rate * f64::from(GRAIN)
}

#[cfg(test)]
mod tests {
    use super::super::{Effect, When};
    use super::*;

    #[test]
    fn counts_skips_and_wildcards() {
        let book = FaultList::default();
        let id = book.add(
            Fault::on("post", "/plans/*", Effect::status(500))
                .times(2)
                .skip(1),
        );
        let ask = || book.pick("POST", "/plans/team").is_some();
        assert_eq!([ask(), ask(), ask(), ask()], [false, true, true, false]);
        assert!(book.pick("GET", "/plans/team").is_none(), "another method");
        assert!(book.pick("POST", "/login").is_none(), "another path");
        assert_eq!(book.fired(id), Some(2));
        assert!(book.remove(id) && !book.remove(id));
    }

    #[test]
    fn a_rate_strikes_some_and_not_others() {
        let book = FaultList::default();
        book.add(Fault::on("*", "*", Effect::status(500)).rate(0.5));
        let struck = (0..2000)
            .filter(|_| book.pick("GET", "/").is_some())
            .count();
        assert!((800..1200).contains(&struck), "{struck} of 2000");
        assert!(!(0..1000).any(|_| chance(0.0)) && (0..1000).all(|_| chance(1.0)));
    }

    #[test]
    fn json_is_read_strictly_and_written_back() {
        let read = |json: Value| Fault::from_json(json);
        let fault = read(json!({"method": "POST", "path": "/login", "times": 3,
            "kind": "reset", "at": "in_headers"}))
        .expect("a fault");
        assert_eq!((fault.when, fault.times), (When::After, Some(3)));
        let written = serde_json::to_value(&fault).expect("json");
        assert_eq!(read(written).expect("read back"), fault);
        for (bad, why) in [
            (json!({"kind": "hang"}), "path"),
            (json!({"path": "/x", "kind": "explode"}), "explode"),
            (
                json!({"path": "/x", "kind": "delay", "ms": 1, "mss": 2}),
                "mss",
            ),
            (json!({"path": "/x", "kind": "html", "rate": 2}), "rate"),
            (
                json!({"path": "/x", "kind": "html", "status": 99}),
                "status",
            ),
            (json!({"path": "x", "kind": "hang"}), "path"),
        ] {
            let error = read(bad).expect_err("refused");
            assert!(error.contains(why), "{why}: {error}");
        }
    }
}
