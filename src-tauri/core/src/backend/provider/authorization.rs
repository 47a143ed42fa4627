//! A sign-in by the browser: the address that it opens, the answer that comes back, and the exchange of
//! the answer's code (RFC 6749 §4.1, RFC 7636, RFC 9207, OpenID Connect Core §3.1).

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use url::Url;

use super::ProviderRequest;
use super::discovery::{Provider, ProviderFault};
use super::id_token::Expected;
use super::tokens::{TokenAnswer, sign_in_refusal};
use crate::backend::answers::SPENT;
use crate::backend::client::{Backend, EXCHANGE_TIMEOUT};
use crate::backend::error::BackendError;
use crate::backend::response_body::ResponseBody;
use crate::backend::sign_in::{Grant, SignInFailure, SignInResponse, UnusableSession};
use crate::browser::LONGEST_REDIRECT;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::profile::{Browser, BrowserKind, Button};
use crate::published::shown;
use crate::secrets::Secret;
use crate::status::{Class, class};
use crate::token::RefreshToken;

/// A sign-in that the browser has been sent out for. What makes it safe is here alone: `state` (RFC 6749
/// §10.12), the nonce and the verifier, all from the system's generator.
pub struct Authorization {
    /// What the browser opens.
    pub address: Url,
    kind: BrowserKind,
    provider: Option<Arc<Provider>>,
    /// Where the answer goes. All workspaces share one path. RFC 9700 §4.4.2.2 wants a path for each
    /// provider where answers have no `iss`, but providers have `/callback` registered, and take no
    /// other.
    redirect: String,
    state: Secret,
    nonce: Secret,
    verifier: Secret,
}

/// What the browser has brought back.
#[derive(Debug)]
pub enum Returned {
    /// A code, to be exchanged.
    Code(Secret),
    /// There is no sign-in. The error is for the person.
    Refused(AuthError),
}

impl Backend {
    /// Begins a sign-in whose answer goes to `redirect`.
    ///
    /// # Errors
    /// If the profile has no sign-in by the browser.
    pub fn authorize(
        &self,
        provider: Option<Arc<Provider>>,
        redirect: String,
        button: &Button,
    ) -> Result<Authorization, AuthError> {
        let browser = self.browser().ok_or(ErrorCode::Unsupported)?;
        let state = random()?;
        let nonce = random()?;
        let verifier = random()?;
        let mut address = match (&provider, &browser.page) {
            (Some(provider), _) => provider.authorize.url().clone(),
            (None, Some(page)) => page.url().clone(),
            (None, None) => self
                .profile()
                .url(&browser.better_auth_path("init-oauth-proxy")),
        };
        {
            let mut query = address.query_pairs_mut();
            query.append_pair("client_id", browser.client());
            query.append_pair("state", state.secret());
            query.append_pair("code_challenge", &challenge(&verifier));
            query.append_pair("code_challenge_method", "S256");
            if browser.kind != BrowserKind::BetterAuth {
                query.append_pair("response_type", "code");
                query.append_pair("redirect_uri", &redirect);
                let scopes = browser.scopes();
                if !scopes.is_empty() {
                    query.append_pair("scope", &scopes.join(" "));
                }
            }
            if browser.kind == BrowserKind::Oidc {
                query.append_pair("nonce", nonce.secret());
            }
            for (name, value) in merged_parameters(browser, button) {
                query.append_pair(name, value);
            }
        }
        Ok(Authorization {
            address,
            kind: browser.kind,
            provider,
            redirect,
            state,
            nonce,
            verifier,
        })
    }

    /// Exchanges the code of an answer for a session.
    ///
    /// # Errors
    /// If the provider gives out none, or one that could not go on.
    pub async fn exchange_code(
        &self,
        authorization: &Authorization,
        code: &Secret,
        device: &Device,
    ) -> Result<SignInResponse, SignInFailure> {
        let Some(provider) = &authorization.provider else {
            return self
                .exchange_with_better_auth(authorization, code, device)
                .await;
        };
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.secret()),
            ("redirect_uri", &authorization.redirect),
            ("code_verifier", authorization.verifier.secret()),
        ];
        let expected = match authorization.kind {
            BrowserKind::Oidc => Expected::Nonce(&authorization.nonce),
            BrowserKind::Oauth2 | BrowserKind::BetterAuth => Expected::AnySignIn,
        };
        let request = ProviderRequest::post(provider.token.url(), &form, device, until);
        self.redeem(provider, request, expected).await
    }

    /// Sends a request to the token endpoint that begins a session.
    async fn redeem(
        &self,
        provider: &Provider,
        request: ProviderRequest<'_>,
        expected: Expected<'_>,
    ) -> Result<SignInResponse, SignInFailure> {
        let asked = (request.device, request.until);
        let response = self.ask_provider(request, provider.secret_in_body).await?;
        let (status, now, wait) = (
            response.status(),
            response.sent_at(),
            response.retry_after(),
        );
        let body = response.body().await?;
        if let Some(code) = sign_in_refusal(status, &body) {
            return Err(refused_at_token(&code).into());
        }
        if !status.is_success() || body.is_anothers() {
            return Err(trouble(status, &body).retry_after(wait).into());
        }
        self.redeemed(provider, &body, expected, now, asked).await
    }

    /// The session that a token endpoint's success has begun, once it is known whose it is. What cannot be
    /// used is alive at the provider all the same: it is handed back to be revoked.
    pub(super) async fn redeemed(
        &self,
        provider: &Provider,
        body: &ResponseBody,
        expected: Expected<'_>,
        now: SystemTime,
        asked: (&Device, Instant),
    ) -> Result<SignInResponse, SignInFailure> {
        let endpoint = provider.token.url();
        let answer = TokenAnswer::read(body, self.profile(), endpoint, now);
        let mut answer = answer.ok_or(BackendError::BadAnswer)?;
        let access_token = answer.access_token().cloned();
        let Some(mut refresh) = answer.refresh.take() else {
            if let Some(access) = &access_token {
                self.revoke_lone_access(provider, access, asked.0).await;
            }
            answer.usable().ok_or(BackendError::BadAnswer)?;
            tracing::error!(
                "the provider gives out no refresh token: the session could not go on. It may want the \
                 scope `offline_access`, or another parameter"
            );
            let words = "The sign-in service lets this app sign in for a short time alone, so nobody \
                         was signed in. Ask the makers of this app: it has to ask for a refresh token.";
            return Err(AuthError::with_message(ErrorCode::BadAnswer, words).into());
        };
        refresh.revocation_origins = self.revocation_origins(provider);
        let token = RefreshToken::of_provider(refresh);
        let unusable = |fault: AuthError| {
            SignInResponse::UnknownUser(Box::new(UnusableSession {
                access: access_token.clone(),
                token: token.clone(),
                error: fault,
            }))
        };
        let Some(access) = answer.usable() else {
            return Ok(unusable(BackendError::BadAnswer.into()));
        };
        let claims = match (&access.id_token, provider.issuer.is_some()) {
            (Some(id_token), true) => {
                match self
                    .checked_claims(provider, id_token, expected, now, asked)
                    .await
                {
                    Ok(claims) => Some(claims),
                    Err(fault) => return Ok(unusable(fault.into())),
                }
            }
            (None, true) => return Ok(unusable(ProviderFault::Odd(NO_ID_TOKEN).into())),
            // Without discovery there are no keys to check it with.
            (_, false) => None,
        };
        let profile = self.profile();
        let user = match profile.provider_names_user() {
            false => {
                let user = self.me(&token, access.bearer(), asked.0).await;
                user.map_err(|none| AuthError::from(none.fault))
            }
            true => {
                let user = self
                    .user_of(provider, claims, access_token.as_ref(), asked)
                    .await;
                user.map_err(AuthError::from)
            }
        };
        Ok(match user {
            Ok(user) => SignInResponse::Granted(Box::new(Grant {
                user,
                access,
                token,
            })),
            Err(error) => unusable(error),
        })
    }
}

const NO_ID_TOKEN: &str = "The sign-in service does not say who has signed in, so nobody was. Ask its \
    operator, or the makers of this app.";

/// The parameters of the profile, and over them those of the button.
fn merged_parameters<'a>(
    browser: &'a Browser,
    button: &'a Button,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let of_all = browser.parameters.iter();
    let of_all = of_all.filter(|(name, _)| !button.parameters.contains_key(*name));
    let all = of_all.chain(&button.parameters);
    all.map(|(name, value)| (name.as_str(), value.as_str()))
}

/// 256 bits of the system's generator, as a text that fits an address and is a verifier (RFC 7636 §4.1).
fn random() -> Result<Secret, AuthError> {
    use rand::TryRngCore as _;
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    let filled = rand::rngs::OsRng.try_fill_bytes(bytes.as_mut_slice());
    filled.map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes: nobody can sign in by the browser");
        ErrorCode::Internal
    })?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

/// The challenge of a verifier: with both, the provider sees later that who redeems a code also asked for it
/// (RFC 7636 §4.2, `S256`).
fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.secret()))
}

impl Authorization {
    pub(super) fn verifier(&self) -> &str {
        self.verifier.secret()
    }

    pub(super) fn state(&self) -> &Secret {
        &self.state
    }

    /// What an address that has come in says of this sign-in; `None` if it is not an answer to it. Where
    /// the answer names its issuer it must be this provider (RFC 9207).
    pub fn answer(&self, address: &Url) -> Option<Returned> {
        if address.as_str().len() > LONGEST_REDIRECT {
            return None;
        }
        match self.kind {
            BrowserKind::BetterAuth => self.better_auth_answer(address),
            BrowserKind::Oidc | BrowserKind::Oauth2 => self.query_answer(address.query()?),
        }
    }

    /// Whether this is the `state` of this sign-in, compared in constant time.
    pub(super) fn is_state(&self, state: &str) -> bool {
        self.state
            .secret()
            .as_bytes()
            .ct_eq(state.as_bytes())
            .into()
    }

    fn query_answer(&self, query: &str) -> Option<Returned> {
        let mut found = Answer::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let slot = match name.as_ref() {
                "code" => &mut found.code,
                "state" => &mut found.state,
                "iss" => &mut found.issuer,
                "error" => &mut found.error,
                "error_description" => &mut found.description,
                _ => continue,
            };
            // No parameter may be there twice (RFC 6749 §3.1).
            if slot.is_some() {
                return None;
            }
            *slot = Some(zeroize::Zeroizing::new(value.into_owned()));
        }
        if !found
            .state
            .as_ref()
            .is_some_and(|state| self.is_state(state))
        {
            return None;
        }
        let provider = self.provider.as_ref()?;
        let is_another = match (&found.issuer, &provider.issuer) {
            (Some(said), Some(expected)) => said.as_str() != expected,
            (None, Some(_)) => provider.promises_issuer,
            // No discovery has said how it writes its name, but the profile says where it is.
            (Some(said), None) => !provider.is_at(said),
            (None, None) => false,
        };
        if is_another {
            tracing::error!("the answer of a sign-in names another issuer: it is not used");
            let words = "The answer came from another sign-in service than the one that was asked. \
                         Nobody was signed in.";
            return Some(refused(words.into()));
        }
        // A code or an error without a value counts as left out, as in a request (RFC 6749 §3.1). An empty
        // `iss` does not: it is not the issuer's name.
        let is_there = |value: &zeroize::Zeroizing<String>| !value.is_empty();
        match (found.code.filter(is_there), found.error.filter(is_there)) {
            (Some(code), None) => Some(Returned::Code(Secret::new(code.as_str()))),
            (None, Some(error)) => {
                let description = found.description.as_deref().map(String::as_str);
                Some(refused(words_of(&error, description)))
            }
            // Both, or neither.
            (Some(_), Some(_)) | (None, None) => Some(refused(NO_SENSE.into())),
        }
    }
}

/// The message to the person where the provider's answer has neither a code nor an error.
pub(super) const NO_SENSE: &str =
    "The sign-in service's answer makes no sense. Nobody was signed in.";

#[derive(Default)]
struct Answer {
    code: Option<zeroize::Zeroizing<String>>,
    state: Option<zeroize::Zeroizing<String>>,
    issuer: Option<zeroize::Zeroizing<String>>,
    error: Option<zeroize::Zeroizing<String>>,
    description: Option<zeroize::Zeroizing<String>>,
}

pub(super) fn refused(words: String) -> Returned {
    let error = AuthError::with_message(ErrorCode::BrowserSignInRefused, words);
    Returned::Refused(error)
}

/// An error of the authorization endpoint in words (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
pub(super) fn words_of(error: &str, description: Option<&str>) -> String {
    let own = match error {
        "access_denied" => {
            "You cancelled the sign-in in the browser, or your account may not use this app."
        }
        "login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required" => {
            "The sign-in service needs you to do something there first. Try again."
        }
        "temporarily_unavailable" | "server_error" => {
            "The sign-in service had a problem. Nothing is lost. Try again in a moment."
        }
        "invalid_request"
        | "unauthorized_client"
        | "unsupported_response_type"
        | "invalid_scope" => {
            "The sign-in service does not know this app as it is set up. Ask the makers of this app."
        }
        _ => "The sign-in service refused the sign-in.",
    };
    let said = description.map(|text| shown(text, 200));
    let said = said.filter(|text| !text.trim().is_empty() && error != "access_denied");
    match said {
        Some(said) => format!("{own} It says: {said}"),
        None => own.to_owned(),
    }
}

/// The error of an answer to a sign-in that is neither a success nor the provider's refusal.
pub(super) fn trouble(status: StatusCode, body: &ResponseBody) -> AuthError {
    match class(status.as_u16()) {
        Class::Untimely if !body.is_anothers() => ErrorCode::BackendFault.into(),
        _ => BackendError::of_answer(status, body).into(),
    }
}

/// An error of the token endpoint while a session begins.
fn refused_at_token(code: &str) -> AuthError {
    tracing::warn!(
        code = shown(code, 60),
        "the provider does not exchange the code of a sign-in"
    );
    let words = match code {
        "invalid_grant" => SPENT,
        "invalid_client"
        | "unauthorized_client"
        | "unsupported_grant_type"
        | "invalid_scope"
        | "invalid_request" => {
            "The sign-in service does not know this app as it is set up. Ask the makers of this app."
        }
        _ => "The sign-in service refused the sign-in. Try again in a moment.",
    };
    AuthError::with_message(ErrorCode::BrowserSignInRefused, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_the_rfc() {
        // RFC 7636, appendix B.
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let wanted = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge(&verifier), wanted);
    }
}
