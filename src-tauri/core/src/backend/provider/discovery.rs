//! The endpoints and keys of a provider: by discovery (OpenID Connect Discovery 1.0), or as the profile
//! names them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::ProviderRequest;
use super::keys::ProviderKeys;
use crate::backend::client::{Backend, EXCHANGE_TIMEOUT};
use crate::backend::error::BackendError;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::profile::{Browser, BrowserKind, ProviderAddress};

/// How long what discovery said is believed, and how long the keys that it led to are.
const BELIEVED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// The least time between two looks for new keys because of an unknown one.
const KEYS_GAP: Duration = Duration::from_secs(60);
/// Below an issuer (OpenID Connect Discovery §4).
const CONFIGURATION: &str = ".well-known/openid-configuration";

/// What is known of a provider.
#[derive(Debug)]
pub struct Provider {
    /// The issuer as the provider writes it; `None` without discovery.
    pub issuer: Option<String>,
    /// The page at which a person signs in.
    pub authorize: ProviderAddress,
    /// Where a code and a refresh token are exchanged.
    pub token: ProviderAddress,
    /// Where tokens are revoked (RFC 7009).
    pub revoke: Option<ProviderAddress>,
    /// Where it is told whose token it is.
    pub userinfo: Option<ProviderAddress>,
    /// Where a code for another device is had (RFC 8628).
    pub device_authorization: Option<ProviderAddress>,
    /// The page that ends the provider's own session.
    pub end_session: Option<ProviderAddress>,
    /// The keys of its signatures.
    pub keys: Option<ProviderAddress>,
    /// Whether each answer names its issuer (RFC 9207).
    pub promises_issuer: bool,
    /// Whether a client's secret goes into the body, else into a header.
    pub secret_in_body: bool,
    /// The same where tokens are revoked.
    pub revokes_with_secret_in_body: bool,
}

impl Provider {
    /// Whether this issuer is of an origin of the provider's own endpoints.
    pub(super) fn is_at(&self, issuer: &str) -> bool {
        let origin = Url::parse(issuer).map(|issuer| issuer.origin());
        let own = [&self.authorize, &self.token].map(|address| address.url().origin());
        origin.is_ok_and(|origin| own.contains(&origin))
    }
}

/// Why a provider cannot be used, or its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderFault {
    /// Its answer did not come, or says nothing.
    Backend(BackendError),
    /// It is not what this app was made for. The sentence says which side can mend it.
    Odd(&'static str),
    /// What it says of who has signed in does not pass its checks, or contradicts itself. The sentence is
    /// for the person.
    Untrusted(&'static str),
}

impl From<BackendError> for ProviderFault {
    fn from(fault: BackendError) -> Self {
        Self::Backend(fault)
    }
}

impl From<ProviderFault> for BackendError {
    fn from(fault: ProviderFault) -> Self {
        match fault {
            ProviderFault::Backend(fault) => fault,
            ProviderFault::Odd(_) | ProviderFault::Untrusted(_) => Self::BadAnswer,
        }
    }
}

impl From<ProviderFault> for AuthError {
    fn from(fault: ProviderFault) -> Self {
        match fault {
            ProviderFault::Backend(fault) => fault.into(),
            ProviderFault::Odd(words) | ProviderFault::Untrusted(words) => {
                Self::with_message(ErrorCode::BadAnswer, words)
            }
        }
    }
}

/// The provider of one profile, once it was asked for.
#[derive(Default)]
pub(in crate::backend) struct ProviderCache {
    found: Mutex<Option<(Instant, Arc<Provider>)>>,
    keys: Mutex<Option<(Instant, Arc<ProviderKeys>)>>,
    /// When the keys were last fetched because of a signature that none of them has made.
    looked_again: Mutex<Option<Instant>>,
}

impl ProviderCache {
    pub(super) fn found(&self) -> Option<Arc<Provider>> {
        let (at, provider) = self.last()?;
        (at.elapsed() < BELIEVED_FOR).then_some(provider)
    }

    /// What was found last, however long ago.
    pub(super) fn last(&self) -> Option<(Instant, Arc<Provider>)> {
        let held = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    fn keep(&self, provider: &Arc<Provider>) {
        let mut held = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((Instant::now(), provider.clone()));
    }

    /// The provider's keys, unless they are so old that the provider may have withdrawn one.
    pub(super) fn keys(&self) -> Option<Arc<ProviderKeys>> {
        let held = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, keys) = held.as_ref()?;
        (at.elapsed() < BELIEVED_FOR).then(|| keys.clone())
    }

    pub(super) fn keep_keys(&self, keys: &Arc<ProviderKeys>) {
        let mut held = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((Instant::now(), keys.clone()));
    }

    /// Whether the keys may be fetched now because none of them has made a signature; then that counts as
    /// done. An answer with an odd signature must not make the app ask each time.
    pub(super) fn may_look_again(&self) -> bool {
        let mut last = self
            .looked_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let may = last.is_none_or(|last| last.elapsed() >= KEYS_GAP);
        if may {
            *last = Some(Instant::now());
        }
        may
    }

    /// The keys that were looked for have not come, so they may be looked for again.
    pub(super) fn looked_in_vain(&self) {
        let mut last = self
            .looked_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = None;
    }

    /// Forgets what discovery said, because an endpoint is not there any more.
    pub(super) fn forget(&self) {
        let mut held = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        *held = None;
    }
}

/// What a discovery document holds of what this app needs. Members that are null or of another kind
/// than expected count as missing, so that one odd member spoils no other.
#[derive(Deserialize)]
struct Document {
    issuer: serde_json::Value,
    #[serde(default)]
    authorization_endpoint: serde_json::Value,
    #[serde(default)]
    token_endpoint: serde_json::Value,
    #[serde(default)]
    revocation_endpoint: serde_json::Value,
    #[serde(default)]
    userinfo_endpoint: serde_json::Value,
    #[serde(default)]
    device_authorization_endpoint: serde_json::Value,
    #[serde(default)]
    end_session_endpoint: serde_json::Value,
    #[serde(default)]
    jwks_uri: serde_json::Value,
    #[serde(default)]
    code_challenge_methods_supported: serde_json::Value,
    #[serde(default)]
    authorization_response_iss_parameter_supported: serde_json::Value,
    #[serde(default)]
    token_endpoint_auth_methods_supported: serde_json::Value,
    #[serde(default)]
    revocation_endpoint_auth_methods_supported: serde_json::Value,
}

const NO_DISCOVERY: &str = "The sign-in service does not describe itself as this app expects. Ask the \
    makers of this app: the address of the issuer may be wrong.";
const OTHER_ISSUER: &str = "The sign-in service calls itself by another name than this app expects. Ask \
    the makers of this app: the address of the issuer may be wrong.";
const NO_S256: &str = "The sign-in service does not offer the protection that this app needs (PKCE with \
    S256). Ask its operator.";
const PLAIN: &str = "The sign-in service names an address without encryption, or one that makes no \
    sense. Ask its operator.";

impl Document {
    fn provider(self, browser: &Browser) -> Result<Provider, &'static str> {
        let issuer = self.issuer.as_str().ok_or(NO_DISCOVERY)?;
        let expected = browser.issuer.as_ref().ok_or(NO_DISCOVERY)?;
        let plain = |text: &str| text.trim_end_matches('/').to_owned();
        let is_same =
            Url::parse(issuer).is_ok_and(|it| plain(it.as_str()) == plain(expected.url().as_str()));
        if !is_same {
            return Err(OTHER_ISSUER);
        }
        let methods = names(&self.code_challenge_methods_supported);
        if methods.is_some_and(|methods| !methods.contains(&"S256")) {
            return Err(NO_S256);
        }
        let read = |value: &serde_json::Value| match value.as_str() {
            None => Ok(None),
            Some(text) => ProviderAddress::parse(text).map(Some).map_err(|_| PLAIN),
        };
        // What the profile names counts first: not every discovery names each (RFC 8414 has more members
        // than OpenID Connect Discovery).
        let or_read = |named: &Option<ProviderAddress>, value| match named {
            Some(named) => Ok(Some(named.clone())),
            None => read(value),
        };
        // Without the list it is the header (OpenID Connect Discovery §3, RFC 8414 §2).
        let takes_body = |list| names(list).map(|methods| methods.contains(&"client_secret_post"));
        let at_token = takes_body(&self.token_endpoint_auth_methods_supported);
        // Who lists the methods of the one and not of the other means both.
        let at_revoke = takes_body(&self.revocation_endpoint_auth_methods_supported).or(at_token);
        let promised = &self.authorization_response_iss_parameter_supported;
        Ok(Provider {
            issuer: Some(issuer.to_owned()),
            authorize: read(&self.authorization_endpoint)?.ok_or(NO_DISCOVERY)?,
            token: read(&self.token_endpoint)?.ok_or(NO_DISCOVERY)?,
            revoke: or_read(&browser.revoke, &self.revocation_endpoint)?,
            userinfo: or_read(&browser.userinfo, &self.userinfo_endpoint)?,
            device_authorization: or_read(
                &browser.device_authorization,
                &self.device_authorization_endpoint,
            )?,
            end_session: read(&self.end_session_endpoint)?,
            keys: read(&self.jwks_uri)?,
            promises_issuer: crate::json_value::is_true(promised),
            secret_in_body: at_token.unwrap_or_default(),
            revokes_with_secret_in_body: at_revoke.unwrap_or_default(),
        })
    }
}

/// The provider that a discovery document describes to an app with this section; otherwise the words for
/// the person.
pub(super) fn described(
    document: &serde_json::Value,
    browser: &Browser,
) -> Result<Provider, &'static str> {
    let document = Document::deserialize(document).map_err(|_| NO_DISCOVERY)?;
    document.provider(browser)
}

fn names(value: &serde_json::Value) -> Option<Vec<&str>> {
    let items = value.as_array()?;
    Some(items.iter().filter_map(serde_json::Value::as_str).collect())
}

impl Backend {
    /// The provider of the profile: asked for once a day, and again after an endpoint was not found.
    ///
    /// # Errors
    /// If its discovery cannot be read, or is not what the app needs.
    pub async fn provider(&self, device: &Device) -> Result<Arc<Provider>, ProviderFault> {
        let browser = self.browser().ok_or(BackendError::BadAnswer)?;
        if let Some(provider) = self.providers.found() {
            return Ok(provider);
        }
        let provider = Arc::new(match browser.kind {
            BrowserKind::Oidc => self.discover(browser, device).await?,
            BrowserKind::Oauth2 => named(browser).ok_or(BackendError::BadAnswer)?,
            BrowserKind::BetterAuth => return Err(BackendError::BadAnswer.into()),
        });
        self.providers.keep(&provider);
        Ok(provider)
    }

    async fn discover(
        &self,
        browser: &Browser,
        device: &Device,
    ) -> Result<Provider, ProviderFault> {
        let issuer = browser.issuer.as_ref().ok_or(BackendError::BadAnswer)?;
        let mut address = issuer.url().clone();
        let path = format!("{}/{CONFIGURATION}", address.path().trim_end_matches('/'));
        address.set_path(&path);
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let request = ProviderRequest::get(&address, device, until);
        let response = self.ask_provider(request, false).await?;
        let status = response.status();
        let body = response.body().await?;
        if !status.is_success() || body.is_anothers() {
            return Err(match BackendError::of_answer(status, &body) {
                fault if fault.obstacle().is_some() => ProviderFault::Backend(fault),
                _ => ProviderFault::Odd(NO_DISCOVERY),
            });
        }
        let document = body.json().ok_or(ProviderFault::Odd(NO_DISCOVERY))?;
        described(document, browser).map_err(|words| {
            tracing::error!(
                issuer = %issuer.url().origin().ascii_serialization(),
                words,
                "the provider's discovery is not what the profile expects: nobody can sign in by the browser"
            );
            ProviderFault::Odd(words)
        })
    }
}

/// A provider whose endpoints the profile names.
fn named(browser: &Browser) -> Option<Provider> {
    Some(Provider {
        issuer: None,
        authorize: browser.authorize.clone()?,
        token: browser.token.clone()?,
        revoke: browser.revoke.clone(),
        userinfo: browser.userinfo.clone(),
        device_authorization: browser.device_authorization.clone(),
        end_session: None,
        keys: None,
        promises_issuer: false,
        secret_in_body: true,
        revokes_with_secret_in_body: true,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::profile::Profile;

    fn read(change: Value) -> Result<Provider, &'static str> {
        let profile = Profile::from_json(json!({
            "browser": {"kind": "oidc", "issuer": "https://id.example/realm", "client_id": "app"},
        }));
        let profile = profile.expect("a profile");
        let mut document = json!({
            "issuer": "https://id.example/realm",
            "authorization_endpoint": "https://id.example/authorize?p=1",
            "token_endpoint": "https://tokens.example/token",
            "code_challenge_methods_supported": ["plain", "S256"],
        });
        crate::profile::merge_for_tests(&mut document, &change);
        described(&document, profile.browser.get().expect("it has one"))
    }

    #[test]
    fn a_document_is_taken_as_it_is_written_in_the_wild() {
        let found =
            read(json!({"revocation_endpoint": null, "userinfo_endpoint": 7})).expect("fits");
        assert_eq!(found.authorize.url().query(), Some("p=1"));
        assert!(found.revoke.is_none() && found.userinfo.is_none());
        assert!(!found.promises_issuer && !found.secret_in_body);
        let slash = read(json!({"issuer": "https://id.example/realm/"})).expect("a slash more");
        assert_eq!(slash.issuer.as_deref(), Some("https://id.example/realm/"));
        assert!(
            read(json!({"code_challenge_methods_supported": null})).is_ok(),
            "Entra"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_believed_as_long_as_discovery() {
        let cache = ProviderCache::default();
        cache.keep_keys(&Arc::new(ProviderKeys::default()));
        tokio::time::advance(BELIEVED_FOR - Duration::from_secs(1)).await;
        assert!(cache.keys().is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(cache.keys().is_none(), "one may have been withdrawn");
        assert!(cache.may_look_again() && !cache.may_look_again());
        tokio::time::advance(KEYS_GAP).await;
        assert!(cache.may_look_again());
    }

    #[test]
    fn what_is_not_safe_is_refused_in_words() {
        for (change, words) in [
            (json!({"issuer": "https://id.example"}), OTHER_ISSUER),
            (
                json!({"issuer": "https://evil.example/realm"}),
                OTHER_ISSUER,
            ),
            (json!({"issuer": 7}), NO_DISCOVERY),
            (json!({"token_endpoint": null}), NO_DISCOVERY),
            (json!({"token_endpoint": "http://id.example/token"}), PLAIN),
            (json!({"token_endpoint": "javascript:alert(1)"}), PLAIN),
            (
                json!({"authorization_endpoint": "https://a:b@id.example/"}),
                PLAIN,
            ),
            (
                json!({"code_challenge_methods_supported": ["plain"]}),
                NO_S256,
            ),
            (json!({"code_challenge_methods_supported": []}), NO_S256),
        ] {
            assert_eq!(read(change.clone()).err(), Some(words), "{change}");
        }
    }
}
