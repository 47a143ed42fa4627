//! The rows of the table: one for each thing that the contract asks of a backend. What none of
//! the examinations fills in stays "not tried", so that no row is ever missing.

use std::collections::BTreeMap;

use serde::Serialize;
use vestibule_core::obstacle::{Mender, Obstacle};

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// How the backend is reached.
    Connection,
    /// The endpoint table.
    Endpoints,
    /// "Refresh, at the edges".
    Edges,
}

/// What it costs when a row does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The app does not work with such a backend.
    Must,
    /// It works, with a loss that the advice names.
    Should,
}

/// Whether a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Nobody looked, or it could not be told.
    NotTried,
}

/// Who is to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The backend's code or configuration.
    Backend,
    /// The profile of the app.
    Profile,
    /// The proxy, the certificate or the network between.
    Network,
    /// How the doctor was called.
    You,
}

impl From<Mender> for Side {
    fn from(mender: Mender) -> Self {
        match mender {
            Mender::Server => Self::Backend,
            Mender::Network => Self::Network,
            Mender::You => Self::You,
        }
    }
}

/// What to do about a row that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// On which side.
    pub side: Side,
    /// What.
    pub text: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it holds.
    pub holds: Holds,
    /// What was sent: method, path and the names of what went along.
    pub sent: String,
    /// What came back, or why it was not tried.
    pub got: String,
    /// What to do.
    pub advice: Vec<Advice>,
}

impl Finding {
    /// It holds.
    pub fn yes(sent: impl Into<String>, got: impl Into<String>) -> Self {
        Self::new(Holds::Yes, sent, got)
    }

    /// It does not hold; say what to do with [`Finding::advise`].
    pub fn no(sent: impl Into<String>, got: impl Into<String>) -> Self {
        Self::new(Holds::No, sent, got)
    }

    /// It was not tried, or could not be told.
    pub fn not_tried(why: impl Into<String>) -> Self {
        Self::new(Holds::NotTried, "", why)
    }

    /// It was tried, and says nothing.
    pub fn unclear(sent: impl Into<String>, got: impl Into<String>) -> Self {
        Self::new(Holds::NotTried, sent, got)
    }

    fn new(holds: Holds, sent: impl Into<String>, got: impl Into<String>) -> Self {
        Self {
            holds,
            sent: sent.into(),
            got: got.into(),
            advice: Vec::new(),
        }
    }

    /// Adds something to do.
    #[must_use]
    pub fn advise(mut self, side: Side, text: impl Into<String>) -> Self {
        let text = text.into();
        self.advice.push(Advice { side, text });
        self
    }

    /// Adds what can be done about an obstacle, in the words of the app.
    #[must_use]
    pub fn advise_against(self, obstacle: Obstacle) -> Self {
        let words = obstacle.words();
        self.advise(words.by.into(), words.mend)
    }
}

/// A row of the table before anybody looked.
pub struct Kind {
    /// Its name in the JSON.
    pub id: &'static str,
    /// Where it stands.
    pub group: Group,
    /// Its name for people.
    pub title: &'static str,
    /// What it costs.
    pub weight: Weight,
    /// Why it is not tried, unless an examination says otherwise.
    untried: &'static str,
}

const UNREACHED: &str = "the backend was not reached";
const NO_ACCOUNT: &str = "nobody signed in: name an account with --email";
const REPLAY: &str = "asked for with --replay: may end the doctor's own session";
const OTP: &str = "name an account that is asked for a code with --otp-email";
const REGISTER: &str = "asked for with --register ADDRESS: makes an account";
const REVOKE: &str = "asked for with --revoke: ends a session of the doctor's own";
const LIMITS: &str = "asked for with --limits: your address may be locked out for a while";
const OURS: &str = "the app's own side";

const fn kind(
    group: Group,
    weight: Weight,
    id: &'static str,
    title: &'static str,
    untried: &'static str,
) -> Kind {
    Kind {
        id,
        group,
        title,
        weight,
        untried,
    }
}

/// Every row, in the order of the table.
#[rustfmt::skip]
pub const ROWS: &[Kind] = {
    use Group::{Connection as C, Edges as R, Endpoints as E};
    use Weight::{Must as M, Should as S};
    &[
        kind(C, M, "reachable", "Reachable", ""),
        kind(C, M, "tls", "TLS", UNREACHED),
        kind(C, S, "plain_http", "Plain http leads to https", UNREACHED),
        kind(C, M, "direct", "No endpoint redirects", UNREACHED),
        kind(C, M, "json", "Answers are JSON", UNREACHED),
        kind(C, S, "clock", "Clock", UNREACHED),
        kind(E, M, "login", "Sign in", NO_ACCOUNT),
        kind(E, M, "login_user", "… tells who it is", NO_ACCOUNT),
        kind(E, S, "login_expiry", "… and how long it lives", NO_ACCOUNT),
        kind(E, M, "login_token", "… with a refresh token", NO_ACCOUNT),
        kind(E, S, "cookie", "Refresh cookie's attributes", NO_ACCOUNT),
        kind(E, S, "login_invalid", "Invalid input", UNREACHED),
        kind(E, M, "login_wrong", "Wrong password", NO_ACCOUNT),
        kind(E, M, "otp_wanted", "A code is wanted", OTP),
        kind(E, M, "otp_wrong", "Wrong code", OTP),
        kind(E, S, "otp_resend", "Another code", OTP),
        kind(E, M, "otp_right", "Right code", OTP),
        kind(E, M, "register", "New account", REGISTER),
        kind(E, S, "register_taken", "New account, e-mail taken", REGISTER),
        kind(E, M, "refresh", "Refresh", NO_ACCOUNT),
        kind(E, S, "rotation", "Refresh token rotates", NO_ACCOUNT),
        kind(E, M, "logout", "Sign out", NO_ACCOUNT),
        kind(E, M, "logout_token", "Refresh token reaches it", NO_ACCOUNT),
        kind(E, M, "logout_ends", "Signed out is over", NO_ACCOUNT),
        kind(E, S, "logout_again", "Sign out twice", NO_ACCOUNT),
        kind(E, S, "sessions", "List of sessions", NO_ACCOUNT),
        kind(E, S, "session_end", "End one session", REVOKE),
        kind(E, S, "logout_all", "End all sessions", "asked for with --logout-all: ends every session of the account"),
        kind(E, S, "limits", "Too many tries", LIMITS),
        kind(R, S, "no_token", "No token held", OURS),
        kind(R, M, "unknown_token", "Unknown refresh token", UNREACHED),
        kind(R, M, "user_again", "Refresh tells the user", NO_ACCOUNT),
        kind(R, S, "expiry_agrees", "Expiries agree", NO_ACCOUNT),
        kind(R, S, "grace", "Grace window", REPLAY),
        kind(R, S, "successor", "Replay: same successor", REPLAY),
        kind(R, S, "reuse", "Reuse is noticed", REPLAY),
        kind(R, S, "family", "Reuse ends the family", REPLAY),
        kind(R, S, "device", "Another device", REPLAY),
        kind(R, S, "revoked", "Ended from elsewhere", REVOKE),
        kind(R, S, "cookie_deleted", "Cookie goes at sign-out", NO_ACCOUNT),
        kind(R, S, "limits_refresh", "Too many refreshes", LIMITS),
        kind(R, S, "transient", "Trouble that passes", OURS),
    ]
};

/// A row with what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name in the JSON.
    pub id: &'static str,
    /// Where it stands.
    pub group: Group,
    /// Its name for people.
    pub title: &'static str,
    /// What it costs when it does not hold.
    pub weight: Weight,
    /// Whether it holds.
    pub holds: Holds,
    /// What was sent.
    pub sent: String,
    /// What came back, or why it was not tried.
    pub got: String,
    /// What to do.
    pub advice: Vec<Advice>,
}

/// The table while it is being filled in.
#[derive(Default)]
pub struct Sheet(BTreeMap<&'static str, Finding>);

impl Sheet {
    /// Fills in a row, over what stood there.
    pub fn set(&mut self, id: &'static str, finding: Finding) {
        debug_assert!(ROWS.iter().any(|kind| kind.id == id), "{id} is a row");
        self.0.insert(id, finding);
    }

    /// Whether a row holds or does not.
    pub fn is_told(&self, id: &str) -> bool {
        let found = self.0.get(id);
        found.is_some_and(|finding| finding.holds != Holds::NotTried)
    }

    /// The same reason for several rows, where nothing was said of them yet.
    pub fn skip(&mut self, ids: &[&'static str], why: &str) {
        for id in ids {
            debug_assert!(ROWS.iter().any(|kind| kind.id == *id), "{id} is a row");
            let empty = self.0.entry(id);
            empty.or_insert_with(|| Finding::not_tried(why));
        }
    }

    /// The same reason for every row of which nothing was said yet.
    pub fn skip_rest(&mut self, why: &str) {
        for kind in ROWS {
            self.skip(&[kind.id], why);
        }
    }

    /// The whole table.
    pub fn rows(mut self) -> Vec<Row> {
        let row = |kind: &Kind| {
            let finding = self.0.remove(kind.id);
            let finding = finding.unwrap_or_else(|| Finding::not_tried(kind.untried));
            Row {
                id: kind.id,
                group: kind.group,
                title: kind.title,
                weight: kind.weight,
                holds: finding.holds,
                sent: finding.sent,
                got: finding.got,
                advice: finding.advice,
            }
        };
        ROWS.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own_and_none_is_ever_missing() {
        let names: std::collections::BTreeSet<_> = ROWS.iter().map(|kind| kind.id).collect();
        assert_eq!(names.len(), ROWS.len());
        let mut sheet = Sheet::default();
        sheet.set("login", Finding::yes("POST /login", "200"));
        sheet.skip(&["login", "refresh"], "later");
        let rows = sheet.rows();
        assert_eq!(rows.len(), ROWS.len());
        let of = |id: &str| rows.iter().find(|row| row.id == id).unwrap();
        assert_eq!(of("login").holds, Holds::Yes, "what is told stays");
        assert_eq!(of("refresh").got, "later");
        assert_eq!(of("grace").holds, Holds::NotTried);
    }
}
