//! Whose the token in the keyring is, and whether it may be used: a pure function of what disk and
//! keyring hold at a start. Two things belong together if their session ids are equal, never
//! because of a counter or an origin, or because there is nothing else.

use std::time::Duration;

use super::item::Item;
use super::record::{Marker, Record};
use crate::failpoints::mutant;
use crate::identity::SessionId;
use crate::wire::SignedOutReason;

/// What disk and keyring hold at a start.
pub(super) struct Found<'a> {
    pub record: Option<&'a Record>,
    pub marker: Option<Marker>,
    /// Every item of this account that this installation has written.
    pub items: Vec<Item>,
    /// Sessions that are over and of which the backend was not told yet, each with the one that
    /// replaced it.
    pub pending: &'a [(SessionId, Option<SessionId>)],
    /// The origin of the profile.
    pub origin: &'a str,
    /// `session.grace_s` of the profile.
    pub grace: Duration,
    /// Whether the backend can be asked whose a session is.
    pub can_ask: bool,
    pub now_ms: u64,
}

/// What to do with the items.
pub(super) struct Sorted {
    /// The item whose session continues.
    pub session: Option<Chosen>,
    /// Items whose session is over: the backend is told, then they are deleted.
    pub over: Vec<Item>,
    /// Items of another origin stay until that origin is the backend again.
    pub others_stay: bool,
    /// Sessions that continue, because the sign-in that was to end them was never completed.
    pub revived: Vec<SessionId>,
    /// Why nobody is signed in, if no item was chosen.
    pub why: SignedOutReason,
}

/// An item whose session continues.
pub(super) struct Chosen {
    pub item: Item,
    /// The record is of this session and says whose it is.
    pub is_of_record: bool,
    /// The backend may have replaced its token in an answer that was never stored. It may be sent
    /// once more.
    pub is_last_chance: bool,
}

enum Fate {
    Use {
        is_last_chance: bool,
    },
    Over(SignedOutReason),
    Stays,
    /// It holds no token and can be deleted.
    Worthless,
}

impl Found<'_> {
    /// Decides what to do with each item.
    pub fn sort(mut self) -> Sorted {
        let mut items = std::mem::take(&mut self.items);
        // If several can be used, the session of the record comes first, then the newest token.
        let of_record = |item: &Item| self.record.is_some_and(|it| it.session == item.session);
        items.sort_by_key(|item| std::cmp::Reverse((of_record(item), item.generation)));
        let mut sorted = Sorted {
            session: None,
            over: Vec::new(),
            others_stay: false,
            revived: Vec::new(),
            why: self.why_without_item(items.is_empty()),
        };
        for item in items {
            let is_older_copy = |chosen: &Chosen| chosen.item.session == item.session;
            match (self.fate(&item), &sorted.session) {
                (Fate::Use { .. }, Some(chosen)) if is_older_copy(chosen) => {}
                (Fate::Use { .. }, Some(_)) => sorted.over.push(item),
                (Fate::Use { is_last_chance }, None) => {
                    if self.pending.iter().any(|(over, _)| *over == item.session) {
                        sorted.revived.push(item.session);
                    }
                    sorted.session = Some(Chosen {
                        is_of_record: self.is_known(&item),
                        is_last_chance,
                        item,
                    });
                }
                // If the backend were told of a spent copy, it would end the session itself.
                (Fate::Over(_), Some(chosen)) if is_older_copy(chosen) => {}
                (Fate::Over(why), _) => {
                    sorted.why = why;
                    sorted.over.push(item);
                }
                (Fate::Stays, _) => sorted.others_stay = true,
                (Fate::Worthless, _) => {}
            }
        }
        sorted
    }

    /// Whether the record says whose the session of `item` is.
    fn is_known(&self, item: &Item) -> bool {
        let known = |record: &&Record| {
            let same = record.session == item.session || mutant!("without.items_session");
            same && record.user.is_some()
        };
        self.record.filter(known).is_some()
    }

    fn why_without_item(&self, is_empty: bool) -> SignedOutReason {
        if let Some(marker) = self.marker
            && self.record.is_none_or(|record| marker.ends(record.session))
        {
            return marker.why;
        }
        let lost = |record: &&Record| {
            record.saved_generation.is_some() && !record.until_quit && record.origin == self.origin
        };
        match self.record.filter(lost) {
            Some(_) if is_empty => SignedOutReason::Missing,
            _ => SignedOutReason::Never,
        }
    }

    fn fate(&self, item: &Item) -> Fate {
        let same =
            |record: &&Record| record.session == item.session || mutant!("without.items_session");
        let record = self.record.filter(same);
        if item.token.is_empty() {
            return Fate::Worthless;
        }
        if item.until_quit || record.is_some_and(|record| record.until_quit) {
            return Fate::Over(SignedOutReason::Missing);
        }
        if let Some(marker) = self.marker
            && marker.ends(item.session)
        {
            return Fate::Over(marker.why);
        }
        if let Some(over) = self.was_replaced(item) {
            return over;
        }
        if self.is_pending(item.session) {
            return Fate::Over(SignedOutReason::Never);
        }
        if item.origin != self.origin {
            return Fate::Stays;
        }
        let Some(record) = record else {
            // The record is lost, or of another session: only the backend knows whose session this
            // is.
            return match self.can_ask {
                true => Fate::Use {
                    is_last_chance: false,
                },
                false => Fate::Over(SignedOutReason::Missing),
            };
        };
        if record.user.is_none() && !self.can_ask {
            return Fate::Over(SignedOutReason::Missing);
        }
        if item.generation >= record.generation || mutant!("without.spent") {
            return Fate::Use {
                is_last_chance: false,
            };
        }
        match self.is_in_grace(item, record) {
            true => Fate::Use {
                is_last_chance: true,
            },
            false => Fate::Over(SignedOutReason::Missing),
        }
    }

    /// The fate of an item whose session the record's session has replaced: it is over if a person
    /// was told of that sign-in, and in any case if its token is spent.
    fn was_replaced(&self, item: &Item) -> Option<Fate> {
        let record = self.record.filter(|_| !mutant!("without.spent"));
        let record = record.filter(|_| !mutant!("without.items_session"))?;
        let mut replaced = record.replaced.iter();
        let replaced = replaced.find(|replaced| replaced.session == item.session)?;
        let came_about = record.saved_generation.is_some() || record.until_quit;
        let is_spent = |known| item.generation < known;
        match (came_about, replaced.generation) {
            // Either the keyring has held the record's own item and now holds an older one, or it
            // never held it.
            (true, _) => Some(Fate::Over(match record.saved_generation {
                Some(_) => SignedOutReason::Missing,
                None => SignedOutReason::Never,
            })),
            (false, Some(known)) if !is_spent(known) => None,
            (false, Some(_)) => Some(Fate::Over(SignedOutReason::Missing)),
            (false, None) => Some(Fate::Over(SignedOutReason::Never)),
        }
    }

    /// Whether `session` is over, although no marker says so.
    fn is_pending(&self, session: SessionId) -> bool {
        let ended = self.pending.iter().filter(|(over, _)| *over == session);
        let mut by = ended.map(|(_, replaced_by)| *replaced_by).peekable();
        // If the sign-in that was to replace it was never completed, nobody was told of that one.
        by.peek().is_some() && !by.all(|by| by.is_some_and(|by| self.never_came_about(by, session)))
    }

    fn never_came_about(&self, sign_in: SessionId, replaced: SessionId) -> bool {
        self.record.is_some_and(|record| {
            let is_begun = record.session == sign_in
                && record.saved_generation.is_none()
                && !record.until_quit;
            is_begun || record.session == replaced
        })
    }

    fn is_in_grace(&self, item: &Item, record: &Record) -> bool {
        let Some(replaced_at) = record.replaced_at else {
            return false;
        };
        // If the clock shows an earlier time than that, the time counts as over.
        let since = self.now_ms.checked_sub(replaced_at);
        item.generation.next() == record.generation
            && since.is_some_and(|since| Duration::from_millis(since) < self.grace)
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Replaced, RotationPhase};
    use super::*;
    use crate::device::Device;
    use crate::identity::{AccountId, Generation, InstallId};
    use crate::secrets::Secret;
    use crate::token::{BodyToken, RefreshToken};
    use crate::wire::User;

    const HERE: &str = "https://a.example";

    fn token() -> RefreshToken {
        let mut token = RefreshToken::default();
        token.apply_body(Some(BodyToken {
            token: Secret::new("t"),
            expires: None,
        }));
        token
    }

    fn item(session: SessionId, generation: u64) -> Item {
        let generation = Generation::from(generation);
        let (install, account) = (InstallId::new(), AccountId::new());
        Item::new(session, install, account, generation, HERE.into(), token())
    }

    fn record(session: SessionId, generation: u64) -> Record {
        Record {
            session,
            install: InstallId::new(),
            account: AccountId::new(),
            origin: HERE.into(),
            generation: generation.into(),
            saved_generation: Some(generation.into()),
            phase: RotationPhase::Idle,
            replaced_at: None,
            user: Some(User {
                id: "u".into(),
                name: "Una".into(),
                email: "una@a.example".into(),
                email_verified: true,
                image: None,
                roles: Vec::new(),
            }),
            expires_at: None,
            device: Device::unrecorded("test"),
            until_quit: false,
            legacy_item: None,
            replaced: Vec::new(),
        }
    }

    fn found(record: Option<&Record>, items: Vec<Item>) -> Found<'_> {
        Found {
            record,
            marker: None,
            items,
            pending: &[],
            origin: HERE,
            grace: Duration::ZERO,
            can_ask: true,
            now_ms: 100_000,
        }
    }

    /// The session that continues, and whether it is known whose it is.
    fn chosen(sorted: &Sorted) -> Option<(SessionId, bool)> {
        let chosen = sorted.session.as_ref()?;
        Some((chosen.item.session, chosen.is_of_record))
    }

    #[test]
    fn an_item_of_the_records_session_is_used_unless_it_is_spent() {
        let session = SessionId::new();
        let record = record(session, 3);
        for (generation, is_used) in [(2, false), (3, true), (4, true)] {
            let sorted = found(Some(&record), vec![item(session, generation)]).sort();
            let wanted = is_used.then_some((session, true));
            assert_eq!(chosen(&sorted), wanted, "{generation}");
            assert_eq!(sorted.over.len(), usize::from(!is_used), "{generation}");
            if !is_used {
                assert_eq!(sorted.why, SignedOutReason::Missing);
            }
        }
    }

    #[test]
    fn a_spent_token_may_be_sent_once_more_within_the_grace_window_alone() {
        let session = SessionId::new();
        let mut record = record(session, 3);
        record.replaced_at = Some(90_000);
        for (generation, grace, now_ms, is_used) in [
            (2, 60, 100_000, true),
            (2, 10, 100_000, false),
            (2, 60, 89_999, false),
            (1, 60, 100_000, false),
            (2, 0, 90_000, false),
        ] {
            let found = Found {
                grace: Duration::from_secs(grace),
                now_ms,
                ..found(Some(&record), vec![item(session, generation)])
            };
            let sorted = found.sort();
            let last = sorted.session.as_ref().map(|chosen| chosen.is_last_chance);
            let wanted = is_used.then_some(true);
            assert_eq!(last, wanted, "{generation} {grace} {now_ms}");
        }
    }

    #[test]
    fn nobody_is_shown_for_an_item_of_another_session_before_the_backend_was_asked() {
        let (mine, other) = (SessionId::new(), SessionId::new());
        let of_mine = record(mine, 9);
        for record in [None, Some(&of_mine)] {
            let sorted = found(record, vec![item(other, 1)]).sort();
            assert_eq!(chosen(&sorted), Some((other, false)));
            let cannot_ask = Found {
                can_ask: false,
                ..found(record, vec![item(other, 1)])
            };
            let sorted = cannot_ask.sort();
            assert_eq!(chosen(&sorted), None, "it is over");
            assert_eq!(sorted.over.len(), 1, "and told");
            assert_eq!(sorted.why, SignedOutReason::Missing);
        }
    }

    #[test]
    fn a_marker_ends_the_session_that_it_names_and_no_other() {
        let (mine, other) = (SessionId::new(), SessionId::new());
        let record = record(mine, 1);
        for (named, is_over) in [(None, true), (Some(mine), true), (Some(other), false)] {
            let marker = Some(Marker {
                session: named,
                why: SignedOutReason::ByUser,
            });
            let found = Found {
                marker,
                ..found(Some(&record), vec![item(mine, 1)])
            };
            let sorted = found.sort();
            assert_eq!(sorted.session.is_none(), is_over);
        }
    }

    #[test]
    fn what_was_to_last_until_quitting_is_over_whoever_says_so() {
        let session = SessionId::new();
        for (in_item, in_record) in [(true, false), (false, true)] {
            let mut record = record(session, 1);
            record.until_quit = in_record;
            let mut item = item(session, 1);
            item.until_quit = in_item;
            let sorted = found(Some(&record), vec![item]).sort();
            assert_eq!(chosen(&sorted), None);
            assert_eq!(
                (sorted.over.len(), sorted.why),
                (1, SignedOutReason::Missing)
            );
        }
    }

    #[test]
    fn a_session_that_a_sign_in_was_to_replace_lives_on_where_that_never_came_about() {
        let (before, after) = (SessionId::new(), SessionId::new());
        let mut begun = record(after, 1);
        begun.saved_generation = None;
        let pending = [(before, Some(after))];
        let sort = |record: &Record, pending: &[(SessionId, Option<SessionId>)]| {
            let found = Found {
                pending,
                ..found(Some(record), vec![item(before, 5)])
            };
            found.sort()
        };
        let sorted = sort(&begun, &pending);
        assert_eq!(chosen(&sorted), Some((before, false)));
        assert_eq!(sorted.revived, [before]);
        // A person was told that they are signed in, so the session before is over.
        begun.until_quit = true;
        assert_eq!(chosen(&sort(&begun, &pending)), None);
        // The session before was signed out of, not replaced.
        begun.until_quit = false;
        assert_eq!(chosen(&sort(&begun, &[(before, None)])), None);
    }

    #[test]
    fn the_record_of_a_sign_in_knows_what_it_has_replaced() {
        let (before, after) = (SessionId::new(), SessionId::new());
        for (known, generation, is_told, is_used) in [
            (Some(3), 3, false, true),
            (Some(3), 2, false, false),
            (Some(3), 3, true, false),
            (Some(3), 2, true, false),
            (None, 3, false, false),
        ] {
            let mut begun = record(after, 1);
            begun.saved_generation = None;
            begun.until_quit = is_told;
            begun.replaced = vec![Replaced {
                session: before,
                generation: known.map(Generation::from),
            }];
            let sorted = found(Some(&begun), vec![item(before, generation)]).sort();
            let wanted = is_used.then_some((before, false));
            assert_eq!(chosen(&sorted), wanted, "{known:?} {generation} {is_told}");
            assert_eq!(sorted.over.len(), usize::from(!is_used));
        }
    }

    #[test]
    fn of_several_items_the_newest_counts_and_older_copies_of_it_are_not_told() {
        let (mine, other) = (SessionId::new(), SessionId::new());
        let record = record(mine, 2);
        let items = vec![item(other, 9), item(mine, 1), item(mine, 3)];
        let sorted = found(Some(&record), items).sort();
        let kept = sorted.session.as_ref().map(|chosen| chosen.item.generation);
        assert_eq!(kept, Some(3.into()));
        assert_eq!(chosen(&sorted), Some((mine, true)));
        let over: Vec<_> = sorted.over.iter().map(|item| item.session).collect();
        assert_eq!(over, [other]);
    }

    #[test]
    fn another_backends_item_waits_for_it_to_come_back() {
        let session = SessionId::new();
        let mut item = item(session, 1);
        item.origin = "https://b.example".into();
        let sorted = found(None, vec![item]).sort();
        assert_eq!(chosen(&sorted), None);
        assert!(sorted.others_stay && sorted.over.is_empty());
        assert_eq!(sorted.why, SignedOutReason::Never);
    }
}
