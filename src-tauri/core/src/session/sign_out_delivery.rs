//! Tells the backend of the sessions in [`PendingSignOuts`], each when it is due.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use uuid::Uuid;

use super::epoch::InUse;
use super::item::ItemContent;
use super::other_accounts::OtherAccounts;
use super::pending_list::KnownToken;
use super::pending_record::PendingEntry;
use super::pending_sign_outs::PendingSignOuts;
use super::provider_grant::{GrantInUse, SharesGrant};
use crate::backend::{Backend, BackendError, SignOutAnswer, UndeliveredSignOut};
use crate::clock::Clock;
use crate::device::Device;
use crate::secrets::{SecretBytes, StoreError};
use crate::token::RefreshToken;

/// How many answers it takes that say by the same status alone that there is nothing left to end:
/// a gateway in front of the backend answers the same when it has trouble.
const MIN_EQUAL_REFUSALS: u32 = 3;

/// Delivers the sign-outs of one account.
pub(super) struct SignOutDelivery {
    pending: Arc<PendingSignOuts>,
    others: Arc<dyn OtherAccounts>,
    clock: Arc<dyn Clock>,
    /// One delivery at a time.
    delivering: tokio::sync::Mutex<()>,
}

/// The sign-outs that are due, for one delivery: no other delivery gets the same ones.
pub(super) struct DueSignOuts(Vec<Uuid>);

/// Why a sign-out is not delivered.
enum DeliveryFailure {
    /// Its token cannot be read.
    Keyring(StoreError),
    /// Whether it shares its grant with a session in use is not known before the keyring was read.
    GrantUntold,
    /// The backend has not taken it.
    Backend(UndeliveredSignOut),
}

impl SignOutDelivery {
    pub(super) fn new(
        pending: Arc<PendingSignOuts>,
        others: Arc<dyn OtherAccounts>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            pending,
            others,
            clock,
            delivering: tokio::sync::Mutex::default(),
        }
    }

    /// How long until a sign-out is to be delivered; `None` if there is none. The sign-out of a
    /// session that is in use waits until it is not.
    pub(super) fn due_in(&self, in_use: InUse) -> Option<Duration> {
        self.pending.state().due_in(self.clock.since_boot(), in_use)
    }

    /// Takes the sign-outs that are due. Their try counts as begun from here on, so that no other
    /// caller gets them too.
    pub(super) fn take_due(&self, in_use: InUse) -> Option<DueSignOuts> {
        self.pending.load();
        let now = self.clock.since_boot();
        let mut state = self.pending.state();
        if state.due_in(now, in_use) != Some(Duration::ZERO) {
            return None;
        }
        let mut due = Vec::new();
        for pending in &mut state.pending {
            if pending.due_in(now, in_use) == Some(Duration::ZERO) {
                pending.plan.begin(false);
                due.push(pending.entry.slot);
            }
        }
        Some(DueSignOuts(due))
    }

    /// Tells the backend of the sign-outs in `due`. One that fails is tried again later and holds
    /// up no other, unless the backend asks to wait. One of another origin waits until that is the
    /// backend's again.
    /// What shares its grant with a session in use is not told but forgotten. `in_use` tells the grant of
    /// this account.
    pub(super) async fn deliver(
        &self,
        due: DueSignOuts,
        backend: &Backend,
        device: &Device,
        in_use: impl Fn() -> Option<GrantInUse>,
    ) {
        let _one = self.delivering.lock().await;
        let origin = backend.profile().token_origins();
        for slot in due.0 {
            let now = self.clock.since_boot();
            let entry = {
                let mut state = self.pending.state();
                let is_asked_to_wait = state.not_before > now;
                let Some(pending) = state.of(slot) else {
                    continue;
                };
                if is_asked_to_wait && !pending.is_delivered {
                    pending.plan.try_again_in(now, Duration::ZERO);
                    continue;
                }
                pending.entry.clone()
            };
            if entry.origin != origin {
                self.pending.drop_if_expired(entry).await;
                continue;
            }
            match self.deliver_one(&entry, backend, device, &in_use).await {
                Ok(SignOutAnswer::AlreadyOverByStatus(status))
                    if !self.is_confirmed(slot, status) =>
                {
                    let undelivered = UndeliveredSignOut::from(BackendError::Status(status));
                    self.try_later(entry, undelivered).await;
                }
                Ok(_) => self.pending.drop_entry(&entry).await,
                Err(DeliveryFailure::Keyring(error)) => {
                    tracing::info!(
                        %error,
                        "the keyring did not give the token of a pending sign-out: it is \
                         delivered once it does"
                    );
                    self.pending.retry_later(slot);
                }
                Err(DeliveryFailure::GrantUntold) => self.pending.retry_later(slot),
                Err(DeliveryFailure::Backend(undelivered)) => {
                    self.try_later(entry, undelivered).await
                }
            }
        }
    }

    /// Counts an answer that says by its status alone that there is nothing left to end. Returns
    /// whether that was said often enough.
    fn is_confirmed(&self, slot: Uuid, status: StatusCode) -> bool {
        let mut state = self.pending.state();
        let Some(pending) = state.of(slot) else {
            return true;
        };
        let count = match pending.refused {
            Some((before, count)) if before == status => count + 1,
            Some(_) | None => 1,
        };
        pending.refused = Some((status, count));
        count >= MIN_EQUAL_REFUSALS
    }

    /// Tells the backend of one sign-out. `Ok` means that nothing is left to tell, or that the
    /// backend says so by its status alone.
    async fn deliver_one(
        &self,
        entry: &PendingEntry,
        backend: &Backend,
        device: &Device,
        in_use: impl Fn() -> Option<GrantInUse>,
    ) -> Result<SignOutAnswer, DeliveryFailure> {
        let held = self
            .pending
            .state()
            .of(entry.slot)
            .map(|held| (held.is_delivered, held.known.clone()));
        let known = match held {
            Some((false, Some(known))) => known,
            Some((false, None)) => match self
                .stored_token(entry)
                .await
                .map_err(DeliveryFailure::Keyring)?
            {
                Some(token) => KnownToken {
                    token,
                    access: None,
                },
                None => return Ok(SignOutAnswer::AlreadyOver),
            },
            Some((true, _)) | None => return Ok(SignOutAnswer::AlreadyOver),
        };
        if self.pending.state().of(entry.slot).is_none() {
            // It was taken back while the keyring was read: its session goes on.
            return Ok(SignOutAnswer::AlreadyOver);
        }
        let user = entry.user.as_deref();
        match self.shares_grant(&known.token, user, in_use).await {
            SharesGrant::Yes => {
                tracing::info!(
                    "a session that is over is not revoked: the provider could end a session in use with it"
                );
                return Ok(SignOutAnswer::AlreadyOver);
            }
            SharesGrant::Untold => return Err(DeliveryFailure::GrantUntold),
            SharesGrant::No => {}
        }
        let told = backend.logout(&known.token, known.access.as_ref(), device);
        told.await.map_err(DeliveryFailure::Backend)
    }

    /// Whether a session that is in use, in this account or in another one, has its tokens from the same grant
    /// as this token of this user.
    async fn shares_grant(
        &self,
        token: &RefreshToken,
        user: Option<&str>,
        in_use: impl Fn() -> Option<GrantInUse>,
    ) -> SharesGrant {
        if token.provider().is_none() {
            return SharesGrant::No;
        }
        let others = self.others.clone();
        let Ok(others) = tokio::task::spawn_blocking(move || others.grants()).await else {
            return SharesGrant::Untold;
        };
        let all = others.into_iter().chain(in_use());
        let shares = all.map(|grant| grant.is_shared_by(token, user));
        shares.max().unwrap_or(SharesGrant::No)
    }

    /// The token in an entry's keyring item; `None` if the item holds none of its session.
    async fn stored_token(&self, entry: &PendingEntry) -> Result<Option<RefreshToken>, StoreError> {
        let Some(item) = self.pending.item(entry.slot) else {
            return Ok(None);
        };
        let stored = item.read().await?;
        let token = |bytes: &SecretBytes| match ItemContent::of(bytes) {
            // Another session's, as in a keyring that was restored in part: that one goes on.
            ItemContent::Ours(item) if entry.session.is_some_and(|of| of != item.session) => None,
            ItemContent::Ours(item) => Some(item.token),
            ItemContent::Legacy(item) => Some(item.token),
            ItemContent::Newer | ItemContent::Unknown => None,
        };
        Ok(stored.iter().find_map(token))
    }

    /// Plans the next try of a sign-out that the backend has not taken.
    async fn try_later(&self, entry: PendingEntry, undelivered: UndeliveredSignOut) {
        let UndeliveredSignOut {
            fault,
            retry_after,
            token,
        } = undelivered;
        tracing::info!(%fault, "the backend has not taken a sign-out: it is delivered later");
        let refill = {
            let mut state = self.pending.state();
            let now = self.clock.since_boot();
            let Some(pending) = state.of(entry.slot) else {
                return;
            };
            let wait = pending.plan.failed(now, retry_after, rand::random());
            if let Some(token) = token {
                // The try has replaced the token: the next one goes out with the new token.
                let access = None;
                pending.known = Some(KnownToken { token, access });
                pending.is_stored = false;
            }
            let refill = !pending.is_stored;
            if retry_after.is_some() {
                state.not_before = now + wait;
            }
            refill
        };
        if refill {
            let _ = self.pending.store_token(&entry).await;
        }
        self.pending.drop_if_expired(entry).await;
    }
}
