//! Calls to the adopter's API with the user's session: the token is attached here and goes
//! no further up. A 401 is answered by one refresh and one replay; redirects are followed
//! within the backend, a few of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::base::Base;
use super::commit::Persist;
use super::epoch::{AccessId, Epoch};
use super::inner::{Access, Inner};
use super::keeping::Keyring;
use super::process_lock::ROTATION_LIMIT;
use super::reconcile::{Reconcile, Standing};
use super::record::Phase;
use super::refresh::{Refresh, RefreshReason};
use super::rights::Rights;
use super::token_keeper::TokenKeeper;
use super::upload::{Again, Upload};
use crate::backend::{ApiCall, ApiPayload, Carried, Download, Fault, Head, Turn};
use crate::clock::SinceBoot;
use crate::cookies::RefreshChange;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::without;
use crate::schedule;
use crate::state::Event;
use crate::status::{self, RequestKind};
use crate::storage::records::Durability;
use crate::wire::{Cause, FetchReply, FetchRequest, UploadRequest};

/// The largest body that is kept for a replay.
const KEPT: usize = 1024 * 1024;
/// The most places that an answer is looked for at.
const HOPS: usize = 5;
/// How much longer the token must live when a large body starts: its end in the middle would
/// cost all of it. At most a quarter of the token's life, so that short ones do as well.
const UPLOAD_MARGIN: Duration = Duration::from_secs(120);

/// Sends calls to the adopter's API in the name of whoever asked for them.
pub(super) struct ApiCalls {
    pub base: Arc<Base>,
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
    pub async fn fetch(self: &Arc<Self>, request: FetchRequest) -> Result<FetchReply, AuthError> {
        match self.call(request).await? {
            (reply, None) => Ok(reply),
            (_, Some(_)) => Err(ErrorCode::TooLarge.into()),
        }
    }

    /// The same with any answer: what does not come with the reply is to be read.
    ///
    /// # Errors
    /// If the path is refused or there is no answer.
    pub async fn call(
        self: &Arc<Self>,
        request: FetchRequest,
    ) -> Result<(FetchReply, Option<Download>), AuthError> {
        let FetchRequest {
            path,
            method,
            headers,
            body,
        } = request;
        let backend = &self.base.backend;
        let call = backend.api_call(&method, &path, &headers)?;
        let body = match body {
            None => Supply::None,
            Some(text) if text.len() > KEPT => return Err(ErrorCode::TooLarge.into()),
            Some(text) => Supply::Kept(crate::backend::wiped(text.into_bytes())),
        };
        let asked = self.asked(Duration::ZERO);
        let head = self.exchange(asked, call, body).await?;
        Ok(backend.api_answer(head).await?)
    }

    /// Begins a call whose body is given piece by piece. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// If the path is refused.
    pub fn upload(self: &Arc<Self>, request: &UploadRequest) -> Result<Upload, AuthError> {
        let UploadRequest {
            path,
            method,
            headers,
            length,
            replayable,
        } = request;
        let call = self.base.backend.api_call(method, path, headers)?;
        let (sender, first) = ApiPayload::fed(*length);
        // Here, and not in the task: until that runs somebody else may have signed in.
        let asked = self.asked(UPLOAD_MARGIN);
        let me = self.clone();
        Ok(Upload::start(sender, |steps| {
            let again = replayable.then(|| Again::new(steps, *length));
            let first = Some(first);
            async move {
                let supply = Supply::Fed { first, again };
                let head = me.exchange(asked, call, supply).await?;
                Ok(me.base.backend.api_answer(head).await?)
            }
        }))
    }

    async fn exchange(
        self: &Arc<Self>,
        asked: Asked,
        call: ApiCall,
        mut body: Supply,
    ) -> Result<Head, AuthError> {
        let mut call = Arc::new(call);
        let mut caller = self.caller(asked).await?;
        let (mut attempt, mut hops, mut renewed) = (0, 0, false);
        loop {
            attempt += 1;
            let payload = match call.takes_body() {
                true => body.next().await?,
                false => ApiPayload::none(),
            };
            let head = self.send(&call, payload, &caller, attempt).await?;
            let refusal = status::refusal(RequestKind::Api, head.status().as_u16());
            if refusal == Some(ErrorCode::SessionRefused)
                && !renewed
                && let Some(refused) = &caller.bearer
            {
                renewed = true;
                match self.renew(caller.epoch, refused).await? {
                    Some(fresh) if !call.takes_body() || body.lasts() => {
                        caller = fresh;
                        continue;
                    }
                    _ => return Ok(head),
                }
            }
            let mut next = (*call).clone();
            match self.base.backend.api_turn(&mut next, &head)? {
                Turn::Answer => {
                    if refusal == Some(ErrorCode::NotAllowed)
                        && let Some(bearer) = &caller.bearer
                    {
                        self.rights.doubt(caller.epoch, *bearer);
                    }
                    return Ok(head);
                }
                Turn::On if hops == HOPS => {
                    tracing::warn!("a call is sent from place to place");
                    return Err(ErrorCode::BadAnswer.into());
                }
                Turn::On if next.takes_body() && !body.lasts() => {
                    tracing::warn!("a redirect wants a body that cannot be given again");
                    return Err(ErrorCode::BadAnswer.into());
                }
                Turn::On => {
                    call = Arc::new(next);
                    hops += 1;
                }
            }
        }
    }

    /// One attempt. Where the answer may bring a new session cookie it is waited for in a task
    /// of its own: the page that asked may be gone by then, and the cookie counts all the same.
    async fn send(
        self: &Arc<Self>,
        call: &Arc<ApiCall>,
        payload: ApiPayload,
        caller: &Caller,
        attempt: u32,
    ) -> Result<Head, AuthError> {
        let backend = &self.base.backend;
        let with_api = backend.profile().cookies.with_api;
        if !with_api || caller.bearer.is_none() {
            return Ok(backend.api(call, payload, &caller.carried, attempt).await?);
        }
        let (me, call, caller) = (self.clone(), call.clone(), caller.clone());
        let sent = tokio::spawn(async move {
            let backend = &me.base.backend;
            let mut head = backend
                .api(&call, payload, &caller.carried, attempt)
                .await?;
            me.keep_new_session(caller.epoch, &mut head).await;
            Ok::<_, Fault>(head)
        });
        match sent.await {
            Ok(head) => Ok(head?),
            Err(_) => Err(ErrorCode::Internal.into()),
        }
    }

    /// Keeps the session cookies that an answer to a call sets, before anything else is done
    /// with it: at some backends a change of the password or of the second factor gives out a
    /// new session cookie and ends the one before. A deletion counts for nothing here: whether
    /// a session is over is for a refresh to say.
    async fn keep_new_session(&self, epoch: Epoch, head: &mut Head) {
        let base = &self.base;
        if !head.status().is_success() {
            return;
        }
        let changes = head.take_refresh_changes();
        let set = |change: &RefreshChange| matches!(change, RefreshChange::Set(_));
        let set: Vec<_> = changes.into_iter().filter(set).collect();
        if set.is_empty() {
            return;
        }
        // In turn with the rotations of other processes; one of this process finds out.
        let exclusive = base.lock.exclusive(ROTATION_LIMIT).await;
        if exclusive.right.is_none() {
            tracing::warn!("a new session cookie came while another process was busy");
            return;
        }
        if !matches!(self.reconcile.run(epoch).await, Ok(Standing::Held { .. })) {
            return;
        }
        let Some((session, generation, before)) = base.core.at(epoch).and_then(|at| {
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
        if !self.keeper.keep(epoch, session, next, &token).await {
            return;
        }
        let Some((record, keyring)) = base.core.at(epoch).and_then(|at| {
            let held = at.session.as_ref()?;
            let until_quit = at.keyring.lasts_until_quit();
            let record = base.persistence.record(held, Phase::Idle, until_quit);
            Some((record, at.keyring))
        }) else {
            return;
        };
        let durability = match keyring {
            Keyring::Saved => Durability::Unsynced,
            _ => Durability::Synced,
        };
        let persist = Persist::Record(Box::new(record), durability);
        let kept = |inner: &mut Inner, _: bool| Event::Remembered(inner.keyring.remembers());
        let _ = base
            .commit
            .commit(epoch, persist, Cause::Storage, kept)
            .await;
    }

    /// The caller after its token was refused; `None` where the refusal is the answer. What one
    /// person asked for is not repeated in the name of another.
    async fn renew(&self, epoch: Epoch, refused: &AccessId) -> Result<Option<Caller>, AuthError> {
        let reason = RefreshReason::Call(Some(*refused));
        match self.refresh.refresh(epoch, reason).await {
            Ok(()) => {}
            Err(error) if error.code == ErrorCode::SessionEnded => return Err(error),
            // The backend's own answer says more than our failed refresh.
            Err(_) => return Ok(None),
        }
        let caller = self.base.core.at(epoch).map(|at| Caller::of(&at));
        Ok(caller.filter(|caller| caller.bearer.is_some()))
    }

    /// In whose name a call is made that begins now: the user who is signed in, or nobody.
    fn asked(&self, margin: Duration) -> Asked {
        let core = &self.base.core;
        let now = core.now();
        core.look(|inner| {
            let held = inner.session.as_ref();
            let access = held.and_then(|held| held.access.as_ref());
            Asked {
                caller: Caller::of(inner),
                is_ready: match access {
                    Some(access) => !access.ends_within(margin, now),
                    // A keyring that could not be read may hold a session: that is not nobody.
                    None => !inner.may_be_refreshed(),
                },
                is_spent: access.is_none_or(|access| access.is_spent(now)),
            }
        })
    }

    /// The caller with an access token that lasts, renewed first where it has to be. All
    /// attempts of the call keep this caller.
    async fn caller(&self, asked: Asked) -> Result<Caller, AuthError> {
        let core = &self.base.core;
        let Asked {
            caller,
            is_ready,
            is_spent,
        } = asked;
        if is_ready {
            return Ok(caller);
        }
        let reason = RefreshReason::Call(caller.bearer);
        let refreshed = self.refresh.refresh(caller.epoch, reason).await;
        let (epoch, refreshed) = match without!("without.bearers_session") {
            true => (core.look(Inner::epoch), Ok(())),
            false => (caller.epoch, refreshed),
        };
        let at = core.at(epoch);
        let is_nobody = at.as_ref().is_some_and(|at| at.state().is_signed_out());
        match refreshed {
            // It has turned out that nobody was ever signed in.
            Err(error) if error.code == ErrorCode::NotSignedIn && is_nobody => {}
            // A token that still works is no worse for a refresh that did not.
            Err(error) if is_spent || error.code == ErrorCode::SessionEnded => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let now = at.map(|at| Caller::of(&at)).ok_or(ErrorCode::NotSignedIn)?;
        match now.bearer.is_some() || is_nobody {
            true => Ok(now),
            false => Err(ErrorCode::NotSignedIn.into()),
        }
    }
}

/// Who asked for a call, as it was when they did.
struct Asked {
    caller: Caller,
    /// The access token lasts as long as the call needs it.
    is_ready: bool,
    /// It does not work any more, or there is none.
    is_spent: bool,
}

/// In whose name a call is made, from its first attempt to its last.
#[derive(Clone)]
struct Caller {
    epoch: Epoch,
    /// The access token it goes out with; nobody's call has none.
    bearer: Option<AccessId>,
    carried: Carried,
}

impl Caller {
    fn of(inner: &Inner) -> Self {
        let held = inner.session.as_ref();
        let access = held.and_then(|held| held.access.as_ref());
        let token = held.and_then(|held| held.token.clone());
        Self {
            epoch: inner.epoch(),
            bearer: access.map(|access| access.id),
            carried: Carried {
                access: access.and_then(|access| access.token.token.clone()),
                // Without an access token it is nobody's call.
                token: token.filter(|_| access.is_some()),
                device: held.map_or(&inner.device, |held| &held.device).clone(),
                jar: inner.jar().clone(),
            },
        }
    }
}

/// What a call's body is taken from, once for each attempt.
enum Supply {
    None,
    Kept(Bytes),
    Fed {
        first: Option<ApiPayload>,
        again: Option<Again>,
    },
}

impl Supply {
    /// Whether there is another after this one.
    fn lasts(&self) -> bool {
        match self {
            Self::None | Self::Kept(_) => true,
            Self::Fed { again, .. } => again.is_some(),
        }
    }

    async fn next(&mut self) -> Result<ApiPayload, AuthError> {
        match self {
            Self::None => Ok(ApiPayload::none()),
            Self::Kept(bytes) => Ok(ApiPayload::kept(bytes.clone())),
            Self::Fed { first, again } => match (first.take(), again) {
                (Some(first), _) => Ok(first),
                (None, Some(again)) => again.ask().await,
                (None, None) => Err(ErrorCode::Internal.into()),
            },
        }
    }
}

impl Access {
    fn ends_within(&self, margin: Duration, now: SinceBoot) -> bool {
        let life = schedule::believed(self.token.life);
        now.saturating_sub(self.received) + margin.min(life / 4) >= life
    }
}
