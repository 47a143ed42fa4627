//! What the doctor asks a provider of the sign-in by the browser, with the app's own client.

use std::sync::Arc;

use serde_json::Value;
use vestibule_core::backend::{Authorization, BackendError, Provider, ProviderFault};
use vestibule_core::profile::Button;
use vestibule_core::wire::User;
use vestibule_core::{AuthError, Device, Secret};

use super::{Client, SignInAnswer};
use crate::answered::Answered;
use crate::open_sessions::SessionId;

impl Client {
    /// Asks the provider what it is.
    pub(crate) async fn provider(&mut self) -> Answered<Result<Arc<Provider>, ProviderFault>> {
        let mark = self.recorder.count();
        let found = self.backend.provider(&Self::new_device()).await;
        self.answered(mark, found)
    }

    /// Asks for its keys, and counts those with which the app can check a signature.
    pub(crate) async fn usable_keys(
        &mut self,
        provider: &Provider,
    ) -> Answered<Result<usize, ProviderFault>> {
        let mark = self.recorder.count();
        let device = Self::new_device();
        let keys = self.backend.usable_keys(provider, &device).await;
        self.answered(mark, keys)
    }

    /// What the browser is sent out for, to come back to `redirect`.
    pub(crate) fn authorize(
        &self,
        provider: &Arc<Provider>,
        redirect: String,
        button: &Button,
    ) -> Result<Authorization, AuthError> {
        let provider = Some(provider.clone());
        self.backend.authorize(provider, redirect, button)
    }

    /// Exchanges the code that the browser has brought.
    pub(crate) async fn exchange_code(
        &mut self,
        authorization: &Authorization,
        code: &Secret,
        device: &Device,
    ) -> Answered<SignInAnswer> {
        self.masks.hide(code.secret(), "code");
        let mark = self.recorder.count();
        let answer = self.backend.exchange_code(authorization, code, device);
        let answer = answer.await;
        self.keep(mark, answer, device)
    }

    /// Asks the provider whose an access token is.
    pub(crate) async fn user_info(
        &mut self,
        provider: &Provider,
        access: &Secret,
    ) -> Answered<Result<Option<Value>, ProviderFault>> {
        let mark = self.recorder.count();
        let device = Self::new_device();
        let told = self.backend.user_info(provider, access, &device).await;
        self.answered(mark, told)
    }

    /// Asks the backend whose a session is.
    pub(crate) async fn me(&mut self, id: SessionId) -> Answered<Result<User, BackendError>> {
        let mark = self.recorder.count();
        let session = self.sessions.get(id);
        let access = session.bearer.as_ref();
        let user = self.backend.me(&session.token, access, &session.device);
        let user = user.await;
        self.answered(mark, user.map_err(|none| none.fault))
    }
}
