//! The three ways in which a session is renewed, for promises that are tested with each. A token in a
//! cookie can be stored once the headers have arrived, one in a body only once that has. Where the
//! browser has begun the session, the provider renews it: its token travels in forms and bodies, and
//! `invalid_grant` alone is the end.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;
use vestibule_core::profile::Profile;
use vestibule_core::session::Session;
use vestibule_harness::{Lost, REFRESH, TOKEN, TestDesktop, login, merge, sign_in_by_browser};

use crate::secrecy::captured;

/// How a session is begun and renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// By a password; the refresh token is a cookie.
    Cookie,
    /// By a password; the refresh token is in bodies.
    Body,
    /// By the browser, at the bundled backend as the provider.
    Provider,
}

/// All of them, in the order of their declaration: `carrier as usize` is an index into this.
pub const CARRIERS: [Carrier; 3] = [Carrier::Cookie, Carrier::Body, Carrier::Provider];

impl Carrier {
    /// How refresh tokens travel at the bundled backend's own endpoints.
    pub fn at_the_backend(self) -> vestibule_backend::Carrier {
        match self {
            Self::Cookie | Self::Provider => vestibule_backend::Carrier::Cookie,
            Self::Body => vestibule_backend::Carrier::Body,
        }
    }

    /// The argument that tells a child process the carrier.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Body => "body",
            Self::Provider => "provider",
        }
    }

    /// Reads such an argument.
    pub fn of(word: &str) -> Result<Self, Lost> {
        let mut all = CARRIERS.into_iter();
        let found = all.find(|carrier| carrier.word() == word);
        found.ok_or_else(|| format!("no session is renewed by a {word}"))
    }

    /// The path to which refreshes are sent.
    pub fn refresh_path(self) -> &'static str {
        match self {
            Self::Cookie | Self::Body => REFRESH,
            Self::Provider => TOKEN,
        }
    }

    /// The profile of a backend at this address, with `more` merged into it.
    pub fn profile(self, address: &str, more: Value) -> Result<Profile, Lost> {
        let mut whole = match self {
            Self::Cookie | Self::Body => json!({}),
            Self::Provider => json!({
                "browser": {"kind": "oidc", "issuer": address, "client_id": "vestibule"},
            }),
        };
        merge(&mut whole, more);
        vestibule_harness::profile(address, self.at_the_backend(), whole)
    }

    /// Signs in. The desktop is the one that the session was opened with.
    pub async fn sign_in(
        self,
        session: &Session,
        desktop: &Arc<TestDesktop>,
        email: &str,
    ) -> Result<(), Lost> {
        match self {
            Self::Cookie | Self::Body => {
                let signed_in = session.login(login(email)).await;
                let signed_in = signed_in.map(drop);
                signed_in.map_err(|error| format!("cannot sign in: {error}"))
            }
            Self::Provider => {
                let signed_in = sign_in_by_browser(session, desktop, email).await;
                desktop.opened().iter().for_each(capture);
                signed_in.map(drop)
            }
        }
    }
}

/// Collects what is secret in an address that the browser has opened.
fn capture(address: &Url) {
    for (name, value) in address.query_pairs() {
        if ["state", "nonce"].contains(&name.as_ref()) {
            captured::secret(&value);
        }
    }
}

/// The carrier, and the profile of a backend at this address. `word` is that of the carrier and, after a
/// colon, where the user comes from after a refresh: `cookie:login`.
pub fn profile(address: &str, word: &str) -> Result<(Carrier, Profile), Lost> {
    let (word, user_from) = word.split_once(':').unwrap_or((word, "refresh"));
    let carrier = Carrier::of(word)?;
    let more = json!({"session": {"user_from": user_from}});
    Ok((carrier, carrier.profile(address, more)?))
}
