//! What the doctor examines, with which accounts, and what it may do beyond signing in and out.

use std::time::Duration;

use vestibule_core::Secret;
use vestibule_core::profile::Profile;
use vestibule_core::transport::NetworkSettings;
use vestibule_core::wire::{LoginInput, PolicyInfo};

use crate::suggest::{LONGEST, MOST_REQUESTS};
use crate::wrong_tries::MOST as WRONG_TRIES;

/// After so many failed sign-ins without a 429 the backend seems to have no limit.
pub(crate) const SIGN_INS: u32 = 40;
/// The same for refreshes of one session.
pub(crate) const REFRESHES: u32 = 150;

/// How long the contract wants an old refresh token to work after its rotation.
const CONTRACT_GRACE: Duration = Duration::from_secs(60);

/// What is examined.
#[derive(Clone)]
pub struct Plan {
    /// The profile that the app would use.
    pub profile: Profile,
    /// Nobody has named the profile: where the backend speaks another protocol, the doctor looks for one
    /// that fits, and examines the backend by it.
    pub is_guess: bool,
    /// What is known of the backend, for that search.
    pub hints: Hints,
    /// The files and options that the profile was made of; empty for the contract itself.
    pub places: Vec<String>,
    /// The proxy settings of the policy and of the desktop.
    pub network: NetworkSettings,
    /// The administrator's policy for this computer.
    pub policy: Option<PolicyInfo>,
    /// An account that signs in with its password alone.
    pub account: Option<Account>,
    /// An account whose sign-in needs a code.
    pub otp_account: Option<Account>,
    /// An address to make an account for.
    pub register: Option<String>,
    /// What the doctor may do beyond signing in and out.
    pub allowed: Allowed,
    /// Whether a person is there to sign in by the browser.
    pub browser: bool,
    /// What an issuer that answers at the backend's address calls the app, if that is known.
    pub client_id: Option<String>,
    /// Whether the client of the section `browser` is the app's, and does not stand for one that nobody
    /// has named.
    pub client_is_named: bool,
    /// How long an old refresh token should work after its rotation.
    pub grace: Duration,
    /// How long the doctor tries an old refresh token.
    pub patience: Duration,
}

impl Plan {
    /// An examination without an account, which changes nothing.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            is_guess: false,
            hints: Hints::default(),
            places: Vec::new(),
            network: NetworkSettings::default(),
            policy: None,
            account: None,
            otp_account: None,
            register: None,
            allowed: Allowed::default(),
            browser: false,
            client_id: None,
            client_is_named: true,
            grace: CONTRACT_GRACE,
            patience: CONTRACT_GRACE,
        }
    }

    /// Sentences that say what the doctor is about to do.
    pub(crate) fn announcement(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "look at {} without an account: one plain GET, one sign-in with nothing in it, one \
             refresh with a token that nobody issued",
            self.profile.backend
        )];
        if self.profile.browser.get().is_some() || self.is_guess {
            lines.push(
                "where people sign in by the browser: ask the provider what it is, and for its sign-in \
                 page, by the app's request and by some that it should refuse"
                    .into(),
            );
        }
        if self.browser {
            lines.push(
                "wait for a person to sign in in the browser, then ask whose the session is, refresh \
                 it and revoke it"
                    .into(),
            );
        }
        if self.browser && self.allowed.replay {
            lines.push(
                "replay: use the replaced refresh token of that session again, which may end it"
                    .into(),
            );
        }
        if let Some(account) = &self.account {
            lines.push(format!(
                "{}: one wrong password, then sign in, refresh, list the sessions and sign out",
                account.email
            ));
            lines.push(format!(
                "{} look for a profile, by what the backend says of itself and by common paths of \
                 sign-ins, with {MOST_REQUESTS} requests at most in {} s. The password goes only to \
                 paths that answer like a sign-in without one. Of all sign-ins of {}, {WRONG_TRIES} \
                 at most are wrong",
                if self.is_guess {
                    "where the backend does not speak the contract:"
                } else {
                    "if the app does not understand the answer to that sign-in:"
                },
                LONGEST.as_secs(),
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

/// What the person knows of a backend for which a profile is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The path of the sign-in.
    pub login_path: Option<String>,
    /// Its body: JSON, or a form, with `$identifier` and `$password` in it.
    pub login_body: Option<String>,
    /// The path that renews the session.
    pub refresh_path: Option<String>,
    /// The path that says whose the session is.
    pub me_path: Option<String>,
    /// The path that ends the session.
    pub sign_out_path: Option<String>,
}

/// An account to sign in with.
#[derive(Clone)]
pub struct Account {
    /// The e-mail address that signs in.
    pub email: String,
    /// The password of that account.
    pub password: Secret,
}

impl Account {
    pub(crate) fn credentials(&self) -> LoginInput {
        LoginInput::new(&self.email, self.password.secret())
    }
}

/// What the doctor may do beyond signing in and out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Use old refresh tokens again.
    pub replay: bool,
    /// End one session of the doctor's own through the list of sessions.
    pub revoke: bool,
    /// End every session of the account.
    pub logout_all: bool,
    /// Refresh and fail to sign in until the backend refuses.
    pub limits: bool,
}

impl Allowed {
    /// What `--destructive` allows.
    pub const ALL: Self = Self {
        replay: true,
        revoke: true,
        logout_all: true,
        limits: true,
    };
}
