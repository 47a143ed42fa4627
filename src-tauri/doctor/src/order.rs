//! What is to be examined, with whose account, and what is allowed.

use std::time::Duration;

use vestibule_core::profile::Profile;
use vestibule_core::secrets::Secret;
use vestibule_core::transport::NetworkSettings;
use vestibule_core::wire::PolicyInfo;

/// How often a sign-in fails before there seems to be no limit.
pub const SIGN_INS: u32 = 40;
/// How often a session is refreshed before there seems to be none.
pub const REFRESHES: u32 = 150;

/// What the contract asks for: how long a lost answer may be asked for again.
const GRACE: Duration = Duration::from_secs(60);

/// What is to be examined.
pub struct Order {
    /// The backend, as the app would be told.
    pub profile: Profile,
    /// What the profile was made of; nothing where it is the contract.
    pub places: Vec<String>,
    /// Who says how the backend is reached.
    pub network: NetworkSettings,
    /// What the administrator of this computer has set.
    pub policy: Option<PolicyInfo>,
    /// An account that signs in with its password alone.
    pub account: Option<Account>,
    /// An account that is asked for a code.
    pub otp_account: Option<Account>,
    /// An address to make an account for.
    pub register: Option<String>,
    /// What may be done beyond signing in and out.
    pub allowed: Allowed,
    /// For how long a replayed token should be good.
    pub grace: Duration,
    /// How long one is tried for.
    pub patience: Duration,
}

impl Order {
    /// An examination without an account, which changes nothing.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            places: Vec::new(),
            network: NetworkSettings::default(),
            policy: None,
            account: None,
            otp_account: None,
            register: None,
            allowed: Allowed::default(),
            grace: GRACE,
            patience: GRACE,
        }
    }

    /// What will be done, in sentences, before it is.
    pub fn announcement(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "look at {} without an account: one plain GET, one sign-in with nothing in it, one \
             refresh with a token that nobody issued",
            self.profile.backend
        )];
        if let Some(account) = &self.account {
            lines.push(format!(
                "{}: one wrong password, then sign in, refresh, list the sessions and sign out",
                account.email
            ));
            lines.push(format!(
                "where that sign-in is answered in a way that the app does not understand: send {} \
                 and the password to this backend several times more, at the paths of other \
                 profiles, to find one that fits",
                account.email
            ));
        }
        if let Some(account) = &self.otp_account {
            lines.push(format!(
                "{}: sign in, one wrong code, ask for another code, then the right one",
                account.email
            ));
        }
        let allowed = self.allowed;
        let of_accounts = [
            (
                allowed.replay,
                "replay: use old refresh tokens of two sessions of its own, one of them from \
                 another device (some backends end every session of the account for that)",
            ),
            (
                allowed.revoke,
                "revoke: sign in once more and end that session through the list of sessions",
            ),
            (
                allowed.logout_all,
                "logout-all: end EVERY session of the account, on all devices",
            ),
        ];
        let of_accounts = of_accounts.into_iter().filter(|_| self.account.is_some());
        lines.extend(
            of_accounts
                .filter(|(on, _)| *on)
                .map(|(_, line)| line.into()),
        );
        if let Some(address) = &self.register {
            lines.push(format!(
                "register: make an account for {address}, which stays, and try to make it again"
            ));
        }
        if allowed.limits {
            lines.push(format!(
                "limits: refresh a session of its own, {REFRESHES} times at most, then fail to sign \
                 in to an account that does not exist, {SIGN_INS} times at most, until the backend \
                 refuses (your address may be locked out for a while)"
            ));
        }
        lines
    }
}

/// An account to sign in with.
pub struct Account {
    /// What it signs in with.
    pub email: String,
    /// Its password.
    pub password: Secret,
}

/// What may be done beyond signing in and out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Use old refresh tokens again.
    pub replay: bool,
    /// End one session of the doctor's own.
    pub revoke: bool,
    /// End all sessions of the account.
    pub logout_all: bool,
    /// Try passwords until the backend refuses.
    pub limits: bool,
}

impl Allowed {
    /// Everything.
    pub const ALL: Self = Self {
        replay: true,
        revoke: true,
        logout_all: true,
        limits: true,
    };
}

/// Who is at the other side: shows progress, and knows the codes that are mailed.
pub trait Desk: Send + Sync + 'static {
    /// Something that takes a while begins.
    fn progress(&self, line: &str);
    /// The code that was sent to this account; may wait for a person.
    fn code(&self, email: &str) -> Option<Secret>;
}
