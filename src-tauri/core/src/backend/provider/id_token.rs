//! Who has signed in: the ID token, checked (OpenID Connect Core §3.1.3.7), and what `userinfo` adds.

use std::sync::Arc;
use std::time::SystemTime;

use openidconnect::core::{
    CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKey, CoreJsonWebKeySet,
    CoreJsonWebKeyUse as KeyUse, CoreJwsSigningAlgorithm as Algorithm,
};
use openidconnect::{
    ClaimsVerificationError, ClientId, IssuerUrl, JsonWebKey as _, Nonce,
    SignatureVerificationError,
};
use serde_json::Value;
use tokio::time::Instant;

use super::ProviderRequest;
use super::discovery::{Provider, ProviderFault};
use crate::backend::client::{Backend, EXCHANGE_TIMEOUT};
use crate::backend::error::BackendError;
use crate::device::Device;
use crate::jwt;
use crate::profile::Pointer;
use crate::secrets::Secret;
use crate::user_object;
use crate::wire::User;

/// Signatures by keys of which only one half is public. `none`, and those by a shared secret, are not
/// among them.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

const UNCHECKED: &str = "The sign-in service's answer does not show who has signed in, or that it was \
    meant for this app. Nobody was signed in. Try again, or ask its operator.";
const NO_KEYS: &str =
    "The keys of the sign-in service cannot be read, so nobody was signed in. Ask its operator.";
const SOMEBODY_ELSE: &str =
    "The sign-in service names two different people in one sign-in. Nobody was signed in.";

/// Which sign-in an ID token must belong to.
pub(super) enum Expected<'a> {
    /// The one with this nonce.
    Nonce(&'a Nonce),
    /// None: the token came with a refresh (OpenID Connect Core §12.2) or by a device code.
    AnySignIn,
}

impl Backend {
    /// The claims of an ID token that was checked. Times are judged by `now`, the time by the clock of
    /// the provider's own answer, so that a wrong clock here locks nobody out.
    pub(super) async fn checked_claims(
        &self,
        provider: &Provider,
        id_token: &Secret,
        expected: Expected<'_>,
        now: SystemTime,
        asked: (&Device, Instant),
    ) -> Result<Value, ProviderFault> {
        let keys = match self.providers.keys() {
            Some(keys) => keys,
            None => self.fetch_keys(provider, asked).await?,
        };
        let check = |keys: &CoreJsonWebKeySet| self.check(provider, keys, id_token, &expected, now);
        match check(&keys) {
            // The provider has changed its keys.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
                | SignatureVerificationError::CryptoError(_),
            )) if self.providers.may_look_again() => {
                let fetched = self.fetch_keys(provider, asked).await;
                if fetched.is_err() {
                    self.providers.looked_in_vain();
                }
                let keys = fetched?;
                check(&keys)
            }
            checked => checked,
        }
        .map_err(|error| {
            // The cause of an error of this library may quote claims.
            let kind = match error {
                ClaimsVerificationError::Expired(_) => "expired",
                ClaimsVerificationError::InvalidAudience(_) => "audience",
                ClaimsVerificationError::InvalidIssuer(_) => "issuer",
                ClaimsVerificationError::InvalidNonce(_) => "nonce",
                ClaimsVerificationError::SignatureVerification(_) => "signature",
                _ => "other",
            };
            tracing::error!(kind, "an ID token does not pass its checks");
            match error {
                // Issuer, audience and signature are looked at before: it is the provider's, and old.
                ClaimsVerificationError::Expired(_) => ProviderFault::Odd(UNCHECKED),
                _ => ProviderFault::Untrusted(UNCHECKED),
            }
        })
    }

    pub(super) fn check(
        &self,
        provider: &Provider,
        keys: &CoreJsonWebKeySet,
        id_token: &Secret,
        expected: &Expected<'_>,
        now: SystemTime,
    ) -> Result<Value, ClaimsVerificationError> {
        let odd = |what: &str| ClaimsVerificationError::Other(what.to_owned());
        let browser = self.browser().ok_or_else(|| odd("no client"))?;
        let issuer = provider.issuer.clone().ok_or_else(|| odd("no issuer"))?;
        let issuer = IssuerUrl::new(issuer).map_err(|_| odd("issuer"))?;
        let client = ClientId::new(browser.client().to_owned());
        let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, keys.clone())
            .set_allowed_algs(ALGORITHMS)
            // Some providers name their APIs beside the client; `azp` is checked below.
            .set_other_audience_verifier_fn(|_| true)
            .set_time_fn(move || now.into());
        let token: CoreIdToken = id_token.secret().parse().map_err(|_| odd("form"))?;
        match expected {
            Expected::Nonce(nonce) => token.claims(&verifier, *nonce)?,
            Expected::AnySignIn => token.claims(&verifier, |_: Option<&Nonce>| Ok(()))?,
        };
        let claims = jwt::claims(id_token.secret()).ok_or_else(|| odd("claims"))?;
        match claims.get("azp").and_then(Value::as_str) {
            Some(party) if party != browser.client() => {
                Err(ClaimsVerificationError::InvalidAudience("azp".into()))
            }
            _ => Ok(claims),
        }
    }

    /// How many of the provider's keys can check a signature here: the library is asked to check one that
    /// is none, and knows by the key alone whether it can.
    ///
    /// # Errors
    /// If the keys cannot be read.
    pub async fn usable_keys(
        &self,
        provider: &Provider,
        device: &Device,
    ) -> Result<usize, ProviderFault> {
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let keys = self.fetch_keys(provider, (device, until)).await?;
        let is_usable = |key: &&CoreJsonWebKey| {
            let is_for_signatures = (key.key_use()).is_none_or(|held| *held == KeyUse::Signature);
            let checks = |algorithm: &Algorithm| {
                let checked = key.verify_signature(algorithm, &[], &[]);
                matches!(checked, Err(SignatureVerificationError::CryptoError(_)))
            };
            is_for_signatures && ALGORITHMS.iter().any(checks)
        };
        Ok(keys.keys().iter().filter(is_usable).count())
    }

    /// What `userinfo` says of the owner of an access token; `None` if the provider has no such endpoint.
    ///
    /// # Errors
    /// If it says nothing.
    pub async fn user_info(
        &self,
        provider: &Provider,
        access: &Secret,
        device: &Device,
    ) -> Result<Option<Value>, ProviderFault> {
        let Some(address) = &provider.userinfo else {
            return Ok(None);
        };
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let told = self.userinfo(address.url(), access, (device, until));
        told.await.map(Some)
    }

    async fn fetch_keys(
        &self,
        provider: &Provider,
        (device, until): (&Device, Instant),
    ) -> Result<Arc<CoreJsonWebKeySet>, ProviderFault> {
        let address = provider.keys.as_ref().ok_or(ProviderFault::Odd(NO_KEYS))?;
        let request = ProviderRequest::get(address.url(), device, until);
        let response = self.ask_provider(request, false).await?;
        let status = response.status();
        let body = response.body().await?;
        if !status.is_success() || body.is_anothers() {
            return Err(BackendError::of_answer(status, &body).into());
        }
        let keys = body.json().cloned();
        let keys = keys.and_then(|json| serde_json::from_value::<CoreJsonWebKeySet>(json).ok());
        let keys = Arc::new(keys.ok_or(ProviderFault::Odd(NO_KEYS))?);
        self.providers.keep_keys(&keys);
        Ok(keys)
    }

    /// The user of these claims, with what `userinfo` says where the claims name nobody whom a person
    /// would know.
    pub(super) async fn user_of(
        &self,
        provider: &Provider,
        claims: Option<Value>,
        access: Option<&Secret>,
        asked: (&Device, Instant),
    ) -> Result<User, ProviderFault> {
        let fields = self.browser().ok_or(BackendError::BadAnswer)?.claims();
        let finds = |pointers: &[Pointer]| {
            let claims = claims.as_ref();
            claims.is_some_and(|claims| crate::profile::first(pointers, claims).is_some())
        };
        let is_known = finds(&fields.id) && finds(&fields.email) && finds(&fields.name);
        let whole = match (&provider.userinfo, access) {
            (Some(address), Some(access)) if !is_known => {
                let told = self.userinfo(address.url(), access, asked).await;
                let more = match (told, &claims) {
                    (Ok(more), _) => more,
                    (Err(fault), Some(claims)) if finds(&fields.id) => {
                        // Entra's userinfo takes no token that is for another API.
                        tracing::warn!(
                            ?fault,
                            "the provider's userinfo says nothing: the user is who the ID token names"
                        );
                        claims.clone()
                    }
                    (Err(fault), _) => return Err(fault),
                };
                let same = |claims: &Value| claims.get("sub") == more.get("sub");
                // OpenID Connect Core §5.3.2: otherwise it may be another person's.
                if provider.issuer.is_some() && !claims.as_ref().is_none_or(same) {
                    return Err(ProviderFault::Untrusted(SOMEBODY_ELSE));
                }
                merged(claims, more)
            }
            _ => claims.ok_or(BackendError::BadAnswer)?,
        };
        let user = user_object::user(&whole, &fields).ok_or(BackendError::BadAnswer)?;
        let name = match user.name.trim().is_empty() {
            true => user.id.clone(),
            false => user.name,
        };
        Ok(User { name, ..user })
    }

    async fn userinfo(
        &self,
        address: &url::Url,
        access: &Secret,
        (device, until): (&Device, Instant),
    ) -> Result<Value, ProviderFault> {
        let request = ProviderRequest {
            bearer: Some(access),
            ..ProviderRequest::get(address, device, until)
        };
        let response = self.ask_provider(request, false).await?;
        let status = response.status();
        let body = response.body().await?;
        let told = body
            .json()
            .filter(|_| status.is_success() && !body.is_anothers());
        let told = told.filter(|json| json.is_object()).cloned();
        told.ok_or_else(|| BackendError::of_answer(status, &body).into())
    }
}

/// The claims, and beside them what was told besides. What the signed token says counts.
fn merged(claims: Option<Value>, more: Value) -> Value {
    match (claims, more) {
        (Some(Value::Object(claims)), Value::Object(mut more)) => {
            more.extend(claims);
            Value::Object(more)
        }
        (Some(claims), _) => claims,
        (None, more) => more,
    }
}
