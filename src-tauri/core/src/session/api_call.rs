//! Calls to the adopter's API with the user's session. The access token is attached here and does
//! not reach the layers above. A 401 is answered by one refresh and one replay. Redirects are
//! followed within the backend, up to a limit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::commit::Persist;
use super::context::Context;
use super::epoch::{AccessId, Epoch};
use super::inner::Inner;
use super::keyring_status::KeyringStatus;
use super::open_session::Access;
use super::process_lock::ROTATION_LOCK_TIMEOUT;
use super::reconcile::{Reconcile, Reconciled};
use super::record::RotationPhase;
use super::refresh::Refresh;
use super::refresh_reason::RefreshReason;
use super::rights::Rights;
use super::token_keeper::TokenKeeper;
use super::upload::{BodyReplay, Upload};
use crate::backend::{ApiCall, ApiPayload, BackendError, CallCredentials, Download, Response};
use crate::clock::SinceBoot;
use crate::cookies::RefreshChange;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::mutant;
use crate::schedule;
use crate::state::Event;
use crate::status::{self, RequestKind};
use crate::storage::records::Durability;
use crate::wire::{Cause, FetchReply, FetchRequest, UploadRequest};

/// The largest body that is kept for a replay.
const REPLAY_BODY_LIMIT: usize = 1024 * 1024;
/// The most redirects of one call that are followed.
const MAX_REDIRECTS: usize = 5;
/// How much longer the access token must be valid when a large upload starts, because a token that
/// ends during the upload wastes all of it. At most a quarter of the token's time, so that
/// short-lived tokens work too.
const UPLOAD_MARGIN: Duration = Duration::from_secs(120);

/// Sends calls to the adopter's API as the user who was signed in when the call began.
pub(super) struct ApiCalls {
    pub context: Arc<Context>,
    pub reconcile: Arc<Reconcile>,
    pub refresh: Arc<Refresh>,
    pub keeper: Arc<TokenKeeper>,
    pub rights: Arc<Rights>,
}

impl ApiCalls {
    /// Sends `request` with the session's bearer and cookies, or without a bearer when
    /// nobody is signed in. The backend's answer has to be a small text, and is returned whole.
    ///
    /// # Errors
    /// If the path is refused, if there is no answer, or if it is not a small text.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        request: FetchRequest,
    ) -> Result<FetchReply, AuthError> {
        match self.call(request).await? {
            (reply, None) => Ok(reply),
            (_, Some(_)) => Err(ErrorCode::TooLarge.into()),
        }
    }

    /// The same for any answer. A body that is not in the reply is returned to be read.
    ///
    /// # Errors
    /// If the path is refused or there is no answer.
    pub(super) async fn call(
        self: &Arc<Self>,
        request: FetchRequest,
    ) -> Result<(FetchReply, Option<Download>), AuthError> {
        let FetchRequest {
            path,
            method,
            headers,
            body,
        } = request;
        let backend = &self.context.backend;
        let call = backend.api_call(&method, &path, &headers)?;
        let body = match body {
            None => BodySource::None,
            Some(text) if text.len() > REPLAY_BODY_LIMIT => return Err(ErrorCode::TooLarge.into()),
            Some(text) => BodySource::InMemory(crate::backend::wiped(text.into_bytes())),
        };
        let readiness = self.readiness(Duration::ZERO);
        let response = self.exchange(readiness, call, body).await?;
        Ok(backend.api_answer(response).await?)
    }

    /// Begins a call whose body is written piece by piece. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the path is refused.
    pub(super) fn upload(self: &Arc<Self>, request: &UploadRequest) -> Result<Upload, AuthError> {
        let UploadRequest {
            path,
            method,
            headers,
            length,
            replayable,
        } = request;
        let call = self.context.backend.api_call(method, path, headers)?;
        let (sender, first) = ApiPayload::streamed(*length);
        // Read here and not in the task: before the task runs, another user may have signed in.
        let readiness = self.readiness(UPLOAD_MARGIN);
        let me = self.clone();
        Ok(Upload::start(sender, |events| {
            let replay = replayable.then(|| BodyReplay::new(events, *length));
            let first = Some(first);
            async move {
                let body_source = BodySource::Streamed { first, replay };
                let response = me.exchange(readiness, call, body_source).await?;
                Ok(me.context.backend.api_answer(response).await?)
            }
        }))
    }

    /// Calls an endpoint of the profile as the user who is signed in. Also returns the epoch that the
    /// answer belongs to.
    ///
    /// # Errors
    /// If nobody is signed in, or there is no answer.
    pub(super) async fn endpoint(
        self: &Arc<Self>,
        call: ApiCall,
    ) -> Result<(Epoch, Response), AuthError> {
        let caller = self.caller(self.readiness(Duration::ZERO)).await?;
        if caller.bearer.is_none() {
            return Err(ErrorCode::NotSignedIn.into());
        }
        let epoch = caller.epoch;
        let response = self.exchange_as(caller, call, BodySource::None).await?;
        Ok((epoch, response))
    }

    async fn exchange(
        self: &Arc<Self>,
        readiness: CallerReadiness,
        call: ApiCall,
        body: BodySource,
    ) -> Result<Response, AuthError> {
        let caller = self.caller(readiness).await?;
        self.exchange_as(caller, call, body).await
    }

    async fn exchange_as(
        self: &Arc<Self>,
        mut caller: Caller,
        call: ApiCall,
        mut body: BodySource,
    ) -> Result<Response, AuthError> {
        let mut call = Arc::new(call);
        let (mut attempt, mut hops, mut renewed) = (0, 0, false);
        loop {
            attempt += 1;
            let payload = match call.takes_body() {
                true => body.next().await?,
                false => ApiPayload::none(),
            };
            let response = self.send(&call, payload, &caller, attempt).await?;
            let refusal = status::refusal(RequestKind::Api, response.status().as_u16());
            if refusal == Some(ErrorCode::SessionRefused)
                && !renewed
                && let Some(refused) = &caller.bearer
            {
                renewed = true;
                match self.renew(caller.epoch, refused).await? {
                    Some(fresh) if !call.takes_body() || body.can_replay() => {
                        caller = fresh;
                        continue;
                    }
                    _ => return Ok(response),
                }
            }
            match self.context.backend.follow_redirect(&call, &response)? {
                None => {
                    if refusal == Some(ErrorCode::NotAllowed)
                        && let Some(bearer) = &caller.bearer
                    {
                        self.rights.recheck_roles(caller.epoch, *bearer);
                    }
                    return Ok(response);
                }
                Some(_) if hops == MAX_REDIRECTS => {
                    tracing::warn!(
                        limit = MAX_REDIRECTS,
                        "the backend redirected a call too often: the call fails"
                    );
                    return Err(ErrorCode::BadAnswer.into());
                }
                Some(next) if next.takes_body() && !body.can_replay() => {
                    tracing::warn!(
                        "a redirect needs the request body again, which was not kept: the call \
                         fails"
                    );
                    return Err(ErrorCode::BadAnswer.into());
                }
                Some(next) => {
                    call = Arc::new(next);
                    hops += 1;
                }
            }
        }
    }

    /// One attempt. If the answer may set a new session cookie, a task of its own waits for it, so
    /// that the cookie is kept even if the page that asked has gone.
    async fn send(
        self: &Arc<Self>,
        call: &Arc<ApiCall>,
        payload: ApiPayload,
        caller: &Caller,
        attempt: u32,
    ) -> Result<Response, AuthError> {
        let backend = &self.context.backend;
        let with_api = backend.profile().cookies.with_api;
        if !with_api || caller.bearer.is_none() {
            return Ok(backend
                .api(call, payload, &caller.credentials, attempt)
                .await?);
        }
        let (me, call, caller) = (self.clone(), call.clone(), caller.clone());
        let sent = tokio::spawn(async move {
            let backend = &me.context.backend;
            let mut response = backend
                .api(&call, payload, &caller.credentials, attempt)
                .await?;
            me.save_new_cookies(caller.epoch, &mut response).await;
            Ok::<_, BackendError>(response)
        });
        match sent.await {
            Ok(response) => Ok(response?),
            Err(_) => Err(ErrorCode::Internal.into()),
        }
    }

    /// Keeps the session cookies that an answer to a call sets, before the answer is used: at some
    /// backends a change of the password or of the second factor gives out a new session cookie and
    /// ends the one before. A deletion is ignored, because only a refresh decides whether a session
    /// is over.
    async fn save_new_cookies(&self, epoch: Epoch, response: &mut Response) {
        let context = &self.context;
        if !response.status().is_success() {
            return;
        }
        let changes = response.take_refresh_changes();
        let set = |change: &RefreshChange| matches!(change, RefreshChange::Set(_));
        let set: Vec<_> = changes.into_iter().filter(set).collect();
        if set.is_empty() {
            return;
        }
        // Excludes the rotations of other processes. A rotation of this process compares
        // generations and so notices the change.
        let locks = context.lock.both_locks(ROTATION_LOCK_TIMEOUT).await;
        if locks.rotation_lock.is_none() {
            tracing::warn!(
                "a new session cookie is not kept: another process holds the rotation lock"
            );
            return;
        }
        if !matches!(
            self.reconcile.run(epoch).await,
            Ok(Reconciled::TokenHeld { .. })
        ) {
            return;
        }
        let Some((session, generation, before)) = context.shared.in_epoch(epoch).and_then(|at| {
            let held = at.session.as_ref()?;
            Some((held.id, held.generation, held.token.clone()?))
        }) else {
            return;
        };
        let mut token = before.clone();
        token.apply(set);
        if token == before {
            return;
        }
        let next = generation.next();
        if !self.keeper.save_token(epoch, session, next, &token).await {
            return;
        }
        let Some((record, keyring)) = context.shared.in_epoch(epoch).and_then(|at| {
            let held = at.session.as_ref()?;
            let until_quit = at.keyring.lasts_until_quit();
            let record = context
                .persistence
                .record(held, RotationPhase::Idle, until_quit);
            Some((record, at.keyring))
        }) else {
            return;
        };
        let durability = match keyring {
            KeyringStatus::Saved => Durability::Unsynced,
            _ => Durability::Synced,
        };
        let persist = Persist::Record(Box::new(record), durability);
        let kept = |inner: &mut Inner, _: bool| Event::Remembered(inner.keyring.remembers());
        let _ = context
            .commit
            .commit(epoch, persist, Cause::Storage, kept)
            .await;
    }

    /// The caller with a new token, after its token was refused; `None` if the refusal is the
    /// answer. A call that one user made is never repeated as another user.
    async fn renew(&self, epoch: Epoch, refused: &AccessId) -> Result<Option<Caller>, AuthError> {
        let reason = RefreshReason::Call(Some(*refused));
        match self.refresh.refresh(epoch, reason).await {
            Ok(()) => {}
            Err(error) if error.code == ErrorCode::SessionEnded => return Err(error),
            // The backend's own answer says more than our failed refresh.
            Err(_) => return Ok(None),
        }
        let at = self.context.shared.in_epoch(epoch);
        let caller = at.map(|at| self.caller_at(&at));
        Ok(caller.filter(|caller| caller.bearer.is_some()))
    }

    /// The caller of a call that begins now: the user who is signed in, or nobody.
    fn readiness(&self, margin: Duration) -> CallerReadiness {
        let shared = &self.context.shared;
        let now = shared.now();
        shared.look(|inner| {
            let held = inner.session.as_ref();
            let access = held.and_then(|held| held.access.as_ref());
            let is_ready = match access {
                Some(access) => !access.ends_within(margin, now),
                // A keyring that could not be read may hold a session, so it is not known yet that
                // nobody is signed in.
                None => !inner.may_be_refreshed(),
            };
            match is_ready {
                true => CallerReadiness::Ready(Box::new(self.caller_at(inner))),
                false => CallerReadiness::NeedsRefresh {
                    epoch: inner.epoch(),
                    bearer: access.map(|access| access.id),
                    is_spent: access.is_none_or(|access| access.is_spent(now)),
                },
            }
        })
    }

    /// The caller with an access token that is valid for long enough, after a refresh if one is
    /// needed. All attempts of the call keep this caller.
    async fn caller(&self, readiness: CallerReadiness) -> Result<Caller, AuthError> {
        let shared = &self.context.shared;
        let (began, bearer, is_spent) = match readiness {
            CallerReadiness::Ready(caller) => return Ok(*caller),
            CallerReadiness::NeedsRefresh {
                epoch,
                bearer,
                is_spent,
            } => (epoch, bearer, is_spent),
        };
        let refreshed = self
            .refresh
            .refresh(began, RefreshReason::Call(bearer))
            .await;
        let (epoch, refreshed) = match mutant!("without.bearers_session") {
            true => (shared.look(Inner::epoch), Ok(())),
            false => (began, refreshed),
        };
        let at = shared.in_epoch(epoch);
        let is_nobody = at.as_ref().is_some_and(|at| at.state().is_signed_out());
        match refreshed {
            // The refresh found that nobody is signed in.
            Err(error) if error.code == ErrorCode::NotSignedIn && is_nobody => {}
            // While the token still works, a failed refresh does not matter.
            Err(error) if is_spent || error.code == ErrorCode::SessionEnded => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let at = at.ok_or(ErrorCode::NotSignedIn)?;
        let now = self.caller_at(&at);
        match now.bearer.is_some() || is_nobody {
            true => Ok(now),
            false => Err(ErrorCode::NotSignedIn.into()),
        }
    }

    /// Who calls now, with what its calls carry: copied once for each call, while all others wait.
    fn caller_at(&self, inner: &Inner) -> Caller {
        let held = inner.session.as_ref();
        let access = held.and_then(|held| held.access.as_ref());
        // Without an access token nobody is signed in, so the call carries no session cookies.
        let with_cookies = self.context.backend.profile().cookies.with_api && access.is_some();
        let token = held.filter(|_| with_cookies);
        Caller {
            epoch: inner.epoch(),
            bearer: access.map(|access| access.id),
            credentials: CallCredentials {
                access: access.and_then(|access| access.token.bearer().cloned()),
                token: token.and_then(|held| held.token.clone()),
                device: held.map_or(&inner.device, |held| &held.device).clone(),
                jar: inner.jar().clone(),
            },
        }
    }
}

/// What a call needs that begins now.
enum CallerReadiness {
    /// Nothing: this is its caller.
    Ready(Box<Caller>),
    /// The session of this epoch is to be refreshed first.
    NeedsRefresh {
        epoch: Epoch,
        bearer: Option<AccessId>,
        /// The access token has expired, or there is none.
        is_spent: bool,
    },
}

/// As which user a call is made, from its first attempt to its last.
#[derive(Clone)]
struct Caller {
    epoch: Epoch,
    /// The access token that the call carries; `None` if nobody is signed in.
    bearer: Option<AccessId>,
    credentials: CallCredentials,
}

/// Where the body of each attempt comes from.
enum BodySource {
    None,
    InMemory(Bytes),
    Streamed {
        first: Option<ApiPayload>,
        replay: Option<BodyReplay>,
    },
}

impl BodySource {
    /// Whether a further attempt can have the body too.
    fn can_replay(&self) -> bool {
        match self {
            Self::None | Self::InMemory(_) => true,
            Self::Streamed { replay, .. } => replay.is_some(),
        }
    }

    async fn next(&mut self) -> Result<ApiPayload, AuthError> {
        match self {
            Self::None => Ok(ApiPayload::none()),
            Self::InMemory(bytes) => Ok(ApiPayload::in_memory(bytes.clone())),
            Self::Streamed { first, replay } => match (first.take(), replay) {
                (Some(first), _) => Ok(first),
                (None, Some(replay)) => replay.request().await,
                (None, None) => Err(ErrorCode::Internal.into()),
            },
        }
    }
}

impl Access {
    fn ends_within(&self, margin: Duration, now: SinceBoot) -> bool {
        let lifetime = schedule::believed(self.token.lifetime);
        now.saturating_sub(self.received) + margin.min(lifetime / 4) >= lifetime
    }
}
