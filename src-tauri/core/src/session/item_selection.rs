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
pub(super) struct StoredState<'a> {
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
pub(super) struct Selection {
    /// The item whose session continues.
    pub session: Option<SelectedItem>,
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
pub(super) struct SelectedItem {
    pub item: Item,
    /// The record is of this session and says whose it is.
    pub is_of_record: bool,
    /// The backend may have replaced its token in an answer that was never stored. It may be sent
    /// once more.
    pub is_last_chance: bool,
}

enum ItemUse {
    Use {
        is_last_chance: bool,
    },
    Over(SignedOutReason),
    Stays,
    /// It holds no token and can be deleted.
    Worthless,
}

impl StoredState<'_> {
    /// Decides what to do with each item.
    pub(super) fn select(mut self) -> Selection {
        let mut items = std::mem::take(&mut self.items);
        // If several can be used, the session of the record comes first, then the newest token.
        let of_record = |item: &Item| self.record.is_some_and(|it| it.session == item.session);
        items.sort_by_key(|item| std::cmp::Reverse((of_record(item), item.generation)));
        let mut selection = Selection {
            session: None,
            over: Vec::new(),
            others_stay: false,
            revived: Vec::new(),
            why: self.why_without_item(items.is_empty()),
        };
        for item in items {
            let is_older_copy = |selected: &SelectedItem| selected.item.session == item.session;
            match (self.use_of(&item), &selection.session) {
                (ItemUse::Use { .. }, Some(selected)) if is_older_copy(selected) => {}
                (ItemUse::Use { .. }, Some(_)) => selection.over.push(item),
                (ItemUse::Use { is_last_chance }, None) => {
                    if self.pending.iter().any(|(over, _)| *over == item.session) {
                        selection.revived.push(item.session);
                    }
                    selection.session = Some(SelectedItem {
                        is_of_record: self.is_known(&item),
                        is_last_chance,
                        item,
                    });
                }
                // If the backend were told of a spent copy, it would end the session itself.
                (ItemUse::Over(_), Some(selected)) if is_older_copy(selected) => {}
                (ItemUse::Over(why), _) => {
                    selection.why = why;
                    selection.over.push(item);
                }
                (ItemUse::Stays, _) => selection.others_stay = true,
                (ItemUse::Worthless, _) => {}
            }
        }
        selection
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
            && marker.ends_last(self.record)
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

    fn use_of(&self, item: &Item) -> ItemUse {
        let same =
            |record: &&Record| record.session == item.session || mutant!("without.items_session");
        let record = self.record.filter(same);
        if item.token.is_empty() {
            return ItemUse::Worthless;
        }
        if item.until_quit || record.is_some_and(|record| record.until_quit) {
            return ItemUse::Over(SignedOutReason::Missing);
        }
        if let Some(marker) = self.marker
            && marker.ends(item.session)
        {
            return ItemUse::Over(marker.why);
        }
        if let Some(over) = self.was_replaced(item) {
            return over;
        }
        if self.is_pending(item.session) {
            return ItemUse::Over(SignedOutReason::Never);
        }
        if item.origin != self.origin {
            return ItemUse::Stays;
        }
        let Some(record) = record else {
            // The record is lost, or of another session: only the backend knows whose session this
            // is.
            return match self.can_ask {
                true => ItemUse::Use {
                    is_last_chance: false,
                },
                false => ItemUse::Over(SignedOutReason::Missing),
            };
        };
        if record.user.is_none() && !self.can_ask {
            return ItemUse::Over(SignedOutReason::Missing);
        }
        if item.generation >= record.generation || mutant!("without.spent") {
            return ItemUse::Use {
                is_last_chance: false,
            };
        }
        match self.is_in_grace(item, record) {
            true => ItemUse::Use {
                is_last_chance: true,
            },
            false => ItemUse::Over(SignedOutReason::Missing),
        }
    }

    /// The use of an item whose session the record's session has replaced: it is over if a person
    /// was told of that sign-in, and in any case if its token is spent.
    fn was_replaced(&self, item: &Item) -> Option<ItemUse> {
        let record = self.record.filter(|_| !mutant!("without.spent"));
        let record = record.filter(|_| !mutant!("without.items_session"))?;
        let mut replaced = record.replaced.iter();
        let replaced = replaced.find(|replaced| replaced.session == item.session)?;
        let came_about = record.saved_generation.is_some() || record.until_quit;
        let is_spent = |known| item.generation < known;
        match (came_about, replaced.generation) {
            // Either the keyring has held the record's own item and now holds an older one, or it
            // never held it.
            (true, _) => Some(ItemUse::Over(match record.saved_generation {
                Some(_) => SignedOutReason::Missing,
                None => SignedOutReason::Never,
            })),
            (false, Some(known)) if !is_spent(known) => None,
            (false, Some(_)) => Some(ItemUse::Over(SignedOutReason::Missing)),
            (false, None) => Some(ItemUse::Over(SignedOutReason::Never)),
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
            provider: None,
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

    fn found(record: Option<&Record>, items: Vec<Item>) -> StoredState<'_> {
        StoredState {
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
    fn selected(selection: &Selection) -> Option<(SessionId, bool)> {
        let selected = selection.session.as_ref()?;
        Some((selected.item.session, selected.is_of_record))
    }

    #[test]
    fn an_item_of_the_records_session_is_used_unless_it_is_spent() {
        let session = SessionId::new();
        let record = record(session, 3);
        for (generation, is_used) in [(2, false), (3, true), (4, true)] {
            let selection = found(Some(&record), vec![item(session, generation)]).select();
            let wanted = is_used.then_some((session, true));
            assert_eq!(selected(&selection), wanted, "{generation}");
            assert_eq!(selection.over.len(), usize::from(!is_used), "{generation}");
            if !is_used {
                assert_eq!(selection.why, SignedOutReason::Missing);
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
            let found = StoredState {
                grace: Duration::from_secs(grace),
                now_ms,
                ..found(Some(&record), vec![item(session, generation)])
            };
            let selection = found.select();
            let last = selection
                .session
                .as_ref()
                .map(|selected| selected.is_last_chance);
            let wanted = is_used.then_some(true);
            assert_eq!(last, wanted, "{generation} {grace} {now_ms}");
        }
    }

    #[test]
    fn nobody_is_shown_for_an_item_of_another_session_before_the_backend_was_asked() {
        let (mine, other) = (SessionId::new(), SessionId::new());
        let of_mine = record(mine, 9);
        for record in [None, Some(&of_mine)] {
            let selection = found(record, vec![item(other, 1)]).select();
            assert_eq!(selected(&selection), Some((other, false)));
            let cannot_ask = StoredState {
                can_ask: false,
                ..found(record, vec![item(other, 1)])
            };
            let selection = cannot_ask.select();
            assert_eq!(selected(&selection), None, "it is over");
            assert_eq!(selection.over.len(), 1, "and told");
            assert_eq!(selection.why, SignedOutReason::Missing);
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
            let found = StoredState {
                marker,
                ..found(Some(&record), vec![item(mine, 1)])
            };
            let selection = found.select();
            assert_eq!(selection.session.is_none(), is_over);
        }
    }

    #[test]
    fn a_session_until_quitting_is_over_if_either_place_says_so() {
        let session = SessionId::new();
        for (in_item, in_record) in [(true, false), (false, true)] {
            let mut record = record(session, 1);
            record.until_quit = in_record;
            let mut item = item(session, 1);
            item.until_quit = in_item;
            let selection = found(Some(&record), vec![item]).select();
            assert_eq!(selected(&selection), None);
            assert_eq!(
                (selection.over.len(), selection.why),
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
            let found = StoredState {
                pending,
                ..found(Some(record), vec![item(before, 5)])
            };
            found.select()
        };
        let selection = sort(&begun, &pending);
        assert_eq!(selected(&selection), Some((before, false)));
        assert_eq!(selection.revived, [before]);
        // A person was told that they are signed in, so the session before is over.
        begun.until_quit = true;
        assert_eq!(selected(&sort(&begun, &pending)), None);
        // The session before was signed out of, not replaced.
        begun.until_quit = false;
        assert_eq!(selected(&sort(&begun, &[(before, None)])), None);
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
            let selection = found(Some(&begun), vec![item(before, generation)]).select();
            let wanted = is_used.then_some((before, false));
            assert_eq!(
                selected(&selection),
                wanted,
                "{known:?} {generation} {is_told}"
            );
            assert_eq!(selection.over.len(), usize::from(!is_used));
        }
    }

    #[test]
    fn of_several_items_the_newest_counts_and_older_copies_of_it_are_not_told() {
        let (mine, other) = (SessionId::new(), SessionId::new());
        let record = record(mine, 2);
        let items = vec![item(other, 9), item(mine, 1), item(mine, 3)];
        let selection = found(Some(&record), items).select();
        let kept = selection
            .session
            .as_ref()
            .map(|selected| selected.item.generation);
        assert_eq!(kept, Some(3.into()));
        assert_eq!(selected(&selection), Some((mine, true)));
        let over: Vec<_> = selection.over.iter().map(|item| item.session).collect();
        assert_eq!(over, [other]);
    }

    #[test]
    fn another_backends_item_waits_for_it_to_come_back() {
        let session = SessionId::new();
        let mut item = item(session, 1);
        item.origin = "https://b.example".into();
        let selection = found(None, vec![item]).select();
        assert_eq!(selected(&selection), None);
        assert!(selection.others_stay && selection.over.is_empty());
        assert_eq!(selection.why, SignedOutReason::Never);
    }
}
