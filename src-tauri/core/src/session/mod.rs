//! The session of one account, and the only writer of its state.
//!
//! Every change takes the same path: persist, then assign, then publish (`commit`). The answer to
//! a command says whether it worked; the published [`SessionChanged`] says what is true now. No
//! lock is held while waiting for the network or the keyring, so a sign-out never waits for a
//! refresh: it begins a new epoch, and operations under way find that theirs is over (`inner`).
//!
//! Calls run one way: listed sessions → {API calls, sign-out}; {scheduler, restore, API calls,
//! rights} → refresh → reconcile; {sign-in, refresh, sign-out, reconcile} → pending sign-outs; all →
//! commit and storage. Each verb is a type that holds only those it may call, so that no call can go
//! back.

mod account_records;
mod api_call;
mod browser_attempt;
mod browser_flow;
mod browser_sign_in;
mod commit;
mod context;
mod epoch;
#[cfg(any(test, feature = "testing"))]
mod for_tests;
mod inner;
mod item;
mod item_keeper;
mod item_selection;
mod keyring_status;
mod legacy;
mod listed_sessions;
mod new_session;
mod open_session;
mod other_processes;
mod pending_list;
mod pending_record;
mod pending_sign_outs;
mod persistence;
mod process_lock;
mod provider_grant;
mod provider_owner;
mod reconcile;
mod record;
mod refresh;
mod refresh_failure;
mod refresh_reason;
mod refresh_sender;
mod refusals;
mod restore;
mod rights;
mod rotation;
mod scheduler;
mod sign_in;
mod sign_out;
mod sign_out_delivery;
mod token_keeper;
mod trusted_device;
mod upload;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use tokio::sync::watch;
use url::Url;

use self::api_call::ApiCalls;
use self::browser_sign_in::BrowserSignIns;
use self::commit::Committer;
use self::context::Context;
use self::inner::Shared;
use self::item_keeper::ItemKeeper;
use self::listed_sessions::ListedSessions;
use self::other_processes::OtherProcesses;
use self::pending_sign_outs::PendingSignOuts;
use self::persistence::Persistence;
use self::process_lock::ProcessLock;
use self::reconcile::Reconcile;
use self::record::Records;
use self::refresh::Refresh;
use self::refresh_failure::RefreshFailures;
use self::refresh_reason::RefreshReason;
use self::refresh_sender::RefreshSender;
use self::restore::Restore;
use self::rights::Rights;
use self::rotation::Rotation;
use self::scheduler::Scheduler;
use self::sign_in::{SignIn, SignInInput};
use self::sign_out::SignOut;
use self::sign_out_delivery::SignOutDelivery;
use self::token_keeper::TokenKeeper;
use self::trusted_device::TrustedDevice;
use crate::backend::{Backend, Download};
use crate::browser::Desktop;
use crate::clock::{Clock, SystemClock};
use crate::cookies::Jar;
use crate::error::AuthError;
use crate::folder_advice;
use crate::identity::ListedSessionId;
use crate::profile::Profile;
use crate::secrets::SecretStore;
use crate::state::State;
use crate::storage::records::{FolderRecords, RecordStore};
use crate::transport::{HttpTransport, NetworkSettings, Transport, user_agent};
use crate::wire::{
    BrowserSignInInput, Cause, Challenge, FetchReply, FetchRequest, LoginInput, LogoutReply,
    OtpInput, RegisterInput, SessionChanged, SessionList, SignInOutcome, UploadRequest,
};

pub(crate) use self::account_records::{AccountRecords, LastKnown};
pub use self::item::Item;
pub use self::upload::{Upload, UploadAnswer};

/// What a session is opened with.
pub struct Config {
    /// The workspace's name; also the beginning of its keyring items' names.
    pub workspace: String,
    /// The profile of the backend.
    pub profile: Profile,
    /// The folder of the account's records.
    pub folder: PathBuf,
    /// Where the refresh token is stored.
    pub store: Arc<dyn SecretStore>,
    /// Product and version, such as `Vestibule 0.1.0`: the device's `browser`.
    pub product: String,
    /// What opens an address for a sign-in by the browser; [`NoDesktop`](crate::browser::NoDesktop)
    /// where there is none.
    pub desktop: Arc<dyn Desktop>,
}

impl Config {
    /// An HTTP client for the backend of this session.
    ///
    /// # Errors
    /// If none can be built with this machine's settings.
    pub fn transport(&self, network: NetworkSettings) -> Result<Arc<HttpTransport>, AuthError> {
        let agent = user_agent(&self.product);
        HttpTransport::with_network(network, &self.profile.backend, &agent).map(Arc::new)
    }
}

/// What a machine provides besides the keyring. [`Session::open`] uses the real one; a model of
/// several machines in one process gives each its own.
pub struct Machine {
    /// The wall clock, the time since boot, and the timer for waits.
    pub clock: Arc<dyn Clock>,
    /// The disk, in place of [`Config::folder`].
    pub records: Arc<dyn RecordStore>,
    /// How requests reach the backend.
    pub transport: Arc<dyn Transport>,
}

/// A handle on one account's session. Cheap to clone. The session goes on until the last handle is
/// dropped; dropped earlier than [`Session::is_at_rest`] allows, it loses what only memory holds.
#[derive(Clone)]
pub struct Session(Arc<Verbs>);

/// A handle that does not keep the session open.
#[derive(Clone)]
pub struct WeakSession(Weak<Verbs>);

impl WeakSession {
    /// The session, if another handle still keeps it open.
    pub fn upgrade(&self) -> Option<Session> {
        self.0.upgrade().map(Session)
    }

    /// Whether both are handles on the same open session.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Weak::ptr_eq(&self.0, &other.0)
    }
}

struct Verbs {
    context: Arc<Context>,
    browser: Arc<BrowserSignIns>,
    sign_in: Arc<SignIn>,
    sign_out: Arc<SignOut>,
    refresh: Arc<Refresh>,
    calls: Arc<ApiCalls>,
    listed: ListedSessions,
    rights: Arc<Rights>,
    scheduler: Arc<Scheduler>,
    workspace: String,
}

impl Session {
    /// Opens the session of an account and begins to restore it. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// If the records' folder cannot be used, or no HTTP client can be made.
    pub fn open(config: Config) -> Result<Self, AuthError> {
        Self::open_with_network(NetworkSettings::default(), config)
    }

    /// The same with network settings, from an administrator or from the desktop. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_with_network(network: NetworkSettings, config: Config) -> Result<Self, AuthError> {
        let transport = config.transport(network)?;
        Self::open_over(transport, config)
    }

    /// The same over a client that other sessions with the same backend use too
    /// ([`Config::transport`] makes one), or over any other transport. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// If the records' folder cannot be used.
    pub fn open_over(transport: Arc<dyn Transport>, config: Config) -> Result<Self, AuthError> {
        Self::open_by(config, Arc::new(SystemClock), transport)
    }

    fn open_by(
        config: Config,
        clock: Arc<dyn Clock>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, AuthError> {
        let unusable = |error: io::Error| folder_advice::unusable_folder(&config.folder, &error);
        let records = FolderRecords::open(&config.folder).map_err(unusable)?;
        let preparing = transport.clone();
        tokio::spawn(async move { preparing.prepare().await });
        let machine = Machine {
            clock,
            records: Arc::new(records),
            transport,
        };
        Self::open_machine(config, machine)
    }

    fn open_machine(config: Config, machine: Machine) -> Result<Self, AuthError> {
        let Machine {
            clock,
            records,
            transport,
        } = machine;
        let unusable = |error: io::Error| folder_advice::unusable_folder(&config.folder, &error);
        let records = Records::new(records);
        let identified = account_records::identify(&records, &config.product);
        let (local_ids, device) = identified.map_err(&unusable)?;
        let origin = config.profile.token_origins();
        if let Err(error) = legacy::take_over(&records, local_ids, &device, &origin) {
            // The old records stay, for the next start.
            return Err(unusable(error));
        }
        let state = State::new(config.profile.roles.clone());
        // A request that names no jar carries no ordinary cookie.
        let backend = Backend::with_transport(config.profile, transport).with_jar(Jar::closed());
        let first = SessionChanged {
            workspace: config.workspace.clone(),
            revision: 0,
            cause: Cause::Start,
            state: state.view(clock.since_boot()),
            offers: backend.features(),
        };
        let pending = PendingSignOuts::open(
            &config.workspace,
            local_ids,
            &records,
            config.store.clone(),
            clock.clone(),
        );
        let pending = Arc::new(pending);
        let persistence = Persistence::new(
            &config.workspace,
            local_ids,
            origin,
            records.clone(),
            &config.store,
        );
        let persistence = Arc::new(persistence);
        let shared = Arc::new(Shared::new(state, device, first, clock.clone()));
        let context = Arc::new(Context {
            commit: Committer::new(shared.clone(), persistence.clone()),
            items: ItemKeeper::new(shared.clone(), persistence.clone(), pending.clone()),
            trusted: TrustedDevice::new(
                &config.workspace,
                local_ids.install,
                backend.profile(),
                config.store,
                records.clone(),
            ),
            lock: ProcessLock::new(records),
            delivery: SignOutDelivery::new(pending.clone(), clock),
            shared,
            persistence,
            pending,
            backend,
            product: config.product,
            desktop: config.desktop,
        });
        Ok(Self::start(context, config.workspace))
    }

    /// Connects the verbs with each other and starts restoring the session.
    fn start(context: Arc<Context>, workspace: String) -> Self {
        let others = Arc::new(OtherProcesses::new(context.clone()));
        let reconcile = Arc::new(Reconcile::new(context.clone(), others.clone()));
        let keeper = Arc::new(TokenKeeper::new(context.clone(), others.clone()));
        let failures = Arc::new(RefreshFailures::new(context.clone()));
        let refresh_sender = RefreshSender::new(context.clone(), keeper.clone(), failures.clone());
        let rotation = Rotation::new(
            context.clone(),
            reconcile.clone(),
            others.clone(),
            refresh_sender,
            failures,
        );
        let refresh = Arc::new(Refresh::new(context.clone(), rotation));
        let sign_out = Arc::new(SignOut {
            context: context.clone(),
            reconcile: reconcile.clone(),
            others,
        });
        let rights = Arc::new(Rights {
            context: context.clone(),
            refresh: refresh.clone(),
        });
        let calls = Arc::new(ApiCalls {
            context: context.clone(),
            reconcile: reconcile.clone(),
            refresh: refresh.clone(),
            keeper: keeper.clone(),
            rights: rights.clone(),
        });
        let listed = ListedSessions::new(context.clone(), calls.clone(), sign_out.clone());
        let scheduler = Arc::new(Scheduler {
            context: context.clone(),
            refresh: refresh.clone(),
            keeper,
            sign_out: sign_out.clone(),
        });
        let restore = Restore {
            context: context.clone(),
            reconcile,
            refresh: refresh.clone(),
        };
        // Taken before anybody can sign in: if a crash interrupted the end of a session, that end
        // is finished first.
        let local_lock = context.lock.try_local_lock();
        let schedule = Arc::downgrade(&scheduler);
        tokio::spawn(async move {
            restore.run(local_lock).await;
            restore.context.shared.end_start();
            drop(restore);
            Scheduler::run(schedule).await;
        });
        let one_sign_in = Arc::<tokio::sync::Mutex<()>>::default();
        Self(Arc::new(Verbs {
            browser: Arc::new(BrowserSignIns::new(context.clone(), one_sign_in.clone())),
            sign_in: Arc::new(SignIn::new(context.clone(), one_sign_in)),
            context,
            sign_out,
            refresh,
            calls,
            listed,
            rights,
            scheduler,
            workspace,
        }))
    }

    /// The workspace's name.
    pub fn workspace(&self) -> &str {
        &self.0.workspace
    }

    /// The backend's origin.
    pub fn origin(&self) -> String {
        self.0.context.backend.profile().origin()
    }

    /// The current state. Never waits; calls neither the backend nor the keyring.
    pub fn snapshot(&self) -> SessionChanged {
        self.0.context.shared.snapshot()
    }

    /// Every state from now on; a slow reader skips to the newest. Its countdowns count from when
    /// it was published.
    pub fn subscribe(&self) -> watch::Receiver<SessionChanged> {
        self.0.context.shared.subscribe()
    }

    /// A handle that does not keep this session open.
    pub fn downgrade(&self) -> WeakSession {
        WeakSession(Arc::downgrade(&self.0))
    }

    /// Whether nothing would be lost if the session were closed now and opened again later: no try, no
    /// sign-in and no challenge is open, the keyring holds what it should, and the backend knows of
    /// every sign-out.
    pub fn is_at_rest(&self) -> bool {
        self.0.context.is_at_rest()
    }

    /// Notified each time the session has come to rest, and now and then while it is at rest. Its state
    /// need not have changed: what it still has to write or to tell after a change is in no state.
    pub fn subscribe_rests(&self) -> watch::Receiver<()> {
        self.0.context.shared.rests.subscribe()
    }

    /// Whether the backend is still to be told of a sign-out.
    pub fn owes_sign_out(&self) -> bool {
        self.0.context.pending.is_owing()
    }

    /// Signs in with a password. On failure the state is what it was before.
    ///
    /// # Errors
    /// If the sign-in fails.
    pub async fn login(&self, input: LoginInput) -> Result<SignInOutcome, AuthError> {
        self.0.sign_in.sign_in(SignInInput::Login(input)).await
    }

    /// Creates an account, and signs in if the backend does.
    ///
    /// # Errors
    /// If the registration fails.
    pub async fn register(&self, input: RegisterInput) -> Result<SignInOutcome, AuthError> {
        self.0.sign_in.sign_in(SignInInput::Register(input)).await
    }

    /// Answers this challenge, if it is the one that is open. A wrong code leaves it open; an
    /// expired code, or one too many, closes it.
    ///
    /// # Errors
    /// If the sign-in fails.
    pub async fn verify_otp(&self, input: OtpInput) -> Result<SignInOutcome, AuthError> {
        self.0.sign_in.verify_otp(input).await
    }

    /// Has a code sent for the open challenge, the first or another one. The answer says when the next
    /// one may be requested.
    ///
    /// # Errors
    /// If no code was sent.
    pub async fn send_otp(&self) -> Result<Challenge, AuthError> {
        self.0.sign_in.send_otp().await
    }

    /// Deletes the cookies by which the backend trusts this device, for everybody who has signed in to
    /// this account: their next sign-in needs a code again.
    pub async fn forget_trusted_device(&self) {
        self.0.context.trusted.forget().await;
    }

    /// Gives up the open challenge.
    pub fn cancel_otp(&self) {
        self.0.sign_in.cancel_otp();
    }

    /// Signs in outside of the app: in the system's browser, or on another device by a code. Returns
    /// when the person has signed in there, has refused it, or has given it up here; after ten minutes
    /// at the latest. Meanwhile the state says what to do.
    ///
    /// # Errors
    /// If the sign-in fails; [`ErrorCode::BrowserSignInOver`](crate::ErrorCode::BrowserSignInOver) if it
    /// was given up or replaced.
    pub async fn sign_in_by_browser(
        &self,
        input: BrowserSignInInput,
    ) -> Result<SignInOutcome, AuthError> {
        self.0.browser.sign_in(input).await
    }

    /// Opens the address of the sign-in outside of the app once more.
    ///
    /// # Errors
    /// If there is none, or no browser can be started.
    pub async fn open_browser_again(&self) -> Result<(), AuthError> {
        self.0.browser.open_again().await
    }

    /// Puts the address of the sign-in outside of the app on the clipboard.
    ///
    /// # Errors
    /// If there is none, or no clipboard.
    pub async fn copy_browser_address(&self) -> Result<(), AuthError> {
        self.0.browser.copy_address().await
    }

    /// Gives up the sign-in outside of the app. An answer that comes later is not used.
    pub fn cancel_browser_sign_in(&self) {
        self.0.browser.cancel();
    }

    /// Hands an address of the app's scheme to the sign-in that waits for it. False if none does: it is
    /// not the answer to the sign-in that goes on here.
    pub fn take_redirect(&self, address: &Url) -> bool {
        self.0.browser.take_redirect(address)
    }

    /// Renews the session now, because a person or native code asked. A page's request goes to
    /// [`Session::refresh_for_page`], which limits it.
    ///
    /// # Errors
    /// While the backend's `Retry-After` lasts, within `CLICK_GAP` of a failed
    /// try, or if the session was not renewed.
    pub async fn refresh(&self) -> Result<(), AuthError> {
        let epoch = self.0.context.shared.look(inner::Inner::epoch);
        self.0.refresh.refresh(epoch, RefreshReason::Click).await
    }

    /// Renews the session because a page asked. A script can ask without end, so
    /// `PAGE_GAP` has to pass after the last request to the backend: after one
    /// that has renewed the session, this waits, and shares the next request with all who wait.
    ///
    /// # Errors
    /// As [`Session::refresh`].
    pub async fn refresh_for_page(&self) -> Result<(), AuthError> {
        let epoch = self.0.context.shared.look(inner::Inner::epoch);
        self.0.refresh.refresh_for_page(epoch).await
    }

    /// Lets the keyring ask for its password, and tries the keyring now instead of at the next
    /// planned time: offers it the token that it did not take, or reads the token that it holds and
    /// renews the session. The result is in the state. If the person types slowly, the schedule
    /// tries again later.
    ///
    /// # Errors
    /// If the keyring holds the session and the session could not be renewed.
    pub async fn unlock_keyring(&self) -> Result<(), AuthError> {
        self.0.scheduler.unlock_keyring().await
    }

    /// Ends the session here, and tells the backend as soon as it can be reached. Always succeeds;
    /// returns once the sign-out is on disk and shown.
    pub async fn logout(&self) -> LogoutReply {
        self.0.sign_out.run().await
    }

    /// The sessions of the account, here and elsewhere, as the backend lists them.
    ///
    /// # Errors
    /// If the profile has no such list, or it could not be read.
    pub async fn list_sessions(&self) -> Result<SessionList, AuthError> {
        self.0.listed.list().await
    }

    /// Ends a session of the list as it was last read. To end this session is to sign out.
    ///
    /// # Errors
    /// If the list has no such session, or the backend did not end it.
    pub async fn end_session(&self, id: ListedSessionId) -> Result<(), AuthError> {
        self.0.listed.end(id).await
    }

    /// Ends all sessions of the account but this one.
    ///
    /// # Errors
    /// If the profile has no such call, or the backend did not end them.
    pub async fn end_other_sessions(&self) -> Result<(), AuthError> {
        self.0.listed.end_others().await
    }

    /// Whether the user's roles include this right. Roles that were not confirmed lately allow
    /// nothing: while the session is stale, the backend is asked first.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::NotAllowed`] if the roles do not include it; otherwise why that
    /// is not known.
    pub async fn require_right(&self, right: &str) -> Result<(), AuthError> {
        self.0.rights.require_right(right).await
    }

    /// Sends `request` with the session's bearer and cookies, or without a bearer when
    /// nobody is signed in. The backend's answer has to be a small text, and is returned whole.
    ///
    /// # Errors
    /// If the path is refused, if there is no answer, or if it is not a small text; and if the user
    /// who was signed in at the call no longer is.
    pub async fn fetch(&self, request: FetchRequest) -> Result<FetchReply, AuthError> {
        self.0.calls.fetch(request).await
    }

    /// The same for any answer. A body that is not in the reply is returned to be read.
    ///
    /// # Errors
    /// If the path is refused or there is no answer.
    pub async fn call(
        &self,
        request: FetchRequest,
    ) -> Result<(FetchReply, Option<Download>), AuthError> {
        self.0.calls.call(request).await
    }

    /// Begins a call whose body is written piece by piece. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the path is refused.
    pub fn upload(&self, request: &UploadRequest) -> Result<Upload, AuthError> {
        self.0.calls.upload(request)
    }
}
