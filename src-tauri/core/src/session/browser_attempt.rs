//! One sign-in outside of the app, from its click until its browser is back or its code is shown.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{MutexGuard, oneshot};
use url::Url;

use super::browser_flow::{ExpectedRedirect, OpenBrowserFlow, Waiting};
use super::context::Context;
use super::epoch::AttemptId;
use super::new_session::voided_error;
use crate::backend::{Authorization, Backend, DeviceSignIn, Provider, Returned};
use crate::browser::Listener;
use crate::clock::SinceBoot;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::identity::{BrowserSignInId, SessionId};
use crate::profile::{Browser, BrowserKind, Button, RedirectBy};
use crate::secrets::Secret;
use crate::state::{self, Event};
use crate::wire::{BrowserRedirect, Cause, DeviceCode};

/// How long a person may take in the browser.
const TIME_FOR_IT: Duration = Duration::from_secs(10 * 60);

/// One sign-in under way. What it has opened is closed when this is dropped.
pub(super) struct Flow<'a> {
    pub context: &'a Arc<Context>,
    pub id: BrowserSignInId,
    pub attempt: AttemptId,
    pub backend: Backend,
    pub device: Device,
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

/// Whether the person still wants a sign-in: not once it was given up, by whatever gives it up, nor once
/// it has taken too long.
pub(super) struct Wanted<'a> {
    context: &'a Context,
    /// Tells that the sign-in was closed.
    closed: oneshot::Receiver<()>,
    /// It has told so.
    is_given_up: bool,
    /// When it takes too long.
    pub until: SinceBoot,
}

impl Wanted<'_> {
    /// Does `work` for as long as the sign-in is wanted. What was given up before `work` has ended is not
    /// done further.
    pub(super) async fn during<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, AuthError> {
        if self.is_given_up {
            return Err(voided_error(Cause::Browser));
        }
        tokio::select! {
            biased;
            _ = &mut self.closed => Err(voided_error(Cause::Browser)),
            () = self.context.shared.clock.sleep_until(self.until) => {
                let words = "That took longer than a sign-in may take. Start again.";
                Err(AuthError::with_message(ErrorCode::BrowserSignInRefused, words))
            }
            done = work => Ok(done),
        }
    }

    /// Does `work` to its end even if the sign-in is given up, because its answer may be a session, which is
    /// then to be revoked. `one` is held until then, but not for a sign-in that was given up: the next one
    /// does not wait for an answer that is not used.
    pub(super) async fn complete<T>(
        &mut self,
        one: MutexGuard<'_, ()>,
        work: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = &mut self.closed, if !self.is_given_up => {}
        }
        self.is_given_up = true;
        drop(one);
        work.await
    }
}

impl<'a> Flow<'a> {
    /// A sign-in that has not begun yet.
    pub(super) fn new(context: &'a Arc<Context>, attempt: AttemptId) -> Self {
        let device = context.shared.look(|inner| inner.device.clone());
        Self {
            context,
            id: BrowserSignInId::new(),
            attempt,
            backend: context.backend_for_sign_in(),
            device: device.for_sign_in(&context.product, None),
        }
    }

    /// Notes that the sign-in has begun, in place of any other, and shows it. `redirect` is how its
    /// browser comes back, if it has one.
    pub(super) fn open(
        &self,
        button: &Button,
        redirect: Option<BrowserRedirect>,
    ) -> Result<(state::BrowserSignIn, Wanted<'a>), AuthError> {
        let until = self.context.shared.now() + TIME_FOR_IT;
        let shown = state::BrowserSignIn {
            id: self.id,
            button: button.name.clone(),
            label: button.label.clone(),
            redirect,
            opened: false,
            returned: false,
            device: None,
            expires_at: until,
        };
        let (open, closed) = OpenBrowserFlow::open(self.id, self.attempt);
        let at = self.context.shared.in_attempt(self.attempt);
        let mut at = at.ok_or_else(|| voided_error(Cause::Browser))?;
        let challenge = at.open_browser_flow(open);
        at.publish(Cause::Browser, Event::BrowserSignIn(shown.clone()));
        if let Some(challenge) = challenge {
            let ended = self
                .context
                .ended_session(SessionId::new(), challenge.token, None);
            self.context.revoke(ended, challenge.device);
        }
        let wanted = Wanted {
            context: self.context,
            closed,
            is_given_up: false,
            until,
        };
        Ok((shown, wanted))
    }

    /// Shows the code for another device. Its page can be opened here too.
    pub(super) fn show_code(
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

    /// Sends the browser out, and waits until it is back.
    pub(super) async fn go_out(
        &self,
        browser: &Browser,
        button: &Button,
    ) -> Result<(Arc<Authorization>, Secret), AuthError> {
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
        // After a refusal too: it is said in the app's window.
        self.context.desktop.come_to_front();
        match returned {
            (authorization, Returned::Code(code)) => {
                publish_change(self.context, self.id, |shown| shown.returned = true);
                Ok((authorization, code))
            }
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

/// Opens an address in the system's browser, outside of the runtime's own threads.
pub(super) async fn open_in_browser(
    context: &Arc<Context>,
    address: &Url,
) -> Result<(), AuthError> {
    let (desktop, address) = (context.desktop.clone(), address.clone());
    let opened = tokio::task::spawn_blocking(move || desktop.open(&address)).await;
    opened.unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
}

/// Shows that the browser was opened, if this sign-in still goes on.
pub(super) fn publish_opened(context: &Arc<Context>, id: BrowserSignInId) {
    publish_change(context, id, |shown| shown.opened = true);
}

fn publish_change(
    context: &Arc<Context>,
    id: BrowserSignInId,
    change: impl FnOnce(&mut state::BrowserSignIn),
) {
    let open = context.shared.look(|inner| {
        let flow = inner.browser_flow().filter(|flow| flow.id == id)?;
        let shown = inner
            .state()
            .browser_sign_in()
            .filter(|shown| shown.id == id)?;
        Some((flow.attempt, shown.clone()))
    });
    let Some((attempt, mut shown)) = open else {
        return;
    };
    if let Some(at) = context.shared.in_attempt(attempt) {
        change(&mut shown);
        at.publish(Cause::Browser, Event::BrowserSignIn(shown));
    }
}
