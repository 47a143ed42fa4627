//! The calls that lead to a session: password, new account, one-time code.

use serde_json::{Map, Value};

use super::body::Body;
use super::client::Backend;
use super::fault::Fault;
use super::verdict::{is_refused, refused, wants_code};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::profile::{Endpoint, Step, UserFrom, Variables};
use crate::reply::{AccessToken, Reply};
use crate::secrets::Secret;
use crate::token::RefreshToken;
use crate::wire::{LoginInput, RegisterInput, User};

/// How a sign-in was answered.
pub enum SignIn {
    /// Signed in.
    Granted(Box<Grant>),
    /// Signed in, but it could not be found out who: the session is to be ended again.
    Nameless(Box<Unusable>),
    /// A code is wanted.
    OtpRequired {
        /// Where it went, if the backend says.
        email: Option<String>,
        /// What names the challenge, if the backend gives it a name.
        challenge: Option<Secret>,
        /// What came along with the question, if anything did: to be ended where no session
        /// comes of it.
        token: RefreshToken,
    },
    /// A registration without a session.
    Accepted,
}

/// A session as the backend gives it out.
pub struct Grant {
    /// Who.
    pub user: User,
    /// For API calls.
    pub access: AccessToken,
    /// For the next refresh.
    pub token: RefreshToken,
}

/// A session that began at the backend and cannot be used here.
pub struct Unusable {
    /// An access token, for the sign-out.
    pub access: Option<Secret>,
    /// What ends it.
    pub token: RefreshToken,
    /// Why it cannot be used.
    pub error: AuthError,
}

/// A sign-in that came to nothing.
#[derive(Debug)]
pub struct Failed {
    /// What the window is told.
    pub error: AuthError,
    /// What it has left at the backend all the same, where the answer broke off after its
    /// headers or does not hold what it should: a session that is to be ended again.
    pub left: Option<RefreshToken>,
}

impl Failed {
    fn leaving(token: RefreshToken, error: AuthError) -> Self {
        Self {
            error,
            left: (!token.is_empty()).then_some(token),
        }
    }
}

impl<E: Into<AuthError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            left: None,
        }
    }
}

/// What a one-time code answers.
#[derive(Clone, Copy)]
pub struct Answering<'a> {
    /// Who signs in.
    pub identifier: &'a str,
    /// Their password, where the profile sends it along with the code.
    pub password: Option<&'a Secret>,
    /// What the backend gave out to name the challenge.
    pub challenge: Option<&'a Secret>,
    /// The device that the sign-in named.
    pub device: &'a Device,
}

impl<'a> Answering<'a> {
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
    pub async fn login(&self, input: &LoginInput, device: &Device) -> Result<SignIn, Failed> {
        let variables = Variables {
            identifier: Some(&input.email),
            password: Some(&input.password),
            ..Variables::default()
        };
        let endpoint = self.profile().endpoints.login.get();
        self.sign_in(Step::Login, endpoint, &variables, None, device)
            .await
    }

    /// Makes an account.
    pub async fn register(&self, input: &RegisterInput, device: &Device) -> Result<SignIn, Failed> {
        let variables = Variables {
            identifier: Some(&input.email),
            password: Some(&input.password),
            name: Some(&input.name),
            ..Variables::default()
        };
        let endpoint = self.profile().endpoints.register.get();
        let more = input.more.as_ref();
        self.sign_in(Step::Register, endpoint, &variables, more, device)
            .await
    }

    /// Answers a challenge.
    pub async fn verify_otp(
        &self,
        challenge: Answering<'_>,
        code: &Secret,
    ) -> Result<SignIn, Failed> {
        let variables = Variables {
            otp: Some(code),
            ..challenge.variables()
        };
        let endpoint = self.profile().endpoints.verify_otp.get();
        self.sign_in(
            Step::VerifyOtp,
            endpoint,
            &variables,
            None,
            challenge.device,
        )
        .await
    }

    /// Has the first code sent, where the backend does not do so by itself.
    pub async fn send_otp(&self, challenge: Answering<'_>) -> Result<(), AuthError> {
        match self.profile().endpoints.send_otp.get() {
            Some(endpoint) => self.ask_for_code(endpoint, challenge).await,
            None => Ok(()),
        }
    }

    /// Asks for another code.
    pub async fn resend_otp(&self, challenge: Answering<'_>) -> Result<(), AuthError> {
        let endpoints = &self.profile().endpoints;
        let endpoint = endpoints.resend_otp.get().or(endpoints.send_otp.get());
        let endpoint = endpoint.ok_or(ErrorCode::Unsupported)?;
        self.ask_for_code(endpoint, challenge).await
    }

    async fn ask_for_code(
        &self,
        endpoint: &Endpoint,
        challenge: Answering<'_>,
    ) -> Result<(), AuthError> {
        let call = self.call(endpoint, &challenge.variables(), None, challenge.device)?;
        let head = self.send(call).await?;
        let (status, retry_after) = (head.status(), head.retry_after());
        let body = head.body().await.unwrap_or(Body::unread());
        if body.is_anothers() {
            // Whoever has answered has sent no code.
            return Err(Fault::Portal.into());
        }
        if status.is_success() {
            return Ok(());
        }
        let profile = self.profile();
        let reply = body.reply(profile, &profile.answer.login);
        let refused = refused(Step::SendOtp, profile, status, reply.as_ref());
        Err(refused.retry_after(retry_after))
    }

    async fn sign_in(
        &self,
        step: Step,
        endpoint: Option<&Endpoint>,
        variables: &Variables<'_>,
        more: Option<&Map<String, Value>>,
        device: &Device,
    ) -> Result<SignIn, Failed> {
        let profile = self.profile();
        let endpoint = endpoint.ok_or(ErrorCode::Unsupported)?;
        // Only what a person typed can be so wrong that no request holds it.
        let call = self.call(endpoint, variables, more, device);
        let call = call.map_err(|_| AuthError::new(ErrorCode::InvalidInput))?;
        let mut head = self.send(call).await?;
        let (status, retry_after) = (head.status(), head.retry_after());
        let now = head.sent_at();
        let mut token = RefreshToken::default();
        if status.is_success() {
            // What is in the headers is a session already, whatever becomes of the body.
            token.apply(head.take_refresh_changes());
            let headers = head.without_body();
            let reply = headers.reply(profile, &profile.answer.login);
            token.apply_body(reply.and_then(|reply| self.body_token(&reply, now)));
        }
        let body = match head.body().await {
            Ok(body) => body,
            Err(fault) => return Err(Failed::leaving(token, fault.into())),
        };
        if body.is_anothers() {
            // Nor has the backend taken a registration.
            return Err(Failed::leaving(token, Fault::Portal.into()));
        }
        let reply = body.reply(profile, &profile.answer.login);
        // What wants a code counts before the status; only where a code was just given, a
        // refusal in the same words says that it was wrong.
        if let Some(reply) = &reply
            && (status.is_success() || step != Step::VerifyOtp)
            && wants_code(profile, status, reply)
        {
            return Ok(SignIn::OtpRequired {
                email: reply.otp_email(),
                challenge: reply.challenge(),
                token,
            });
        }
        if is_refused(step, profile, status, reply.as_ref()) {
            let refused = refused(step, profile, status, reply.as_ref());
            return Err(Failed::leaving(token, refused.retry_after(retry_after)));
        }
        let mut access = None;
        if let Some(reply) = &reply {
            token.apply_body(self.body_token(reply, now));
            access = self.access(reply, &token, now);
        }
        let holds_token = access.as_ref().is_some_and(|access| access.token.is_some());
        let access = match access {
            Some(access) if !token.is_empty() => access,
            _ if step == Step::Register && token.is_empty() && !holds_token => {
                return Ok(SignIn::Accepted);
            }
            _ => return Err(Failed::leaving(token, unfit(endpoint))),
        };
        let asks_me =
            profile.session.user_from == UserFrom::Me || profile.answer.login.user.is_empty();
        let user = match reply.as_ref().and_then(Reply::user) {
            Some(user) if !asks_me => user,
            None if !asks_me => return Err(Failed::leaving(token, unfit(endpoint))),
            _ => match self.me(&token, access.token.as_ref(), device).await {
                Ok(user) => user,
                Err(fault) => {
                    return Ok(SignIn::Nameless(Box::new(Unusable {
                        access: access.token,
                        token,
                        error: fault.into(),
                    })));
                }
            },
        };
        Ok(SignIn::Granted(Box::new(Grant {
            user: called(user, variables.identifier),
            access,
            token,
        })))
    }
}

/// Where the backend does not say what somebody is called: by what they typed.
fn called(user: User, typed: Option<&str>) -> User {
    match typed {
        Some(typed) if user.name.is_empty() => User {
            name: typed.to_owned(),
            ..user
        },
        _ => user,
    }
}

fn unfit(endpoint: &Endpoint) -> AuthError {
    let path = endpoint.path.source();
    tracing::warn!(
        path,
        "a success without user, access token or refresh token"
    );
    ErrorCode::BadAnswer.into()
}
