//! Looks after the accounts that no window shows: closes those whose sessions need not be open, renews
//! each before it would end unused, and forgets those that are over.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::index::{Entry, Index};
use super::renewal::Renewal;
use super::shared::{OpenAccount, Shared, State};
use crate::clock::SinceBoot;
use crate::failpoints::failpoint;
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
/// The longest pause after a renewal. Accounts that are all due, as after a week without the app, do not
/// ask their backends at once.
const PAUSE: Duration = Duration::from_secs(10);
/// The least part of that pause.
const PAUSE_LEAST: f64 = 0.2;

/// What is to be done with an account that no window shows.
enum Chore {
    /// Nothing would be lost by closing it.
    Close,
    /// It leaves, or the backend is still to be told of a sign-out.
    Open,
    /// It leaves, and its session is not signed out yet, or the device is still trusted.
    SignOut(Session),
    /// Nothing of it is left to keep.
    Forget,
}

/// Runs until the accounts are dropped.
pub(super) async fn run(shared: Weak<Shared>) {
    let mut pause_until = Duration::ZERO;
    loop {
        let (until, clock, wake) = {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            shared.do_chores().await;
            let wait = match shared.next_renewal(pause_until) {
                Some((id, Duration::ZERO)) => {
                    shared.renew(id).await;
                    let part = PAUSE_LEAST + (1.0 - PAUSE_LEAST) * rand::random::<f64>();
                    pause_until = shared.clock.since_boot() + PAUSE.mul_f64(part);
                    continue;
                }
                Some((_, wait)) => wait.min(TICK),
                None => TICK,
            };
            let wait = shared.rest_of_start().map_or(wait, |rest| wait.min(rest));
            let until = shared.clock.since_boot() + wait;
            (until, shared.clock.clone(), shared.wake.clone())
        };
        tokio::select! {
            () = clock.sleep_until(until) => {}
            () = wake.notified() => {}
        }
    }
}

impl Shared {
    /// Does what is to be done with each account that no window shows.
    async fn do_chores(self: &Arc<Self>) {
        let ids: Vec<_> = {
            let state = self.state();
            state.index.accounts.iter().map(|entry| entry.id).collect()
        };
        for id in ids {
            // A chore is done under the lock under which it is decided: meanwhile no window can begin to
            // show the account.
            let session = {
                let mut state = self.state();
                let state = &mut *state;
                let entry = state.index.of(id).filter(|entry| !state.is_shown(entry));
                let Some((entry, chore)) = entry.and_then(|entry| {
                    let chore = self.chore(state, entry)?;
                    Some((entry.clone(), chore))
                }) else {
                    continue;
                };
                match chore {
                    Chore::Close => {
                        self.close(state, id);
                        continue;
                    }
                    Chore::Forget => {
                        self.forget(state, &entry);
                        continue;
                    }
                    Chore::Open => None,
                    Chore::SignOut(session) => Some(session),
                }
            };
            match session {
                Some(session) => {
                    session.forget_trusted_device().await;
                    if !is_signed_out(&session) {
                        session.logout_unattended().await;
                    }
                }
                // Why it cannot be opened is in the log.
                None if self.open_account(id).is_err() => {
                    let renewal = Renewal::after_failure(self.clock.wall_ms(), rand::random());
                    self.plan_renewal(&mut self.state(), id, Some(renewal));
                }
                None => {}
            }
        }
        self.let_workspaces_leave();
    }

    fn chore(&self, state: &State, entry: &Entry) -> Option<Chore> {
        let open = state.open.get(&entry.id);
        let session = open.and_then(|open| open.session.upgrade());
        let is_over = matches!(
            entry.over,
            Some(SignedOutReason::ByUser | SignedOutReason::Never)
        );
        // A list that cannot be read may say that a person wants to stay in it.
        let goes = entry.leaving || (entry.is_blank() && !self.record.is_foreign());
        match session {
            Some(session)
                if entry.leaving
                    && (!is_signed_out(&session) || self.folders.holds_trust(entry)) =>
            {
                Some(Chore::SignOut(session))
            }
            Some(session) if !session.is_at_rest() => None,
            Some(session) if goes => is_signed_out(&session).then_some(Chore::Forget),
            Some(_) => open?.held.is_some().then_some(Chore::Close),
            // At a start the windows come first: one of them may show it.
            None if !goes || !self.is_after_start() => None,
            None if is_over && self.folders.is_settled(entry) => Some(Chore::Forget),
            // After a try in vain it waits for the next one.
            None => self.is_due(entry).then_some(Chore::Open),
        }
    }

    fn is_due(&self, entry: &Entry) -> bool {
        let now = self.clock.wall_ms();
        let wait = entry.renewal.map(|renewal| renewal.due_in(now));
        wait.unwrap_or_default().is_zero()
    }

    fn is_after_start(&self) -> bool {
        self.rest_of_start().is_none()
    }

    /// How long the windows still come first, if they do.
    fn rest_of_start(&self) -> Option<Duration> {
        let rest = self.upkeep_from.saturating_sub(self.clock.since_boot());
        (!rest.is_zero()).then_some(rest)
    }

    /// Closes a session, and plans its renewal.
    fn close(&self, state: &mut State, id: AccountId) {
        let session = state.open.get_mut(&id).and_then(|open| open.held.take());
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
            Phase::SignedOut { .. } | Phase::OtpPending { .. } | Phase::BrowserPending { .. } => {
                None
            }
        };
        self.plan_renewal(state, id, renewal);
        // Its standing in the list is the last known one from here on.
        self.publish();
    }

    fn plan_renewal(&self, state: &mut State, id: AccountId, renewal: Option<Renewal>) {
        self.change_or_log(state, Durability::Unsynced, |index| {
            if let Some(entry) = index.of_mut(id) {
                entry.renewal = renewal;
            }
        });
    }

    /// The account that is to be renewed next, and how long until then: none before `not_before`.
    fn next_renewal(&self, not_before: SinceBoot) -> Option<(AccountId, Duration)> {
        let now = self.clock.wall_ms();
        let not_before = not_before.max(self.upkeep_from);
        let from = not_before.saturating_sub(self.clock.since_boot());
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
            let renewal = Renewal::after_failure(self.clock.wall_ms(), rand::random());
            return self.plan_renewal(&mut self.state(), id, Some(renewal));
        };
        let until = self.clock.since_boot() + RENEWAL_TIMEOUT;
        let mut rests = session.subscribe_rests();
        let is_over = async { while !session.is_at_rest() && rests.changed().await.is_ok() {} };
        tokio::select! {
            () = is_over => {}
            () = self.clock.sleep_until(until) => {}
        }
    }

    /// Forgets an account of which nothing is left to keep. Once a command that still uses its session
    /// has ended, it is tried again.
    fn forget(&self, state: &mut State, entry: &Entry) {
        if let Some(open) = state.open.get_mut(&entry.id) {
            open.held = None;
            if open.session.upgrade().is_some() {
                return;
            }
        }
        if let Err(error) = self.folders.remove(entry) {
            tracing::error!(
                kind = %error.kind(),
                "the folder of an account that was removed cannot be removed: it is tried again later"
            );
            return;
        }
        failpoint!("accounts.folder_removed");
        state.open.remove(&entry.id);
        self.record.remove_damaged();
        self.change_or_log(state, Durability::Synced, |index| {
            index.accounts.retain(|other| other.id != entry.id);
        });
        failpoint!("accounts.forgotten");
    }

    /// Tells the host of the workspaces that leave and have no account any more. A workspace is struck
    /// off the list afterwards, so that a crash in between repeats it.
    fn let_workspaces_leave(&self) {
        let gone: Vec<_> = {
            let Index {
                accounts,
                leaving_workspaces,
                ..
            } = &self.state().index;
            let is_gone = |name: &&String| accounts.iter().all(|it| it.workspace != **name);
            leaving_workspaces.iter().filter(is_gone).cloned().collect()
        };
        for workspace in gone {
            if let Err(error) = self.host.workspace_left(&workspace) {
                tracing::error!(%error, workspace, "a workspace that leaves is still there: it is tried again");
                continue;
            }
            failpoint!("accounts.workspace_left");
            self.change_or_log(&mut self.state(), Durability::Synced, |index| {
                index.leaving_workspaces.retain(|it| *it != workspace);
            });
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

    pub(super) fn is_open(&self, id: AccountId) -> bool {
        let held = |open: &OpenAccount| open.held.is_some();
        self.open.get(&id).is_some_and(held)
    }
}
