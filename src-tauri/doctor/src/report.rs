//! The result of an examination, as `--json` prints it.

use serde::Serialize;
use vestibule_core::wire::PolicyInfo;

use crate::checks::{Row, Weight};
use crate::finding::Holds;
use crate::interrupt::INTERRUPTED;
use crate::mask::Masks;
use crate::shown::Shown;
use crate::suggest::Suggestion;

/// The version of the JSON's shape.
pub(crate) const SCHEMA: u32 = 1;

/// Whether the backend fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Of what must hold, nothing that was tried fails.
    Fits,
    /// Something that must hold does not.
    DoesNotFit,
    /// The backend could not be examined: it was not reached, no account was named, or the
    /// backend refuses the account.
    NotExamined,
    /// The examination was asked to stop.
    Interrupted,
}

/// Figures that the examination has measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// For at least how long a replayed refresh token got a successor.
    pub grace_at_least_s: Option<u64>,
    /// From when on it was refused; none if it never was.
    pub grace_less_than_s: Option<u64>,
    /// Whether the use of an old token ends the whole session.
    pub reuse_ends_family: Option<bool>,
    /// How far the backend's clock is ahead of ours.
    pub clock_ahead_s: Option<i64>,
    /// The life of an access token.
    pub access_life_s: Option<u64>,
    /// How long a 429 asks to wait.
    pub retry_after_s: Option<u64>,
    /// Failed sign-ins before the first 429.
    pub tries_before_limit: Option<u32>,
}

/// How many rows have which result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows that hold.
    pub hold: usize,
    /// Rows that must hold and do not.
    pub fail: usize,
    /// Rows that should hold and do not.
    pub advice: usize,
    /// Rows that were not tried.
    pub not_tried: usize,
}

/// The report. It has no secret in it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this shape.
    pub schema: u32,
    /// The doctor's version.
    pub doctor: &'static str,
    /// The base address.
    pub backend: Shown,
    /// The profile's name.
    pub profile: Shown,
    /// The files and options that the profile was made of; the last one counts first.
    pub profile_from: Vec<Shown>,
    /// The keys that the policy of this computer sets; null where there is no policy.
    pub policy: Option<PolicyInfo>,
    /// Whether the backend fits.
    pub outcome: Outcome,
    /// Sentences for people: why something was not examined, or what is left behind.
    pub notes: Vec<Shown>,
    /// How many rows have which result.
    pub counts: Counts,
    /// The figures that were measured.
    pub measured: Measured,
    /// One row for each check, always all of them, in the order of the table.
    pub rows: Vec<Row>,
    /// Which profile fits.
    pub suggestion: Suggestion,
    /// The backend was reached, and the examination did not get to the sign-in.
    #[serde(skip)]
    pub(crate) is_without_sign_in: bool,
}

impl Counts {
    pub fn of(rows: &[Row]) -> Self {
        let count = |holds, weight: Option<Weight>| {
            let of = |row: &&Row| row.holds == holds && weight.is_none_or(|w| w == row.weight);
            rows.iter().filter(of).count()
        };
        Self {
            hold: count(Holds::Yes, None),
            fail: count(Holds::No, Some(Weight::Must)),
            advice: count(Holds::No, Some(Weight::Should)),
            not_tried: count(Holds::NotTried, None),
        }
    }
}

impl Report {
    /// The row with this name.
    ///
    /// # Panics
    /// If there is none.
    pub fn row(&self, id: &str) -> &Row {
        let found = self.rows.iter().find(|row| row.id == id);
        found.unwrap_or_else(|| panic!("there is no row {id}"))
    }

    /// The exit status: 0 fits, 1 does not fit, 2 could not be examined, 130 interrupted. With
    /// `strict` a row that should hold, and does not, counts too.
    pub fn exit_code(&self, strict: bool) -> u8 {
        match self.outcome {
            Outcome::Fits if strict && self.counts.advice > 0 => 1,
            Outcome::Fits => 0,
            Outcome::DoesNotFit => 1,
            Outcome::NotExamined => 2,
            Outcome::Interrupted => INTERRUPTED,
        }
    }

    /// Masks every text once more, so that no secret leaves where something above has missed one.
    pub(crate) fn masked(mut self, masks: &Masks) -> Self {
        for row in &mut self.rows {
            row.sent = Shown::line(&masks.mask_whole(&row.sent));
            row.got = Shown::line(&masks.mask_whole(&row.got));
            for advice in &mut row.advice {
                advice.text = Shown::line(&masks.mask_whole(&advice.text));
            }
        }
        for note in &mut self.notes {
            *note = Shown::line(&masks.mask_whole(note));
        }
        match &mut self.suggestion {
            Suggestion::Written { toml, .. } => *toml = Shown::lines(&masks.mask_whole(toml)),
            Suggestion::Missing { what } => *what = Shown::line(&masks.mask_whole(what)),
            Suggestion::None | Suggestion::Fits { .. } => {}
        }
        self
    }
}
