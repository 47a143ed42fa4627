//! Every type that crosses to the window, and nothing else.
//!
//! No type here has a field that could hold a token: these types decide what the window may know,
//! not the code that fills them. The TypeScript twin `frontend/vestibule/src/ipc/wire.ts` is
//! generated from this file (`cargo xtask types`).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::PageError;
use crate::identity::{AccountId, BrowserSignInId, ChallengeId, ListedSessionId, SessionId};
use crate::obstacle::Obstacle;
use crate::secrets::Secret;

/// The person who is signed in, as the backend describes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The backend's identifier, opaque to us.
    pub id: String,
    /// Display name; the e-mail address if the backend has no name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Whether the backend says that the address was verified; false when it does not say.
    #[serde(default)]
    pub email_verified: bool,
    /// Address of a picture, if the backend names one.
    #[serde(default)]
    pub image: Option<String>,
    /// Role names; empty when the backend has none. A hint for the UI: the backend decides.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// The session, without a token, as Better Auth's `useSession()` shows it beside the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// Created here at the sign-in; it is not the backend's id.
    #[ts(type = "string")]
    pub id: SessionId,
    /// The same as the user's `id`.
    pub user_id: String,
    /// When the refresh cookie expires (ISO 8601), if that is known. Never the end of the access
    /// token.
    pub expires_at: Option<String>,
}

/// Why nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignedOutReason {
    /// Nobody has signed in here yet.
    Never,
    /// The user signed out.
    ByUser,
    /// The backend no longer accepts the session.
    Expired,
    /// The session was ended from another device or by an administrator.
    Revoked,
    /// The refresh token was used twice: somebody else may have a copy.
    Reuse,
    /// The backend bound the session to another device.
    DeviceMismatch,
    /// The stored session cannot be used: the keyring no longer holds it, or holds a token that was
    /// used already or was to last until the app quit; or it is not known whose it is. The backend
    /// was not asked.
    Missing,
    /// The sign-in service that renews the session is at another address now, or the app uses it no more.
    /// The session's token does not go anywhere else.
    ProviderMoved,
}

/// How the refresh token is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StorageStatus {
    /// The keyring works.
    Ok,
    /// The keyring failed; the session lives until the app quits.
    MemoryOnly,
    /// The token is larger than the keyring takes; the session lives until the app quits.
    TooLarge,
    /// The keyring is there but locked, or it does not answer.
    Locked,
    /// There is no keyring on this machine.
    Absent,
    /// A newer version of this app has stored something here, which this one leaves alone; the
    /// session lives until the app quits.
    Newer,
}

/// The backend cannot be reached, and when it will be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Outage {
    /// When the first failed attempt began, in milliseconds since the epoch.
    #[ts(type = "number")]
    pub since: u64,
    /// How long until the next attempt starts, in milliseconds from when this was sent; `None`
    /// while one is under way.
    #[ts(type = "number | null")]
    pub retry_in_ms: Option<u64>,
    /// Why the last try failed; `None` if that is not known.
    pub why: Option<Obstacle>,
}

/// Whether the backend has confirmed what is known of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Freshness {
    /// The last refresh succeeded.
    Fresh,
    /// There is a refresh token, and the backend has not confirmed it lately.
    Stale(Outage),
}

/// A second factor is needed. Which account it is for stays in Rust and out of URLs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// New for each challenge; a code is sent together with it.
    #[ts(type = "string")]
    pub id: ChallengeId,
    /// Where codes are sent, as the backend says or else as the user typed it.
    pub email: String,
    /// How long until another code may be requested, in milliseconds from when this was sent.
    #[ts(type = "number")]
    pub resend_in_ms: u64,
    /// The methods by which it can be answered, the one to show first at first. Never empty.
    pub methods: Vec<OfferedMethod>,
    /// For how many days a device that the user trusts needs no code, if that is known.
    pub trust_days: Option<u16>,
}

/// A way to give a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CodeMethod {
    /// A code that the backend sends.
    Otp,
    /// A code that an authenticator app shows.
    Totp,
    /// A code that the user has stored for the day when there is no other way. Each works once.
    Recovery,
}

/// A method by which a challenge can be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OfferedMethod {
    /// The method.
    pub method: CodeMethod,
    /// What its codes look like.
    pub form: CodeForm,
    /// Whether the backend can be asked to send a code, the first or another.
    pub can_be_sent: bool,
    /// Where a code was sent; null as long as none was.
    pub sent_to: Option<String>,
    /// Whether the user may have this device trusted, so that it needs no code next time.
    pub can_trust_device: bool,
}

/// A sign-in that goes on outside of the app: in the system's browser, or on another device. The
/// address that the browser opens is in Rust alone, because it holds the sign-in's `state` (RFC 6749
/// §10.12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrowserSignIn {
    /// New for each.
    #[ts(type = "string")]
    pub id: BrowserSignInId,
    /// The name of the button that has begun it.
    pub button: String,
    /// That button's label; null if it has none.
    pub label: Option<String>,
    /// How the browser comes back; null where the sign-in goes on on another device.
    pub redirect: Option<BrowserRedirect>,
    /// Whether the browser was opened. False until it was, and where it cannot be: the person then
    /// copies the address.
    pub opened: bool,
    /// Whether the browser is back: the person has nothing more to do there, and is about to be signed in.
    pub returned: bool,
    /// What to type on another device, where the sign-in goes on there; null until the provider has given
    /// a code.
    pub device: Option<DeviceCode>,
    /// How long until it is given up, in milliseconds from when this was sent.
    #[ts(type = "number")]
    pub expires_in_ms: u64,
}

/// How the browser comes back to the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BrowserRedirect {
    /// To a port of this computer.
    Loopback,
    /// By the app's own scheme. Where the system does not know the scheme, the person pastes the address.
    Scheme,
}

/// The code by which a person signs in on another device (RFC 8628 §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeviceCode {
    /// What the person types there, as the provider writes it.
    pub code: String,
    /// The address at which it is typed.
    pub address: String,
    /// An address that holds the code already, for a QR code; null if the provider gives none.
    pub complete_address: Option<String>,
}

/// The state of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Phase {
    /// Not known yet. With an outage: there is a token, but no user who could be shown.
    Restoring {
        /// Set once an attempt has failed.
        outage: Option<Outage>,
        /// Whether the backend still has to say whose the session is. No user is shown until then.
        #[serde(rename = "ownerUnknown")]
        owner_unknown: bool,
    },
    /// Nobody is signed in.
    SignedOut {
        /// The reason.
        why: SignedOutReason,
    },
    /// The password was right; the backend asks for a code.
    OtpPending {
        /// The open challenge.
        challenge: Challenge,
    },
    /// The sign-in goes on in the system's browser, or on another device.
    BrowserPending {
        /// The sign-in.
        #[serde(rename = "signIn")]
        sign_in: BrowserSignIn,
    },
    /// A user is signed in.
    SignedIn {
        /// The user.
        user: User,
        /// The user's session.
        session: SessionInfo,
        /// Whether the backend has confirmed it.
        freshness: Freshness,
        /// Whether the session survives a restart, because the keyring holds its token.
        remembered: bool,
    },
}

/// The whole state, as one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SessionState {
    /// The state of the session.
    #[serde(flatten)]
    pub phase: Phase,
    /// How its token is stored.
    pub storage: StorageStatus,
    /// What the user's roles let them do in this app, as the profile declares it. While the session
    /// is stale it may be outdated, as the roles may. The backend decides.
    pub may: Vec<String>,
}

/// What last changed the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The app started and looked for a session.
    Start,
    /// A sign-in with a password.
    Login,
    /// The registration of an account.
    Register,
    /// A one-time code was requested, sent again or given up.
    Challenge,
    /// A one-time code was accepted.
    VerifyOtp,
    /// A sign-in by the system's browser or by a device code was begun, has succeeded or was given up.
    Browser,
    /// The session was renewed.
    Refresh,
    /// The user signed out.
    Logout,
    /// The backend ended the session.
    Rejected,
    /// The backend could not be reached, or is being tried again.
    Outage,
    /// The keyring's state changed.
    Storage,
}

/// What a workspace's backend offers, according to its profile. The window offers nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BackendFeatures {
    /// Sign-in with a password that is typed in the app.
    pub password: bool,
    /// Sign-in by the system's browser; null if there is none.
    pub browser: Option<BrowserOffer>,
    /// Registration of accounts.
    pub register: bool,
    /// A list of the account's sessions.
    pub sessions: bool,
    /// Ending one session of that list.
    pub end_session: bool,
    /// Ending all sessions of the account but this one.
    pub end_other_sessions: bool,
    /// Ending all sessions of the account at once.
    pub logout_all: bool,
    /// What a person signs in with: the label of the field.
    pub identifier: Identifier,
}

/// How a person signs in outside of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrowserOffer {
    /// The buttons that begin it, at least one.
    pub buttons: Vec<BrowserButton>,
    /// Whether a code for another device can be had, where no browser is at hand.
    pub device: bool,
}

/// A button that begins a sign-in by the system's browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrowserButton {
    /// What names it to the command that begins the sign-in.
    pub name: String,
    /// Its words, such as `Continue with Google`; null for the page's own.
    pub label: Option<String>,
    /// A picture for it: a `data:` address.
    pub icon: Option<String>,
}

/// Which sign-in outside of the app a person has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BrowserSignInInput {
    /// The button's name; absent means the first.
    #[serde(default)]
    #[ts(optional)]
    pub button: Option<String>,
    /// Whether to sign in on another device, by a code.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub device: bool,
}

/// What a person signs in with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Identifier {
    /// An e-mail address.
    #[default]
    Email,
    /// A name that the backend knows the person by.
    Name,
}

/// What a one-time code looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CodeForm {
    /// How many characters it has; null if that varies.
    pub length: Option<u8>,
    /// Whether it has letters and signs too, and not digits alone.
    pub letters: bool,
}

/// A change of the session, and the answer of the command `session`: a cause and the whole state. It
/// may arrive twice or late, so a lower revision is to be ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SessionChanged {
    /// The workspace's name.
    pub workspace: String,
    /// Grows by one with each change; starts at 0 with the process.
    #[ts(type = "number")]
    pub revision: u64,
    /// What changed the state.
    pub cause: Cause,
    /// The current state.
    pub state: SessionState,
    /// What the backend offers. It stays the same while the process runs.
    pub offers: BackendFeatures,
}

/// The outcome of a sign-in, a registration or a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SignInOutcome {
    /// The user is signed in.
    SignedIn,
    /// The backend asks for a code.
    OtpRequired,
    /// The account exists now; sign in, or verify it first.
    Accepted,
}

/// What a person gives to answer a challenge.
#[derive(Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OtpInput {
    /// The challenge that the code answers, and no other.
    #[ts(type = "string")]
    pub challenge: ChallengeId,
    /// Goes into the backend's request body only.
    #[ts(type = "string")]
    pub code: Secret,
    /// The method of the code; absent means the first that the challenge offers.
    #[serde(default)]
    #[ts(optional)]
    pub method: Option<CodeMethod>,
    /// Whether the backend is to trust this device. It counts only where the method offers that.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub trust_device: bool,
}

impl OtpInput {
    /// A code of the first method that the challenge offers.
    pub fn new(challenge: ChallengeId, code: Secret) -> Self {
        Self {
            challenge,
            code,
            method: None,
            trust_device: false,
        }
    }

    /// The same as a code of this method.
    #[must_use]
    pub fn by(self, method: CodeMethod) -> Self {
        Self {
            method: Some(method),
            ..self
        }
    }
}

/// What a person types to sign in.
#[derive(Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoginInput {
    /// E-mail address.
    pub email: String,
    /// Goes into the backend's request body only.
    #[ts(type = "string")]
    pub password: Secret,
    /// More members for the device payload. Ours replace those with the same name.
    #[serde(default)]
    #[ts(optional, type = "Record<string, unknown>")]
    pub fingerprint: Option<serde_json::Map<String, serde_json::Value>>,
}

impl LoginInput {
    /// What was typed, without more members.
    pub fn new(email: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            password: Secret::new(password),
            fingerprint: None,
        }
    }
}

/// What a person types to create an account.
#[derive(Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegisterInput {
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Goes into the backend's request body only.
    #[ts(type = "string")]
    pub password: Secret,
    /// More members for the device payload. Ours replace those with the same name.
    #[serde(default)]
    #[ts(optional, type = "Record<string, unknown>")]
    pub fingerprint: Option<serde_json::Map<String, serde_json::Value>>,
    /// More members for the request body, for backends that need them.
    #[serde(default)]
    #[ts(optional, type = "Record<string, unknown>")]
    pub more: Option<serde_json::Map<String, serde_json::Value>>,
}

impl RegisterInput {
    /// What was typed, without more members.
    pub fn new(
        name: impl Into<String>,
        email: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            email: email.into(),
            password: Secret::new(password),
            fingerprint: None,
            more: None,
        }
    }
}

/// Sign-out always ends the session here, so there is nothing else to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LogoutReply {
    /// Always true.
    pub success: bool,
}

/// The sessions of the account, as the backend lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionList {
    /// The sessions, in the backend's order.
    pub sessions: Vec<ListedSession>,
    /// How many more the backend lists: those that could not be read, and those beyond the most that
    /// are shown.
    pub left_out: u32,
}

/// One session of the account, on this computer or on another. What the backend does not say is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ListedSession {
    /// Which one a command means. Made here, and the same each time the list is read; the backend does
    /// not know it.
    #[ts(type = "string")]
    pub id: ListedSessionId,
    /// A name for people, such as that of the device.
    pub name: Option<String>,
    /// The browser or program.
    pub browser: Option<String>,
    /// The operating system.
    pub os: Option<String>,
    /// The `User-Agent` of the sign-in.
    pub user_agent: Option<String>,
    /// The network address of the sign-in.
    pub address: Option<String>,
    /// When it began, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub created_at: Option<u64>,
    /// When it was last used, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub last_used_at: Option<u64>,
    /// When it ends, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub expires_at: Option<u64>,
    /// Whether it is this one. To end it is to sign out.
    pub current: bool,
}

/// A call to the adopter's API, made with the user's session.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct FetchRequest {
    /// Relative to the backend, beginning with `/`, on the profile's allowlist.
    pub path: String,
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// `accept` and `content-type` matter; headers that carry credentials are dropped.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Text, usually JSON.
    #[serde(default)]
    pub body: Option<String>,
}

/// The answer to a [`FetchRequest`] or an [`UploadRequest`]: any status, no `set-cookie`.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct FetchReply {
    /// HTTP status.
    pub status: u16,
    /// Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, if it is text of at most 1 MiB; otherwise empty.
    pub body: String,
    /// Whether the body is to be read piece by piece instead.
    pub streamed: bool,
    /// How many bytes those pieces have in all, where that is known. The last of them ends the body;
    /// otherwise an empty piece does.
    #[ts(type = "number | null")]
    pub length: Option<u64>,
}

/// A call to the adopter's API whose body is written piece by piece.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct UploadRequest {
    /// As in [`FetchRequest`].
    pub path: String,
    /// As in [`FetchRequest`].
    pub method: String,
    /// As in [`FetchRequest`].
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// How many bytes there will be, if that is known.
    #[ts(type = "number | null")]
    pub length: Option<u64>,
    /// Whether the same bytes can be written once more, after a refresh or a redirect.
    pub replayable: bool,
}

/// What became of an upload.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UploadReply {
    /// The backend has answered.
    Answer {
        /// The answer.
        reply: FetchReply,
    },
    /// The bytes are needed once more, from the first one.
    Again,
}

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// The light colours, whatever the system has.
    Light,
    /// The dark colours, whatever the system has.
    Dark,
}

/// Facts about this app for the window.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AppInfo {
    /// The product's name.
    pub product: String,
    /// Its version.
    pub version: String,
    /// Whether this is a development build.
    pub development: bool,
    /// The workspace of a command that names none.
    pub workspace: String,
    /// The backend's origin, for people to read.
    pub origin: String,
    /// Whether the user lets failures be reported; null if this app reports none to anybody.
    pub reports: Option<bool>,
    /// What the administrator of this computer has set; null where there is no policy.
    pub policy: Option<PolicyInfo>,
}

/// What an administrator's policy does. Keys only, because a value may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PolicyInfo {
    /// The file, or the key in the registry.
    pub place: String,
    /// The keys of the profile that it sets.
    pub sets: Vec<String>,
    /// The keys of the profile that nothing else on this computer may change.
    pub fixes: Vec<String>,
    /// The keys of `network` that it sets.
    pub network: Vec<String>,
    /// Values elsewhere that have no effect because of it.
    pub overrides: Vec<Overridden>,
}

/// A value that has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Overridden {
    /// Its key in the profile.
    pub key: String,
    /// The file that holds it, or another name of its place.
    pub place: String,
}

/// The person of an account, as a list of accounts shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AccountOwner {
    /// Display name; the e-mail address if the backend has no name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Address of a picture, if the backend names one.
    pub image: Option<String>,
}

/// How an account stands, for a list of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AccountStanding {
    /// Not known yet.
    Restoring,
    /// Somebody is signed in. No window shows the account, so nothing newer is known.
    Kept,
    /// Somebody is signed in, and the backend has confirmed it.
    Fresh,
    /// Somebody is signed in, and the backend cannot be reached.
    Stale,
    /// The session is in a keyring that cannot be read now.
    Locked,
    /// A sign-in waits for a code.
    Challenged,
    /// Nobody is signed in.
    SignedOut {
        /// The reason.
        why: SignedOutReason,
    },
}

/// One account: one person's session in one workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AccountSummary {
    /// Which account a command means. Made on this computer; no backend knows it.
    #[ts(type = "string")]
    pub id: AccountId,
    /// The id of its workspace.
    pub workspace: String,
    /// Whose it is; null where nobody has signed in, or somebody has signed out who did not want to
    /// stay in the list.
    pub owner: Option<AccountOwner>,
    /// How it stands.
    pub standing: AccountStanding,
    /// Whether it stays in the list, with its owner, after a sign-out.
    pub remembered: bool,
}

/// A workspace: a backend, by a name for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct WorkspaceSummary {
    /// Which one a command means.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The backend's host and port as they are looked up, so a host that is not ASCII is in punycode.
    pub host: String,
    /// Whether a person added it on this computer, who may remove it again.
    pub added: bool,
}

/// All accounts of this computer's user, and the answer of the command `accounts`: it may arrive twice
/// or late, so a lower revision is to be ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AccountList {
    /// Grows with each change; starts at 0 with the process.
    #[ts(type = "number")]
    pub revision: u64,
    /// The account that this window shows; null while none is chosen.
    #[ts(type = "string | null")]
    pub current: Option<AccountId>,
    /// The accounts, in the order in which they were added.
    pub accounts: Vec<AccountSummary>,
    /// The workspaces that an account can be in.
    pub workspaces: Vec<WorkspaceSummary>,
    /// How many accounts there may be: 1 where the app offers no more.
    pub most: u32,
    /// Whether a person may add a workspace by its address.
    pub adding: bool,
}

/// What was found at an address, before anything is added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct FoundWorkspace {
    /// The backend's address, as it will be used: an origin of https, its host in punycode where it is
    /// not ASCII.
    pub address: String,
    /// The host and port in it, for a person to read.
    pub host: String,
    /// Whether the host has letters that are not ASCII, which may look like others.
    pub disguised: bool,
    /// Whether it answered as the backend of this app does.
    pub fits: bool,
    /// What was found, in a sentence.
    pub finding: String,
    /// The workspace that has this address already; null where there is none.
    pub known: Option<String>,
}

/// What links that were opened from outside the app ask of the person in a window, and the answer of the
/// command `link_notices`: it may arrive twice or late, so a lower revision is to be ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct LinkNotices {
    /// Grows with each change; starts at 0 with the process.
    #[ts(type = "number")]
    pub revision: u64,
    /// The notices that the window's page has not taken yet, the oldest first.
    pub waiting: Vec<LinkNotice>,
}

/// What one link asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct LinkNotice {
    /// Which one the command `take_link_notice` means.
    pub id: u32,
    /// What it asks.
    pub about: LinkSubject,
}

/// What a link was for that a page has opened: the answer of the command `open_link`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OpenedLink {
    /// A sign-in by the browser goes on with it, in the window that waits.
    SignIn,
    /// It asks to add the workspace at an address. Nothing there has been contacted.
    Join {
        /// The address: an origin, its host in punycode where it is not ASCII.
        address: String,
    },
}

/// What a link asks, or why it asks nothing. A page never does it by itself: the link may be anybody's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LinkSubject {
    /// To add the workspace at an address. Nothing there has been contacted.
    Join {
        /// The address: an origin, its host in punycode where it is not ASCII.
        address: String,
    },
    /// Nothing: it is not a link that the app knows, or what it is for is over.
    Refused {
        /// Why, in words.
        error: PageError,
    },
}
