//! What comes after a sign-in by the browser: the session is renewed at the token endpoint (RFC 6749 §6),
//! and its tokens are revoked at its end (RFC 7009).

use std::time::SystemTime;

use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::ProviderRequest;
use super::discovery::{Provider, ProviderFault};
use super::id_token::Expected;
use super::tokens::{TokenAnswer, member, refusal};
use crate::backend::answers::{RefreshAnswer, SignOutAnswer};
use crate::backend::client::{Backend, EXCHANGE_TIMEOUT};
use crate::backend::error::BackendError;
use crate::backend::response::Response;
use crate::backend::response_body::ResponseBody;
use crate::backend::sign_out::UndeliveredSignOut;
use crate::device::Device;
use crate::json_value::text_of;
use crate::jwt;
use crate::profile::{ApiToken, BrowserKind};
use crate::secrets::Secret;
use crate::token::{ProviderToken, RefreshToken};
use crate::wire::{SignedOutReason, User};

impl Backend {
    /// Asks the provider for new tokens.
    pub(in crate::backend) async fn refresh_at_provider(
        &self,
        held: &ProviderToken,
        device: &Device,
        attempt: u32,
    ) -> Result<Response, BackendError> {
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let (endpoint, secret_in_body) = self.token_endpoint(held, device).await?;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", held.token.secret()),
        ];
        let request = ProviderRequest {
            attempt,
            ..ProviderRequest::post(&endpoint, &form, device, until)
        };
        let response = self.ask_provider(request, secret_in_body).await?;
        if [
            StatusCode::NOT_FOUND,
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::GONE,
        ]
        .contains(&response.status())
        {
            // It may have moved: the next try asks discovery first.
            self.providers.forget();
        }
        Ok(response)
    }

    /// Where this token goes: to the endpoint that discovery names now, as long as it is of the origin
    /// that has issued the token. Where discovery cannot be read, to the endpoint that has issued it.
    async fn token_endpoint(
        &self,
        held: &ProviderToken,
        device: &Device,
    ) -> Result<(Url, bool), BackendError> {
        if self.browser().is_none() {
            tracing::warn!(
                "the profile has no sign-in by the browser any more: the session ends here"
            );
            return Err(BackendError::ProviderMoved);
        }
        match self.provider(device).await {
            Ok(provider) if provider.token.url().origin() == held.endpoint.origin() => {
                Ok((provider.token.url().clone(), provider.secret_in_body))
            }
            Ok(provider) => {
                tracing::warn!(
                    issued_by = held.endpoint.origin().ascii_serialization(),
                    now = provider.token.url().origin().ascii_serialization(),
                    "the provider has moved: the refresh token does not go there"
                );
                // Somebody in between may have answered in its place: the next try asks it again.
                self.providers.forget();
                Err(BackendError::ProviderMoved)
            }
            Err(fault) => match BackendError::from(fault) {
                // The endpoint would not be reached either.
                fault @ (BackendError::Unreachable(_) | BackendError::TimedOut) => Err(fault),
                _ => {
                    // The header is what each server takes (RFC 6749 §2.3.1).
                    let last = self.providers.last();
                    let in_body = last.is_some_and(|(_, provider)| provider.secret_in_body);
                    Ok((held.endpoint.clone(), in_body))
                }
            },
        }
    }

    /// The provider's next refresh token, if the answer has one, whatever else it holds: it has replaced
    /// the one before (RFC 9700 §4.14.2).
    pub(in crate::backend) fn rotated_at_provider(
        &self,
        held: &ProviderToken,
        body: &ResponseBody,
        now: SystemTime,
    ) -> Option<RefreshToken> {
        let answer = TokenAnswer::read(body, self.profile(), &held.endpoint, now)?;
        let known = self.providers.found();
        let issuer = known.filter(|it| it.token.url().origin() == held.endpoint.origin());
        let revocation_origins = match issuer {
            Some(issuer) => self.revocation_origins(&issuer),
            None => held.revocation_origins.clone(),
        };
        Some(RefreshToken::of_provider(ProviderToken {
            revocation_origins,
            ..answer.refresh?
        }))
    }

    /// Whether the answer to a refresh has an ID token of somebody else than this user. Neither its signature
    /// nor its times are looked at: whatever else is wrong with it, the refresh token beside it may be that
    /// person's, and must not be kept.
    pub(crate) fn is_of_another(&self, body: &ResponseBody, user: &str) -> bool {
        let browser = self.browser().filter(|it| it.kind == BrowserKind::Oidc);
        let Some(browser) = browser.filter(|_| self.profile().provider_names_user()) else {
            return false;
        };
        let id_token = body.json().and_then(|json| member(json, "id_token"));
        let claims: Option<Value> = id_token.and_then(|token| jwt::claims(&token));
        // Another place counts only where `userinfo` does not have the first one.
        let at = browser.claims().id.into_iter().next();
        let named = at
            .zip(claims)
            .and_then(|(at, claims)| text_of(at.find(&claims)?));
        // Blank is no name: the next place was taken at the sign-in.
        named.is_some_and(|named| !named.trim().is_empty() && named != user)
    }

    /// What the provider's answer to a refresh means. `invalid_grant` alone ends a session.
    pub(in crate::backend) fn provider_answer(
        &self,
        held: &ProviderToken,
        status: StatusCode,
        body: &ResponseBody,
        now: SystemTime,
    ) -> RefreshAnswer {
        let transient = || RefreshAnswer::Transient(BackendError::of_answer(status, body));
        if body.is_anothers() {
            return transient();
        }
        if refusal(status, body).as_deref() == Some("invalid_grant") {
            return RefreshAnswer::Ended(SignedOutReason::Expired);
        }
        if !status.is_success() {
            return transient();
        }
        let answer = TokenAnswer::read(body, self.profile(), &held.endpoint, now);
        match answer.and_then(TokenAnswer::usable) {
            Some(access) => RefreshAnswer::Renewed { user: None, access },
            None => transient(),
        }
    }

    /// Whose tokens these are, which came in the answer to a refresh with `held`: by the ID token where it has
    /// one, else by `userinfo`. `now` is the time by the clock of the provider's answer.
    pub(crate) async fn provider_user(
        &self,
        held: &ProviderToken,
        access: Option<&Secret>,
        id_token: Option<&Secret>,
        device: &Device,
        now: SystemTime,
    ) -> Result<User, ProviderFault> {
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let provider = self.provider(device).await?;
        if provider.token.url().origin() != held.endpoint.origin() {
            tracing::warn!(
                "the provider has moved since it issued the session's tokens: it is not shown them"
            );
            return Err(BackendError::ProviderMoved.into());
        }
        let claims = match id_token.filter(|_| provider.issuer.is_some()) {
            Some(id_token) => {
                let asked = (device, until);
                let checked =
                    self.checked_claims(&provider, id_token, Expected::AnySignIn, now, asked);
                Some(checked.await?)
            }
            None => None,
        };
        self.user_of(&provider, claims, access, (device, until))
            .await
    }

    /// Revokes what a sign-in by the browser has brought: the refresh token, with which most providers
    /// end the session, then the access token.
    pub(in crate::backend) async fn revoke_at_provider(
        &self,
        held: &ProviderToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> Result<SignOutAnswer, UndeliveredSignOut> {
        let provider = match self.provider(device).await {
            Ok(provider) => provider,
            Err(_) if self.browser().is_none() => return Ok(SignOutAnswer::AlreadyOver),
            Err(fault) => return Err(BackendError::from(fault).into()),
        };
        let Some(address) = &provider.revoke else {
            tracing::info!(
                "the provider names no place to revoke tokens: the session ends there when its token \
                 expires"
            );
            return Ok(SignOutAnswer::Done);
        };
        let address = address.url();
        // One from before the places were kept may go where a token that was issued now may.
        let is_unrecorded = held.revocation_origins.is_empty()
            && provider.token.url().origin() == held.endpoint.origin()
            && (self.revocation_origins(&provider))
                .contains(&address.origin().ascii_serialization());
        if !held.may_be_revoked_at(address) && !is_unrecorded {
            tracing::warn!(
                issued_by = held.endpoint.origin().ascii_serialization(),
                now = address.origin().ascii_serialization(),
                "tokens are revoked elsewhere than when this one was issued: it is dropped, and the \
                 session ends at the provider when the token expires"
            );
            return Ok(SignOutAnswer::Done);
        }
        let told = self
            .revoke_one(&provider, address, (&held.token, "refresh_token"), device)
            .await?;
        if let Some(access) = access {
            // It is short-lived: a failure is not worth another try of the whole sign-out.
            let _ = self
                .revoke_one(&provider, address, (access, "access_token"), device)
                .await;
        }
        Ok(told)
    }

    /// Revokes an access token that came without a refresh token. Once, because it is short-lived.
    pub(super) async fn revoke_lone_access(
        &self,
        provider: &Provider,
        access: &Secret,
        device: &Device,
    ) {
        if let Some(address) = self.revocation(provider) {
            let _ = self
                .revoke_one(provider, address, (access, "access_token"), device)
                .await;
        }
    }

    /// Where tokens are revoked that this provider issues now.
    fn revocation<'a>(&self, provider: &'a Provider) -> Option<&'a Url> {
        let address = provider.revoke.as_ref()?.url();
        self.is_trusted(address, provider).then_some(address)
    }

    /// The origin of that place, where it is another than the token endpoint's: it is kept with the token,
    /// because the profile may name another provider by the time the token is revoked.
    pub(super) fn revocation_origins(&self, provider: &Provider) -> Vec<String> {
        let token = provider.token.url().origin();
        let elsewhere = self.revocation(provider).map(Url::origin);
        let elsewhere = elsewhere.filter(|origin| *origin != token);
        let origin = elsewhere.map(|origin| origin.ascii_serialization());
        origin.into_iter().collect()
    }

    /// Whether tokens that this provider issues may go to this address: to no origin but that of the token
    /// endpoint, or of the issuer, which vouches for it, and to where the profile says.
    fn is_trusted(&self, address: &Url, provider: &Provider) -> bool {
        let browser = self.browser();
        let issuer = browser.and_then(|browser| browser.issuer.as_ref());
        let named = browser.and_then(|browser| browser.revoke.as_ref());
        let origin = address.origin();
        origin == provider.token.url().origin()
            || issuer.is_some_and(|issuer| issuer.url().origin() == origin)
            || named.is_some_and(|named| named.url() == address)
    }

    async fn revoke_one(
        &self,
        provider: &Provider,
        address: &Url,
        (token, hint): (&Secret, &str),
        device: &Device,
    ) -> Result<SignOutAnswer, UndeliveredSignOut> {
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let form = [("token", token.secret()), ("token_type_hint", hint)];
        let request = ProviderRequest::post(address, &form, device, until);
        let asked = self.ask_provider(request, provider.revokes_with_secret_in_body);
        let response = asked.await?;
        let (status, retry_after) = (response.status(), response.retry_after());
        if status.is_success() && !response.is_page() {
            return Ok(SignOutAnswer::Done);
        }
        let body = response.body().await.unwrap_or(ResponseBody::unread());
        let fault = BackendError::of_answer(status, &body);
        match refusal(status, &body).as_deref() {
            // Nothing that another try could change (RFC 7009 §2.2.1). `invalid_request` is what some say of
            // a token that is over already (Better Auth 1.7).
            Some(
                "unsupported_token_type" | "invalid_grant" | "invalid_token" | "invalid_request",
            ) => Ok(SignOutAnswer::AlreadyOver),
            _ if status.is_success() && body.is_no_page() => Ok(SignOutAnswer::Done),
            _ => Err(UndeliveredSignOut {
                fault,
                retry_after,
                token: None,
            }),
        }
    }

    /// The provider's page that ends its own session (OpenID Connect RP-Initiated Logout §2), where the
    /// profile wants it and discovery was read in this run. The address goes to another program and stays
    /// in the browser's history, so an ID token that the API takes is no hint.
    pub(crate) fn end_session_page(
        &self,
        held: &ProviderToken,
        id_token: Option<&Secret>,
    ) -> Option<Url> {
        let browser = self.browser().filter(|browser| browser.end_session)?;
        let provider = self.providers.found()?;
        let page = provider.end_session.as_ref()?.url();
        let mut address = page.clone();
        let is_issuer = provider.token.url().origin() == held.endpoint.origin();
        if !is_issuer || !self.is_trusted(page, &provider) {
            tracing::warn!(
                page = page.origin().ascii_serialization(),
                "the provider's page that ends its own session is of another origin: it is not opened"
            );
            return None;
        }
        address
            .query_pairs_mut()
            .append_pair("client_id", browser.client());
        if let Some(hint) = id_token.filter(|_| browser.api_token != ApiToken::IdToken) {
            address
                .query_pairs_mut()
                .append_pair("id_token_hint", hint.secret());
        }
        Some(address)
    }
}
