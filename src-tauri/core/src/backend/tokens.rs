//! The tokens in an answer, as the profile says where they are.

use std::time::SystemTime;

use crate::profile::{ApiToken, Profile};
use crate::response_fields::{AccessToken, ResponseFields};
use crate::token::{BodyToken, RefreshToken};

/// The refresh token in an answer's body or headers. Where one token serves as both, the answer
/// may hold it as the access token.
pub(super) fn refresh(
    profile: &Profile,
    reply: &ResponseFields<'_>,
    now: SystemTime,
) -> Option<BodyToken> {
    let own = reply.refresh_token(now);
    if own.is_some() || !profile.session.single_token {
        return own;
    }
    let token = reply.access_token(now)?.token?;
    Some(BodyToken {
        token,
        expires: None,
    })
}

/// What calls of the API carry after this answer; `None` if an access token should be in it and
/// is not. `token` is the refresh token with the changes of this answer.
pub(super) fn access(
    profile: &Profile,
    reply: &ResponseFields<'_>,
    token: &RefreshToken,
    now: SystemTime,
) -> Option<AccessToken> {
    let found = reply.access_token(now);
    if !profile.session.single_token {
        return found;
    }
    let lifetime = found.and_then(|access| access.lifetime);
    Some(AccessToken {
        token: token.body().cloned(),
        lifetime,
        session_id: reply.session_id(),
        id_token: None,
        carried: ApiToken::AccessToken,
    })
}
