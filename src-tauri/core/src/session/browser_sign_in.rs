//! From the system's browser, or from another device, to a session.
//!
//! Only the wait for the person can be given up. What comes after it runs to its end in a task of its
//! own, as a password does, and from the provider's answer on it takes the road of a password: a session
//! that has begun at the provider and cannot be used here is ended there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use url::Url;

use super::browser_flow::{ExpectedRedirect, OpenBrowserFlow, Waiting};
use super::context::Context;
use super::epoch::AttemptId;
use super::new_session::{NewSessions, SignedInWith, voided_error};
use super::sign_in::run_detached;
use crate::backend::{
    Authorization, Backend, DevicePoll, DeviceSignIn, Grant, Provider, Returned, SignInFailure,
    SignInResponse, UnusableSession,
};
use crate::browser::Listener;
use crate::clock::SinceBoot;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::identity::{BrowserSignInId, SessionId};
use crate::profile::{Browser, BrowserKind, Button, RedirectBy};
use crate::published::Unpublished;
use crate::secrets::Secret;
use crate::state::{self, Event};
use crate::token::RefreshToken;
use crate::wire::{BrowserSignInInput, Cause, DeviceCode, SignInOutcome};

/// How long a person may take in the browser.
const TIME_FOR_IT: Duration = Duration::from_secs(10 * 60);

/// Signs people in outside of the app, one at a time.
pub(super) struct BrowserSignIns {
    context: Arc<Context>,
    sessions: NewSessions,
    /// Held by one sign-in at a time, whichever way it goes, while it speaks with a server.
    one: Arc<tokio::sync::Mutex<()>>,
}

/// One sign-in under way. What it has opened is closed when this is dropped.
struct Flow<'a> {
    context: &'a Arc<Context>,
    id: BrowserSignInId,
    attempt: AttemptId,
    backend: Backend,
    device: Device,
}

impl Drop for Flow<'_> {
    fn drop(&mut self) {
        if let Some(mut at) = self.context.shared.in_attempt(self.attempt) {
            at.close_browser_flow();
            at.publish(Cause::Browser, Event::BrowserSignInOver);
        }
        self.context.shared.end_attempt(self.attempt);
    }
}

/// Whether the person still wants it: an error once it was given up, or took too long.
type Wanted = Result<std::convert::Infallible, AuthError>;

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
        let context = &self.context;
        let attempt = context.shared.begin_attempt();
        let device = context.shared.look(|inner| inner.device.clone());
        let flow = Flow {
            context,
            id: BrowserSignInId::new(),
            attempt,
            backend: context.backend_for_sign_in(),
            device: device.for_sign_in(&context.product, None),
        };
        let shown = state::BrowserSignIn {
            id: flow.id,
            label: button.label.clone(),
            opened: false,
            device: None,
            expires_at: context.shared.now() + TIME_FOR_IT,
        };
        // A code for another device is shown once it is there.
        let closed = flow.open((!on_device).then(|| shown.clone()))?;
        let answer = match on_device {
            true => self.by_device(&flow, shown, closed).await,
            false => {
                self.by_browser(&flow, shown.expires_at, closed, &button)
                    .await
            }
        };
        self.finish(&flow, answer).await
    }

    /// Waits for the browser, and exchanges what it brings.
    async fn by_browser(
        &self,
        flow: &Flow<'_>,
        expires_at: SinceBoot,
        closed: oneshot::Receiver<()>,
        button: &Button,
    ) -> Result<SignInResponse, SignInFailure> {
        let wanted = flow.is_wanted(closed, expires_at);
        let (authorization, code) = tokio::select! {
            biased;
            given_up = wanted => match given_up {
                Err(error) => return Err(error.into()),
            },
            returned = flow.go_out(button) => returned?,
        };
        self.context.desktop.come_to_front();
        let _one = self.one.lock().await;
        flow.backend
            .exchange_code(&authorization, &code, &flow.device)
            .await
    }

    /// Asks for a code, shows it, and asks until the person has used it.
    async fn by_device(
        &self,
        flow: &Flow<'_>,
        shown: state::BrowserSignIn,
        closed: oneshot::Receiver<()>,
    ) -> Result<SignInResponse, SignInFailure> {
        let provider = flow
            .backend
            .provider(&flow.device)
            .await
            .map_err(AuthError::from)?;
        let begun = flow
            .backend
            .begin_device_sign_in(provider, &flow.device)
            .await?;
        let now = self.context.shared.now();
        let expires_at = shown.expires_at.min(now.saturating_add(begun.expires_in));
        let mut next = now.saturating_add(begun.interval);
        flow.show_code(
            &begun,
            state::BrowserSignIn {
                device: Some(begun.shown.clone()),
                expires_at,
                ..shown
            },
        )?;
        let wanted = flow.is_wanted(closed, expires_at);
        tokio::pin!(wanted);
        let mut begun = begun;
        loop {
            tokio::select! {
                biased;
                given_up = &mut wanted => match given_up {
                    Err(error) => return Err(error.into()),
                },
                () = self.context.shared.clock.sleep_until(next) => {}
            }
            // Not to be given up: its answer may be a session.
            match self.poll(flow, &mut begun).await? {
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

    async fn poll(
        &self,
        flow: &Flow<'_>,
        begun: &mut DeviceSignIn,
    ) -> Result<DevicePoll, SignInFailure> {
        let _one = self.one.lock().await;
        flow.backend.poll_device_sign_in(begun, &flow.device).await
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

impl Flow<'_> {
    /// Notes that the sign-in has begun, in place of any other, and shows it. Returns what tells that it was closed.
    fn open(
        &self,
        shown: Option<state::BrowserSignIn>,
    ) -> Result<oneshot::Receiver<()>, AuthError> {
        let (open, closed) = OpenBrowserFlow::open(self.id, self.attempt);
        let at = self.context.shared.in_attempt(self.attempt);
        let mut at = at.ok_or_else(|| voided_error(Cause::Browser))?;
        let challenge = at.open_browser_flow(open);
        at.publish(
            Cause::Browser,
            match shown {
                Some(shown) => Event::BrowserSignIn(shown),
                None => Event::PendingOver,
            },
        );
        if let Some(challenge) = challenge {
            let ended = self
                .context
                .ended_session(SessionId::new(), challenge.token, None);
            self.context.revoke(ended, challenge.device);
        }
        Ok(closed)
    }

    /// Shows the code for another device. Its page can be opened here too.
    fn show_code(
        &self,
        begun: &DeviceSignIn,
        shown: state::BrowserSignIn,
    ) -> Result<(), AuthError> {
        let DeviceCode {
            address,
            complete_address,
            ..
        } = &begun.shown;
        let page = complete_address.as_ref().unwrap_or(address);
        let address = Url::parse(page).map_err(|_| ErrorCode::BadAnswer)?;
        let at = self.context.shared.in_attempt(self.attempt);
        let mut at = at.ok_or_else(|| voided_error(Cause::Browser))?;
        if let Some(flow) = at.browser_flow_mut() {
            flow.waiting = Some(Waiting {
                address,
                redirect: None,
            });
        }
        at.publish(Cause::Browser, Event::BrowserSignIn(shown));
        Ok(())
    }

    /// Returns once nobody waits for the sign-in any more.
    async fn is_wanted(&self, closed: oneshot::Receiver<()>, until: SinceBoot) -> Wanted {
        tokio::select! {
            _ = closed => Err(voided_error(Cause::Browser)),
            () = self.context.shared.clock.sleep_until(until) => {
                let words = "That took longer than a sign-in may take. Start again.";
                Err(AuthError::with_message(ErrorCode::BrowserSignInRefused, words))
            }
        }
    }

    /// Sends the browser out, and waits until it is back.
    async fn go_out(&self, button: &Button) -> Result<(Arc<Authorization>, Secret), AuthError> {
        let browser = self.backend.profile().browser.get();
        let browser = browser.ok_or(ErrorCode::Unsupported)?;
        let provider = match browser.kind {
            BrowserKind::BetterAuth => None,
            BrowserKind::Oidc | BrowserKind::Oauth2 => {
                Some(self.backend.provider(&self.device).await?)
            }
        };
        let returned = match browser.redirect() {
            RedirectBy::Loopback => self.by_loopback(browser, provider, button).await?,
            RedirectBy::Scheme => self.by_scheme(browser, provider, button).await?,
        };
        match returned {
            (authorization, Returned::Code(code)) => Ok((authorization, code)),
            (_, Returned::Refused(error)) => Err(error),
        }
    }

    async fn by_loopback(
        &self,
        browser: &Browser,
        provider: Option<Arc<Provider>>,
        button: &Button,
    ) -> Result<(Arc<Authorization>, Returned), AuthError> {
        let listener = Listener::bind(browser.loopback, &browser.ports).await;
        let listener = listener.map_err(|error| {
            tracing::error!(%error, "no port of this computer can be listened on for the redirect");
            let words = match browser.ports.is_empty() {
                true => "This computer gives the app no port to hear the browser on. Restart it, then try again.",
                false => {
                    "Another program uses the port on which this app hears the browser. Close it, then \
                     try again."
                }
            };
            AuthError::with_message(ErrorCode::CannotStart, words)
        })?;
        let authorization = self
            .backend
            .authorize(provider, listener.redirect(), button)?;
        let authorization = Arc::new(authorization);
        self.send_out(&authorization, None).await?;
        let page = self.context.desktop.done_page();
        let returned = listener
            .wait(|address| authorization.answer(address), page)
            .await;
        let returned = returned.map_err(|_| AuthError::new(ErrorCode::Internal))?;
        Ok((authorization, returned))
    }

    async fn by_scheme(
        &self,
        browser: &Browser,
        provider: Option<Arc<Provider>>,
        button: &Button,
    ) -> Result<(Arc<Authorization>, Returned), AuthError> {
        let scheme = self.context.desktop.scheme().ok_or_else(|| {
            tracing::error!(
                kind = ?browser.kind,
                "the redirect is by the app's scheme, and the app has none: set one in its configuration"
            );
            let words = "This app is not set up to hear the browser. Ask its makers.";
            AuthError::with_message(ErrorCode::Misconfigured, words)
        })?;
        let authorization =
            self.backend
                .authorize(provider, format!("{scheme}:/callback"), button)?;
        let authorization = Arc::new(authorization);
        let (expected, returned) = ExpectedRedirect::of(authorization.clone());
        self.send_out(&authorization, Some(expected)).await?;
        let returned = returned.await.map_err(|_| voided_error(Cause::Browser))?;
        Ok((authorization, returned))
    }

    /// Notes what is waited for, and opens the browser. That it cannot be opened is shown: the person
    /// then copies the address.
    async fn send_out(
        &self,
        authorization: &Arc<Authorization>,
        redirect: Option<ExpectedRedirect>,
    ) -> Result<(), AuthError> {
        let address = authorization.address.clone();
        {
            let mut at = self.context.shared.in_attempt(self.attempt);
            let flow = at.as_mut().and_then(|at| at.browser_flow_mut());
            let flow = flow.ok_or_else(|| voided_error(Cause::Browser))?;
            flow.waiting = Some(Waiting {
                address: address.clone(),
                redirect,
            });
        }
        match open_in_browser(self.context, &address).await {
            Ok(()) => publish_opened(self.context, self.id),
            Err(error) => {
                tracing::warn!(%error, "the system's browser could not be opened: the address can be copied");
            }
        }
        Ok(())
    }
}

async fn open_in_browser(context: &Arc<Context>, address: &Url) -> Result<(), AuthError> {
    let (desktop, address) = (context.desktop.clone(), address.clone());
    let opened = tokio::task::spawn_blocking(move || desktop.open(&address)).await;
    opened.unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
}

/// Shows that the browser was opened, if this sign-in still goes on.
fn publish_opened(context: &Arc<Context>, id: BrowserSignInId) {
    let open = context.shared.look(|inner| {
        let flow = inner.browser_flow().filter(|flow| flow.id == id)?;
        let shown = inner
            .state()
            .browser_sign_in()
            .filter(|shown| shown.id == id)?;
        Some((flow.attempt, shown.clone()))
    });
    let Some((attempt, shown)) = open else { return };
    if let Some(at) = context.shared.in_attempt(attempt) {
        let shown = state::BrowserSignIn {
            opened: true,
            ..shown
        };
        at.publish(Cause::Browser, Event::BrowserSignIn(shown));
    }
}
