//! All mutable state of a session, and the only way to change it.
//!
//! [`Shared`] keeps one [`Inner`] behind one lock, which is held only briefly. It is changed
//! through [`EpochGuard`] alone, which is given out only for an [`Epoch`] or an [`AttemptId`] that
//! is still current. An `EpochGuard` holds the lock and cannot be kept across an `.await` of a
//! task. So after each wait the code has to ask for it again and handle the answer `None`: code
//! that forgets this check does not compile.
//!
//! In the order of locks, only those of the cookie jar and the snapshot come after this one; see
//! [`super::process_lock`] for the others.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::browser_flow::OpenBrowserFlow;
use super::epoch::{AccessId, AttemptId, Epoch, InUse};
use super::keyring_status::KeyringStatus;
use super::open_session::{OpenChallenge, OpenSession};
use super::provider_grant::GrantInUse;
use super::record::Replaced;
use super::refusals::Refusals;
use crate::clock::{Clock, SinceBoot};
use crate::cookies::Jar;
use crate::device::Device;
use crate::failpoints::mutant;
use crate::identity::SessionId;
use crate::obstacle::Obstacle;
use crate::plan::Plan;
use crate::state::{Event, Outage, State};
use crate::token::RefreshToken;
use crate::wire::{Cause, SessionChanged};

/// The mutable state.
pub(super) struct Inner {
    epoch: Epoch,
    state: State,
    /// The session that is held, or that is being restored.
    pub session: Option<OpenSession>,
    pub keyring: KeyringStatus,
    /// The device of the next sign-in, which replaces `os` and `browser` by their current values.
    pub device: Device,
    /// The ordinary cookies of the session, or those of calls without a session.
    jar: Jar,
    /// Sessions that are over, as far as this process knows. A keyring item of one of them is
    /// obsolete.
    pub over: BTreeSet<SessionId>,
    /// Whose they were, where that is known: their tokens may still have to be revoked.
    owners: BTreeMap<SessionId, String>,
    /// What a sign-in has brought that is being taken into use. There is no session meanwhile.
    pub beginning: Option<GrantInUse>,
    /// The sign-in could not remove a sign-out marker that names no session. The marker is not
    /// about this session.
    pub ignores_unnamed_marker: bool,
    attempts: BTreeSet<AttemptId>,
    challenge: Option<OpenChallenge>,
    /// The sign-in that goes on outside of the app.
    browser: Option<OpenBrowserFlow>,
    pub plan: Plan,
    /// Refusals that a gateway may have caused. Several of them end the session.
    pub refusals: Refusals,
    /// When the backend was first found unreachable, in milliseconds since the epoch.
    outage_since: Option<u64>,
    /// Why the last try failed, if that is known.
    pub obstacle: Option<Obstacle>,
    /// When a refusal by the backend last caused a refresh of the roles.
    pub roles_rechecked: Option<SinceBoot>,
    /// What the last run has left was found. A sign-out is shown before its token is.
    is_started: bool,
}

impl Inner {
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn session_id(&self) -> Option<SessionId> {
        self.session.as_ref().map(|held| held.id)
    }

    /// The user of a session that is held or was, where that is known.
    pub(super) fn user_of(&self, session: SessionId) -> Option<&str> {
        match &self.session {
            Some(held) if held.id == session => held.user_id(),
            _ => self.owners.get(&session).map(String::as_str),
        }
    }

    /// Whose session it is or was: its token may still have to be revoked, also where a crash has cut its
    /// end short and it is held no more.
    pub(super) fn note_owner(&mut self, session: SessionId, user: &str) {
        self.owners.insert(session, user.to_owned());
    }

    /// The grant of the session that is held, or about to be.
    pub(super) fn grant_in_use(&self) -> Option<GrantInUse> {
        match &self.session {
            Some(held) => GrantInUse::of(held.token.as_ref(), held.user_id()),
            None => self.beginning.clone(),
        }
    }

    pub(super) fn in_use(&self) -> InUse {
        InUse {
            shown: self.state.signed_in().map(|(_, session)| session.id),
            held: self.session_id(),
        }
    }

    pub(super) fn access_id(&self) -> Option<AccessId> {
        Some(self.session.as_ref()?.access.as_ref()?.id)
    }

    /// Whether there is a refresh token, in memory or perhaps in a keyring that was not read.
    pub(super) fn may_be_refreshed(&self) -> bool {
        self.is_unread() || self.token().is_some()
    }

    /// Whether there may be a session in a keyring or in records that were not read.
    pub(super) fn is_unread(&self) -> bool {
        self.token().is_none() && self.state.may_have_session()
    }

    pub(super) fn token(&self) -> Option<&RefreshToken> {
        self.session.as_ref()?.token.as_ref()
    }

    /// Whether memory holds nothing that a later start would not find: the start is over, no sign-in is
    /// under way, the keyring holds the token or is known to hold none, and the first try has had its answer.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_kept = match self.keyring {
            KeyringStatus::Saved | KeyringStatus::Nothing => true,
            KeyringStatus::Unknown(_) => self.token().is_none(),
            KeyringStatus::UntilQuit(_)
            | KeyringStatus::Unsaved(..)
            | KeyringStatus::Obsolete(_) => false,
        };
        let is_settled = match self.state.is_signed_out() {
            true => self.is_started,
            false => self.plan.is_waiting(),
        };
        is_kept && is_settled && self.attempts.is_empty() && self.challenge.is_none()
    }

    /// The jar of the session, or of nobody.
    pub(super) fn jar(&self) -> &Jar {
        &self.jar
    }

    /// Puts `jar` in the place of the one before, which is closed: a request that still carries
    /// it sends no cookie from here on, and its answer leaves none.
    pub(super) fn replace_jar(&mut self, jar: Jar) {
        std::mem::replace(&mut self.jar, jar).close();
    }

    pub(super) fn challenge(&self) -> Option<&OpenChallenge> {
        self.challenge.as_ref()
    }

    /// The current outage, which begins now unless it has begun before. The next try is at
    /// `retry_at`.
    pub(super) fn outage(&mut self, now_ms: u64, retry_at: Option<SinceBoot>) -> Outage {
        Outage {
            since: *self.outage_since.get_or_insert(now_ms),
            retry_at,
            why: self.obstacle,
        }
    }

    /// Clears what was counted against the backend, because a session was confirmed or has begun.
    pub(super) fn mark_healthy(&mut self, now: SinceBoot) {
        self.outage_since = None;
        self.obstacle = None;
        self.refusals = Refusals::default();
        let access = self.session.as_ref().and_then(|held| held.access.as_ref());
        let lifetime = access.and_then(|access| access.token.lifetime);
        self.plan.succeeded(now, lifetime, rand::random());
    }

    /// The sessions whose items the keyring may hold when a sign-in replaces its content.
    pub(super) fn replaced(&self) -> Vec<Replaced> {
        let over = self.over.iter().filter(|_| !self.keyring.is_clear());
        let over = over.map(|session| Replaced {
            session: *session,
            generation: None,
        });
        let held = self.session.iter().flat_map(|held| {
            let this = Replaced {
                session: held.id,
                generation: Some(held.generation),
            };
            let before = held.replaced.iter().copied();
            before.chain([this])
        });
        over.chain(held).collect()
    }

    /// Begins the next epoch. Everything else that was begun in the current one is then over.
    pub(super) fn begin_epoch(&mut self) -> Epoch {
        self.epoch = self.epoch.next();
        self.epoch
    }

    /// Voids every sign-in under way. Returns the challenge that was open.
    pub(super) fn void_attempts(&mut self) -> Option<OpenChallenge> {
        self.attempts.clear();
        self.browser = None;
        self.challenge.take()
    }

    /// The sign-in that goes on outside of the app.
    pub(super) fn browser_flow(&self) -> Option<&OpenBrowserFlow> {
        self.browser.as_ref()
    }

    /// The same, for what becomes known of it.
    pub(super) fn browser_flow_mut(&mut self) -> Option<&mut OpenBrowserFlow> {
        self.browser.as_mut()
    }

    /// Opens a sign-in outside of the app, in place of any other and of any challenge, whose sign-ins are
    /// over with that. Returns the challenge.
    pub(super) fn open_browser_flow(&mut self, flow: OpenBrowserFlow) -> Option<OpenChallenge> {
        self.close_browser_flow();
        self.browser = Some(flow);
        self.close_challenge()
    }

    /// Closes the sign-in outside of the app: a redirect that comes later finds nobody.
    pub(super) fn close_browser_flow(&mut self) {
        if let Some(closed) = self.browser.take() {
            self.attempts.remove(&closed.attempt);
        }
    }

    /// Opens a challenge in place of any other, whose sign-in is over with that.
    pub(super) fn open_challenge(&mut self, open: OpenChallenge) -> Option<OpenChallenge> {
        self.close_browser_flow();
        let before = self.challenge.replace(open);
        if let Some(before) = &before
            && self.challenge.as_ref().map(|now| now.attempt) != Some(before.attempt)
        {
            self.attempts.remove(&before.attempt);
        }
        before
    }

    /// Closes the challenge and ends its sign-in.
    pub(super) fn close_challenge(&mut self) -> Option<OpenChallenge> {
        let closed = self.challenge.take()?;
        self.attempts.remove(&closed.attempt);
        Some(closed)
    }

    /// Forgets the session, because it is over or replaced.
    pub(super) fn drop_session(&mut self) -> Option<OpenSession> {
        let held = self.session.take();
        self.beginning = None;
        if let Some(held) = &held {
            self.over.insert(held.id);
            let user = held.user_id().map(str::to_owned);
            self.owners.extend(user.map(|user| (held.id, user)));
        }
        self.plan.end_session();
        self.refusals = Refusals::default();
        self.outage_since = None;
        self.obstacle = None;
        self.roles_rechecked = None;
        self.ignores_unnamed_marker = false;
        held
    }
}

/// The one [`Inner`], and the snapshot that is published from it.
pub(super) struct Shared {
    inner: Mutex<Inner>,
    snapshot: watch::Sender<SessionChanged>,
    /// Told that the session is at rest, by the task that looks after it.
    pub rests: watch::Sender<()>,
    /// Notified when something that the schedule depends on has changed.
    pub wake: Arc<Notify>,
    pub clock: Arc<dyn Clock>,
}

/// Access to [`Inner`] for an epoch or an attempt that is current.
pub(super) struct EpochGuard<'a> {
    inner: MutexGuard<'a, Inner>,
    shared: &'a Shared,
}

impl Shared {
    pub(super) fn new(
        state: State,
        device: Device,
        first: SessionChanged,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            inner: Mutex::new(Inner {
                epoch: Epoch::FIRST,
                state,
                session: None,
                keyring: KeyringStatus::Unknown(None),
                device,
                // Nobody has one before the first session, or the first sign-out.
                jar: Jar::closed(),
                over: BTreeSet::new(),
                owners: BTreeMap::new(),
                beginning: None,
                ignores_unnamed_marker: false,
                attempts: BTreeSet::new(),
                challenge: None,
                browser: None,
                plan: Plan::default(),
                refusals: Refusals::default(),
                outage_since: None,
                obstacle: None,
                roles_rechecked: None,
                is_started: false,
            }),
            snapshot: watch::Sender::new(first),
            rests: watch::Sender::default(),
            wake: Arc::default(),
            clock,
        }
    }

    /// Reads the current state without changing it. The result may be outdated when it is used, so
    /// code that continues with it has to take the epoch along.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.lock())
    }

    /// Access for `epoch`; `None` once it is over.
    pub(super) fn in_epoch(&self, epoch: Epoch) -> Option<EpochGuard<'_>> {
        self.access(|inner| inner.epoch == epoch || mutant!("without.epoch"))
    }

    /// Access for a sign-in under way; `None` once it was voided.
    pub(super) fn in_attempt(&self, attempt: AttemptId) -> Option<EpochGuard<'_>> {
        self.access(|inner| inner.attempts.contains(&attempt))
    }

    /// Access for a sign-in that is being taken into use in `epoch`; `None` once either is over.
    pub(super) fn in_sign_in(&self, epoch: Epoch, attempt: AttemptId) -> Option<EpochGuard<'_>> {
        self.in_epoch(epoch)
            .filter(|at| at.attempts.contains(&attempt))
    }

    /// Begins a new epoch for a sign-out, which ends whatever session there is.
    pub(super) fn end_all(&self) -> EpochGuard<'_> {
        let mut at = EpochGuard {
            inner: self.lock(),
            shared: self,
        };
        at.begin_epoch();
        at
    }

    /// The start is over.
    pub(super) fn end_start(&self) {
        self.lock().is_started = true;
    }

    /// Registers a sign-in that begins.
    pub(super) fn begin_attempt(&self) -> AttemptId {
        let attempt = AttemptId::new();
        self.lock().attempts.insert(attempt);
        attempt
    }

    /// Removes a sign-in that has ended, with or without success.
    pub(super) fn end_attempt(&self, attempt: AttemptId) {
        self.lock().attempts.remove(&attempt);
        self.wake.notify_one();
    }

    /// The current state, with countdowns from now.
    pub(super) fn snapshot(&self) -> SessionChanged {
        let inner = self.lock();
        SessionChanged {
            state: inner.state.view(self.clock.since_boot()),
            ..self.snapshot.borrow().clone()
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<SessionChanged> {
        self.snapshot.subscribe()
    }

    pub(super) fn now(&self) -> SinceBoot {
        self.clock.since_boot()
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.clock.wall_ms()
    }

    fn access(&self, is_current: impl FnOnce(&Inner) -> bool) -> Option<EpochGuard<'_>> {
        let inner = self.lock();
        is_current(&inner).then_some(EpochGuard {
            inner,
            shared: self,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for EpochGuard<'_> {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl DerefMut for EpochGuard<'_> {
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.inner
    }
}

impl EpochGuard<'_> {
    /// Applies `event` and publishes the new state: the last two steps of every change.
    pub(super) fn publish(mut self, cause: Cause, event: Event) {
        let inner = &mut *self.inner;
        let before = inner.state.clone();
        inner.state.apply(event);
        debug_assert!(
            inner.token().is_none() || inner.state.may_have_session() || mutant!("without.epoch"),
            "a token is held although nobody is signed in"
        );
        let keyring = match inner.session {
            // While nobody is signed in, it does not matter whether the keyring can be used.
            None if inner.state.is_signed_out() => KeyringStatus::Nothing,
            _ => inner.keyring,
        };
        inner.state.apply(Event::Storage(keyring.storage()));
        if inner.token().is_some() {
            let remembered = inner.keyring.remembers();
            inner.state.apply(Event::Remembered(remembered));
        }
        if inner.state != before {
            let state = inner.state.view(self.shared.clock.since_boot());
            self.shared.snapshot.send_modify(|snapshot| {
                snapshot.revision += 1;
                snapshot.cause = cause;
                snapshot.state = state;
            });
        }
        self.shared.wake.notify_one();
    }
}
