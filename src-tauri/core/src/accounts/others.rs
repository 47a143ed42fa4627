//! What the session of one account may know of the others: the grants that they use.

use std::sync::Weak;

use super::index::Entry;
use super::shared::Shared;
use crate::identity::AccountId;
use crate::session::{GrantInUse, OtherAccounts, Session};

/// The accounts beside this one.
pub(super) struct Others {
    shared: Weak<Shared>,
    beside: AccountId,
}

impl Others {
    pub(super) fn new(shared: Weak<Shared>, beside: AccountId) -> Self {
        Self { shared, beside }
    }
}

impl OtherAccounts for Others {
    /// An account that leaves, or that is signed out of together with this one, uses none: its session ends
    /// too.
    fn grants(&self) -> Vec<GrantInUse> {
        let Some(shared) = self.shared.upgrade() else {
            return Vec::new();
        };
        let others: Vec<_> = {
            let state = shared.state();
            let goes_on = |it: &&Entry| it.id != self.beside && !state.ending.contains(&it.id);
            let others = state.index.seen().filter(goes_on);
            let with_session = |entry: &Entry| {
                let open = state.open.get(&entry.id);
                (entry.clone(), open.and_then(|open| open.session.upgrade()))
            };
            others.map(with_session).collect()
        };
        let grants = others.iter().filter_map(|(entry, session)| {
            let in_memory = session.as_ref().and_then(Session::grant);
            // What is on disk is known without the keyring.
            let told = in_memory.filter(GrantInUse::is_told);
            told.or_else(|| shared.folders.grant(entry))
        });
        grants.collect()
    }
}

/// Accounts that are signed out of together. Until this is dropped none of them counts as using a grant, so that
/// the tokens of each are revoked.
pub(super) struct EndingTogether<'a> {
    shared: &'a Shared,
    accounts: &'a [AccountId],
}

impl<'a> EndingTogether<'a> {
    pub(super) fn begin(shared: &'a Shared, accounts: &'a [AccountId]) -> Self {
        shared.state().ending.extend(accounts);
        Self { shared, accounts }
    }
}

impl Drop for EndingTogether<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.ending.retain(|id| !self.accounts.contains(id));
    }
}
