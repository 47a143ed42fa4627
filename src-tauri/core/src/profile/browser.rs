//! Sign-in by the system's browser, or on another device: how a profile says what the provider wants.
//!
//! Native apps are public clients (RFC 8252 §8.4): a secret in a profile is in every copy of the app.
//! Every flow has PKCE with S256 (RFC 7636, RFC 9700 §2.1.1).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use url::Url;

use super::Profile;
use super::check;
use super::model::{UserFields, UserFrom};
use super::pointer::Pointer;

/// Sign-in by the system's browser, beside the password or in its place.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Browser {
    /// What the provider speaks; `oidc` by default, so that a layer over a shipped profile need not repeat
    /// it.
    #[serde(default)]
    pub kind: BrowserKind,
    /// With `oidc`: the issuer, whose discovery names the endpoints and the keys.
    #[serde(default)]
    pub issuer: Option<ProviderAddress>,
    /// With `oauth2`: the page at which a person signs in.
    #[serde(default)]
    pub authorize: Option<ProviderAddress>,
    /// With `oauth2`: where a code and a refresh token are exchanged.
    #[serde(default)]
    pub token: Option<ProviderAddress>,
    /// Where tokens are revoked (RFC 7009); with `oidc` only where discovery does not say it.
    #[serde(default)]
    pub revoke: Option<ProviderAddress>,
    /// The endpoint that says whose an access token is, as JSON; with `oidc` only where discovery does not
    /// name it.
    #[serde(default)]
    pub userinfo: Option<ProviderAddress>,
    /// Where a code for another device is had (RFC 8628); with `oidc` only where discovery does not say
    /// it.
    #[serde(default)]
    pub device_authorization: Option<ProviderAddress>,
    /// With `better-auth`: the path of the server's auth base; `/api/auth` by default.
    #[serde(default)]
    pub base: Option<String>,
    /// With `better-auth`: the address of the web app's own sign-in page. Without it the server's page
    /// for the button's `provider` is opened at once.
    #[serde(default)]
    pub page: Option<ProviderAddress>,
    /// What the provider calls this app. With `better-auth` it is `electron` by default, as in its plugin.
    #[serde(default)]
    pub client_id: String,
    /// A secret that the provider demands of every client, in every copy of the app. It is refused
    /// unless `client_secret_is_public` says that you know.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// That `client_secret` is no secret, because it ships with the app.
    #[serde(default)]
    pub client_secret_is_public: bool,
    /// The scopes. With `oidc` by default `openid`, `profile`, `email` and `offline_access`.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// More parameters of the address that the browser opens, such as `audience`.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The buttons over the form, or in its place. Without any there is one.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// How the browser comes back: to a free port of this computer (`loopback`, the default), or by the
    /// scheme of the app (`scheme`, the default and the only way with `better-auth`).
    #[serde(default)]
    pub redirect: Option<RedirectBy>,
    /// The address of this computer in the redirect: `127.0.0.1` by default, or `::1`.
    #[serde(default)]
    pub loopback: Loopback,
    /// The ports of which the redirect uses the first that is free, where the provider wants them
    /// registered. By default any.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Which token goes along with API calls as `$access_token`.
    #[serde(default)]
    pub api_token: ApiToken,
    /// Whether a person can sign in on another device by a code (RFC 8628).
    #[serde(default)]
    pub device: bool,
    /// With `oidc`: whether a sign-out opens the provider's page that ends its own session too.
    #[serde(default)]
    pub end_session: bool,
    /// Where to find things in the claims of the ID token, or in what `userinfo` answers. By default
    /// the standard claims (OpenID Connect Core §5.1).
    #[serde(default)]
    pub user: UserFields,
}

/// What a provider speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BrowserKind {
    /// OpenID Connect, by discovery.
    #[default]
    Oidc,
    /// OAuth 2, with endpoints by name.
    Oauth2,
    /// The exchange of Better Auth's server plugin for desktop shells (`@better-auth/electron`).
    BetterAuth,
}

/// A button that begins a sign-in by the browser.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// What names it to the app's pages.
    pub name: String,
    /// Its words, such as `Continue with Google`.
    #[serde(default)]
    pub label: Option<String>,
    /// A picture for it: a `data:` address of a PNG or an SVG.
    #[serde(default)]
    pub icon: Option<String>,
    /// More parameters of the address that it opens, such as `connection`, `provider` or `login_hint`.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// How the browser comes back to the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RedirectBy {
    /// To a port of this computer (RFC 8252 §7.3).
    Loopback,
    /// By the app's own scheme (RFC 8252 §7.1).
    Scheme,
}

/// The address of this computer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Loopback {
    /// 127.0.0.1
    #[default]
    #[serde(rename = "127.0.0.1")]
    V4,
    /// ::1
    #[serde(rename = "::1")]
    V6,
}

/// A token of the provider's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ApiToken {
    /// The access token.
    #[default]
    AccessToken,
    /// The ID token, for APIs that take nothing else.
    IdToken,
}

/// An address of a provider: https, or http on loopback, without a user name and a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderAddress(Url);

impl ProviderAddress {
    /// Reads an address that a profile, or a provider's discovery, names.
    ///
    /// # Errors
    /// If no token could be sent there. The reason does not repeat the address.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (base, _) = text.split_once('?').unwrap_or((text, ""));
        check::backend(base).map_err(|mistake| mistake.reason)?;
        let url = Url::parse(text).map_err(|error| format!("is not an address: {error}"))?;
        if url.fragment().is_some() {
            return Err("has a fragment".into());
        }
        Ok(Self(url))
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ProviderAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

/// In the schema it is an address.
#[cfg(test)]
impl schemars::JsonSchema for ProviderAddress {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProviderAddress".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^https?://[^#@]+$"})
    }
}

/// The scopes of OpenID Connect: who it is, and a refresh token.
const OIDC_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

impl Profile {
    /// Whether a provider says whose a session is: in an ID token, or at `userinfo`. Otherwise the backend
    /// does, at `endpoints.me`.
    pub(crate) fn provider_names_user(&self) -> bool {
        let can = |browser: &Browser| match browser.kind {
            BrowserKind::Oidc => true,
            BrowserKind::Oauth2 => browser.userinfo.is_some(),
            // Its session is the backend's own.
            BrowserKind::BetterAuth => false,
        };
        self.session.user_from != UserFrom::Me && self.browser.get().is_some_and(can)
    }
}

impl Browser {
    /// The scopes that are asked for, in order.
    pub fn scopes(&self) -> Vec<&str> {
        match (&self.scopes, self.kind) {
            (Some(scopes), _) => scopes.iter().map(String::as_str).collect(),
            (None, BrowserKind::Oidc) => OIDC_SCOPES.to_vec(),
            (None, BrowserKind::Oauth2 | BrowserKind::BetterAuth) => Vec::new(),
        }
    }

    /// What the provider calls this app.
    pub fn client(&self) -> &str {
        match self.kind {
            BrowserKind::BetterAuth if self.client_id.is_empty() => BETTER_AUTH_CLIENT,
            _ => &self.client_id,
        }
    }

    /// How the browser comes back.
    pub fn redirect(&self) -> RedirectBy {
        self.redirect.unwrap_or(match self.kind {
            BrowserKind::Oidc | BrowserKind::Oauth2 => RedirectBy::Loopback,
            BrowserKind::BetterAuth => RedirectBy::Scheme,
        })
    }

    /// The button of this name; the first without a name. `None` if there is no such button.
    pub fn button(&self, name: Option<&str>) -> Option<Button> {
        let plain = Button {
            name: DEFAULT_BUTTON.into(),
            label: None,
            icon: None,
            parameters: BTreeMap::new(),
        };
        let mut all = self.buttons.iter().cloned();
        match name {
            None => Some(all.next().unwrap_or(plain)),
            Some(name) if self.buttons.is_empty() => Some(plain).filter(|it| it.name == name),
            Some(name) => all.find(|button| button.name == name),
        }
    }

    /// The path at which Better Auth's server plugin has `call`.
    pub fn better_auth_path(&self, call: &str) -> String {
        let base = self.base.as_deref().unwrap_or(BETTER_AUTH_BASE);
        format!("{}/electron/{call}", base.trim_end_matches('/'))
    }

    /// Where to find things in claims: what the profile names, and else the standard claims.
    pub fn claims(&self) -> UserFields {
        let named = |own: &[Pointer], else_at: &[&str]| match own.is_empty() {
            false => own.to_vec(),
            true => Pointer::all(else_at),
        };
        let user = &self.user;
        let id: &[&str] = match self.kind {
            BrowserKind::Oidc => &["/sub"],
            BrowserKind::Oauth2 | BrowserKind::BetterAuth => &["/sub", "/id"],
        };
        UserFields {
            id: named(&user.id, id),
            name: named(&user.name, &["/name", "/preferred_username", "/nickname"]),
            name_parts: named(&user.name_parts, &["/given_name", "/family_name"]),
            email: named(&user.email, &["/email"]),
            email_verified: named(&user.email_verified, &["/email_verified"]),
            image: named(&user.image, &["/picture"]),
            roles: named(&user.roles, &["/roles", "/groups"]),
            roles_separator: user.roles_separator.clone(),
            role_name: user.role_name.clone(),
        }
    }

    /// The addresses of the provider that the profile itself names, each with its key.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (&'static str, &ProviderAddress)> {
        let all = [
            ("issuer", &self.issuer),
            ("authorize", &self.authorize),
            ("token", &self.token),
            ("revoke", &self.revoke),
            ("userinfo", &self.userinfo),
            ("device_authorization", &self.device_authorization),
            ("page", &self.page),
        ];
        all.into_iter()
            .filter_map(|(key, address)| Some((key, address.as_ref()?)))
    }
}

/// The name of the one button where the profile has none.
const DEFAULT_BUTTON: &str = "browser";
/// Where Better Auth's server is by default.
const BETTER_AUTH_BASE: &str = "/api/auth";
/// What its plugin calls the app where nobody says otherwise.
const BETTER_AUTH_CLIENT: &str = "electron";
/// The keys under `browser` that hold an address.
pub(super) const ADDRESS_KEYS: [&str; 7] = [
    "issuer",
    "authorize",
    "token",
    "revoke",
    "userinfo",
    "device_authorization",
    "page",
];

impl Browser {
    /// What pages are told of it.
    pub fn offer(&self) -> crate::wire::BrowserOffer {
        let buttons = match self.buttons.is_empty() {
            true => self.button(None).into_iter().collect(),
            false => self.buttons.clone(),
        };
        let shown = |button: Button| crate::wire::BrowserButton {
            name: button.name,
            label: button.label,
            icon: button.icon,
        };
        crate::wire::BrowserOffer {
            buttons: buttons.into_iter().map(shown).collect(),
            device: self.device,
        }
    }
}
