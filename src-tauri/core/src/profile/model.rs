//! A profile as it is written in a file, schema version 1. Every member may be missing; its value
//! then comes from the profile below: see [`super::load`].

use std::collections::BTreeMap;

use serde::Deserialize;

use super::body_template::BodyTemplate;
use super::browser::Browser;
use super::encoding::Encoding;
use super::endpoint_origin::EndpointOrigin;
use super::header::HeaderKey;
use super::place::Place;
use super::pointer::Pointer;
use super::rules::{EndRule, ErrorRule, When};
use super::session_fields::SessionFields;
use super::template::Template;
use super::value_or_false::ValueOrFalse;
use super::verbs::Endpoints;
use crate::roles::Roles;
use crate::wire::{CodeMethod, Identifier};

/// The schema version that this build reads.
pub const SCHEMA: u32 = 1;

/// How Vestibule speaks to a backend: which endpoints there are, what they are sent, and where to
/// find things in their answers. What a file leaves out is as in the profile that it extends;
/// without `extends`, as in what the app was built with.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Vestibule backend profile"))]
#[serde(default, deny_unknown_fields)]
pub(super) struct Document {
    /// The address of this schema, for editors.
    #[serde(rename = "$schema")]
    pub json_schema: Option<String>,
    /// The version of this schema: 1.
    #[cfg_attr(test, schemars(extend("const" = 1)))]
    pub schema: Option<u32>,
    /// A shipped profile to start from: `contract`, `node-express-boilerplate`, `directus`,
    /// `better-auth`, `supabase`, `dj-rest-auth`, `djoser`, `strapi`, `strapi-sessions`, `parse`,
    /// `feathers`, `django-oauth-toolkit` or `fastapi-users`; or `nothing`.
    pub extends: Option<String>,
    /// What the backend is called, for people.
    pub name: Option<String>,
    /// Where this profile comes from and what to know about it, for people.
    pub about: Option<String>,
    /// The base address of all paths: https, or http on loopback.
    pub backend: Option<String>,
    /// What a person signs in with, for the label of the field: `email` by default, or `name`.
    pub identifier: Option<Identifier>,
    /// Headers that every request carries, such as `apikey`. Templates that may contain `$origin`,
    /// `$device_id` and `$cookie.NAME`.
    pub headers: BTreeMap<HeaderKey, Template>,
    /// Which cookies carry the session.
    pub cookies: Cookies,
    /// What a session consists of.
    pub session: SessionRules,
    /// The calls. `false` means that the backend has no such endpoint.
    pub endpoints: Endpoints,
    /// Sign-in by the system's browser, beside the password or in its place; `false` if there is none.
    pub browser: ValueOrFalse<Browser>,
    /// Where to find things in an answer.
    pub answer: Answer,
    /// Where to find things in the user object.
    pub user: UserFields,
    /// How the backend uses one-time codes.
    pub otp: Otp,
    /// Which answers to a refresh end the session: the first rule that matches gives the reason.
    /// Any other failure counts as temporary.
    pub ends: Vec<EndRule>,
    /// What a refused sign-in means, where the status alone does not say it: the first rule that
    /// matches counts.
    pub errors: Vec<ErrorRule>,
    /// Which answers to a sign-out, besides a success, mean that there is no session left to end.
    pub signed_out: Vec<When>,
    /// What the window may call with the user's session.
    pub api: Api,
    /// What each role may do in the app: rights by the role's name at the backend.
    pub roles: Roles,
}

/// Which cookies carry the session.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Cookies {
    /// Whether cookies are accepted and sent at all.
    pub enabled: bool,
    /// The names of the cookies that carry the session. They are kept in the keyring and sent with
    /// a refresh and a sign-out.
    pub refresh: Vec<String>,
    /// The name of a cookie that carries the device's fingerprint, or `false`.
    pub device: ValueOrFalse<String>,
    /// Whether API calls carry the session's cookies too.
    pub with_api: bool,
    /// The names of the cookies by which the backend knows a device that it trusts. They stay in the
    /// keyring after a sign-out, and go along when the same person signs in again.
    pub trust: Vec<String>,
}

impl Default for Cookies {
    fn default() -> Self {
        Self {
            enabled: true,
            refresh: Vec::new(),
            device: ValueOrFalse(None),
            with_api: false,
            trust: Vec::new(),
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
    /// For how many seconds the backend answers a replaced refresh token with the same successor
    /// again. Within that time the app repeats a refresh whose answer it lost in a crash. 0 if the
    /// backend takes every second use for theft. At most an hour.
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
    /// The endpoint `me`, called after each sign-in and refresh.
    Me,
    /// The sign-in. The user stays as it was then.
    Login,
}

/// One call. Path, headers and body are templates over `$identifier`, `$password`, `$name`,
/// `$otp`, `$trust_device`, `$challenge`, `$device`, `$device_id`, `$listed_session`,
/// `$refresh_token`, `$access_token`, `$origin`, `$kept.NAME` (what the step before has kept) and
/// `$cookie.NAME` (a cookie of the session, percent-decoded); `$$` is a dollar sign.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    /// `POST` by default.
    pub method: Method,
    /// Below the base address. Begins with a slash; may have a query.
    pub path: Template,
    /// Headers of this call. One whose placeholder has no value in a call is left out of it.
    pub headers: BTreeMap<HeaderKey, Template>,
    /// The body, or `false`. A text that consists of one placeholder becomes its value, which is true
    /// or false for `$trust_device` and a table for `$device`. A member whose placeholder has no value
    /// in a call is left out of it.
    pub body: ValueOrFalse<BodyTemplate>,
    /// How the body is written: as `json`, which is the default, or as a `form`.
    pub encoding: Encoding,
    /// The media type of the body, where it is another than that of its encoding.
    pub content_type: Option<String>,
    /// The origin of this endpoint, where it is not the backend's: `https://identity.example`. What
    /// the templates of the endpoint name goes there, and nothing else: no cookie and none of the
    /// headers of all requests.
    pub origin: Option<EndpointOrigin>,
    /// A request that goes out before each of this call: another endpoint, without a step of its own.
    /// If it fails, its answer counts as the answer to the call.
    pub before: ValueOrFalse<Box<Endpoint>>,
    /// Of a step before a call: the places of the values that it keeps for the call, by name. The
    /// call's templates have them as `$kept.NAME`, and the places in its answer as `kept:NAME`.
    pub keep: BTreeMap<String, Place>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    #[default]
    Post,
    Put,
    Patch,
    Delete,
}

/// Where to find things in an answer: lists of places. The first place of a list at which there is
/// something counts.
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
    /// In the answer of `sessions`.
    pub sessions: SessionFields,
    /// In any refusal: the message for people.
    pub message: Vec<Place>,
    /// In any refusal: the error code for programs.
    pub code: Vec<Place>,
}

/// Where to find things in one answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// The user object: in the JSON, or the claims of a token.
    pub user: Vec<Place>,
    /// The access token; empty if there is none.
    pub access_token: Vec<Place>,
    /// The refresh token; empty if it is a cookie.
    pub refresh_token: Vec<Place>,
    /// When the access token ends or how long it is valid; the first that can be read counts.
    pub expires: Vec<Expiry>,
    /// The refresh token's end or life, likewise.
    pub refresh_expires: Vec<Expiry>,
    /// What the backend calls this session: the same text as at `answer.sessions.id`, by which the
    /// session is found in the list of all.
    pub session_id: Vec<Place>,
}

impl Fields {
    /// Whether one of the places is the whole text.
    pub(crate) fn read_text(&self) -> bool {
        let all = [&self.user, &self.access_token, &self.refresh_token];
        let mut all = all.into_iter().flatten();
        all.any(|place| *place.source() == Place::Text)
    }
}

/// A time in an answer, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    /// Where it is. For `jwt_exp`, where the JWT is; absent means the token itself.
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
    /// A duration in seconds.
    TtlS,
    /// A duration in milliseconds.
    TtlMs,
    /// The `exp` of a JWT.
    JwtExp,
}

/// Where to find things in the user object: pointers from there.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UserFields {
    /// The identifier. A user without one counts as no user.
    pub id: Vec<Pointer>,
    /// The display name.
    pub name: Vec<Pointer>,
    /// Parts of a name, which are joined where `name` finds nothing.
    pub name_parts: Vec<Pointer>,
    /// The e-mail address.
    pub email: Vec<Pointer>,
    /// Whether the address was verified: true, or the time at which it was.
    pub email_verified: Vec<Pointer>,
    /// The address of a picture.
    pub image: Vec<Pointer>,
    /// Role names: a list of texts, or one text.
    pub roles: Vec<Pointer>,
    /// What stands between role names in one text, such as `,` or a space.
    pub roles_separator: Option<String>,
    /// In each role that is a table: its name, such as `/name`.
    pub role_name: Vec<Pointer>,
}

/// How the backend uses one-time codes.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Otp {
    /// Which answers to a login or a registration ask for a code: any rule that matches.
    pub wanted: Vec<When>,
    /// In such an answer: where the code was sent.
    pub email: Vec<Place>,
    /// In such an answer: the value of `$challenge`.
    pub challenge: Vec<Place>,
    /// How many seconds to wait before another code may be requested, where the backend does not
    /// say. At most an hour.
    #[cfg_attr(test, schemars(range(max = 3600)))]
    pub resend_after_s: u64,
    /// In such an answer: the methods by which a code may be given. A list of texts or of tables, or
    /// one text.
    pub methods: Vec<Place>,
    /// What stands between the names of methods in one text, such as `,` or a space.
    pub methods_separator: Option<String>,
    /// In each method that is a table: its name, such as `/type`.
    pub method_name: Vec<Pointer>,
    /// The methods where such an answer names none. If this is empty: all that have an endpoint.
    pub default_methods: Vec<CodeMethod>,
    /// For how many days the backend trusts a device, where an endpoint sends `$trust_device`: for
    /// people to read.
    #[cfg_attr(test, schemars(range(min = 1, max = 3650)))]
    pub trust_days: Option<u16>,
    /// The codes of each method.
    pub codes: Codes,
}

/// The codes of each method. A method is there if it has an endpoint that takes its codes.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Codes {
    /// Codes that the backend sends, which go to `endpoints.verify_otp`.
    pub otp: Code,
    /// Codes that an authenticator app shows, which go to `endpoints.verify_totp`.
    pub totp: Code,
    /// Codes that a person has stored for the day when there is no other way, which go to
    /// `endpoints.verify_recovery`.
    pub recovery: Code,
}

/// The codes of one method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Code {
    /// What an answer calls the method; its key here by default. A name may stand for several methods.
    pub names: Option<Vec<String>>,
    /// How many characters a code has, from 4 to 64, or `false` if that varies. By default 6, and for
    /// recovery codes `false`.
    #[cfg_attr(test, schemars(range(min = 4, max = 64)))]
    pub length: Option<ValueOrFalse<u8>>,
    /// Whether codes have letters and signs too. Otherwise they are digits alone, and what people put
    /// between digits is left out. By default only recovery codes have.
    pub letters: Option<bool>,
}

impl Otp {
    /// [`Self::resend_after_s`] in milliseconds.
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
            methods: Vec::new(),
            methods_separator: None,
            method_name: Vec::new(),
            default_methods: Vec::new(),
            trust_days: None,
            codes: Codes::default(),
        }
    }
}

/// What the window may call with the user's session.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Paths below the base address; `*` matches one segment. One without a method before it may
    /// only be read (`GET` and `HEAD`); `DELETE /orders/*` allows that method there. The session's
    /// own endpoints cannot be among them.
    pub allow: Vec<String>,
    /// Headers that carry the session: templates that may contain `$access_token` and
    /// `$cookie.NAME`.
    pub headers: BTreeMap<HeaderKey, Template>,
    /// For how many seconds the backend may take to answer once it has the whole request.
    pub answer_within_s: u64,
    /// For how many seconds the backend may pause while a body is sent or received.
    pub idle_within_s: u64,
    /// For how many seconds a stream of events (`text/event-stream`) may be silent. Anything that
    /// arrives counts, such as the comments by which many servers keep a stream open.
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
impl schemars::JsonSchema for Template {
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
impl schemars::JsonSchema for BodyTemplate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BodyTemplate".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["object", "array"],
            "description": "Values in whose texts `$placeholders` are filled in.",
        })
    }
}
