//! A profile as a file has it, schema version 1. Every member may be missing: what a file does
//! not say, the profile below it says; see [`super::load`].

use std::collections::BTreeMap;

use serde::Deserialize;

use super::body::Body;
use super::header::HeaderKey;
use super::maybe::Maybe;
use super::pointer::Pointer;
use super::rules::{EndRule, ErrorRule, When};
use super::text::Text;
use crate::roles::Roles;

/// The schema version that this build reads.
pub const SCHEMA: u32 = 1;

/// How Vestibule speaks to a backend: which endpoints there are, what they are sent, and where
/// to find things in their answers. What a file does not say is as in the profile that it
/// extends; without `extends`, as in what the app was built with.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Vestibule backend profile"))]
#[serde(default, deny_unknown_fields)]
pub struct Document {
    /// For editors: where this schema is.
    #[serde(rename = "$schema")]
    pub json_schema: Option<String>,
    /// The version of this schema: 1.
    #[cfg_attr(test, schemars(extend("const" = 1)))]
    pub schema: Option<u32>,
    /// A shipped profile to start from: `contract`, `node-express-boilerplate`, `directus`,
    /// `better-auth` or `supabase`; or `nothing`.
    pub extends: Option<String>,
    /// What the backend is called, for people.
    pub name: Option<String>,
    /// Where this profile comes from and what to know about it, for people.
    pub about: Option<String>,
    /// The base address under which every path hangs. https, or http on loopback.
    pub backend: Option<String>,
    /// Headers that go out with every request, such as `apikey`. Templates that may hold
    /// `$origin` and `$device_id`.
    pub headers: BTreeMap<HeaderKey, Text>,
    /// Cookies.
    pub cookies: Cookies,
    /// What a session consists of.
    pub session: SessionRules,
    /// The calls. Each may be `false`: the backend has no such endpoint.
    pub endpoints: Endpoints,
    /// Where to find things in an answer.
    pub answer: Answer,
    /// Where to find things in the user object.
    pub user: UserFields,
    /// One-time codes.
    pub otp: Otp,
    /// Which answers to a refresh end the session: the first that holds says why. Everything
    /// else is taken for trouble that passes.
    pub ends: Vec<EndRule>,
    /// What a refused sign-in means, where the status alone does not say it: the first that
    /// holds counts.
    pub errors: Vec<ErrorRule>,
    /// Which answers to a sign-out, beside a success, say that there is nothing left to end.
    pub signed_out: Vec<When>,
    /// What the window may call with the user's session.
    pub api: Api,
    /// What each role may do in the app: permissions by the role's name at the backend.
    pub roles: Roles,
}

/// Cookies.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Cookies {
    /// Whether cookies are taken and sent at all.
    pub enabled: bool,
    /// The names of those that carry the session: kept in the keyring, sent with a refresh
    /// and a sign-out.
    pub refresh: Vec<String>,
    /// The name of one that carries the install id, or `false`.
    pub device: Maybe<String>,
    /// Whether API calls carry the session's cookies too.
    pub with_api: bool,
}

impl Default for Cookies {
    fn default() -> Self {
        Self {
            enabled: true,
            refresh: Vec::new(),
            device: Maybe(None),
            with_api: false,
        }
    }
}

/// What a session consists of.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SessionRules {
    /// Where the user comes from after a refresh.
    pub user_from: UserFrom,
    /// Whether one token serves both as refresh and as access token.
    pub single_token: bool,
    /// How long the backend answers a refresh token that was replaced with the same successor
    /// again, in seconds: what a crash has kept from being stored is asked for once more in
    /// that time. 0 where it takes every second use for a theft. An hour at most.
    #[cfg_attr(test, schemars(range(max = 3600)))]
    pub grace_s: u64,
}

/// Where the user comes from after a refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UserFrom {
    /// The answer to the refresh.
    #[default]
    Refresh,
    /// The endpoint `me`, asked after each sign-in and refresh.
    Me,
    /// The sign-in: it stays as it was then.
    Login,
}

/// The calls.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Endpoints {
    /// Signs in with a password.
    pub login: Maybe<Endpoint>,
    /// Makes an account.
    pub register: Maybe<Endpoint>,
    /// Has the code sent, where signing in does not do so by itself.
    pub send_otp: Maybe<Endpoint>,
    /// Answers a challenge.
    pub verify_otp: Maybe<Endpoint>,
    /// Asks for another code; absent means that `send_otp` does.
    pub resend_otp: Maybe<Endpoint>,
    /// Renews the session; absent means that `me` tells whether it is still alive.
    pub refresh: Maybe<Endpoint>,
    /// Says who is signed in.
    pub me: Maybe<Endpoint>,
    /// Ends the session.
    pub logout: Maybe<Endpoint>,
}

impl Endpoints {
    /// Those that there are, by name: each is checked when a profile is loaded, and no page calls
    /// one by its path. An endpoint that is left out here does not compile.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Endpoint)> {
        let Self {
            login,
            register,
            send_otp,
            verify_otp,
            resend_otp,
            refresh,
            me,
            logout,
        } = self;
        [
            ("login", login),
            ("register", register),
            ("send_otp", send_otp),
            ("verify_otp", verify_otp),
            ("resend_otp", resend_otp),
            ("refresh", refresh),
            ("me", me),
            ("logout", logout),
        ]
        .into_iter()
        .filter_map(|(name, call)| Some((name, call.get()?)))
    }
}

/// One call. Path, headers and body are templates over `$identifier`, `$password`, `$name`,
/// `$otp`, `$challenge`, `$device`, `$device_id`, `$refresh_token`, `$access_token` and
/// `$origin`; `$$` is a dollar sign.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    /// `POST` unless it says otherwise.
    pub method: Method,
    /// Under the base address, beginning with a slash; may have a query.
    pub path: Text,
    /// A header whose placeholder is not known in a call is left out of it.
    pub headers: BTreeMap<HeaderKey, Text>,
    /// The JSON body, or `false`. A text that is one placeholder becomes its value; a member
    /// whose placeholder is not known in a call is left out of it.
    pub body: Maybe<Body>,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET
    Get,
    /// POST
    #[default]
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

/// Where to find things in an answer: ordered lists of JSON pointers, of which the first that
/// finds something counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// In the answer to a login, a registration or a code.
    pub login: Fields,
    /// In the answer to a refresh.
    pub refresh: Fields,
    /// In the answer of `me`.
    pub me: Fields,
    /// In any refusal: the error for people.
    pub message: Vec<Pointer>,
    /// In any refusal: the error for programs.
    pub code: Vec<Pointer>,
}

/// Where to find things in one answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// The user object.
    pub user: Vec<Pointer>,
    /// The access token; empty if there is none.
    pub access_token: Vec<Pointer>,
    /// The refresh token; empty if it is a cookie.
    pub refresh_token: Vec<Pointer>,
    /// A header of the answer that holds the access token, or `false`: with or without
    /// `Bearer` before it. The body counts first.
    pub access_token_header: Maybe<HeaderKey>,
    /// A header of the answer that holds the refresh token, likewise.
    pub refresh_token_header: Maybe<HeaderKey>,
    /// The access token's end or life; the first that can be read counts.
    pub expires: Vec<Expiry>,
    /// The refresh token's end or life, likewise.
    pub refresh_expires: Vec<Expiry>,
}

impl Fields {
    /// Whether there is a place for an access token.
    pub fn has_access_token(&self) -> bool {
        !self.access_token.is_empty() || self.access_token_header.get().is_some()
    }

    /// Whether there is a place for a refresh token.
    pub fn has_refresh_token(&self) -> bool {
        !self.refresh_token.is_empty() || self.refresh_token_header.get().is_some()
    }
}

/// A time, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    /// Where it stands. For `jwt_exp`, where the JWT stands; absent means the token itself.
    #[serde(default)]
    pub at: Option<Pointer>,
    /// How it is written.
    #[serde(rename = "as")]
    pub form: ExpiryForm,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExpiryForm {
    /// An end: `2026-11-23T05:37:20.173Z`.
    Iso8601,
    /// An end in seconds since 1970.
    EpochS,
    /// An end in milliseconds since 1970.
    EpochMs,
    /// A life in seconds.
    TtlS,
    /// A life in milliseconds.
    TtlMs,
    /// An end within a JWT, as its `exp`.
    JwtExp,
}

/// Where to find things in the user object: pointers from there.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UserFields {
    /// The identifier. Without one there is no user.
    pub id: Vec<Pointer>,
    /// The display name.
    pub name: Vec<Pointer>,
    /// Parts of a name, all of which are put together where `name` finds nothing.
    pub name_parts: Vec<Pointer>,
    /// The e-mail address.
    pub email: Vec<Pointer>,
    /// Whether the address was verified: true, or the time at which it was.
    pub email_verified: Vec<Pointer>,
    /// The address of a picture.
    pub image: Vec<Pointer>,
    /// Role names: a list of texts, or one text.
    pub roles: Vec<Pointer>,
}

/// One-time codes.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Otp {
    /// Which answers to a login or a registration want a code: any that holds.
    pub wanted: Vec<When>,
    /// In such an answer: where the code went.
    pub email: Vec<Pointer>,
    /// In such an answer: what becomes `$challenge`.
    pub challenge: Vec<Pointer>,
    /// How long before another code may be asked for, in seconds, where the backend does not
    /// say. An hour at most.
    #[cfg_attr(test, schemars(range(max = 3600)))]
    pub resend_after_s: u64,
}

impl Otp {
    /// The same in milliseconds.
    pub fn resend_after_ms(&self) -> u64 {
        self.resend_after_s.saturating_mul(1000)
    }
}

impl Default for Otp {
    fn default() -> Self {
        Self {
            wanted: Vec::new(),
            email: Vec::new(),
            challenge: Vec::new(),
            resend_after_s: 30,
        }
    }
}

/// What the window may call with the user's session.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Paths under the base; `*` stands for one segment. The endpoints of the session are
    /// never among them.
    pub allow: Vec<String>,
    /// How a call carries the session: templates that may hold `$access_token`.
    pub headers: BTreeMap<HeaderKey, Text>,
    /// How long the backend may take to answer once it has the whole request, in seconds.
    pub answer_within_s: u64,
    /// How long the backend may pause while a body goes either way, in seconds.
    pub idle_within_s: u64,
    /// How long a stream of events (`text/event-stream`) may be silent, in seconds. What comes
    /// between two events counts too, such as the comments by which many servers keep it open.
    pub events_within_s: u64,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            headers: BTreeMap::new(),
            answer_within_s: 60,
            idle_within_s: 30,
            events_within_s: 300,
        }
    }
}

/// In the schema a template is a text.
#[cfg(test)]
impl schemars::JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A text in which `$placeholders` are filled in; `$$` is a dollar sign.",
        })
    }
}

/// In the schema a body is anything.
#[cfg(test)]
impl schemars::JsonSchema for Body {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BodyTemplate".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["object", "array"],
            "description": "JSON in whose texts `$placeholders` are filled in.",
        })
    }
}
