//! The members of a token endpoint's answer (RFC 6749 §5, OpenID Connect Core §3.1.3.3), read as a
//! profile's answers are.

use std::sync::LazyLock;
use std::time::SystemTime;

use reqwest::StatusCode;
use url::Url;

use crate::backend::response_body::ResponseBody;
use crate::json_value::text_of;
use crate::profile::{ApiToken, Expiry, ExpiryForm, Fields, Place, Pointer, Profile};
use crate::response_fields::AccessToken;
use crate::secrets::Secret;
use crate::status::{Class, class};
use crate::token::ProviderToken;

/// Where the standard has its members. `refresh_expires_in` is Keycloak's.
static MEMBERS: LazyLock<[Fields; 2]> = LazyLock::new(|| {
    let at = |pointer: &str| Pointer::parse(pointer).unwrap_or_default();
    let place = |pointer: &str| vec![Place::parse(pointer).unwrap_or(Place::Text)];
    let ttl = |pointer: &str| Expiry {
        at: Some(at(pointer)),
        form: ExpiryForm::TtlS,
    };
    let jwt = Expiry {
        at: None,
        form: ExpiryForm::JwtExp,
    };
    let fields = |carried: &str, expires: Vec<Expiry>| Fields {
        access_token: place(carried),
        refresh_token: place("/refresh_token"),
        expires,
        refresh_expires: vec![ttl("/refresh_expires_in")],
        ..Fields::default()
    };
    [
        fields("/access_token", vec![ttl("/expires_in"), jwt.clone()]),
        fields("/id_token", vec![jwt]),
    ]
});

/// The tokens in a token endpoint's answer. Each is read on its own, so that one that is there is kept or
/// revoked even where another is missing: the provider accepts it either way.
pub(super) struct TokenAnswer {
    /// The refresh token. Where it may be revoked is for the caller to say.
    pub refresh: Option<ProviderToken>,
    access: AccessToken,
    is_bearer: bool,
}

impl TokenAnswer {
    /// Reads the answer of the token endpoint at `endpoint`; `None` if it is not the provider's, or no
    /// JSON.
    pub(super) fn read(
        body: &ResponseBody,
        profile: &Profile,
        endpoint: &Url,
        now: SystemTime,
    ) -> Option<Self> {
        let json = body.json().filter(|_| !body.is_anothers())?;
        let text = |name: &str| member(json, name);
        let carried = profile.browser.get()?.api_token;
        let fields = match carried {
            ApiToken::AccessToken => &MEMBERS[0],
            ApiToken::IdToken => &MEMBERS[1],
        };
        let reply = body.reply(profile, fields)?;
        let refresh = reply.refresh_token(now).map(|token| ProviderToken {
            token: token.token,
            endpoint: endpoint.clone(),
            revocation_origins: Vec::new(),
            expires: token.expires,
        });
        Some(Self {
            refresh,
            access: AccessToken {
                token: text("access_token").map(Secret::new),
                lifetime: reply.access_token(now).and_then(|found| found.lifetime),
                session_id: None,
                id_token: text("id_token").map(Secret::new),
                carried,
            },
            is_bearer: text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")),
        })
    }

    /// The access token, whether API calls can carry it or not.
    pub(super) fn access_token(&self) -> Option<&Secret> {
        self.access.token.as_ref()
    }

    /// The tokens for API calls; `None` if the answer holds none that they can carry.
    pub(super) fn usable(self) -> Option<AccessToken> {
        if !self.is_bearer {
            tracing::error!("the provider gives out tokens of a type that this app cannot send");
            return None;
        }
        Some(self.access).filter(|access| access.bearer().is_some())
    }
}

/// The error code of a refusal (RFC 6749 §5.2), which is the provider's own word. A 408, a 425, a 429 and
/// every 5xx are trouble that passes, whatever their body says.
pub(super) fn refusal(status: StatusCode, body: &ResponseBody) -> Option<String> {
    let refuses = class(status.as_u16()) == Class::Refusal && !body.is_anothers();
    member(body.json().filter(|_| refuses)?, "error")
}

/// The same of a sign-in, where a success without a token may be a refusal too: GitHub answers each error
/// with 200.
pub(super) fn sign_in_refusal(status: StatusCode, body: &ResponseBody) -> Option<String> {
    if !status.is_success() || body.is_anothers() {
        return refusal(status, body);
    }
    let json = body.json()?;
    let has_token = ["access_token", "refresh_token"]
        .iter()
        .any(|name| member(json, name).is_some());
    member(json, "error").filter(|_| !has_token)
}

/// Whether the provider wants to be asked more slowly (RFC 8628 §3.5). Auth0 says it with 429, whose body
/// says nothing else.
pub(super) fn wants_slower(status: StatusCode, body: &ResponseBody) -> bool {
    let may_say = (status.is_client_error() || status.is_success()) && !body.is_anothers();
    let said = body.json().filter(|_| may_say);
    said.and_then(|json| member(json, "error")).as_deref() == Some("slow_down")
}

/// A member of an answer, if it holds a text.
pub(super) fn member(json: &serde_json::Value, name: &str) -> Option<String> {
    json.get(name)
        .and_then(text_of)
        .filter(|text| !text.trim().is_empty())
}
