//! The sessions that the doctor has opened, with their newest tokens, so that all are signed
//! out in the end, however that comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vestibule_core::backend::{Backend, Failed, Grant, SignIn, Unusable, Witness};
use vestibule_core::device::Device;
use vestibule_core::error::AuthError;
use vestibule_core::reply::AccessToken;
use vestibule_core::secrets::Secret;
use vestibule_core::token::RefreshToken;

/// How long the sign-outs at the end may take.
const FAREWELL: Duration = Duration::from_secs(15);

/// A session of the doctor's own.
pub struct Session {
    number: usize,
    ledger: Ledger,
    /// For API calls.
    pub access: AccessToken,
    /// For the next refresh.
    pub token: RefreshToken,
    /// What the backend took for the device.
    pub device: Device,
}

impl Session {
    /// The access token, if there is one.
    pub fn access_token(&self) -> Option<&Secret> {
        self.access.token.as_ref()
    }

    /// It has other tokens now.
    pub fn renewed(&mut self, token: RefreshToken, access: AccessToken) {
        (self.token, self.access) = (token, access);
        let mut held = self.ledger.held();
        if let Some(entry) = held.get_mut(self.number) {
            entry.token = self.token.clone();
            entry.access = self.access.token.clone();
        }
    }

    /// The answer that gave it a token could not be used otherwise.
    pub fn rotated(&mut self, token: RefreshToken) {
        let access = self.access.clone();
        self.renewed(token, access);
    }

    /// It is over: nothing is left to sign out.
    pub fn is_over(&self) {
        if let Some(entry) = self.ledger.held().get_mut(self.number) {
            entry.over = true;
        }
    }
}

#[derive(Clone)]
struct Entry {
    token: RefreshToken,
    access: Option<Secret>,
    device: Device,
    over: bool,
}

/// All of them.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<Entry>>>);

impl Ledger {
    /// A session has begun.
    pub fn open(&self, grant: Grant, device: Device) -> Session {
        self.note(grant.token.clone(), grant.access.token.clone(), &device);
        Session {
            number: self.held().len() - 1,
            ledger: self.clone(),
            access: grant.access,
            token: grant.token,
            device,
        }
    }

    /// A session has begun, of nobody knows whom.
    pub fn keep(&self, nameless: &Unusable, device: &Device) {
        let access = nameless.access.clone();
        self.note(nameless.token.clone(), access, device);
    }

    /// An answer to a sign-in. What a failed one has left at the backend is not forgotten.
    pub fn unbroken(
        &self,
        answer: Result<SignIn, Failed>,
        device: &Device,
    ) -> Result<SignIn, AuthError> {
        answer.map_err(|failed| {
            if let Some(token) = failed.left {
                self.note(token, None, device);
            }
            failed.error
        })
    }

    /// There is a token more that may be alive.
    pub fn note(&self, token: RefreshToken, access: Option<Secret>, device: &Device) {
        self.held().push(Entry {
            token,
            access,
            device: device.clone(),
            over: false,
        });
    }

    /// Signs out what is not over; answers for how many the backend has not confirmed that.
    pub async fn sign_out_all(&self, backend: &Backend, witness: &Witness) -> usize {
        let mut unconfirmed = 0;
        let all = async {
            while let Some((at, entry)) = self.next() {
                let told = backend.logout(&entry.token, entry.access.as_ref(), &entry.device);
                let mark = witness.count();
                if told.await.is_err() {
                    // What does not hear one will not hear the next.
                    return;
                }
                self.held()[at].over = true;
                // That there was nothing to end is believed by the app; here it is suspicious.
                let heard = witness.since(mark);
                let status = heard.last().and_then(|exchange| exchange.status);
                if !matches!(status, Some(200..=299)) {
                    unconfirmed += 1;
                }
            }
        };
        let _ = tokio::time::timeout(FAREWELL, all).await;
        unconfirmed + self.held().iter().filter(|entry| !entry.over).count()
    }

    /// Whether nothing is left to sign out.
    pub fn is_settled(&self) -> bool {
        self.next().is_none()
    }

    fn next(&self) -> Option<(usize, Entry)> {
        let held = self.held();
        let at = held.iter().position(|entry| !entry.over)?;
        Some((at, held[at].clone()))
    }

    fn held(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
