//! The session of one workspace, and the only writer of its state.
//!
//! Every change goes the same way: persist, then assign, then publish. Commands answer
//! "did it work"; the published [`SessionChanged`] says "what is true now". No lock is held
//! while the network or the keyring is waited for, so a sign-out never waits for a refresh:
//! it takes a new stamp, and whatever was under way finds its own stamp outdated.

mod api;
mod follow;
mod item;
mod keep_alive;
mod landed;
mod left_over;
mod outbox;
mod outbox_record;
mod permit;
mod restore;
mod rotate;
mod shared;
mod sign_in;
mod sign_out;
mod unlock;
mod upload;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};

use crate::backend::Backend;
use crate::clock::{Clock, SinceBoot, SystemClock};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::journal::LastUser;
use crate::lock::Lock;
use crate::plan::Plan;
use crate::profile::Profile;
use crate::records::Records;
use crate::reply::AccessToken;
use crate::schedule;
use crate::secrets::{Secret, SecretStore, StoreError};
use crate::state::{Event, State};
use crate::token::RefreshToken;
use crate::unusable;
use crate::vault::{Stamp, Vault};
use crate::wire::{Cause, Outage, SessionChanged, StorageStatus};
pub use item::Item;
use outbox::Outbox;
use rotate::Flight;
pub use upload::{Given, Upload};

/// What a session is made of.
pub struct Config {
    /// The workspace's name; also the keyring account.
    pub workspace: String,
    /// The backend.
    pub profile: Profile,
    /// Where the workspace's records live.
    pub folder: PathBuf,
    /// Where the refresh token rests.
    pub store: Arc<dyn SecretStore>,
    /// Product and version, such as `Vestibule 0.1.0`: the device's `browser`.
    pub product: String,
}

/// A handle on one workspace's session. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Shared>);

struct Shared {
    workspace: String,
    product: String,
    clock: Arc<dyn Clock>,
    backend: Backend,
    vault: Vault,
    outbox: Outbox,
    records: Records,
    held: Mutex<Held>,
    snapshot: watch::Sender<SessionChanged>,
    flight: Mutex<Option<Flight>>,
    signing_in: tokio::sync::Mutex<()>,
    /// Held while a new session is persisted, so that no rotation starts from what it
    /// replaces, and while an ended one is put away, so that none is persisted over it.
    taking_over: Arc<tokio::sync::Mutex<()>>,
    /// Held while what is left over in the keyring is put away for a session to be written.
    settling: tokio::sync::Mutex<()>,
    /// The lock between processes, while anyone here holds it.
    rotation_lock: tokio::sync::Mutex<Weak<Lock>>,
    /// Held, for a few file writes, by whoever changes the records; taken before `held`.
    writing: Mutex<()>,
    /// Rung when something that the schedule depends on has changed.
    wake: Arc<Notify>,
}

/// Everything that changes, under one short lock.
struct Held {
    state: State,
    /// Taken anew by each sign-in, sign-out and end; outdates what was under way.
    stamp: Stamp,
    /// Counts sign-outs and challenges given up: an answer to what was asked before is void.
    given_up: u64,
    generation: u64,
    device: Device,
    token: Option<RefreshToken>,
    /// When to offer `token` to the keyring again; `None` while it holds it.
    save_due: Option<SinceBoot>,
    /// The keyring has held a token of this session: a later start can go on with it. While
    /// it has not, nothing on disk speaks of the session.
    lasts: bool,
    /// The keyring could not be read at start; what it holds is not known.
    unread: bool,
    /// The marker of an earlier sign-out, if the sign-in could not remove it from the disk.
    left_marker: Option<SystemTime>,
    /// The keyring still holds an ended session, of which the backend may not have heard; when
    /// to look at it again.
    left_over: Option<SinceBoot>,
    access: Option<Access>,
    last_user: Option<LastUser>,
    challenge: Option<OpenChallenge>,
    plan: Plan,
    /// When the backend was first not reached, in milliseconds since the epoch.
    outage_since: Option<u64>,
    /// When a refusal by the backend was last taken for a change of the roles.
    roles_doubted: Option<SinceBoot>,
}

/// The access token in use.
#[derive(Clone)]
struct Access {
    token: AccessToken,
    received: SinceBoot,
    /// Tells one token from the next, whatever their text.
    serial: u64,
}

impl Access {
    fn is_spent(&self, now: SinceBoot) -> bool {
        now.saturating_sub(self.received) >= schedule::believed(self.token.life)
    }
}

/// What a challenge needs and the window must not hold.
#[derive(Clone)]
struct OpenChallenge {
    email: String,
    device: Device,
    /// With the ordinary cookies of this sign-in.
    backend: Backend,
    /// Held only where the profile sends it along with the code.
    password: Option<Secret>,
    /// What the backend gave out to name the challenge.
    name: Option<Secret>,
}

impl Session {
    /// Opens the session of a workspace and begins to restore it. Must be called within a
    /// tokio runtime. Fails only if the records' folder or the device record cannot be
    /// written, or no HTTP client can be made.
    pub fn open(config: Config) -> Result<Self, AuthError> {
        Self::open_with_clock(config, Arc::new(SystemClock))
    }

    /// The same with another clock.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<Self, AuthError> {
        let unwritable = |error: std::io::Error| unusable::folder(&config.folder, &error);
        let records = Records::open(&config.folder).map_err(unwritable)?;
        let device = {
            let copy = || LastUser::device(&records);
            Device::load_or_create(&records, &config.product, copy).map_err(unwritable)?
        };
        let state = State::new(config.profile.roles.clone());
        let backend = Backend::new(config.profile, &user_agent(&config.product))?;
        let first = SessionChanged {
            workspace: config.workspace.clone(),
            revision: 0,
            cause: Cause::Start,
            state: state.view(),
            offers: backend.offers(),
        };
        let session = Self(Arc::new(Shared {
            backend,
            outbox: Outbox::open(
                &config.workspace,
                &records,
                config.store.clone(),
                clock.clone(),
            ),
            vault: Vault::new(config.store, config.workspace.clone()),
            workspace: config.workspace,
            product: config.product,
            clock,
            records,
            held: Mutex::new(Held {
                state,
                stamp: 1,
                given_up: 0,
                generation: 0,
                device,
                token: None,
                save_due: None,
                lasts: false,
                unread: false,
                left_marker: None,
                left_over: None,
                access: None,
                last_user: None,
                challenge: None,
                plan: Plan::default(),
                outage_since: None,
                roles_doubted: None,
            }),
            snapshot: watch::Sender::new(first),
            flight: Mutex::default(),
            signing_in: tokio::sync::Mutex::default(),
            taking_over: Arc::default(),
            settling: tokio::sync::Mutex::default(),
            rotation_lock: tokio::sync::Mutex::default(),
            writing: Mutex::default(),
            wake: Arc::default(),
        }));
        let restoring = session.clone();
        // Before anybody can sign in: an end that a crash has cut short comes first.
        let settled = session.0.taking_over.clone().try_lock_owned().ok();
        tokio::spawn(async move {
            restoring.restore(settled).await;
            let wake = restoring.0.wake.clone();
            let clock = restoring.0.clock.clone();
            let shared = Arc::downgrade(&restoring.0);
            drop(restoring);
            keep_alive::run(shared, wake, clock).await;
        });
        Ok(session)
    }

    /// The workspace's name.
    pub fn workspace(&self) -> &str {
        &self.0.workspace
    }

    /// The backend's origin.
    pub fn origin(&self) -> String {
        self.0.backend.profile().origin()
    }

    /// The state now. Never waits; asks neither the backend nor the keyring.
    pub fn snapshot(&self) -> SessionChanged {
        self.0.snapshot.borrow().clone()
    }

    /// Every state from now on; a slow reader skips to the newest.
    pub fn subscribe(&self) -> watch::Receiver<SessionChanged> {
        self.0.snapshot.subscribe()
    }

    fn now(&self) -> SinceBoot {
        self.0.clock.since_boot()
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.0
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Assigns and publishes: the last two steps of every change.
    fn publish(&self, held: &mut Held, cause: Cause, event: Event) {
        held.state.apply(event);
        let state = held.state.view();
        self.0.snapshot.send_if_modified(|snapshot| {
            if snapshot.state == state {
                return false;
            }
            snapshot.revision += 1;
            snapshot.cause = cause;
            snapshot.state = state;
            true
        });
        self.0.wake.notify_one();
    }

    /// Changes the records where blocking is allowed, on behalf of `stamp`: once a newer
    /// sign-in, sign-out or end has taken over, nothing is done and the answer is `None`.
    /// One at a time, so that the newest is also the last to write.
    async fn on_disk<T: Send + 'static>(
        &self,
        stamp: Stamp,
        work: impl FnOnce(&Records) -> std::io::Result<T> + Send + 'static,
    ) -> Result<Option<T>, AuthError> {
        let session = self.clone();
        let result = tokio::task::spawn_blocking(move || {
            let _turn = session.writing();
            if session.held().stamp != stamp {
                return Ok(None);
            }
            work(&session.0.records).map(Some)
        })
        .await;
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                tracing::error!(kind = %error.kind(), "a record cannot be written");
                Err(ErrorCode::Internal.into())
            }
            Err(_) => Err(ErrorCode::Internal.into()),
        }
    }
}

impl Held {
    fn supersede(&mut self) -> Stamp {
        self.stamp += 1;
        self.stamp
    }

    /// Forgets everything that belonged to the session.
    fn drop_session(&mut self) -> Option<RefreshToken> {
        self.access = None;
        self.last_user = None;
        self.save_due = None;
        self.lasts = false;
        self.unread = false;
        self.plan = Plan::default();
        self.outage_since = None;
        self.roles_doubted = None;
        self.token.take()
    }

    /// The access token, for a sign-out that wants one.
    fn access_text(&self) -> Option<Secret> {
        self.access.as_ref()?.token.token.clone()
    }

    fn access_serial(&self) -> u64 {
        self.access.as_ref().map_or(0, |access| access.serial)
    }

    /// The outage as it stands: noted now if it was not before, tried again in `retry_in`.
    fn outage(&mut self, now_ms: u64, retry_in: Option<Duration>) -> Outage {
        let ms = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Outage {
            since: *self.outage_since.get_or_insert(now_ms),
            retry_at: retry_in.map(|wait| now_ms.saturating_add(ms(wait))),
        }
    }
}

/// The product as a header may carry it.
fn user_agent(product: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '/' };
    product.chars().map(plain).collect()
}

fn storage_of(error: StoreError) -> StorageStatus {
    match error {
        StoreError::Absent | StoreError::NoCollection => StorageStatus::Absent,
        StoreError::Locked | StoreError::TimedOut => StorageStatus::Locked,
        StoreError::TooLarge => StorageStatus::TooLarge,
        StoreError::Failed => StorageStatus::MemoryOnly,
    }
}
