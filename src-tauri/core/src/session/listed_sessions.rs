//! The list of the account's sessions, for a window to show and to end sessions by.
//!
//! Some backends name a session by its token, so what a backend calls one stays here. A window gets an
//! id of ours for each, which stays the same for as long as the session is listed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::api_call::ApiCalls;
use super::context::Context;
use super::epoch::Epoch;
use super::sign_out::SignOut;
use crate::backend::SessionEnd;
use crate::error::{AuthError, ErrorCode};
use crate::identity::ListedSessionId;
use crate::published::Unpublished;
use crate::response_fields::AccessToken;
use crate::secrets::Secret;
use crate::session_entries::{SessionEntries, SessionEntry};
use crate::wire::{ListedSession, SessionList};

/// Lists the sessions of the account, and ends them.
pub(super) struct ListedSessions {
    context: Arc<Context>,
    calls: Arc<ApiCalls>,
    sign_out: Arc<SignOut>,
    /// Held while the list is read, so that one answer is in memory at a time: it may be long.
    reading: tokio::sync::Mutex<()>,
    last_read: Mutex<LastRead>,
}

/// The list as it was last read.
#[derive(Default)]
struct LastRead {
    /// Of whose session.
    epoch: Option<Epoch>,
    sessions: Vec<KnownSession>,
}

#[derive(Clone)]
struct KnownSession {
    id: ListedSessionId,
    /// What the backend calls it.
    handle: Secret,
    is_own: bool,
}

impl ListedSessions {
    pub(super) fn new(context: Arc<Context>, calls: Arc<ApiCalls>, sign_out: Arc<SignOut>) -> Self {
        Self {
            context,
            calls,
            sign_out,
            reading: tokio::sync::Mutex::default(),
            last_read: Mutex::default(),
        }
    }

    /// Asks the backend for the list.
    ///
    /// # Errors
    /// If the backend has no list, or the list could not be read.
    pub(super) async fn list(&self) -> Result<SessionList, AuthError> {
        let call = self.context.backend.sessions_call()?;
        let _reading = self.reading.lock().await;
        let (epoch, answer) = self.calls.endpoint(call).await?;
        let (own, secrets) = self.own(epoch)?;
        let read = (self.context.backend.session_entries(answer, own.as_ref())).await?;
        self.log_left_out(&read);
        let handles = read.sessions.iter().map(|one| &one.handle);
        let secrets = secrets.and_all(handles);
        let left_out = u32::try_from(read.left_out.count()).unwrap_or(u32::MAX);
        let ids = self.remember(epoch, &read.sessions)?;
        let listed = ids.into_iter().zip(read.sessions);
        Ok(SessionList {
            sessions: listed.map(|(id, one)| shown(id, one, &secrets)).collect(),
            left_out,
        })
    }

    /// Ends a session of the list as it was last read. The one of this window is signed out.
    ///
    /// # Errors
    /// If the list has no such session, or the backend did not end it.
    pub(super) async fn end(&self, id: ListedSessionId) -> Result<(), AuthError> {
        let Some((listed_in, session)) = self.known(id) else {
            return Err(ErrorCode::UnknownSession.into());
        };
        if session.is_own {
            self.sign_out.run_by_person().await;
            return Ok(());
        }
        let backend = &self.context.backend;
        let call = backend.end_session_call(&session.handle)?;
        let (epoch, answer) = self.calls.endpoint(call).await?;
        match backend.session_end(answer).await? {
            SessionEnd::Done => Ok(()),
            SessionEnd::NothingThere if epoch == listed_in => {
                self.list().await?;
                match self.known(id) {
                    None => Ok(()),
                    Some(_) => Err(ErrorCode::Unsupported.into()),
                }
            }
            SessionEnd::NothingThere => Err(ErrorCode::UnknownSession.into()),
        }
    }

    /// Ends all sessions of the account but this one.
    ///
    /// # Errors
    /// If the backend did not end them.
    pub(super) async fn end_others(&self) -> Result<(), AuthError> {
        let backend = &self.context.backend;
        let call = backend.end_other_sessions_call()?;
        let (_, answer) = self.calls.endpoint(call).await?;
        match backend.session_end(answer).await? {
            SessionEnd::Done => Ok(()),
            SessionEnd::NothingThere => Err(ErrorCode::Unsupported.into()),
        }
    }

    /// What the backend calls the session of `epoch`, and its secrets.
    fn own(&self, epoch: Epoch) -> Result<(Option<Secret>, Unpublished), AuthError> {
        let at = self.context.shared.in_epoch(epoch);
        let held = at.as_ref().and_then(|at| at.session.as_ref());
        let held = held.ok_or(ErrorCode::NotSignedIn)?;
        let access = held.access.as_ref().map(|access| &access.token);
        let own = access.and_then(|access| access.session_id.clone());
        let secrets = Unpublished::of(access.into_iter().flat_map(AccessToken::secrets));
        let secrets = match &held.token {
            Some(token) => secrets.and(token),
            None => secrets,
        };
        Ok((own, secrets))
    }

    /// Remembers the list, and gives each session its id: the one that it had before, or a new one.
    fn remember(
        &self,
        epoch: Epoch,
        sessions: &[SessionEntry],
    ) -> Result<Vec<ListedSessionId>, AuthError> {
        let mut last = self.last_read();
        if !self.context.is_current(epoch) {
            *last = LastRead::default();
            return Err(ErrorCode::NotSignedIn.into());
        }
        let before = match last.epoch == Some(epoch) {
            true => std::mem::take(&mut last.sessions),
            false => Vec::new(),
        };
        let known = |session: &SessionEntry| {
            let before = before.iter().find(|one| one.handle == session.handle);
            KnownSession {
                id: before.map_or_else(ListedSessionId::new, |one| one.id),
                handle: session.handle.clone(),
                is_own: session.is_own,
            }
        };
        *last = LastRead {
            epoch: Some(epoch),
            sessions: sessions.iter().map(known).collect(),
        };
        Ok(last.sessions.iter().map(|one| one.id).collect())
    }

    /// A session of the list as it was last read, if nobody has signed in or out since.
    fn known(&self, id: ListedSessionId) -> Option<(Epoch, KnownSession)> {
        let last = self.last_read();
        let epoch = last.epoch.filter(|epoch| self.context.is_current(*epoch))?;
        let found = last.sessions.iter().find(|one| one.id == id)?;
        Some((epoch, found.clone()))
    }

    fn last_read(&self) -> MutexGuard<'_, LastRead> {
        self.last_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn log_left_out(&self, read: &SessionEntries) {
        let left_out = read.left_out;
        if left_out.count() > 0 {
            tracing::warn!(
                shown = read.sessions.len(),
                nameless = left_out.nameless,
                repeated = left_out.repeated,
                beyond = left_out.beyond,
                "some sessions of the backend's list are not shown: `answer.sessions.id` finds no \
                 name of them, or the same one twice, or they are too many"
            );
        }
    }
}

/// What a window sees of a session.
fn shown(id: ListedSessionId, session: SessionEntry, secrets: &Unpublished) -> ListedSession {
    let text = |text: Option<String>| text.and_then(|text| secrets.text(text));
    ListedSession {
        id,
        name: text(session.name),
        browser: text(session.browser),
        os: text(session.os),
        user_agent: text(session.user_agent),
        address: text(session.address),
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
        current: session.is_own,
    }
}
