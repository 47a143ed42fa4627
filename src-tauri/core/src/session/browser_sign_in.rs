//! From the system's browser, or from another device, to a session.
//!
//! A sign-in can be given up until its session is in use. The request that may bring a session runs to its
//! end all the same, in a task of its own, as a password does, and from the provider's answer on it takes the
//! road of a password: a session that has begun at the provider and cannot be used here is ended there.

use std::sync::Arc;

use url::Url;

use super::browser_attempt::{Flow, open_in_browser, publish_opened};
use super::context::Context;
use super::new_session::{NewSessions, SignedInWith};
use super::sign_in::run_detached;
use crate::backend::{DevicePoll, Grant, SignInFailure, SignInResponse, UnusableSession};
use crate::error::{AuthError, ErrorCode};
use crate::identity::{BrowserSignInId, SessionId};
use crate::profile::{Button, RedirectBy};
use crate::published::Unpublished;
use crate::secrets::Secret;
use crate::state::{self, Event};
use crate::token::RefreshToken;
use crate::wire::{BrowserRedirect, BrowserSignInInput, Cause, SignInOutcome};

/// Signs people in outside of the app, one at a time.
pub(super) struct BrowserSignIns {
    context: Arc<Context>,
    sessions: NewSessions,
    /// Held by one sign-in at a time, whichever way it goes, while it speaks with a server.
    one: Arc<tokio::sync::Mutex<()>>,
}

impl BrowserSignIns {
    pub(super) fn new(context: Arc<Context>, one: Arc<tokio::sync::Mutex<()>>) -> Self {
        Self {
            sessions: NewSessions::new(context.clone()),
            context,
            one,
        }
    }

    /// Signs in outside of the app. On failure the state is what it was before.
    pub(super) async fn sign_in(
        self: &Arc<Self>,
        input: BrowserSignInInput,
    ) -> Result<SignInOutcome, AuthError> {
        let browser = self.context.backend.profile().browser.get();
        let browser = browser.ok_or(ErrorCode::Unsupported)?;
        let button = browser.button(input.button.as_deref());
        let button = button.ok_or(ErrorCode::Unsupported)?;
        if input.device && !browser.device {
            return Err(ErrorCode::Unsupported.into());
        }
        let me = self.clone();
        run_detached(async move { me.run(button, input.device).await }).await
    }

    async fn run(&self, button: Button, on_device: bool) -> Result<SignInOutcome, AuthError> {
        let attempt = self.context.shared.begin_attempt();
        let flow = Flow::new(&self.context, attempt);
        let answer = match on_device {
            true => self.by_device(&flow, &button).await,
            false => self.by_browser(&flow, &button).await,
        };
        self.finish(&flow, answer).await
    }

    /// Waits for the browser, and exchanges what it brings.
    async fn by_browser(
        &self,
        flow: &Flow<'_>,
        button: &Button,
    ) -> Result<SignInResponse, SignInFailure> {
        let browser = flow.backend.profile().browser.get();
        let browser = browser.ok_or(ErrorCode::Unsupported)?;
        let redirect = match browser.redirect() {
            RedirectBy::Loopback => BrowserRedirect::Loopback,
            RedirectBy::Scheme => BrowserRedirect::Scheme,
        };
        let (_, mut wanted) = flow.open(button, Some(redirect))?;
        let (authorization, code) = wanted.during(flow.go_out(browser, button)).await??;
        // A password sign-in may hold it for as long as a request takes.
        let one = wanted.during(self.one.lock()).await?;
        let exchange = flow
            .backend
            .exchange_code(&authorization, &code, &flow.device);
        wanted.complete(one, exchange).await
    }

    /// Asks for a code, shows it, and asks until the person has used it.
    async fn by_device(
        &self,
        flow: &Flow<'_>,
        button: &Button,
    ) -> Result<SignInResponse, SignInFailure> {
        let (shown, mut wanted) = flow.open(button, None)?;
        let provider = wanted.during(flow.backend.provider(&flow.device)).await?;
        let provider = provider.map_err(AuthError::from)?;
        let begun = flow.backend.begin_device_sign_in(provider, &flow.device);
        let mut begun = wanted.during(begun).await??;
        let now = self.context.shared.now();
        wanted.until = wanted.until.min(now.saturating_add(begun.expires_in));
        let mut next = now.saturating_add(begun.interval);
        flow.show_code(
            &begun,
            state::BrowserSignIn {
                device: Some(begun.shown.clone()),
                expires_at: wanted.until,
                ..shown
            },
        )?;
        loop {
            let pause = self.context.shared.clock.sleep_until(next);
            wanted.during(pause).await?;
            let one = wanted.during(self.one.lock()).await?;
            let asked = flow.backend.poll_device_sign_in(&mut begun, &flow.device);
            match wanted.complete(one, asked).await? {
                DevicePoll::Pending => {}
                DevicePoll::Unanswered(fault) => {
                    tracing::info!(%fault, "the provider did not say whether the code was used: it is asked again");
                }
                DevicePoll::Done(answer) => {
                    self.context.desktop.come_to_front();
                    return Ok(*answer);
                }
            }
            next = self.context.shared.now().saturating_add(begun.interval);
        }
    }

    /// Takes the session into use, unless the sign-in was voided meanwhile.
    async fn finish(
        &self,
        flow: &Flow<'_>,
        answer: Result<SignInResponse, SignInFailure>,
    ) -> Result<SignInOutcome, AuthError> {
        let revoke = |token: RefreshToken, access: Option<Secret>| {
            let ended = self.context.ended_session(SessionId::new(), token, access);
            self.context.revoke(ended, flow.device.clone());
        };
        let unusable = match answer {
            Ok(SignInResponse::Granted(grant)) => {
                let grant = *grant;
                let secrets = grant.access.token.iter().chain(&grant.access.id_token);
                let secrets = Unpublished::of(secrets).and(&grant.token);
                match secrets.user(grant.user) {
                    Some(user) => {
                        let with = SignedInWith {
                            device: flow.device.clone(),
                            jar: flow.backend.jar().clone(),
                        };
                        let grant = Grant { user, ..grant };
                        let activated =
                            self.sessions
                                .activate(Cause::Browser, flow.attempt, grant, with);
                        activated.await?;
                        return Ok(SignInOutcome::SignedIn);
                    }
                    None => UnusableSession {
                        access: grant.access.token,
                        token: grant.token,
                        error: ErrorCode::BadAnswer.into(),
                    },
                }
            }
            Ok(SignInResponse::UnknownUser(unusable)) => *unusable,
            Ok(SignInResponse::Accepted { access, token }) => UnusableSession {
                access,
                token,
                error: ErrorCode::BadAnswer.into(),
            },
            Ok(SignInResponse::OtpRequired { token, .. }) => UnusableSession {
                access: None,
                token,
                error: ErrorCode::BadAnswer.into(),
            },
            Err(failed) => UnusableSession {
                access: None,
                token: failed.leftovers.unwrap_or_default(),
                error: failed.error,
            },
        };
        revoke(unusable.token, unusable.access);
        Err(unusable.error)
    }

    /// Opens the address once more.
    pub(super) async fn open_again(&self) -> Result<(), AuthError> {
        let (id, address) = self.address()?;
        self.open(id, address).await
    }

    /// Puts the address on the clipboard.
    pub(super) async fn copy_address(&self) -> Result<(), AuthError> {
        let (_, address) = self.address()?;
        let desktop = self.context.desktop.clone();
        let copied = tokio::task::spawn_blocking(move || desktop.copy(address.as_str())).await;
        copied.unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
    }

    /// Gives up the sign-in that is open.
    pub(super) fn cancel(&self) {
        let open = self
            .context
            .shared
            .look(|inner| inner.browser_flow().map(|flow| flow.attempt));
        let Some(mut at) = open.and_then(|attempt| self.context.shared.in_attempt(attempt)) else {
            return;
        };
        at.close_browser_flow();
        at.publish(Cause::Browser, Event::BrowserSignInOver);
    }

    /// Hands an address of the app's scheme to the sign-in that waits for it.
    pub(super) fn take_redirect(&self, address: &Url) -> bool {
        let open = self
            .context
            .shared
            .look(|inner| inner.browser_flow().map(|flow| flow.attempt));
        let Some(mut at) = open.and_then(|attempt| self.context.shared.in_attempt(attempt)) else {
            return false;
        };
        at.browser_flow_mut()
            .is_some_and(|flow| flow.take_redirect(address))
    }

    /// The address that the browser opens, and of which sign-in.
    fn address(&self) -> Result<(BrowserSignInId, Url), AuthError> {
        let found = self.context.shared.look(|inner| {
            let flow = inner.browser_flow()?;
            Some((flow.id, flow.waiting.as_ref()?.address.clone()))
        });
        found.ok_or_else(|| ErrorCode::BrowserSignInOver.into())
    }

    async fn open(&self, id: BrowserSignInId, address: Url) -> Result<(), AuthError> {
        open_in_browser(&self.context, &address).await?;
        publish_opened(&self.context, id);
        Ok(())
    }
}
