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
mod config;
mod context;
mod epoch;
#[cfg(any(test, feature = "testing"))]
mod for_tests;
mod given_up_sign_in;
mod inner;
mod item;
mod item_keeper;
mod item_selection;
mod keyring_status;
mod legacy;
mod listed_sessions;
mod new_session;
mod open_session;
mod other_accounts;
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
mod refresh_attempt;
mod refresh_failure;
mod refresh_reason;
mod refresh_sender;
mod refusals;
mod renewed_session;
mod restore;
mod rights;
mod rotation;
mod scheduler;
mod sign_in;
mod sign_out;
mod sign_out_delivery;
mod start;
mod token_keeper;
mod trusted_device;
mod upload;

use std::sync::{Arc, Weak};

use tokio::sync::watch;
use url::Url;

use self::api_call::ApiCalls;
use self::browser_sign_in::BrowserSignIns;
use self::context::Context;
use self::listed_sessions::ListedSessions;
use self::refresh::Refresh;
use self::refresh_reason::RefreshReason;
use self::rights::Rights;
use self::scheduler::Scheduler;
use self::sign_in::{SignIn, SignInInput};
use self::sign_out::SignOut;
use crate::backend::Download;
use crate::error::AuthError;
use crate::identity::ListedSessionId;
use crate::wire::{
    BrowserSignInInput, Challenge, FetchReply, FetchRequest, LoginInput, LogoutReply, OtpInput,
    RegisterInput, SessionChanged, SessionList, SignInOutcome, UploadRequest,
};

pub(crate) use self::account_records::{AccountRecords, LastKnown};
pub use self::config::{Config, Machine};
pub use self::item::Item;
pub use self::other_accounts::{NoOtherAccounts, OtherAccounts};
pub use self::provider_grant::GrantInUse;
pub use self::upload::{Upload, UploadAnswer};

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
    /// returns once the sign-out is on disk and shown. A person has asked for it: where the profile says
    /// so, the provider's own page for a sign-out is opened too.
    pub async fn logout(&self) -> LogoutReply {
        self.0.sign_out.run_by_person().await
    }

    /// The same without a person who waits for it, as for an account that another one has replaced: nothing
    /// is opened.
    pub(crate) async fn logout_unattended(&self) -> LogoutReply {
        self.0.sign_out.run().await
    }

    /// The grant of the session, or of the one that a sign-in is about to begin, if a provider renews it.
    pub(crate) fn grant(&self) -> Option<GrantInUse> {
        self.0.context.shared.look(inner::Inner::grant_in_use)
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
