//! What a figure is meant to come to, as data, and whether it does.

use serde::{Deserialize, Serialize};

use crate::growth;
use crate::row::Row;

/// A target. Each compares medians, in the unit of its row, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Nothing is promised; the figure explains another.
    Told,
    /// At most so much more than the floor.
    OverFloor(f64),
    /// At most so many times the floor.
    TimesFloor(f64),
    /// At least so many times faster, or smaller, than the alternative.
    FasterThanAlternative(f64),
    /// At most this.
    AtMost(f64),
    /// At most this in nineteen of twenty.
    P95AtMost(f64),
    /// This and nothing else, in every sample.
    Exactly(f64),
    /// The curve grows no faster than what it is drawn over.
    NoWorseThanLinear,
    /// All of these.
    All(Vec<Target>),
}

impl Target {
    /// Whether the row reaches it; `None` where nothing is promised. A row that lacks what the
    /// target compares does not reach it.
    #[must_use]
    pub fn holds(&self, row: &Row) -> Option<bool> {
        let compared = |value: Option<f64>, most: f64| Some(value.is_some_and(|value| value <= most));
        match self {
            Self::Told => None,
            Self::OverFloor(most) => compared(row.over_floor(), *most),
            Self::TimesFloor(most) => compared(row.times_floor(), *most),
            Self::FasterThanAlternative(least) => {
                Some(row.faster_than_alternative().is_some_and(|times| times >= *least))
            }
            Self::AtMost(most) => compared(row.this.as_ref().map(|this| this.median), *most),
            Self::P95AtMost(most) => compared(row.this.as_ref().map(|this| this.p95), *most),
            Self::Exactly(wanted) => {
                let every = |samples: &[f64]| samples.iter().all(|sample| sample == wanted);
                Some(row.this.as_ref().is_some_and(|this| every(&this.samples)))
            }
            Self::NoWorseThanLinear => {
                compared(row.curve().and_then(growth::exponent), growth::LINEAR)
            }
            Self::All(targets) => {
                let judged: Vec<_> = targets.iter().filter_map(|one| one.holds(row)).collect();
                (!judged.is_empty()).then(|| judged.into_iter().all(|holds| holds))
            }
        }
    }

    /// As the table has it, for a row in `unit`.
    #[must_use]
    pub fn words(&self, row: &Row) -> String {
        let show = |value: f64| row.unit.show(value);
        match self {
            Self::Told => "–".into(),
            Self::OverFloor(most) => format!("≤ floor + {}", show(*most)),
            Self::TimesFloor(most) => format!("≤ {most}× floor"),
            Self::FasterThanAlternative(least) => format!("≥ {least}× better than alternative"),
            Self::AtMost(most) => format!("≤ {}", show(*most)),
            Self::P95AtMost(most) => format!("p95 ≤ {}", show(*most)),
            Self::Exactly(wanted) => format!("= {}", show(*wanted)),
            Self::NoWorseThanLinear => "no worse than linear".into(),
            Self::All(targets) => {
                let words: Vec<_> = targets.iter().map(|one| one.words(row)).collect();
                words.join(", ")
            }
        }
    }
}
