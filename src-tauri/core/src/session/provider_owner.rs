//! Whose the tokens of a provider's refresh are. A session stays its owner's: OpenID Connect Core §12.2
//! wants the issuer and the subject of the sign-in in the ID token of each refresh.

use std::time::SystemTime;

use crate::backend::{Backend, BackendError, ProviderFault};
use crate::device::Device;
use crate::response_fields::AccessToken;
use crate::token::ProviderToken;
use crate::wire::User;

/// The owner of tokens that a provider has just given out.
pub(super) struct ProviderOwner<'a> {
    /// The id of who has signed in, once that is known.
    pub known: Option<&'a str>,
    /// The refresh token that has brought them.
    pub held: &'a ProviderToken,
    pub access: &'a AccessToken,
    pub device: &'a Device,
}

impl ProviderOwner<'_> {
    /// The owner as the provider has them now; `None` leaves them as they were before.
    ///
    /// # Errors
    /// If the ID token does not pass its checks, or names somebody else, so that the tokens must not be
    /// used. Also if the session has no known user yet and the provider names none.
    pub(super) async fn confirm(
        &self,
        backend: &Backend,
        now: SystemTime,
    ) -> Result<Option<User>, BackendError> {
        let id_token = self.access.id_token.as_ref();
        if self.known.is_some() && id_token.is_none() {
            return Ok(None);
        }
        let access = self.access.token.as_ref();
        let told = backend.provider_user(self.held, access, id_token, self.device, now);
        match told.await {
            Ok(user) if self.known.is_some_and(|known| known != user.id) => {
                tracing::error!(
                    "a refresh has brought somebody else's tokens: they are not used, and the session is \
                     refreshed again"
                );
                Err(BackendError::BadAnswer)
            }
            Ok(user) => Ok(Some(user)),
            Err(fault) => self.unknown(fault),
        }
    }

    /// What a refresh does when the provider has named no user: it keeps the user that the session has. It
    /// fails if the session has none yet, if the provider's answer failed its checks, or if the provider is
    /// another one by now.
    pub(super) fn unknown(&self, fault: ProviderFault) -> Result<Option<User>, BackendError> {
        let is_trusted = !matches!(
            fault,
            ProviderFault::Untrusted(_) | ProviderFault::Backend(BackendError::ProviderMoved)
        );
        if self.known.is_some() && is_trusted {
            tracing::warn!(
                ?fault,
                "the provider was asked for the user and gave none: the user is shown as before"
            );
            return Ok(None);
        }
        Err(fault.into())
    }
}
