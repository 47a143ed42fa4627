//! What one refresh is made with, and what comes of one whose session has ended meanwhile.

use super::commit::Overtaken;
use super::epoch::Epoch;
use super::inner::Shared;
use super::refresh_reason::{RefreshOutcome, RefreshReason};
use crate::clock::SinceBoot;
use crate::cookies::Jar;
use crate::device::Device;
use crate::identity::{Generation, SessionId};
use crate::secrets::Secret;
use crate::token::RefreshToken;

/// What one request carries, and for which session it is made.
#[derive(Clone)]
pub(super) struct RefreshAttempt {
    pub epoch: Epoch,
    pub session: SessionId,
    pub jar: Jar,
    pub generation: Generation,
    pub token: RefreshToken,
    pub access: Option<Secret>,
    pub device: Device,
    /// When it was asked for.
    pub asked: SinceBoot,
    pub reason: RefreshReason,
    pub new_connection: bool,
}

/// The outcome of a refresh whose session a sign-in or a sign-out has ended: a success if there is
/// a session now that calls can be made with.
pub(super) fn superseded(shared: &Shared) -> RefreshOutcome {
    match shared.look(|inner| inner.access_id().is_some()) {
        true => Ok(()),
        false => Err(Overtaken.into()),
    }
}
