//! Everything that the contract asks of a backend, one row of [`CHECKS`] for each thing.
//!
//! A check is a row and the function that the row names. The function is pure: it judges what the
//! probes have observed. Probes are the functions that send requests; each file here has those of
//! one subject, above the checks that judge them or beside a file with those, and
//! [`crate::examination`] runs them in order. A new check is one row here and one function; where it
//! has to ask the backend something new, also a field in the observations of its subject, and the
//! probe that fills it.

mod advice;
pub(crate) mod authorize_page;
pub(crate) mod browser_session;
pub(crate) mod client_side;
pub(crate) mod codes;
pub(crate) mod connection;
pub(crate) mod limits;
pub(crate) mod overall;
pub(crate) mod provider;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod replay;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
mod window;

use serde::Serialize;

use crate::answered::Described;
use crate::finding::{Advice, Finding, Holds};
use crate::plan::Plan;
use crate::shown::Shown;
use crate::suggest::Suggestion;

/// A part of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// How the backend is reached.
    Connection,
    /// The endpoints, by `docs/backend.md`.
    Endpoints,
    /// Refresh tokens that are old, unknown, or used from elsewhere.
    Edges,
    /// The sign-in by the browser: the provider, and the session that it begins.
    Browser,
}

/// What it costs when a check does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The app does not work with this backend.
    Must,
    /// The app works, with a loss that the advice names.
    Should,
}

/// What a check needs before it can be tried.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    /// An answer from the backend.
    Backend,
    Account,
    OtpAccount,
    Register,
    Replay,
    Revoke,
    LogoutAll,
    Limits,
}

impl Needs {
    /// Why a check was not tried, where no probe says anything more exact.
    const fn reason(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Backend => "the backend was not reached",
            Self::Account => "no account signed in: name one with --email",
            Self::OtpAccount => "name an account whose sign-in needs a code with --otp-email",
            Self::Register => "asked for with --register ADDRESS: makes an account",
            Self::Replay => "asked for with --replay: may end the doctor's own session",
            Self::Revoke => "asked for with --revoke: ends a session of the doctor's own",
            Self::LogoutAll => "asked for with --logout-all: ends every session of the account",
            Self::Limits => "asked for with --limits: your address may be locked out for a while",
        }
    }
}

/// A row of the table.
pub struct Check {
    /// The name in the JSON, which is that of the function.
    id: &'static str,
    group: Group,
    weight: Weight,
    needs: Needs,
    title: &'static str,
    judge: fn(&Observations<'_>) -> Judged,
}

impl Check {
    /// The name of its row in the JSON.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// What the row is about.
    pub fn group(&self) -> Group {
        self.group
    }
}

/// Writes the rows: the id of each is the name of its function.
macro_rules! checks {
    ($($group:ident $weight:ident $needs:ident $subject:ident::$id:ident $title:literal)*) => {
        &[$(Check {
            id: stringify!($id),
            group: Group::$group,
            weight: Weight::$weight,
            needs: Needs::$needs,
            title: $title,
            judge: $subject::$id,
        }),*]
    };
}

/// Every check, in the order of the table.
pub const CHECKS: &[Check] = checks! {
    // group    weight needs      function                   title
    Connection  Must   Nothing    connection::reachable      "Reachable"
    Connection  Must   Backend    connection::tls            "TLS"
    Connection  Should Backend    connection::plain_http     "Plain http leads to https"
    Connection  Must   Backend    overall::direct            "No endpoint redirects"
    Connection  Must   Backend    overall::json              "Answers are JSON"
    Connection  Should Backend    overall::clock             "Clock"
    Endpoints   Must   Account    sign_in::login             "Sign in"
    Endpoints   Must   Account    sign_in::login_user        "… says who signed in"
    Endpoints   Should Account    sign_in::login_expiry      "… says how long it lasts"
    Endpoints   Must   Account    sign_in::login_token       "… with a refresh token"
    Endpoints   Should Account    sign_in::cookie            "Refresh cookie's attributes"
    Endpoints   Should Backend    sign_in::login_invalid     "Invalid input"
    Endpoints   Must   Account    sign_in::login_wrong       "Wrong password"
    Endpoints   Must   OtpAccount codes::otp_wanted          "Sign in that needs a code"
    Endpoints   Must   OtpAccount codes::otp_wrong           "Wrong code"
    Endpoints   Should OtpAccount codes::otp_resend          "Another code"
    Endpoints   Must   OtpAccount codes::otp_right           "Right code"
    Endpoints   Must   Register   register::register         "New account"
    Endpoints   Should Register   register::register_taken   "New account, e-mail taken"
    Endpoints   Must   Account    refresh::refresh           "Refresh"
    Endpoints   Should Account    refresh::rotation          "Refresh token rotates"
    Endpoints   Must   Account    sign_out::logout           "Sign out"
    Endpoints   Must   Account    sign_out::logout_token     "… carries the session"
    Endpoints   Must   Account    sign_out::logout_ends      "… ends the session"
    Endpoints   Should Account    sign_out::logout_again     "Sign out twice"
    Endpoints   Should Account    sessions::sessions         "List of sessions"
    Endpoints   Should Revoke     sessions::session_end      "End one session"
    Endpoints   Should LogoutAll  sessions::logout_all       "End all sessions"
    Endpoints   Should Limits     limits::limits             "Limit on sign-ins"
    Edges       Should Backend    client_side::no_token      "No refresh token held"
    Edges       Must   Backend    refresh::unknown_token     "Unknown refresh token"
    Edges       Must   Account    refresh::user_again        "Refresh returns the user"
    Edges       Should Account    sign_in::expiry_agrees     "Expiries agree"
    Edges       Should Replay     replay::grace              "Grace window"
    Edges       Should Replay     replay::successor          "Replay: same successor"
    Edges       Should Replay     replay::reuse              "Reuse is detected"
    Edges       Should Replay     replay::family             "Reuse ends the family"
    Edges       Should Replay     replay::device             "Another device"
    Edges       Should Revoke     sessions::revoked          "Session ended elsewhere"
    Edges       Should Account    sign_out::cookie_deleted   "Sign-out deletes the cookie"
    Edges       Should Limits     limits::limits_refresh     "Limit on refreshes"
    Edges       Should Backend    client_side::transient     "Temporary failures"
    Browser     Must   Backend    provider::discovery        "Discovery"
    Browser     Must   Backend    provider::provider_endpoints "Endpoints"
    Browser     Must   Backend    provider::pkce             "PKCE with S256"
    Browser     Must   Backend    provider::provider_keys    "Keys"
    Browser     Should Backend    provider::answers_name_issuer "Answers name the issuer"
    Browser     Should Backend    provider::revocation       "Revocation"
    Browser     Must   Backend    provider::device_codes     "Codes for other devices"
    Browser     Must   Backend    authorize_page::client     "The app is registered"
    Browser     Must   Backend    authorize_page::loopback   "Redirect to any port here"
    Browser     Should Backend    authorize_page::foreign_redirect "No redirect elsewhere"
    Browser     Should Backend    authorize_page::pkce_demanded "PKCE is demanded"
    Browser     Should Backend    authorize_page::implicit   "No tokens in addresses"
    Browser     Must   Backend    browser_session::browser_sign_in "Sign in by the browser"
    Browser     Must   Backend    browser_session::browser_token "… with a refresh token"
    Browser     Must   Backend    browser_session::id_token  "… with a valid ID token"
    Browser     Should Backend    browser_session::user_info "userinfo names the same"
    Browser     Must   Backend    browser_session::api_takes_token "The API takes the token"
    Browser     Must   Backend    browser_session::browser_refresh "Refresh at the provider"
    Browser     Should Backend    browser_session::browser_rotation "Refresh token rotates"
    Browser     Should Backend    browser_session::spent_token "Spent token is refused"
    Browser     Should Backend    browser_session::spent_family "Reuse ends the family"
    Browser     Must   Backend    browser_session::revoked_token "Revocation ends the session"
};

/// What all probes have observed.
pub(crate) struct Observations<'a> {
    pub plan: &'a Plan,
    pub connection: connection::Connection,
    pub sign_in: sign_in::SignIns,
    pub codes: codes::Codes,
    pub register: register::Registrations,
    pub refresh: refresh::Refreshes,
    pub sign_out: sign_out::SignOuts,
    pub sessions: sessions::Sessions,
    pub replay: replay::Replays,
    pub limits: limits::Limits,
    pub provider: provider::Providers,
    pub pages: authorize_page::Pages,
    pub browser: browser_session::BrowserSessions,
    /// Every exchange, once the last one is over; none of those that were guesses at a protocol.
    pub exchanges: Vec<Described>,
    /// The number of the first of them.
    pub judged_from: usize,
    /// Why no further probe was run.
    pub stopped_at: Option<Obstruction>,
    pub suggestion: Suggestion,
    /// Sentences for the end of the report.
    pub notes: Vec<String>,
}

/// What kept the examination from going on.
#[derive(Clone, Copy)]
pub(crate) struct Obstruction {
    /// The reason that every check gives which was not tried.
    pub why: &'static str,
    /// Whether it says nothing about how well the backend fits.
    pub not_examined: bool,
}

impl<'a> Observations<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            connection: Default::default(),
            sign_in: Default::default(),
            codes: Default::default(),
            register: Default::default(),
            refresh: Default::default(),
            sign_out: Default::default(),
            sessions: Default::default(),
            replay: Default::default(),
            limits: Default::default(),
            provider: Default::default(),
            pages: Default::default(),
            browser: Default::default(),
            exchanges: Vec::new(),
            judged_from: 0,
            stopped_at: None,
            suggestion: Suggestion::None,
            notes: Vec::new(),
        }
    }
}

/// What one probe has brought back: nothing yet, the reason why it could not be run, or a value.
pub(crate) struct Probe<T>(Option<Result<T, String>>);

impl<T> Probe<T> {
    pub(crate) fn done(value: T) -> Self {
        Self(Some(Ok(value)))
    }

    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self(Some(Err(why.into())))
    }

    pub(crate) fn result(&self) -> Result<&T, NotTried> {
        match &self.0 {
            Some(Ok(value)) => Ok(value),
            Some(Err(why)) => Err(NotTried::Because(why.clone())),
            None => Err(NotTried::NotRun),
        }
    }
}

impl<T> Default for Probe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<Result<T, String>> for Probe<T> {
    fn from(result: Result<T, String>) -> Self {
        Self(Some(result))
    }
}

/// Why a check has nothing to judge.
pub(crate) enum NotTried {
    /// Its probe was not run: the row says what the check needs.
    NotRun,
    Because(String),
}

pub(crate) type Judged = Result<Finding, NotTried>;

/// A row of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub id: &'static str,
    pub group: Group,
    pub title: &'static str,
    pub weight: Weight,
    pub holds: Holds,
    pub sent: Shown,
    pub got: Shown,
    pub advice: Vec<Advice>,
}

/// Judges everything: one row for each check, in the order of the table. A backend where nobody signs in
/// by the browser has no rows about that.
pub(crate) fn checklist(seen: &Observations<'_>) -> Vec<Row> {
    let row = |check: &Check| {
        let finding = (check.judge)(seen).unwrap_or_else(|not_tried| {
            Finding::not_tried(match (not_tried, seen.stopped_at) {
                (NotTried::Because(why), _) => why,
                (NotTried::NotRun, Some(obstruction)) => obstruction.why.into(),
                (NotTried::NotRun, None) => check.needs.reason().into(),
            })
        });
        Row {
            id: check.id,
            group: check.group,
            title: check.title,
            weight: check.weight,
            holds: finding.holds,
            sent: Shown::line(&finding.sent),
            got: Shown::line(&finding.got),
            advice: finding.advice,
        }
    };
    let has_browser = seen.plan.profile.browser.get().is_some();
    let concerns = |check: &&Check| check.group != Group::Browser || has_browser;
    CHECKS.iter().filter(concerns).map(row).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use vestibule_core::profile::{Profile, SHIPPED};

    use super::*;

    #[test]
    fn every_check_has_a_name_of_its_own_and_is_in_every_report() {
        let names: BTreeSet<_> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(names.len(), CHECKS.len());
        let plan = Plan::new(Profile::default());
        let of_browser = CHECKS.iter().filter(|check| check.group == Group::Browser);
        let without = CHECKS.len() - of_browser.count();
        assert_eq!(checklist(&Observations::new(&plan)).len(), without);
        let shipped = SHIPPED.iter().find(|it| it.name == "oidc").unwrap();
        let plan = Plan::new(Profile::from_json(shipped.example()).unwrap());
        let mut seen = Observations::new(&plan);
        let rows = checklist(&seen);
        assert_eq!(rows.len(), CHECKS.len());
        assert!(rows.iter().all(|row| row.holds == Holds::NotTried));
        let grace = rows.iter().find(|row| row.id == "grace").unwrap();
        assert!(grace.got.contains("--replay"), "{grace:?}");
        let why = "no way on";
        seen.stopped_at = Some(Obstruction {
            why,
            not_examined: true,
        });
        assert!(checklist(&seen).iter().all(|row| row.got == why));
    }
}
