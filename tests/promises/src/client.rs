//! An installation with an account, alone or behind a proxy. A condition that does not come true is a
//! [`Lost`], which a promise counts.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vestibule_backend::Backend;
use vestibule_core::SecretStore as _;
use vestibule_core::session::Session;
use vestibule_core::wire::{SessionChanged, SignedOutReason};
use vestibule_harness::{
    Installation, Lost, Pace, account, is_fresh, passing, retry_in, try_until, why,
};

use crate::carrier::Carrier;
use crate::proxy::Proxy;

/// Far longer than the refreshes take after which a session is fresh again.
const FRESH_TIMEOUT: Duration = Duration::from_secs(120);
/// How fast the clock goes while a sign-out is waited for.
const UNHURRIED: Pace = Pace {
    beat: Duration::from_millis(50),
    passes: Duration::from_millis(500),
};

/// An installation and its account.
pub struct Client {
    installation: Installation,
    pub email: String,
    /// How its sessions are begun and renewed.
    pub carrier: Carrier,
}

impl Deref for Client {
    type Target = Installation;

    fn deref(&self) -> &Installation {
        &self.installation
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Installation {
        &mut self.installation
    }
}

impl Client {
    /// A session in which nobody has signed in yet.
    pub async fn new(address: String, email: String, carrier: Carrier) -> Result<Self, Lost> {
        let profile = carrier.profile(&address, json!({}))?;
        let client = Self {
            installation: Installation::open(Arc::default(), profile, None)?,
            email,
            carrier,
        };
        client.until_started().await?;
        Ok(client)
    }

    /// Signs in with the password, or by the browser.
    pub async fn sign_in(&self) -> Result<(), Lost> {
        let signed_in = self
            .carrier
            .sign_in(&self.session, &self.desktop, &self.email);
        signed_in.await?;
        self.until("a fresh session", |now| is_fresh(&now.state))
            .await?;
        Ok(())
    }

    /// Starts the app again: the same folder, store and clock, and nothing in memory.
    pub fn restart(&mut self) -> Result<(), Lost> {
        let opened = Session::open_with_clock(self.config(), self.clock.clone());
        self.session = opened.map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Starts the app again with another origin in the profile. Nothing of the old one must be
    /// kept.
    pub async fn move_to(&mut self, to: &str) -> Result<(), Lost> {
        self.profile = self.carrier.profile(to, json!({}))?;
        self.restart()?;
        self.until_started().await
    }

    /// Starts the app again with another origin in the profile and in everything that is stored, as
    /// if that had always been the origin.
    pub fn displace(&mut self, to: &str) -> Result<(), Lost> {
        let from = self.profile.backend.to_string();
        let from = from.trim_end_matches('/');
        self.profile = self.carrier.profile(to, json!({}))?;
        let host = |origin: &str| {
            let host = origin.split("//").nth(1).unwrap_or_default();
            format!(r#""host":"{}""#, host.split(':').next().unwrap_or_default())
        };
        let moved = |text: &[u8]| {
            let text = String::from_utf8_lossy(text);
            let text = text.replace(from, to);
            text.replace(&host(from), &host(to)).into_bytes()
        };
        let unusable = |error: &dyn std::fmt::Display| format!("cannot displace: {error}");
        let name = self.session.item_name().to_owned();
        let item = self.store.read(&name).map_err(|e| unusable(&e))?;
        let item = item.ok_or("the store holds no item")?;
        let item = moved(&item);
        self.store.write(&name, &item).map_err(|e| unusable(&e))?;
        let records = std::fs::read_dir(&self.records).map_err(|e| unusable(&e))?;
        for file in records.flatten() {
            if file.path().extension().is_some_and(|ext| ext == "json") {
                let text = std::fs::read(file.path()).map_err(|e| unusable(&e))?;
                std::fs::write(file.path(), moved(&text)).map_err(|e| unusable(&e))?;
            }
        }
        self.restart()
    }

    /// Waits for a start that finds nobody signed in.
    pub async fn until_started(&self) -> Result<(), Lost> {
        let over = |now: &SessionChanged| why(&now.state).is_some();
        self.until("the start to be over", over).await.map(drop)
    }

    /// Waits for a snapshot that is `wanted`.
    pub async fn until(
        &self,
        what: &str,
        wanted: impl FnMut(&SessionChanged) -> bool,
    ) -> Result<SessionChanged, Lost> {
        try_until(&self.session, what, wanted).await
    }

    /// Waits for a snapshot after `revision` in which a refresh has failed and the next is planned.
    pub async fn until_failed(&self, revision: u64) -> Result<SessionChanged, Lost> {
        let failed = |now: &SessionChanged| {
            now.revision > revision && (retry_in(&now.state).is_some() || why(&now.state).is_some())
        };
        let now = self.until("a refresh to fail", failed).await?;
        match why(&now.state) {
            Some(why) => Err(format!("signed out, {why:?}")),
            None => Ok(now),
        }
    }

    /// Advances the clock to each planned refresh until one succeeds.
    pub async fn until_fresh(&self) -> Result<SessionChanged, Lost> {
        let mut changes = self.session.subscribe();
        let passing = async {
            loop {
                let now = changes.borrow_and_update().clone();
                if is_fresh(&now.state) {
                    return Ok(now);
                }
                if let Some(why) = why(&now.state) {
                    return Err(format!("signed out, {why:?}"));
                }
                self.pass_to_the_next_try();
                // The plan may not be in a snapshot yet; then time passes in small steps.
                let soon = Duration::from_millis(50);
                if tokio::time::timeout(soon, changes.changed()).await.is_err() {
                    self.clock.advance(Duration::from_secs(1));
                }
            }
        };
        let fresh = tokio::time::timeout(FRESH_TIMEOUT, passing).await;
        fresh.unwrap_or_else(|_| {
            Err(format!(
                "waited for a fresh session, but it is {:?}",
                self.session.snapshot()
            ))
        })
    }

    /// Advances the clock until the session has ended. Returns the reason.
    pub async fn until_signed_out(&self) -> Result<SignedOutReason, Lost> {
        let is_out = |now: &SessionChanged| why(&now.state).is_some();
        let out = self.until("nobody signed in", is_out);
        let now = passing(&self.clock, UNHURRIED, out).await?;
        Ok(why(&now.state).unwrap_or(SignedOutReason::Never))
    }

    /// Advances the clocks to the planned refresh, if there is one.
    pub fn pass_to_the_next_try(&self) {
        if let Some(wait) = retry_in(&self.session.snapshot().state) {
            self.clock.advance(Duration::from_millis(wait + 1));
        }
    }
}

/// A [`Client`] behind a proxy, with an account of its own.
pub struct ProxiedClient {
    /// The proxy between the session and the backend.
    pub proxy: Arc<Proxy>,
    client: Client,
}

impl Deref for ProxiedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for ProxiedClient {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl ProxiedClient {
    /// A client that has signed in. Several can share a `backend`.
    pub async fn signed_in(backend: &Backend, carrier: Carrier) -> Result<Self, Lost> {
        let (proxy, email) = way(backend).await?;
        let client = Client::new(proxy.url(), email, carrier).await?;
        client.sign_in().await?;
        Ok(Self { proxy, client })
    }
}

/// A proxy in front of `backend`, and a new account there.
pub async fn way(backend: &Backend) -> Result<(Arc<Proxy>, String), Lost> {
    let email = account(backend)?;
    let proxy = Proxy::start(backend.address()).await;
    let proxy = proxy.map_err(|error| format!("no proxy: {error}"))?;
    Ok((Arc::new(proxy), email))
}
