//! A backend, described as data. [`Profile::default`] is the contract of the bundled
//! backend; a file says what differs.

use serde::Deserialize;
use url::{Host, Url};

use crate::wire::SignedOutReason;

/// Everything that the core knows about a backend.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// The base URL under which every path hangs.
    pub backend: Url,
    /// Where each call goes, relative to the base.
    pub endpoints: Endpoints,
    /// Which cookies carry the session.
    pub cookies: Cookies,
    /// Where to find things in a JSON answer.
    pub answer: Answer,
    /// Which answers to a refresh end the session, first match wins. Everything that no
    /// rule names is transient.
    pub ends: Vec<EndRule>,
    /// One-time codes.
    pub otp: Otp,
    /// What the window may call with the user's session.
    pub api: Api,
}

/// Paths under the base URL.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoints {
    /// E-mail and password.
    pub login: String,
    /// A new account.
    pub register: String,
    /// A one-time code.
    pub verify_otp: String,
    /// Another one-time code.
    pub resend_otp: String,
    /// A new access token.
    pub refresh: String,
    /// The end of the session.
    pub logout: String,
}

/// Cookie names.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cookies {
    /// Kept apart from the others, in the keyring. There may be two.
    pub refresh: Vec<String>,
    /// Carries the install id; none if the backend wants no such cookie.
    pub device: Option<String>,
}

/// Ordered JSON pointers (RFC 6901): the first that finds something counts.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// The user object.
    pub user: Vec<String>,
    /// The access token.
    pub access_token: Vec<String>,
    /// Its life in seconds, from receipt.
    pub expires_in: Vec<String>,
    /// Its end (ISO 8601), used only where there is no life.
    pub expires: Vec<String>,
    /// True where a code is wanted.
    pub otp_required: Vec<String>,
    /// Where the code went.
    pub otp_email: Vec<String>,
    /// An error, for people.
    pub message: Vec<String>,
    /// An error, for programs.
    pub code: Vec<String>,
}

/// An answer that ends the session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndRule {
    /// HTTP status.
    pub status: u16,
    /// The error code in the body; absent means any JSON body.
    #[serde(default)]
    pub code: Option<String>,
    /// What it means.
    pub why: SignedOutReason,
}

/// One-time codes.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Otp {
    /// How long before another code may be asked for, in seconds, where the backend does
    /// not say.
    pub resend_after_s: u64,
}

/// What the window may call.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Paths relative to the base; `*` stands for one segment. The endpoints above are never
    /// among them, whatever stands here.
    pub allow: Vec<String>,
    /// How long the backend may take to answer once it has the whole request, in seconds.
    pub answer_within_s: u64,
    /// How long the backend may pause while a body goes either way, in seconds.
    pub idle_within_s: u64,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            backend: Url::parse("http://127.0.0.1:4580").expect("a constant"),
            endpoints: Endpoints::default(),
            cookies: Cookies::default(),
            answer: Answer::default(),
            ends: vec![
                EndRule::new(401, Some("REFRESH_REUSED"), SignedOutReason::Reuse),
                EndRule::new(401, Some("SESSION_REVOKED"), SignedOutReason::Revoked),
                EndRule::new(401, None, SignedOutReason::Expired),
                EndRule::new(
                    403,
                    Some("DEVICE_MISMATCH"),
                    SignedOutReason::DeviceMismatch,
                ),
            ],
            otp: Otp::default(),
            api: Api::default(),
        }
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            login: "/login".into(),
            register: "/register".into(),
            verify_otp: "/verify-otp".into(),
            resend_otp: "/resend-otp".into(),
            refresh: "/refresh-token".into(),
            logout: "/logout".into(),
        }
    }
}

impl Default for Cookies {
    fn default() -> Self {
        Self {
            refresh: vec!["__refresh_token".into()],
            device: Some("device_fingerprint".into()),
        }
    }
}

impl Default for Answer {
    fn default() -> Self {
        let one = |pointer: &str| vec![pointer.to_owned()];
        Self {
            user: one("/user"),
            access_token: one("/tokens/token"),
            expires_in: one("/tokens/expiresIn"),
            expires: one("/tokens/expires"),
            otp_required: one("/otpRequired"),
            otp_email: one("/email"),
            message: one("/message"),
            code: one("/code"),
        }
    }
}

impl Default for Otp {
    fn default() -> Self {
        Self { resend_after_s: 30 }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self {
            allow: [
                "/me",
                "/plans",
                "/plans/*",
                "/plans/*/purchase",
                "/sessions",
                "/sessions/*",
                "/logout-all",
                "/admin/users",
                "/transfer",
            ]
            .map(str::to_owned)
            .to_vec(),
            answer_within_s: 60,
            idle_within_s: 30,
        }
    }
}

impl EndRule {
    fn new(status: u16, code: Option<&str>, why: SignedOutReason) -> Self {
        Self {
            status,
            code: code.map(str::to_owned),
            why,
        }
    }
}

/// Why a profile is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not a URL that can have paths under it.
    #[error("`backend` is not a usable base address: {0}")]
    Backend(String),
    /// Plain HTTP beyond this machine.
    #[error("`backend` is plain http to {0}: use https (plain http is for loopback only)")]
    PlainHttp(String),
    /// A path that does not begin with a slash.
    #[error("`{key}` must begin with a slash: {value}")]
    Path {
        /// The key in the profile.
        key: String,
        /// What stands there.
        value: String,
    },
    /// A JSON pointer that does not begin with a slash.
    #[error("`answer.{key}` must hold JSON pointers, which begin with a slash: {value}")]
    Pointer {
        /// The key in the profile.
        key: &'static str,
        /// What stands there.
        value: String,
    },
    /// A time that makes no sense.
    #[error("`{key}` must be from 1 to 3600 seconds: {value}")]
    Seconds {
        /// The key in the profile.
        key: &'static str,
        /// What stands there.
        value: u64,
    },
    /// The file or section cannot be read as a profile.
    #[error("the profile cannot be read: {0}")]
    Syntax(String),
}

impl Profile {
    /// Reads a profile from JSON and checks it.
    pub fn from_json(value: serde_json::Value) -> Result<Self, ProfileError> {
        let profile: Self = serde_json::from_value(value)
            .map_err(|error| ProfileError::Syntax(error.to_string()))?;
        profile.check()?;
        Ok(profile)
    }

    /// The same profile for another base address.
    pub fn with_backend(mut self, address: &str) -> Result<Self, ProfileError> {
        self.backend = Url::parse(address)
            .map_err(|error| ProfileError::Backend(format!("{address}: {error}")))?;
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<(), ProfileError> {
        let backend = &self.backend;
        let host = backend
            .host()
            .ok_or_else(|| ProfileError::Backend(backend.to_string()))?;
        match backend.scheme() {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => return Err(ProfileError::PlainHttp(host.to_string())),
            other => {
                return Err(ProfileError::Backend(format!(
                    "{other}: use https, or http on loopback"
                )));
            }
        }
        if !backend.username().is_empty() || backend.password().is_some() {
            return Err(ProfileError::Backend(
                "it holds a user name or password".into(),
            ));
        }
        if backend.query().is_some() || backend.fragment().is_some() {
            return Err(ProfileError::Backend("it has a query or a fragment".into()));
        }
        let endpoints = &self.endpoints;
        for (key, value) in [
            ("endpoints.login", &endpoints.login),
            ("endpoints.register", &endpoints.register),
            ("endpoints.verify_otp", &endpoints.verify_otp),
            ("endpoints.resend_otp", &endpoints.resend_otp),
            ("endpoints.refresh", &endpoints.refresh),
            ("endpoints.logout", &endpoints.logout),
        ]
        .into_iter()
        .chain(self.api.allow.iter().map(|path| ("api.allow", path)))
        {
            if !value.starts_with('/') || value.starts_with("//") {
                return Err(ProfileError::Path {
                    key: key.into(),
                    value: value.clone(),
                });
            }
        }
        for (key, value) in [
            ("api.answer_within_s", self.api.answer_within_s),
            ("api.idle_within_s", self.api.idle_within_s),
        ] {
            if !(1..=3600).contains(&value) {
                return Err(ProfileError::Seconds { key, value });
            }
        }
        let answer = &self.answer;
        for (key, pointers) in [
            ("user", &answer.user),
            ("access_token", &answer.access_token),
            ("expires_in", &answer.expires_in),
            ("expires", &answer.expires),
            ("otp_required", &answer.otp_required),
            ("otp_email", &answer.otp_email),
            ("message", &answer.message),
            ("code", &answer.code),
        ] {
            if let Some(value) = pointers
                .iter()
                .find(|pointer| !pointer.is_empty() && !pointer.starts_with('/'))
            {
                return Err(ProfileError::Pointer {
                    key,
                    value: value.clone(),
                });
            }
        }
        Ok(())
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

    /// The endpoints of the session itself: no window calls them by their path.
    pub fn auth_paths(&self) -> impl Iterator<Item = &str> {
        let endpoints = &self.endpoints;
        [
            &endpoints.login,
            &endpoints.register,
            &endpoints.verify_otp,
            &endpoints.resend_otp,
            &endpoints.refresh,
            &endpoints.logout,
        ]
        .into_iter()
        .map(String::as_str)
    }

    /// Scheme, host and port: what a session belongs to.
    pub fn origin(&self) -> String {
        self.backend.origin().ascii_serialization()
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_partial_profiles_fill_up() {
        Profile::default().check().unwrap();
        let profile =
            Profile::from_json(serde_json::json!({"backend": "https://api.example.com/v1/"}))
                .unwrap();
        assert_eq!(
            profile.url("/login").as_str(),
            "https://api.example.com/v1/login"
        );
        assert_eq!(profile.origin(), "https://api.example.com");
        assert_eq!(profile.ends.len(), 4);
    }

    #[test]
    fn mistakes_are_refused_with_the_reason() {
        let refused = |value| Profile::from_json(value).unwrap_err().to_string();
        let text = refused(serde_json::json!({"backend": "http://example.com"}));
        assert!(text.contains("https"), "{text}");
        let text = refused(serde_json::json!({"bakend": "https://example.com"}));
        assert!(text.contains("bakend"), "{text}");
        let text = refused(serde_json::json!({"backend": "https://u:p@example.com"}));
        assert!(!text.contains("u:p"), "{text}");
        let text = refused(serde_json::json!({"answer": {"user": ["user"]}}));
        assert!(text.contains("answer.user"), "{text}");
        let text = refused(serde_json::json!({"endpoints": {"login": "login"}}));
        assert!(text.contains("endpoints.login"), "{text}");
        let text = refused(serde_json::json!({"api": {"idle_within_s": 0}}));
        assert!(text.contains("api.idle_within_s"), "{text}");
        assert!(
            Profile::default()
                .with_backend("http://127.0.0.1:1")
                .is_ok()
        );
        assert!(Profile::default().with_backend("http://[::1]:1").is_ok());
        assert!(Profile::default().with_backend("ftp://127.0.0.1").is_err());
    }
}
