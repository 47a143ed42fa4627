//! Calls to the adopter's API with the user's session: the token is attached here and goes
//! no further up. A 401 is answered by one refresh and one replay; redirects are followed
//! within the backend, a few of them.

use std::time::Duration;

use bytes::Bytes;

use super::rotate::Asked;
use super::upload::{Again, Upload};
use super::{Access, Held, Session};
use crate::backend::{ApiCall, ApiPayload, Carried, Download, Head, Turn};
use crate::clock::SinceBoot;
use crate::cookies::Era;
use crate::error::{AuthError, ErrorCode};
use crate::schedule;
use crate::vault::Stamp;
use crate::wire::{FetchReply, FetchRequest, UploadRequest};

/// The largest body that is kept for a replay.
const KEPT: usize = 1024 * 1024;
/// The most places that an answer is looked for at.
const HOPS: usize = 5;
/// How much longer the token must live when a large body starts: its end in the middle would
/// cost all of it. At most a quarter of the token's life, so that short ones do as well.
const UPLOAD_MARGIN: Duration = Duration::from_secs(120);

impl Session {
    /// Sends `request` with the session's bearer and cookies, or without a bearer when
    /// nobody is signed in, and answers with the whole of a small answer.
    ///
    /// # Errors
    /// If the path is refused, if there is no answer, or if it is not a small text.
    pub async fn fetch(&self, request: FetchRequest) -> Result<FetchReply, AuthError> {
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
        &self,
        request: FetchRequest,
    ) -> Result<(FetchReply, Option<Download>), AuthError> {
        let FetchRequest {
            path,
            method,
            headers,
            body,
        } = request;
        let backend = &self.0.backend;
        let call = backend.api_call(&method, &path, &headers)?;
        let body = match body {
            None => Supply::None,
            Some(text) if text.len() > KEPT => return Err(ErrorCode::TooLarge.into()),
            Some(text) => Supply::Kept(crate::backend::wiped(text.into_bytes())),
        };
        let head = self.exchange(call, body, Duration::ZERO).await?;
        Ok(backend.api_answer(head).await?)
    }

    /// Begins a call whose body is given piece by piece. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// If the path is refused.
    pub fn upload(&self, request: &UploadRequest) -> Result<Upload, AuthError> {
        let UploadRequest {
            path,
            method,
            headers,
            length,
            replayable,
        } = request;
        let call = self.0.backend.api_call(method, path, headers)?;
        let (sender, first) = ApiPayload::fed(*length);
        let session = self.clone();
        Ok(Upload::start(sender, |steps| {
            let again = replayable.then(|| Again::new(steps, *length));
            let first = Some(first);
            async move {
                let supply = Supply::Fed { first, again };
                let head = session.exchange(call, supply, UPLOAD_MARGIN).await?;
                Ok(session.0.backend.api_answer(head).await?)
            }
        }))
    }

    async fn exchange(
        &self,
        mut call: ApiCall,
        mut body: Supply,
        margin: Duration,
    ) -> Result<Head, AuthError> {
        // Before the look at who is signed in: what is nobody's stays so.
        let era = self.0.backend.era();
        let mut bearer = self.bearer(margin).await?;
        let nobody = Carried {
            access: None,
            token: None,
            device: self.held().device.clone(),
            era,
        };
        let (mut attempt, mut hops, mut renewed) = (0, 0, false);
        loop {
            attempt += 1;
            let payload = match call.takes_body() {
                true => body.next().await?,
                false => ApiPayload::none(),
            };
            let carried = bearer.as_ref().map_or(&nobody, |bearer| &bearer.carried);
            let backend = &self.0.backend;
            let mut head = backend.api(&call, payload, carried, attempt).await?;
            if let Some(bearer) = &bearer {
                self.follow(bearer.stamp, &mut head).await;
            }
            if head.status() == 401
                && !renewed
                && let Some(refused) = &bearer
            {
                renewed = true;
                match self.renew(refused).await? {
                    Some(fresh) if !call.takes_body() || body.lasts() => {
                        bearer = Some(fresh);
                        continue;
                    }
                    _ => return Ok(head),
                }
            }
            match backend.api_turn(&mut call, &head)? {
                Turn::Answer => {
                    if head.status() == 403
                        && let Some(bearer) = &bearer
                    {
                        self.doubt_roles(bearer.stamp, bearer.serial);
                    }
                    return Ok(head);
                }
                Turn::On if hops == HOPS => {
                    tracing::warn!("a call is sent from place to place");
                    return Err(ErrorCode::BadAnswer.into());
                }
                Turn::On if call.takes_body() && !body.lasts() => {
                    tracing::warn!("a redirect wants a body that cannot be given again");
                    return Err(ErrorCode::BadAnswer.into());
                }
                Turn::On => hops += 1,
            }
        }
    }

    /// The token after one that was refused; `None` where the refusal is the answer.
    async fn renew(&self, refused: &Bearer) -> Result<Option<Bearer>, AuthError> {
        match self.fly(Asked::Call(refused.serial)).await {
            Ok(()) => {}
            Err(error) if error.code == ErrorCode::SessionEnded => return Err(error),
            // The backend's own answer says more than our failed refresh.
            Err(_) => return Ok(None),
        }
        // What one person asked for is not repeated in the name of another.
        let fresh = self.bearer_now();
        Ok(fresh.filter(|fresh| fresh.stamp == refused.stamp))
    }

    /// The access token, renewed first if it does not live for `margin`; `None` when nobody
    /// is signed in.
    async fn bearer(&self, margin: Duration) -> Result<Option<Bearer>, AuthError> {
        let (serial, spent) = {
            let now = self.now();
            let held = self.held();
            match &held.access {
                Some(access) if !access.ends_within(margin, now) => {
                    return Ok(held.bearer(self.0.backend.era()));
                }
                // A keyring that could not be read may hold a session: that is not nobody.
                _ if held.token.is_none() && !held.unread => return Ok(None),
                access => (
                    held.access_serial(),
                    access.as_ref().is_none_or(|access| access.is_spent(now)),
                ),
            }
        };
        match self.fly(Asked::Call(serial)).await {
            // A token that still works is no worse for a refresh that did not.
            Err(error) if spent || error.code == ErrorCode::SessionEnded => Err(error),
            Ok(()) | Err(_) => Ok(self.bearer_now()),
        }
    }

    fn bearer_now(&self) -> Option<Bearer> {
        let held = self.held();
        held.bearer(self.0.backend.era())
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

/// What a call goes out with.
struct Bearer {
    stamp: Stamp,
    serial: u64,
    carried: Carried,
}

impl Held {
    /// To be asked under one lock with the `era` of the backend's cookies.
    fn bearer(&self, era: Era) -> Option<Bearer> {
        self.access.as_ref().map(|access| Bearer {
            stamp: self.stamp,
            serial: access.serial,
            carried: Carried {
                access: access.token.token.clone(),
                token: self.token.clone(),
                device: self.device.clone(),
                era,
            },
        })
    }
}

impl Access {
    fn ends_within(&self, margin: Duration, now: SinceBoot) -> bool {
        let life = schedule::believed(self.token.life);
        now.saturating_sub(self.received) + margin.min(life / 4) >= life
    }
}
