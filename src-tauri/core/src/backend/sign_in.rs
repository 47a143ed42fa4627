//! The calls that begin a session: with a password, with a new account, with a code of a second factor.

use serde_json::{Map, Value};

use super::answers::{is_refused, refused, wants_code};
use super::client::Backend;
use super::code_words;
use super::endpoint_call::EndpointCall;
use super::error::BackendError;
use super::response_body::ResponseBody;
use super::tokens;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::profile::{Endpoint, SignInCall, UserFrom, Variables};
use crate::published::Unpublished;
use crate::response_fields::{AccessToken, ResponseFields};
use crate::secrets::Secret;
use crate::token::RefreshToken;
use crate::wire::{CodeMethod, LoginInput, RegisterInput, User};

/// What the backend has answered to a sign-in.
pub enum SignInResponse {
    /// It has begun a session.
    Granted(Box<Grant>),
    /// It has begun a session that cannot be used here, for instance because it does not say whose it is:
    /// the caller ends the session again.
    UnknownUser(Box<UnusableSession>),
    /// It wants a code of a second factor.
    OtpRequired {
        /// The methods by which it may be given, at least one.
        methods: Vec<CodeMethod>,
        /// Where codes are sent, if the backend says.
        email: Option<String>,
        /// What names the challenge, if the backend gives it a name.
        challenge: Option<Secret>,
        /// The refresh token that came along, if there was one. The caller signs out with it if
        /// the challenge does not lead to a session.
        token: RefreshToken,
    },
    /// It has made the account and begun no session, or none that can be used here: the caller ends
    /// what came along.
    Accepted {
        /// The access token that came along.
        access: Option<Secret>,
        /// The refresh token that came along.
        token: RefreshToken,
    },
}

/// A session that the backend has begun.
pub struct Grant {
    /// The user who is signed in.
    pub user: User,
    /// The access token for calls of the API.
    pub access: AccessToken,
    /// The refresh token for the next refresh.
    pub token: RefreshToken,
}

/// A session that began at the backend and cannot be used here.
pub struct UnusableSession {
    /// The access token that the sign-out may need.
    pub access: Option<Secret>,
    /// The refresh token that the sign-out goes out with.
    pub token: RefreshToken,
    /// Why the session cannot be used.
    pub error: AuthError,
}

/// A sign-in that failed.
#[derive(Debug)]
pub struct SignInFailure {
    /// What the page is told.
    pub error: AuthError,
    /// The refresh token of a session that has begun at the backend all the same, because the
    /// answer broke off after its headers or lacks something. The caller ends that session.
    pub leftovers: Option<RefreshToken>,
}

impl SignInFailure {
    fn with_leftovers(token: RefreshToken, error: AuthError) -> Self {
        Self {
            error,
            leftovers: (!token.is_empty()).then_some(token),
        }
    }
}

impl<E: Into<AuthError>> From<E> for SignInFailure {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            leftovers: None,
        }
    }
}

/// The challenge that a one-time code answers.
#[derive(Clone, Copy)]
pub struct OtpContext<'a> {
    /// Who signs in, as they typed it.
    pub identifier: &'a str,
    /// The password, where the profile sends it along with the code.
    pub password: Option<&'a Secret>,
    /// What the backend gave out to name the challenge.
    pub challenge: Option<&'a Secret>,
    /// The device that the sign-in named.
    pub device: &'a Device,
}

/// A code that answers a challenge.
#[derive(Clone, Copy)]
pub struct CodeToVerify<'a> {
    /// Whose code it is.
    pub method: CodeMethod,
    /// The code.
    pub code: &'a Secret,
    /// Whether the backend is to trust this device, where the profile can say that.
    pub trust_device: bool,
}

impl<'a> OtpContext<'a> {
    fn variables(&self) -> Variables<'a> {
        Variables {
            identifier: Some(self.identifier),
            password: self.password,
            challenge: self.challenge,
            ..Variables::default()
        }
    }
}

impl Backend {
    /// Signs in with a password.
    pub async fn login(
        &self,
        input: &LoginInput,
        device: &Device,
    ) -> Result<SignInResponse, SignInFailure> {
        let variables = Variables {
            identifier: Some(&input.email),
            password: Some(&input.password),
            ..Variables::default()
        };
        let endpoint = self.profile().endpoints.login.get();
        self.sign_in(SignInCall::Login, endpoint, &variables, None, device)
            .await
    }

    /// Makes an account.
    pub async fn register(
        &self,
        input: &RegisterInput,
        device: &Device,
    ) -> Result<SignInResponse, SignInFailure> {
        let variables = Variables {
            identifier: Some(&input.email),
            password: Some(&input.password),
            name: Some(&input.name),
            ..Variables::default()
        };
        let endpoint = self.profile().endpoints.register.get();
        let more = input.more.as_ref();
        self.sign_in(SignInCall::Register, endpoint, &variables, more, device)
            .await
    }

    /// Signs in with the code of a challenge.
    pub async fn verify_code(
        &self,
        challenge: OtpContext<'_>,
        code: CodeToVerify<'_>,
    ) -> Result<SignInResponse, SignInFailure> {
        let variables = Variables {
            otp: Some(code.code),
            trust_device: Some(code.trust_device),
            ..challenge.variables()
        };
        let endpoint = self.profile().endpoints.verify(code.method);
        self.sign_in(
            SignInCall::verifying(code.method),
            endpoint,
            &variables,
            None,
            challenge.device,
        )
        .await
    }

    /// Signs in with what the browser has brought: a call that the profile does not name, with these
    /// members.
    pub(super) async fn sign_in_from_browser(
        &self,
        endpoint: &Endpoint,
        members: &Map<String, Value>,
        device: &Device,
    ) -> Result<SignInResponse, SignInFailure> {
        let variables = Variables::default();
        self.sign_in(
            SignInCall::Browser,
            Some(endpoint),
            &variables,
            Some(members),
            device,
        )
        .await
    }

    /// Has a code sent: the first one of the challenge, or another one.
    pub async fn send_code(
        &self,
        challenge: OtpContext<'_>,
        is_first: bool,
    ) -> Result<(), AuthError> {
        let endpoint = self.profile().endpoints.send_code(is_first);
        let endpoint = endpoint.ok_or(ErrorCode::Unsupported)?;
        let (variables, device) = (challenge.variables(), challenge.device);
        let call = EndpointCall::new(endpoint, variables, device);
        let head = self.call(call).await?;
        let (status, retry_after) = (head.status(), head.retry_after());
        let body = head.body().await.unwrap_or(ResponseBody::unread());
        if body.is_anothers() {
            // A portal or a proxy has answered, and the backend has sent no code.
            return Err(BackendError::Portal.into());
        }
        if status.is_success() {
            return Ok(());
        }
        let profile = self.profile();
        let reply = body.reply(profile, &profile.answer.login);
        let refused = refused(SignInCall::SendOtp, profile, status, &body, reply.as_ref());
        Err(refused.retry_after(retry_after))
    }

    async fn sign_in(
        &self,
        kind: SignInCall,
        endpoint: Option<&Endpoint>,
        variables: &Variables<'_>,
        more: Option<&Map<String, Value>>,
        device: &Device,
    ) -> Result<SignInResponse, SignInFailure> {
        let profile = self.profile();
        let endpoint = endpoint.ok_or(ErrorCode::Unsupported)?;
        let call = EndpointCall {
            more,
            ..EndpointCall::new(endpoint, *variables, device)
        };
        let mut head = self.call(call).await?;
        let (status, retry_after) = (head.status(), head.retry_after());
        let now = head.sent_at();
        let mut token = RefreshToken::default();
        if status.is_success() {
            // A token in the headers is a session at the backend, even if the body breaks off.
            token.apply(head.take_refresh_changes());
            let headers = head.without_body();
            let reply = headers.reply(profile, &profile.answer.login);
            token.apply_body(reply.and_then(|reply| tokens::refresh(profile, &reply, now)));
        }
        let body = match head.body().await {
            Ok(body) => body,
            Err(fault) => return Err(SignInFailure::with_leftovers(token, fault.into())),
        };
        if body.is_anothers() {
            // A portal or a proxy has answered: the backend has made no account either.
            return Err(SignInFailure::with_leftovers(
                token,
                BackendError::Portal.into(),
            ));
        }
        let reply = body.reply(profile, &profile.answer.login);
        // A rule of `otp.wanted` counts before the status (the contract). But a refusal that wants
        // a code from a person who has just typed one says that the code was wrong.
        if (status.is_success() || kind.verified().is_none())
            && wants_code(profile, status, &body, reply.as_ref())
        {
            let named = reply.as_ref().and_then(ResponseFields::methods);
            let methods = profile.offered_methods(named.as_deref());
            if methods.is_empty() {
                let challenge = reply.as_ref().and_then(ResponseFields::challenge);
                let secrets = Unpublished::of(&challenge).and(&token);
                let mut named = named.unwrap_or_default();
                named.retain(|name| !secrets.are_in(name));
                let error = code_words::no_method(&named);
                return Err(SignInFailure::with_leftovers(token, error));
            }
            return Ok(SignInResponse::OtpRequired {
                methods,
                email: reply.as_ref().and_then(ResponseFields::otp_email),
                challenge: reply.as_ref().and_then(ResponseFields::challenge),
                token,
            });
        }
        if is_refused(kind, profile, status, &body, reply.as_ref()) {
            let refused = refused(kind, profile, status, &body, reply.as_ref());
            return Err(SignInFailure::with_leftovers(
                token,
                refused.retry_after(retry_after),
            ));
        }
        let mut access = None;
        if let Some(reply) = &reply {
            token.apply_body(tokens::refresh(profile, reply, now));
            access = tokens::access(profile, reply, &token, now);
        }
        // A success to a registration has made an account, whatever else is missing in it.
        let unusable = |access: Option<Secret>, token| match kind {
            SignInCall::Register => Ok(SignInResponse::Accepted { access, token }),
            _ => Err(SignInFailure::with_leftovers(
                token,
                unusable_answer(endpoint),
            )),
        };
        let access = match access {
            Some(access) if !token.is_empty() => access,
            access => return unusable(access.and_then(|access| access.token), token),
        };
        let asks_me =
            profile.session.user_from == UserFrom::Me || profile.answer.login.user.is_empty();
        let user = match reply.as_ref().and_then(ResponseFields::user) {
            Some(user) if !asks_me => user,
            None if !asks_me => return unusable(access.token, token),
            _ => match self.me(&token, access.token.as_ref(), device).await {
                Ok(user) => user,
                Err(none) => {
                    return Ok(SignInResponse::UnknownUser(Box::new(UnusableSession {
                        access: access.token,
                        token,
                        error: none.fault.into(),
                    })));
                }
            },
        };
        Ok(SignInResponse::Granted(Box::new(Grant {
            user: with_typed_name(user, variables.identifier),
            access,
            token,
        })))
    }
}

/// The user, named by what they typed if the backend gives no name.
fn with_typed_name(user: User, typed: Option<&str>) -> User {
    match typed {
        Some(typed) if user.name.is_empty() => User {
            name: typed.to_owned(),
            ..user
        },
        _ => user,
    }
}

fn unusable_answer(endpoint: &Endpoint) -> AuthError {
    let path = endpoint.path.source();
    tracing::warn!(
        path,
        "the sign-in fails: the backend's answer is a success, but the profile finds no user, no \
         access token or no refresh token in it"
    );
    ErrorCode::BadAnswer.into()
}
