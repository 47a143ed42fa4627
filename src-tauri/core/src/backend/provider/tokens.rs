//! The members of a token endpoint's answer (RFC 6749 §5, OpenID Connect Core §3.1.3.3), read as a
//! profile's answers are.

use std::sync::LazyLock;
use std::time::SystemTime;

use url::Url;

use crate::backend::response_body::ResponseBody;
use crate::json_value::text_of;
use crate::profile::{ApiToken, Expiry, ExpiryForm, Fields, Place, Pointer, Profile};
use crate::response_fields::AccessToken;
use crate::secrets::Secret;
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
    let fields = |access: &str, expires: Vec<Expiry>| Fields {
        access_token: place(access),
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

/// What a token endpoint has answered.
pub(super) struct TokenAnswer {
    /// What goes along with API calls.
    pub access: AccessToken,
    /// The access token at the provider.
    pub access_token: Option<Secret>,
    pub refresh: Option<ProviderToken>,
    pub id_token: Option<Secret>,
}

impl TokenAnswer {
    /// Reads an answer; `None` if it holds no token of the type that API calls can carry.
    pub(super) fn read(
        body: &ResponseBody,
        profile: &Profile,
        endpoint: &Url,
        now: SystemTime,
    ) -> Option<Self> {
        let json = body.json()?;
        let text = |name: &str| {
            json.get(name)
                .and_then(text_of)
                .filter(|text| !text.is_empty())
        };
        let is_bearer = text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        if !is_bearer {
            tracing::error!("the provider gives out tokens of a type that this app cannot send");
            return None;
        }
        let api_token = profile.browser.get()?.api_token;
        let fields = match api_token {
            ApiToken::AccessToken => &MEMBERS[0],
            ApiToken::IdToken => &MEMBERS[1],
        };
        let reply = body.reply(profile, fields)?;
        let id_token = text("id_token").map(Secret::new);
        let access = reply
            .access_token(now)
            .filter(|access| access.token.is_some())?;
        let refresh = reply.refresh_token(now).map(|token| ProviderToken {
            token: token.token,
            endpoint: endpoint.clone(),
            expires: token.expires,
        });
        Some(Self {
            access: AccessToken {
                id_token: id_token.clone(),
                ..access
            },
            access_token: text("access_token").map(Secret::new),
            refresh,
            id_token,
        })
    }
}

/// The error code of a refusal (RFC 6749 §5.2).
pub(super) fn error_code(body: &ResponseBody) -> Option<String> {
    body.json()?.get("error").and_then(text_of)
}
