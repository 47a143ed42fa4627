//! Who has signed in: the ID token, checked (OpenID Connect Core §3.1.3.7), and what `userinfo` adds.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::ProviderRequest;
use super::discovery::{Provider, ProviderFault};
use super::keys::{ProviderKeys, SignatureFault};
use crate::backend::client::{Backend, EXCHANGE_TIMEOUT};
use crate::backend::error::BackendError;
use crate::device::Device;
use crate::jwt;
use crate::moment;
use crate::profile::Pointer;
use crate::secrets::Secret;
use crate::user_object;
use crate::wire::User;

const UNCHECKED: &str = "The sign-in service's answer does not show who has signed in, or that it was \
    meant for this app. Nobody was signed in. Try again, or ask its operator.";
const NO_KEYS: &str =
    "The keys of the sign-in service cannot be read, so nobody was signed in. Ask its operator.";
const SOMEBODY_ELSE: &str =
    "The sign-in service names two different people in one sign-in. Nobody was signed in.";

/// Which sign-in an ID token must belong to.
pub(super) enum Expected<'a> {
    /// The one with this nonce.
    Nonce(&'a Secret),
    /// None: the token came with a refresh (OpenID Connect Core §12.2) or by a device code.
    AnySignIn,
}

/// Which check an ID token does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdTokenFault {
    /// It is no signed JWT, or one of another kind, or says nothing of whose it is or how long it counts.
    Form,
    /// It is another issuer's.
    Issuer,
    /// It is for another app.
    Audience,
    /// Its signature does not count.
    Signature(SignatureFault),
    /// Its time is over. Everything above holds: it is the provider's, and old.
    Expired,
    /// It is of another sign-in.
    Nonce,
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
        let check = |keys: &ProviderKeys| self.check(provider, keys, id_token, &expected, now);
        match check(&keys) {
            // The provider has changed its keys.
            Err(IdTokenFault::Signature(SignatureFault::Key))
                if self.providers.may_look_again() =>
            {
                let fetched = self.fetch_keys(provider, asked).await;
                if fetched.is_err() {
                    self.providers.looked_in_vain();
                }
                let keys = fetched?;
                check(&keys)
            }
            checked => checked,
        }
        .map_err(|fault| {
            tracing::error!(?fault, "an ID token does not pass its checks");
            match fault {
                IdTokenFault::Expired => ProviderFault::Odd(UNCHECKED),
                _ => ProviderFault::Untrusted(UNCHECKED),
            }
        })
    }

    /// OpenID Connect Core §3.1.3.7, by its items.
    pub(super) fn check(
        &self,
        provider: &Provider,
        keys: &ProviderKeys,
        id_token: &Secret,
        expected: &Expected<'_>,
        now: SystemTime,
    ) -> Result<Value, IdTokenFault> {
        let client = self.browser().ok_or(IdTokenFault::Audience)?.client();
        let token = jwt::Parts::of(id_token.secret()).ok_or(IdTokenFault::Form)?;
        if !token.header().as_ref().is_some_and(is_plain) {
            return Err(IdTokenFault::Form);
        }
        let claims = token.claims().ok_or(IdTokenFault::Form)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        // 2.
        if text("iss").is_none_or(|issuer| provider.issuer.as_deref() != Some(issuer)) {
            return Err(IdTokenFault::Issuer);
        }
        // 3. Some providers name their APIs beside the client.
        let is_for_client = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().any(|one| one == client),
            one => one.is_some_and(|one| one == client),
        };
        // 4 and 5.
        let party = claims.get("azp").filter(|party| !party.is_null());
        if !is_for_client || party.is_some_and(|party| party != client) {
            return Err(IdTokenFault::Audience);
        }
        // 6 to 8.
        keys.verify(&token).map_err(IdTokenFault::Signature)?;
        if !claims.get("sub").is_some_and(is_subject) {
            return Err(IdTokenFault::Form);
        }
        // 9.
        let end = claims
            .get("exp")
            .and_then(end_of)
            .ok_or(IdTokenFault::Form)?;
        if now >= end {
            return Err(IdTokenFault::Expired);
        }
        // 11.
        if let Expected::Nonce(wanted) = expected {
            let said = text("nonce").ok_or(IdTokenFault::Nonce)?;
            if !bool::from(said.as_bytes().ct_eq(wanted.secret().as_bytes())) {
                return Err(IdTokenFault::Nonce);
            }
        }
        Ok(claims)
    }

    /// How many of the provider's keys can check a signature here.
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
        Ok(keys.count_usable())
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
    ) -> Result<Arc<ProviderKeys>, ProviderFault> {
        let address = provider.keys.as_ref().ok_or(ProviderFault::Odd(NO_KEYS))?;
        let request = ProviderRequest::get(address.url(), device, until);
        let response = self.ask_provider(request, false).await?;
        let status = response.status();
        let body = response.body().await?;
        if !status.is_success() || body.is_anothers() {
            return Err(BackendError::of_answer(status, &body).into());
        }
        let keys = body.json().and_then(ProviderKeys::read);
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

/// Whether this names somebody. It is to be a text (OpenID Connect Core §2); a number that is not whole, or too
/// large, would be two people's.
fn is_subject(sub: &Value) -> bool {
    match sub {
        Value::String(name) => !name.is_empty(),
        Value::Number(number) => number.is_u64(),
        _ => false,
    }
}

/// A NumericDate (RFC 7519 §2), and what is written in its place. The clock of a provider may stand before
/// the year 2000, where a moment of any other answer is taken for none.
fn end_of(exp: &Value) -> Option<SystemTime> {
    let in_seconds = || exp.as_u64()?.checked_mul(1000);
    let ms = moment::epoch_ms(exp).or_else(in_seconds)?;
    UNIX_EPOCH.checked_add(Duration::from_millis(ms))
}

/// Whether a token with this header is a JWT of claims and nothing else: not of another type (RFC 8725
/// §3.11), not one inside another, and without an extension that must be understood (RFC 7515 §4.1.11).
fn is_plain(header: &Value) -> bool {
    let said = |name: &str| header.get(name).filter(|value| !value.is_null());
    let is_jwt = said("typ").is_none_or(|kind| {
        let kind = kind.as_str().unwrap_or_default().to_ascii_lowercase();
        let kind = kind.strip_prefix("application/").unwrap_or(&kind);
        // "JOSE" is what any token in three parts may be called (RFC 7515 §4.1.9).
        matches!(kind, "jwt" | "jose")
    });
    is_jwt && said("cty").is_none() && header.get("crit").is_none()
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
