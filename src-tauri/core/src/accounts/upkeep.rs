//! Looks after the accounts that no window shows: closes those whose sessions need not be open, renews
//! each before it would end unused, and forgets those that are over.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::index::Entry;
use super::renewal::Renewal;
use super::{OpenAccount, Shared, State};
use crate::identity::AccountId;
use crate::session::Session;
use crate::storage::records::Durability;
use crate::wire::{Freshness, Phase, SignedOutReason};

/// How long after the start the first account is opened that no window shows.
pub(super) const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest sleep. After the machine was suspended, what is due is noticed within this time.
const TICK: Duration = Duration::from_secs(30);
/// How long one renewal may take before the next account has its turn.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest pause between two renewals. Accounts that are all due, as after a week without the app,
/// do not ask their backends at once.
const PAUSE: Duration = Duration::from_secs(10);

/// What is to be done with an account that no window shows.
enum Chore {
    /// Nothing would be lost by closing it.
    Close,
    /// It leaves, or the backend is still to be told of a sign-out.
    Open,
    /// It leaves, and its session is not signed out yet.
    SignOut(Session),
    /// Nothing of it is left to keep.
    Forget(Box<Entry>),
}

/// Runs until the accounts are dropped.
pub(super) async fn run(shared: Weak<Shared>) {
    loop {
        let (until, clock) = {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            shared.do_chores().await;
            let now = shared.clock.since_boot();
            let wait = match shared.next_renewal() {
                Some((id, Duration::ZERO)) => {
                    shared.renew(id).await;
                    PAUSE.mul_f64(rand::random())
                }
                Some((_, wait)) => wait.min(TICK),
                None => TICK,
            };
            (now + wait, shared.clone())
        };
        let woken = clock.wake.notified();
        tokio::select! {
            () = clock.clock.sleep_until(until) => {}
            () = woken => {}
        }
    }
}

impl Shared {
    /// Does what is to be done with each account that no window shows.
    async fn do_chores(self: &Arc<Self>) {
        let chores: Vec<(AccountId, Chore)> = {
            let state = self.state();
            let unseen = state.index.accounts.iter();
            let unseen = unseen.filter(|entry| !state.is_shown(entry));
            let chore = |entry: &Entry| Some((entry.id, self.chore(&state, entry)?));
            unseen.filter_map(chore).collect()
        };
        for (id, chore) in chores {
            match chore {
                Chore::Close => self.close(id),
                // Why it cannot be opened is in the log.
                Chore::Open => drop(self.open_account(id)),
                Chore::SignOut(session) => drop(session.logout().await),
                Chore::Forget(entry) => self.forget(&entry),
            }
        }
    }

    fn chore(&self, state: &State, entry: &Entry) -> Option<Chore> {
        let open = state.open.get(&entry.id);
        let session = open.and_then(|open| open.session.upgrade());
        let is_over = matches!(
            entry.over,
            Some(SignedOutReason::ByUser | SignedOutReason::Never)
        );
        let goes = entry.leaving || entry.is_blank();
        match session {
            Some(session) if entry.leaving && !is_signed_out(&session) => {
                Some(Chore::SignOut(session))
            }
            Some(session) if !session.is_at_rest() => None,
            Some(session) if goes => {
                let entry = is_signed_out(&session).then(|| Box::new(entry.clone()));
                entry.map(Chore::Forget)
            }
            Some(_) => open?.kept.is_some().then_some(Chore::Close),
            None if !goes => None,
            None if !is_over || self.owes(entry) => self.is_after_start().then_some(Chore::Open),
            None => Some(Chore::Forget(Box::new(entry.clone()))),
        }
    }

    fn owes(&self, entry: &Entry) -> bool {
        let records = self.folders.records(entry);
        records.map_or(true, |records| records.owes_sign_out())
    }

    fn is_after_start(&self) -> bool {
        self.clock.since_boot() >= self.upkeep_from
    }

    /// Closes a session, and plans its renewal.
    fn close(&self, id: AccountId) {
        let session = {
            let mut state = self.state();
            if state
                .index
                .of(id)
                .is_some_and(|entry| state.is_shown(entry))
            {
                return;
            }
            state.open.get_mut(&id).and_then(|open| open.kept.take())
        };
        let Some(session) = session else { return };
        let now = self.clock.wall_ms();
        let renewal = match &session.snapshot().state.phase {
            Phase::SignedIn {
                session,
                freshness: Freshness::Fresh,
                ..
            } => {
                let ends = session.expires_at.as_deref();
                Some(Renewal::after_success(now, ends, rand::random()))
            }
            Phase::SignedIn { .. } | Phase::Restoring { .. } => {
                Some(Renewal::after_failure(now, rand::random()))
            }
            Phase::SignedOut { .. } | Phase::OtpPending { .. } => None,
        };
        drop(session);
        self.plan_renewal(id, renewal);
    }

    fn plan_renewal(&self, id: AccountId, renewal: Option<Renewal>) {
        self.change_or_log(Durability::Unsynced, |index| {
            if let Some(entry) = index.of_mut(id) {
                entry.renewal = renewal;
            }
        });
    }

    /// The account that is to be renewed next, and how long until then.
    fn next_renewal(&self) -> Option<(AccountId, Duration)> {
        let now = self.clock.wall_ms();
        let from = self.upkeep_from.saturating_sub(self.clock.since_boot());
        let state = self.state();
        let kept = state.index.seen().filter(|entry| {
            entry.over.is_none() && !state.is_shown(entry) && !state.is_open(entry.id)
        });
        let due = kept.map(|entry| {
            let due = entry.renewal.map(|renewal| renewal.due_in(now));
            (entry.id, due.unwrap_or_default().max(from))
        });
        due.min_by_key(|(_, due)| *due)
    }

    /// Opens an account, which renews its session, and waits until that is over.
    async fn renew(self: &Arc<Self>, id: AccountId) {
        let Ok(session) = self.open_account(id) else {
            let now = self.clock.wall_ms();
            return self.plan_renewal(id, Some(Renewal::after_failure(now, rand::random())));
        };
        let until = self.clock.since_boot() + RENEWAL_TIMEOUT;
        let mut changes = session.subscribe();
        while !session.is_at_rest() {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { break },
                () = self.clock.sleep_until(until) => break,
            }
        }
        drop(session);
        self.wake.notify_one();
    }

    /// Forgets an account of which nothing is left to keep.
    fn forget(&self, entry: &Entry) {
        let mut state = self.state();
        // A window may have been switched to it meanwhile.
        if state.is_shown(entry) || state.index.of(entry.id) != Some(entry) {
            return;
        }
        if let Err(error) = self.folders.remove(entry) {
            tracing::error!(
                kind = %error.kind(),
                "the folder of an account that was removed cannot be removed: it is tried again later"
            );
            return;
        }
        state.open.remove(&entry.id);
        drop(state);
        let mut left = None;
        self.change_or_log(Durability::Synced, |index| {
            index.accounts.retain(|other| other.id != entry.id);
            let is_last = index
                .accounts
                .iter()
                .all(|it| it.workspace != entry.workspace);
            if is_last && index.leaving_workspaces.contains(&entry.workspace) {
                index.leaving_workspaces.retain(|it| *it != entry.workspace);
                left = Some(entry.workspace.clone());
            }
        });
        if let Some(workspace) = left {
            self.host.workspace_left(&workspace);
        }
    }
}

fn is_signed_out(session: &Session) -> bool {
    matches!(session.snapshot().state.phase, Phase::SignedOut { .. })
}

impl State {
    /// Whether a window shows the account, or the app's first window will at the next start.
    fn is_shown(&self, entry: &Entry) -> bool {
        let is_last = self.index.shown == Some(entry.id) && !entry.leaving;
        is_last || self.windows.is_shown(entry.id)
    }

    fn is_open(&self, id: AccountId) -> bool {
        let kept = |open: &OpenAccount| open.kept.is_some();
        self.open.get(&id).is_some_and(kept)
    }
}
