//! A row of the table, with all its samples.

use serde::{Deserialize, Serialize};

use crate::summary::{Summary, median};
use crate::target::Target;
use crate::unit::Unit;

/// A figure, what it is compared with, and its target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The id of the registry's entry, followed, where that measures several figures, by a slash
    /// and a name: `refresh/keyring`. Rows of two runs are matched by it.
    pub id: String,
    /// What was measured, in words.
    pub figure: String,
    /// The unit of all samples.
    pub unit: Unit,
    /// The samples of the product; `None` if it could not be measured.
    pub this: Option<Summary>,
    /// What the product cannot be cheaper than: the sum of these, such as a bare request and one
    /// write to the keyring.
    pub floor: Vec<Summary>,
    /// What would be used without the product.
    pub alternative: Option<Summary>,
    /// Whether product, floor and alternative were measured in turns, so that sample `i` of each
    /// belongs to one round.
    pub paired: bool,
    /// The target.
    pub target: Target,
    /// Whether the target is reached; `None` where there is none, or in a short run.
    pub holds: Option<bool>,
    /// How the cost grows, if that is the figure.
    pub curve: Option<Curve>,
    /// What explains the figure: requests, keyring calls, synced writes, IPC messages of one run.
    pub counts: Vec<(String, f64)>,
    /// What a reader must know; for a row that could not be measured, why.
    pub note: String,
    /// The machine's load at the beginning and at the end.
    pub load: [f64; 2],
    /// The day and the commit of a row that was kept from an earlier run; `None` for this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// The cost as a function of what grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What grows, with its unit: `cookies`, `bytes of the body`.
    pub of: String,
    /// The points, from small to large.
    pub points: Vec<Point>,
}

/// One place on a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The value of what grows.
    pub x: f64,
    /// The product's samples there.
    pub this: Summary,
    /// The floor's samples there.
    pub floor: Option<Summary>,
}

impl Row {
    /// A row without samples yet.
    #[must_use]
    pub fn new(id: impl Into<String>, figure: impl Into<String>, unit: Unit) -> Self {
        Self {
            id: id.into(),
            figure: figure.into(),
            unit,
            this: None,
            floor: Vec::new(),
            alternative: None,
            paired: false,
            target: Target::Told,
            holds: None,
            curve: None,
            counts: Vec::new(),
            note: String::new(),
            load: [0.0; 2],
            kept: None,
        }
    }

    /// A row for a figure that could not be measured. It does not hold.
    #[must_use]
    pub fn unmeasured(id: &str, figure: &str, why: &str) -> Self {
        Self {
            holds: Some(false),
            note: format!("could not be measured: {why}"),
            ..Self::new(id, figure, Unit::Count)
        }
    }

    /// Adds the samples of the product.
    #[must_use]
    pub fn this(mut self, name: &str, samples: Vec<f64>) -> Self {
        self.this = Summary::of(name, samples);
        self
    }

    /// Adds the samples of a floor. Several floors are summed.
    #[must_use]
    pub fn floor(mut self, name: &str, samples: Vec<f64>) -> Self {
        self.floor.extend(Summary::of(name, samples));
        self
    }

    /// Adds the samples of the alternative.
    #[must_use]
    pub fn alternative(mut self, name: &str, samples: Vec<f64>) -> Self {
        self.alternative = Summary::of(name, samples);
        self
    }

    /// Marks that all were measured in turns: they are then compared round by round.
    #[must_use]
    pub fn in_turns(mut self) -> Self {
        self.paired = true;
        self
    }

    /// Sets the target.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Adds what a reader must know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Adds a cost other than time: `("requests", 1.0)`.
    #[must_use]
    pub fn count(mut self, what: &str, of_one: f64) -> Self {
        self.counts.push((what.to_owned(), of_one));
        self
    }

    /// Adds how the cost grows. The samples of the last point become the row's.
    #[must_use]
    pub fn grows(mut self, of: &str, points: Vec<Point>) -> Self {
        if let Some(last) = points.last() {
            self.this = Some(last.this.clone());
            self.floor = last.floor.clone().into_iter().collect();
        }
        self.curve = Some(Curve {
            of: of.to_owned(),
            points,
        });
        self
    }

    /// The curve, if the row has one.
    #[must_use]
    pub fn curve(&self) -> Option<&Curve> {
        self.curve.as_ref()
    }

    /// The median of the floor.
    #[must_use]
    pub fn floor_median(&self) -> Option<f64> {
        (!self.floor.is_empty()).then(|| self.floor.iter().map(|part| part.median).sum())
    }

    /// The difference to the floor: the median over the rounds, if there were rounds.
    #[must_use]
    pub fn over_floor(&self) -> Option<f64> {
        let by_round = self.by_round(|this, floor| this - floor);
        by_round.or_else(|| Some(self.this.as_ref()?.median - self.floor_median()?))
    }

    /// The ratio to the floor, in the same way.
    #[must_use]
    pub fn times_floor(&self) -> Option<f64> {
        let by_round = self.by_round(|this, floor| this / floor);
        by_round.or_else(|| ratio(self.this.as_ref()?.median, self.floor_median()?))
    }

    /// How many times faster, or smaller, the product is than the alternative.
    #[must_use]
    pub fn faster_than_alternative(&self) -> Option<f64> {
        let (this, alternative) = (self.this.as_ref()?, self.alternative.as_ref()?);
        ratio(alternative.median, this.median)
    }

    /// The median over the rounds; `None` without rounds.
    fn by_round(&self, of: impl Fn(f64, f64) -> f64) -> Option<f64> {
        let this = &self.this.as_ref()?.samples;
        let same = |part: &Summary| part.samples.len() == this.len();
        if !self.paired || self.floor.is_empty() || !self.floor.iter().all(same) {
            return None;
        }
        let rounds = this.iter().enumerate().map(|(round, this)| {
            let floor: f64 = self.floor.iter().map(|part| part.samples[round]).sum();
            of(*this, floor)
        });
        median(&rounds.collect::<Vec<_>>())
    }

    /// The registry's entry that measures this row.
    #[must_use]
    pub fn entry(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// Compares the row with its target.
    pub fn judge(&mut self) {
        self.holds = match self.this {
            Some(_) => self.target.holds(self),
            None => Some(false),
        };
    }
}

fn ratio(of: f64, to: f64) -> Option<f64> {
    (to > 0.0).then(|| of / to)
}
