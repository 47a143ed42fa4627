//! Which tokens a provider may take back together.
//!
//! A person allows an app once, and every sign-in by the browser adds tokens to that one grant. When the app
//! revokes one of them, the provider may revoke the whole grant (RFC 7009 §2.1); Google, Auth0 and Keycloak
//! do. So the tokens of a session that is over are not revoked while another session of the same person at
//! the same provider is in use, in this account or in another one of the installation: that one would end
//! with its next refresh. They end with their own time, or with the grant when the person signs out of the
//! last of them.

use url::Url;

use crate::token::RefreshToken;

/// The grant of a session that is in use.
#[derive(Clone)]
pub struct GrantInUse {
    /// The token endpoint; `None` while the token is in a keyring that was not read.
    endpoint: Option<Url>,
    user: Option<String>,
}

/// Whether a token is of a grant in use. Of several answers the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SharesGrant {
    No,
    /// Not before the keyring was read.
    Untold,
    Yes,
}

impl GrantInUse {
    /// The grant of a session with this token; `None` where no provider renews it.
    pub(super) fn of(token: Option<&RefreshToken>, user: Option<&str>) -> Option<Self> {
        let endpoint = match token {
            Some(token) => Some(token.provider()?.endpoint.clone()),
            None => None,
        };
        Some(Self {
            endpoint,
            user: user.map(str::to_owned),
        })
    }

    /// The grant of a session whose record names this token endpoint and this user.
    pub(super) fn recorded(endpoint: Url, user: Option<String>) -> Self {
        Self {
            endpoint: Some(endpoint),
            user,
        }
    }

    /// Whether it is known at which provider it is.
    pub(crate) fn is_told(&self) -> bool {
        self.endpoint.is_some()
    }

    /// Whether this token of this user is of the grant too. A user who is not known may be the same: a
    /// token that stays valid for its time harms less than the end of the session in use.
    pub(super) fn is_shared_by(&self, token: &RefreshToken, user: Option<&str>) -> SharesGrant {
        let Some(provider) = token.provider() else {
            return SharesGrant::No;
        };
        match (self.user.as_deref(), user) {
            (Some(own), Some(other)) if own != other => return SharesGrant::No,
            _ => {}
        }
        match &self.endpoint {
            None => SharesGrant::Untold,
            Some(own) if own.origin() == provider.endpoint.origin() => SharesGrant::Yes,
            Some(_) => SharesGrant::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;
    use crate::token::{BodyToken, ProviderToken};

    fn at(endpoint: &str) -> RefreshToken {
        RefreshToken::of_provider(ProviderToken {
            token: Secret::new("t"),
            endpoint: Url::parse(endpoint).expect("an address"),
            revocation_origins: Vec::new(),
            expires: None,
        })
    }

    #[test]
    fn only_tokens_of_one_person_at_one_provider_share_a_grant() {
        let (here, there) = (at("https://a.example/token"), at("https://b.example/token"));
        let ada = GrantInUse::of(Some(&here), Some("ada")).expect("a grant");
        for (token, user, shares) in [
            (&here, Some("ada"), SharesGrant::Yes),
            (&at("https://a.example/v2/token"), None, SharesGrant::Yes),
            (&here, Some("grace"), SharesGrant::No),
            (&there, Some("ada"), SharesGrant::No),
            (&RefreshToken::default(), Some("ada"), SharesGrant::No),
        ] {
            assert_eq!(ada.is_shared_by(token, user), shares, "{user:?}");
        }
        let unread = GrantInUse::of(None, Some("ada")).expect("it may be one");
        assert_eq!(unread.is_shared_by(&here, None), SharesGrant::Untold);
        assert_eq!(unread.is_shared_by(&here, Some("grace")), SharesGrant::No);
    }

    #[test]
    fn a_session_of_a_password_has_no_grant() {
        let mut password = RefreshToken::default();
        password.apply_body(Some(BodyToken {
            token: Secret::new("t"),
            expires: None,
        }));
        assert!(GrantInUse::of(Some(&password), Some("ada")).is_none());
    }
}
