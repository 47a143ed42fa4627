//! A backend, described as data. [`Profile::default`] is the contract of the bundled backend;
//! a file says what differs.
//!
//! [`load`] lays files over each other and [`check`] holds the result against itself, so that
//! what is wrong is said when the app starts. A [`Profile`] that exists can be relied on.
//! [`request`] makes requests of it and [`rules`] judges answers; both are pure.

mod body;
mod check;
mod fixed;
mod header;
mod layer;
mod load;
mod maybe;
mod mistake;
mod model;
mod name;
mod paths;
mod placeholder;
mod pointer;
mod read;
#[cfg(test)]
mod refusals;
mod request;
mod rules;
#[cfg(test)]
mod schema;
mod shipped;
mod text;

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

pub use body::Body;
pub use header::HeaderKey;
pub use layer::Layer;
pub use load::{Loaded, load, load_for};
pub use maybe::Maybe;
pub(crate) use mistake::Mistake;
pub use mistake::ProfileError;
pub use model::{
    Answer, Api, Cookies, Endpoint, Endpoints, Expiry, ExpiryForm, Fields, Method, Otp, SCHEMA,
    SessionRules, UserFields, UserFrom,
};
pub use placeholder::{Placeholder, Variables};
pub use pointer::{Pointer, first};
pub(crate) use read::read;
pub use request::{NoPath, Request, headers, request};
pub use rules::{EndRule, Ending, ErrorRule, Facts, Refusal, Step, When};
pub use shipped::{SHIPPED, Shipped};
pub use text::Text;

use crate::roles::Roles;

/// Everything that the core knows about a backend. Checked: see [`load`].
#[derive(Clone, Debug)]
pub struct Profile {
    /// What the backend is called, for people.
    pub name: String,
    /// The base URL under which every path hangs.
    pub backend: Url,
    /// Headers of every request.
    pub headers: BTreeMap<HeaderKey, Text>,
    /// Which cookies carry the session.
    pub cookies: Cookies,
    /// What a session consists of.
    pub session: SessionRules,
    /// The calls.
    pub endpoints: Endpoints,
    /// Where to find things in a JSON answer.
    pub answer: Answer,
    /// Where to find things in a user object.
    pub user: UserFields,
    /// One-time codes.
    pub otp: Otp,
    /// Which answers to a refresh end the session, first match wins. Everything that no
    /// rule names is transient.
    pub ends: Vec<EndRule>,
    /// What refusals mean where the status alone does not say it, first match wins.
    pub errors: Vec<ErrorRule>,
    /// Which answers to a sign-out say that there is nothing left to end.
    pub signed_out: Vec<When>,
    /// What the window may call with the user's session.
    pub api: Api,
    /// What each role may do in the app.
    pub roles: Roles,
}

impl Default for Profile {
    fn default() -> Self {
        load(&[]).expect("the contract, which a test reads")
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
        let mut url = self.backend.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(p, q)| (p, Some(q)));
        url.set_path(&format!("{base}{path}"));
        url.set_query(query);
        url
    }

    /// Scheme, host and port: what a session belongs to.
    pub fn origin(&self) -> String {
        self.backend.origin().ascii_serialization()
    }

    /// The endpoints of the session itself: no window calls them by their path. Segments with
    /// a `$` stand for any.
    pub fn auth_paths(&self) -> impl Iterator<Item = String> {
        let ours = self.endpoints.all().filter(|(name, _)| *name != "me");
        ours.map(|(_, call)| call.path.source())
    }

    /// The call that renews the session, by name, or that tells whether it is still alive.
    pub fn renewal(&self) -> Option<(&'static str, &Endpoint)> {
        let refresh = self.endpoints.refresh.get().map(|call| ("refresh", call));
        refresh.or_else(|| self.endpoints.me.get().map(|call| ("me", call)))
    }

    /// Whether there is nothing to renew a session with: `me` tells whether it is alive.
    pub fn is_renewed_by_me(&self) -> bool {
        self.endpoints.refresh.get().is_none()
    }

    /// Where to look in the answer to [`Profile::renewal`].
    pub fn renewed(&self) -> &Fields {
        if self.is_renewed_by_me() {
            &self.answer.me
        } else {
            &self.answer.refresh
        }
    }
}
