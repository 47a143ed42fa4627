//! The list of the account's sessions, and the end of sessions in it.

use std::time::Duration;

use super::api::ApiCall;
use super::client::Backend;
use super::error::BackendError;
use super::response::Response;
use super::response_body::{LIST, ResponseBody};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::profile::Endpoint;
use crate::response_fields::ResponseFields;
use crate::secrets::Secret;
use crate::session_entries::{self, SessionEntries};
use crate::status::{self, Class, class, is_absent_endpoint};
use crate::token::RefreshToken;

/// How the backend took the end of a session that it had listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    /// It has ended the session.
    Done,
    /// Nothing is there: either the session is over, or the backend has no such call. The list says
    /// which it is.
    NothingThere,
}

impl Backend {
    /// The call that lists the sessions, if the backend has one.
    pub(crate) fn sessions_call(&self) -> Result<ApiCall, AuthError> {
        endpoint_of(self.profile().endpoints.sessions.get(), None)
    }

    /// The call that ends the session of this name, likewise.
    pub(crate) fn end_session_call(&self, handle: &Secret) -> Result<ApiCall, AuthError> {
        endpoint_of(self.profile().endpoints.end_session.get(), Some(handle))
    }

    /// The call that ends all sessions but this one, likewise.
    pub(crate) fn end_other_sessions_call(&self) -> Result<ApiCall, AuthError> {
        endpoint_of(self.profile().endpoints.end_other_sessions.get(), None)
    }

    /// Asks for the list of sessions, once: an app's session also refreshes its token for that. The
    /// doctor checks a profile with it.
    ///
    /// # Errors
    /// If the profile has no such endpoint, or there is no answer.
    pub async fn list_sessions(
        &self,
        access: Option<&Secret>,
        token: &RefreshToken,
        device: &Device,
    ) -> Result<Response, AuthError> {
        let call = self.sessions_call()?;
        self.once(&call, access, token, device).await
    }

    /// Ends the session of this name, likewise.
    ///
    /// # Errors
    /// If the profile has no such endpoint, or there is no answer.
    pub async fn end_session(
        &self,
        handle: &Secret,
        access: Option<&Secret>,
        token: &RefreshToken,
        device: &Device,
    ) -> Result<Response, AuthError> {
        let call = self.end_session_call(handle)?;
        self.once(&call, access, token, device).await
    }

    /// The sessions in an answer. `own` is what the backend calls the session that asked, if it has said
    /// so.
    ///
    /// # Errors
    /// If the backend has refused, or the answer has no list.
    pub async fn session_entries(
        &self,
        answer: Response,
        own: Option<&Secret>,
    ) -> Result<SessionEntries, AuthError> {
        let status = answer.status();
        if !status.is_success() {
            let wait = answer.retry_after();
            let body = answer.body().await.ok();
            return Err(self.refused_call(status.as_u16(), wait, body.as_ref()));
        }
        let body = answer.body_within(LIST).await?;
        if body.is_anothers() {
            return Err(BackendError::Portal.into());
        }
        let fields = &self.profile().answer.sessions;
        let read = (body.json()).and_then(|body| session_entries::read(body, fields, own));
        read.ok_or_else(|| BackendError::of_answer(status, &body).into())
    }

    /// What the answer to the end of a session means.
    ///
    /// # Errors
    /// If the backend has refused.
    pub(crate) async fn session_end(&self, answer: Response) -> Result<SessionEnd, AuthError> {
        let (status, wait) = (answer.status().as_u16(), answer.retry_after());
        let is_success = answer.status().is_success();
        let calls_itself_page = answer.is_page();
        if is_success && !calls_itself_page {
            return Ok(SessionEnd::Done);
        }
        let body = answer.body().await.ok();
        if calls_itself_page && !body.as_ref().is_some_and(ResponseBody::is_no_page) {
            // A portal or a gateway sends web pages, also with the status of a success.
            return Err(BackendError::Portal.into());
        }
        match status {
            _ if is_success => Ok(SessionEnd::Done),
            410 => Ok(SessionEnd::NothingThere),
            status if is_absent_endpoint(status) => Ok(SessionEnd::NothingThere),
            _ => Err(self.refused_call(status, wait, body.as_ref())),
        }
    }

    /// The error of a refused call, with what the backend says of it.
    fn refused_call(
        &self,
        status: u16,
        wait: Option<Duration>,
        body: Option<&ResponseBody>,
    ) -> AuthError {
        let (mut code, obstacle) = status::api_failure(status);
        if is_absent_endpoint(status) {
            code = ErrorCode::Unsupported;
        }
        let error = match obstacle {
            Some(obstacle) => AuthError::with_message(code, obstacle.sentences()),
            None => code.into(),
        };
        let is_word = class(status) == Class::Refusal && code != ErrorCode::Unsupported;
        let profile = self.profile();
        let reply =
            (body.filter(|_| is_word)).and_then(|body| body.reply(profile, &profile.answer.me));
        match reply.as_ref().and_then(ResponseFields::message) {
            Some(said) => {
                let words = format!("{} The server says: “{said}”.", error.message);
                AuthError::with_message(code, words)
            }
            None => error,
        }
        .retry_after(wait)
    }
}

fn endpoint_of(
    endpoint: Option<&Endpoint>,
    listed_session: Option<&Secret>,
) -> Result<ApiCall, AuthError> {
    let endpoint = endpoint.ok_or(ErrorCode::Unsupported)?;
    Ok(ApiCall::Endpoint {
        endpoint: endpoint.clone(),
        listed_session: listed_session.cloned(),
    })
}
