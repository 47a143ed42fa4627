//! What a check found: whether it holds, what was sent, what came back, and what to change.

use serde::Serialize;
use vestibule_core::{Obstacle, Responsible};

use crate::shown::Shown;

/// Whether a check holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// The backend does what the contract asks.
    Yes,
    /// The backend does something else.
    No,
    /// The check was not tried, or its answer says nothing.
    NotTried,
}

/// Who has to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The backend's code or configuration.
    Backend,
    /// The app's profile.
    Profile,
    /// The provider of the sign-in by the browser: its code, or how the app is registered there.
    Provider,
    /// The proxy, the certificate or the network in between.
    Network,
    /// The person who called the doctor, by calling it differently.
    You,
}

impl From<Responsible> for Side {
    fn from(responsible: Responsible) -> Self {
        match responsible {
            Responsible::Server => Self::Backend,
            Responsible::Network => Self::Network,
            Responsible::You => Self::You,
        }
    }
}

/// What to change, and on which side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    pub side: Side,
    pub text: Shown,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub holds: Holds,
    /// Method, path, and the names of what the request carried.
    pub sent: String,
    /// The answer in words, or why there is none.
    pub got: String,
    pub advice: Vec<Advice>,
}

impl Finding {
    pub(crate) fn yes(sent: impl Into<String>, got: impl Into<String>) -> Self {
        Self::new(Holds::Yes, sent, got)
    }

    /// Say what to change with [`Finding::advise`].
    pub(crate) fn no(sent: impl Into<String>, got: impl Into<String>) -> Self {
        Self::new(Holds::No, sent, got)
    }

    pub(crate) fn not_tried(why: impl Into<String>) -> Self {
        Self::new(Holds::NotTried, "", why)
    }

    /// It was tried, and the answer decides nothing.
    pub(crate) fn unclear(sent: impl Into<String>, got: impl Into<String>) -> Self {
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

    /// Says in parentheses what was special about the request.
    pub(crate) fn sent_with(mut self, remark: &str) -> Self {
        self.sent = format!("{} ({remark})", self.sent);
        self
    }

    pub(crate) fn advise(mut self, side: Side, text: impl Into<String>) -> Self {
        let text = Shown::line(&text.into());
        self.advice.push(Advice { side, text });
        self
    }

    /// Adds what can be done about an obstacle, in the app's words.
    pub(crate) fn advise_against(self, obstacle: Obstacle) -> Self {
        let words = obstacle.words();
        self.advise(words.responsible.into(), words.advice)
    }
}
