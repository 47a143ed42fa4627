//! What an examination came to, for people and for programs.

use serde::Serialize;
use vestibule_core::wire::PolicyInfo;

use crate::interrupt::INTERRUPTED;
use crate::mask::Masks;
use crate::row::{Holds, Row, Weight};
use crate::suggest::Suggestion;

/// The version of the JSON's shape.
pub const SCHEMA: u32 = 1;

/// What it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing that was tried and must hold fails.
    Fits,
    /// Something that must hold does not.
    DoesNotFit,
    /// The backend could not be examined: not reached, no account was named, or it is not let in.
    NotExamined,
    /// Someone has had enough.
    Interrupted,
}

/// Figures that were found out on the way.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// For how long a replayed refresh token still got a successor, at least.
    pub grace_at_least_s: Option<u64>,
    /// And from when on it was refused; absent if it never was.
    pub grace_less_than_s: Option<u64>,
    /// Whether using a token twice ends the session.
    pub reuse_ends_family: Option<bool>,
    /// How far the backend's clock is ahead of ours.
    pub clock_ahead_s: Option<i64>,
    /// The life of an access token.
    pub access_life_s: Option<u64>,
    /// What a 429 asked for.
    pub retry_after_s: Option<u64>,
    /// Tries before the first 429.
    pub tries_before_limit: Option<u32>,
}

/// How many rows are how.
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

/// All of it. Holds no secret.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this shape.
    pub schema: u32,
    /// The doctor's version.
    pub doctor: &'static str,
    /// The base address.
    pub backend: String,
    /// The profile's name.
    pub profile: String,
    /// What the profile was made of, the last over the others.
    pub profile_from: Vec<String>,
    /// What the administrator of this computer has set, by keys; null where there is no policy.
    pub policy: Option<PolicyInfo>,
    /// What it came to.
    pub outcome: Outcome,
    /// Why it was not examined, or what is left behind.
    pub notes: Vec<String>,
    /// How many rows are how.
    pub counts: Counts,
    /// The figures.
    pub measured: Measured,
    /// The table.
    pub rows: Vec<Row>,
    /// Which profile fits.
    pub suggestion: Suggestion,
}

impl Counts {
    /// Counts.
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
    /// A row by its name.
    pub fn row(&self, id: &str) -> &Row {
        let found = self.rows.iter().find(|row| row.id == id);
        found.unwrap_or_else(|| panic!("there is no row {id}"))
    }

    /// What a CI job is told: 0 fits, 1 does not, 2 could not be examined, 130 interrupted.
    /// With `strict`, what only should hold counts too.
    pub fn exit_code(&self, strict: bool) -> u8 {
        match self.outcome {
            Outcome::Fits if strict && self.counts.advice > 0 => 1,
            Outcome::Fits => 0,
            Outcome::DoesNotFit => 1,
            Outcome::NotExamined => 2,
            Outcome::Interrupted => INTERRUPTED,
        }
    }

    /// The last look: no secret leaves, whoever let one in.
    pub fn masked(mut self, masks: &Masks) -> Self {
        for row in &mut self.rows {
            row.sent = masks.mask_whole(&row.sent);
            row.got = masks.mask_whole(&row.got);
            for advice in &mut row.advice {
                advice.text = masks.mask_whole(&advice.text);
            }
        }
        for note in &mut self.notes {
            *note = masks.mask_whole(note);
        }
        if let Suggestion::Written { toml, .. } = &mut self.suggestion {
            *toml = masks.mask_whole(toml);
        }
        self
    }
}
