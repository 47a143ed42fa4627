//! The sessions that the doctor has opened, with their newest tokens, so that every one of them is
//! signed out at the end, also when the examination was interrupted.

use std::time::Duration;

use vestibule_core::backend::{Backend, Recorder};
use vestibule_core::{AccessToken, Device, RefreshToken, Secret};

/// How long the sign-outs at the end may take together.
const SIGN_OUT_LIMIT: Duration = Duration::from_secs(15);

/// One of the [`OpenSessions`].
#[derive(Clone, Copy)]
pub(crate) struct SessionId(usize);

#[derive(Clone)]
pub(crate) struct OpenSession {
    pub token: RefreshToken,
    /// What a sign-out goes out with, or revokes.
    pub access: Option<Secret>,
    /// What calls of the API carry.
    pub bearer: Option<Secret>,
    /// The device that the sign-in named.
    pub device: Device,
    /// What the backend calls it in the list of sessions, if the sign-in has said so.
    pub listed_as: Option<Secret>,
    is_over: bool,
}

#[derive(Default)]
pub(crate) struct OpenSessions(Vec<OpenSession>);

impl OpenSessions {
    /// Adds a session, or a token that may be alive.
    pub(crate) fn add(
        &mut self,
        token: RefreshToken,
        access: Option<Secret>,
        device: &Device,
    ) -> SessionId {
        self.0.push(OpenSession {
            token,
            bearer: access.clone(),
            access,
            device: device.clone(),
            listed_as: None,
            is_over: false,
        });
        SessionId(self.0.len() - 1)
    }

    pub(crate) fn get(&self, id: SessionId) -> &OpenSession {
        &self.0[id.0]
    }

    /// Keeps what the backend calls the session.
    pub(crate) fn name(&mut self, id: SessionId, listed_as: Option<Secret>) {
        self.0[id.0].listed_as = listed_as;
    }

    /// Keeps the refresh token that a refresh gave the session.
    pub(crate) fn rotate(&mut self, id: SessionId, token: RefreshToken) {
        self.0[id.0].token = token;
    }

    /// Keeps the tokens that a sign-in or a refresh gave the session.
    pub(crate) fn renew(&mut self, id: SessionId, token: RefreshToken, access: &AccessToken) {
        let session = &mut self.0[id.0];
        session.token = token;
        session.access = access.token.clone();
        session.bearer = access.bearer().cloned();
    }

    /// The session has ended: it needs no sign-out.
    pub(crate) fn end(&mut self, id: SessionId) {
        self.0[id.0].is_over = true;
    }

    /// Whether the session has ended.
    pub(crate) fn is_over(&self, id: SessionId) -> bool {
        self.0[id.0].is_over
    }

    /// Whether no session is left to sign out.
    pub(crate) fn all_over(&self) -> bool {
        self.0.iter().all(|session| session.is_over)
    }

    /// Signs out every session that is not over. Answers for how many the backend has not
    /// confirmed the end.
    pub(crate) async fn sign_out_all(&mut self, backend: &Backend, recorder: &Recorder) -> usize {
        let mut unconfirmed = 0;
        let all = async {
            for session in self.0.iter_mut().filter(|session| !session.is_over) {
                let access = session.access.as_ref();
                let mark = recorder.count();
                let answer = backend.logout(&session.token, access, &session.device);
                if answer.await.is_err() {
                    // A backend that fails at one sign-out would fail at the next, and each may
                    // take as long as a request may.
                    return;
                }
                session.is_over = true;
                // The app believes a 401 or 404: there was no session to end. The doctor has just
                // opened this one, so it does not.
                let seen = recorder.since(mark);
                let status = seen.last().and_then(|exchange| exchange.status);
                if !matches!(status, Some(200..=299)) {
                    unconfirmed += 1;
                }
            }
        };
        let _ = tokio::time::timeout(SIGN_OUT_LIMIT, all).await;
        unconfirmed + self.0.iter().filter(|session| !session.is_over).count()
    }
}
