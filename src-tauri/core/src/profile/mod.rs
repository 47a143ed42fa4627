//! A backend, described as data. [`Profile::default`] is the contract of the bundled backend; a
//! file holds what differs from it.
//!
//! [`load`] merges files and `check` checks the result, so that a mistake is reported when the
//! app starts. A [`Profile`] that exists has passed these checks. `request` builds requests from
//! it and `rules` interprets answers; both are pure.

mod allowed_call;
mod body_template;
mod bounds;
mod browser;
#[cfg(test)]
mod browser_validation_tests;
mod check;
mod condition;
mod encoding;
mod endpoint_origin;
mod fixed;
mod header;
mod layer;
mod load;
mod mistake;
mod model;
mod name;
mod named_values;
mod paths;
mod place;
mod placeholder;
mod pointer;
mod read;
mod request;
mod rules;
#[cfg(test)]
mod schema;
mod second_factors;
mod section;
mod session_fields;
mod shipped;
mod template;
#[cfg(test)]
mod validation_tests;
mod value_or_false;
mod verbs;
mod workspace_section;
mod workspace_settings;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use url::Url;

pub(crate) use allowed_call::{AllowedCall, METHODS};
pub use browser::{ApiToken, Browser, BrowserKind, Button, Loopback, ProviderAddress, RedirectBy};
pub(crate) use check::is_loopback;
pub use condition::Facts;
pub use encoding::Encoding;
pub(crate) use encoding::form_body;
pub use endpoint_origin::EndpointOrigin;
pub(crate) use header::HeaderKey;
pub use layer::Layer;
#[cfg(test)]
pub(crate) use load::merge as merge_for_tests;
pub use load::{Loaded, load, load_for};
pub(crate) use mistake::Mistake;
pub use mistake::ProfileError;
pub(crate) use model::Method;
pub use model::{
    Answer, Api, Code, Codes, Cookies, Endpoint, Expiry, ExpiryForm, Fields, Otp, SCHEMA,
    SessionRules, UserFields, UserFrom,
};
pub use named_values::NamedValues;
pub(crate) use paths::{names_in, segments};
pub use place::Place;
pub use placeholder::Placeholder;
pub(crate) use placeholder::Variables;
pub use pointer::Pointer;
pub(crate) use pointer::first;
pub(crate) use read::read;
pub(crate) use request::{FilledRequest, headers, request};
pub use rules::{EndRule, Ending, ErrorRule, Refusal, SignInCall, When};
pub use section::Section;
pub use session_fields::SessionFields;
pub use shipped::{SHIPPED, Shipped};
pub use template::Template;
pub use value_or_false::ValueOrFalse;
pub use verbs::{Endpoints, Verb};
pub(crate) use workspace_settings::ADDED_PREFIX;
pub use workspace_settings::{Adding, DEFAULT_WORKSPACE, ListedWorkspace, WorkspaceSettings};

use self::body_template::BodyTemplate;
use crate::roles::Roles;
use crate::wire::Identifier;

/// Everything that the core knows about a backend. [`load`] has checked it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What the backend is called, for people.
    pub name: String,
    /// The base URL of all paths.
    pub backend: Url,
    /// What a person signs in with.
    pub identifier: Identifier,
    /// Headers that every request carries.
    pub headers: BTreeMap<HeaderKey, Template>,
    /// Which cookies carry the session.
    pub cookies: Cookies,
    /// What a session consists of.
    pub session: SessionRules,
    /// The calls that the backend has.
    pub endpoints: Endpoints,
    /// Sign-in by the system's browser.
    pub browser: ValueOrFalse<Browser>,
    /// Where to find things in a JSON answer.
    pub answer: Answer,
    /// Where to find things in a user object.
    pub user: UserFields,
    /// How the backend uses one-time codes.
    pub otp: Otp,
    /// Which answers to a refresh end the session; the first rule that matches counts. Any other
    /// failure is temporary.
    pub ends: Vec<EndRule>,
    /// What refusals mean where the status alone does not say it; the first rule that matches
    /// counts.
    pub errors: Vec<ErrorRule>,
    /// Which answers to a sign-out mean that there is no session left to end.
    pub signed_out: Vec<When>,
    /// What the window may call with the user's session.
    pub api: Api,
    /// What each role may do in the app.
    pub roles: Roles,
}

impl Default for Profile {
    fn default() -> Self {
        load(&[]).expect("the contract is valid: a test reads it")
    }
}

impl Profile {
    /// Reads a profile from JSON, over the contract, and checks it.
    pub fn from_json(value: Value) -> Result<Self, ProfileError> {
        load(&[Layer::inline("the profile", value)])
    }

    /// The same profile for another base address.
    pub fn with_backend(mut self, address: &str) -> Result<Self, ProfileError> {
        self.backend = check::backend(address).map_err(|mistake| mistake.in_place(address))?;
        Ok(self)
    }

    /// The address of `path` under the base.
    pub fn url(&self, path: &str) -> Url {
        below(&self.backend, path)
    }

    /// The address of `path` at an endpoint of this origin.
    pub(crate) fn endpoint_url(&self, origin: Option<&EndpointOrigin>, path: &str) -> Url {
        below(origin.map_or(&self.backend, EndpointOrigin::url), path)
    }

    /// All places that it names in answers.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let answer = &self.answer;
        let fields = [&answer.login, &answer.refresh, &answer.me].into_iter();
        let in_fields =
            fields.flat_map(|fields| [&fields.user, &fields.access_token, &fields.refresh_token]);
        let others = [
            &answer.message,
            &answer.code,
            &self.otp.email,
            &self.otp.challenge,
        ];
        let kept = self
            .endpoints
            .all()
            .flat_map(|(_, call)| call.step_places());
        in_fields.chain(others).flatten().chain(kept)
    }

    /// Scheme, host and port. A session belongs to one origin.
    pub fn origin(&self) -> String {
        self.backend.origin().ascii_serialization()
    }

    /// The origins to which a session's tokens go, as one text: the backend's, and those of endpoints
    /// that are sent a token. A stored session belongs to them, and goes to no other.
    pub fn token_origins(&self) -> String {
        let tokens = [Placeholder::RefreshToken, Placeholder::AccessToken];
        let calls = self.endpoints.all().map(|(_, call)| call);
        let calls = calls.flat_map(|call| {
            let step = call.before.get().map(|step| &**step);
            [Some(call), step].into_iter().flatten()
        });
        let others = calls
            .filter(|call| tokens.iter().any(|token| call.asks_for(*token)))
            .filter_map(|call| Some(call.origin.as_ref()?.url().origin()))
            .filter(|origin| *origin != self.backend.origin());
        let others: BTreeSet<_> = others.map(|origin| origin.ascii_serialization()).collect();
        let own = std::iter::once(self.origin());
        own.chain(others).collect::<Vec<_>>().join(" ")
    }

    /// The keys by which endpoints, steps before them and the sign-in by browser name another origin
    /// than the backend's.
    pub(crate) fn other_origins(&self) -> impl Iterator<Item = String> {
        let is_other = move |call: &Endpoint| {
            let origin = call.origin.as_ref().map(|origin| origin.url().origin());
            origin.is_some_and(|origin| origin != self.backend.origin())
        };
        let by_browser = self.browser.get().into_iter();
        let by_browser = by_browser.flat_map(Browser::addresses);
        let by_browser = by_browser
            .filter(|(_, address)| address.url().origin() != self.backend.origin())
            .map(|(key, _)| format!("browser.{key}"));
        self.endpoints
            .all()
            .flat_map(move |(verb, call)| {
                let key = format!("endpoints.{}", verb.name());
                let step = call.before.get().filter(|step| is_other(step));
                let own = is_other(call).then(|| format!("{key}.origin"));
                let step = step.map(|_| format!("{key}.before.origin"));
                [own, step].into_iter().flatten()
            })
            .chain(by_browser)
    }

    /// The first key that is not for a workspace which a person adds by its address, and why. Only the app's
    /// makers know whether the workspaces of such a backend may trust each other.
    fn not_for_added(&self) -> Option<(String, &'static str)> {
        let elsewhere = || self.other_origins().next().map(|key| (key, ELSEWHERE));
        let kind = self.browser.get().map(|browser| browser.kind);
        // Its redirect names no issuer (RFC 9207): the browser can be led to the server of an honest
        // workspace, and the answer exchanged by the one that has led it there.
        match kind {
            Some(BrowserKind::BetterAuth) => Some(("browser.kind".into(), MIXES_UP)),
            _ => elsewhere(),
        }
    }

    /// The paths that no page may call: those of the endpoints that bring a token or end the
    /// session, and of the steps that keep something, which no page may read. Each with the key of its
    /// endpoint. A segment with a `$` stands for any.
    pub fn auth_paths(&self) -> impl Iterator<Item = (String, String)> {
        let is_here = move |call: &Endpoint| {
            let origin = call.origin.as_ref().map(|origin| origin.url().origin());
            origin.is_none_or(|origin| origin == self.backend.origin())
        };
        let calls = self.endpoints.all().flat_map(|(verb, call)| {
            let key = format!("endpoints.{}", verb.name());
            let step = call.before.get().map(|step| &**step);
            let step = step.filter(|step| !step.keep.is_empty());
            let step = step.map(|step| (format!("{key}.before"), step));
            let own = (!verb.is_for_pages()).then_some((key, call));
            own.into_iter().chain(step)
        });
        let here = calls.filter(move |(_, call)| is_here(call));
        here.map(|(key, call)| (key, call.path.source()))
    }

    /// The endpoint that renews the session, or, where there is none, the one that tells whether
    /// the session is still alive.
    pub fn renewal(&self) -> Option<(Verb, &Endpoint)> {
        let refresh = self.endpoints.refresh.get();
        let refresh = refresh.map(|endpoint| (Verb::Refresh, endpoint));
        refresh.or_else(|| Some((Verb::Me, self.endpoints.me.get()?)))
    }

    /// Whether the backend has no call that renews a session, so that only `me` tells whether it is
    /// alive.
    pub fn refreshes_by_me(&self) -> bool {
        self.endpoints.refresh.get().is_none()
    }

    /// Where to find things in the answer to [`Profile::renewal`].
    pub fn refresh_fields(&self) -> &Fields {
        if self.refreshes_by_me() {
            &self.answer.me
        } else {
            &self.answer.refresh
        }
    }
}

const ELSEWHERE: &str = "names another origin, but a workspace that a person adds by its address speaks \
    to that address alone: list the workspaces of such a backend, or set `workspaces.adding` to `listed`";
const MIXES_UP: &str = "is `better-auth`, whose redirect does not say which server answers, so that a \
    workspace that a person adds by its address could take another one's sign-in: list the workspaces of \
    such a backend, or set `workspaces.adding` to `listed`";

/// The address of `path` below `base`.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let base = url.path().trim_end_matches('/').to_owned();
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(p, q)| (p, Some(q)));
    url.set_path(&format!("{base}{path}"));
    url.set_query(query);
    url
}

impl Endpoint {
    /// A call at this path whose JSON its caller writes.
    pub(crate) fn post_json(path: &str) -> Self {
        Self {
            path: Template::plain(path),
            body: ValueOrFalse(Some(BodyTemplate::Table(Vec::new()))),
            ..Self::default()
        }
    }

    /// The places of what its step keeps.
    fn step_places(&self) -> impl Iterator<Item = &Place> {
        let step = self.before.get().into_iter();
        step.flat_map(|step| step.keep.values())
    }
}
