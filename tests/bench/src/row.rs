//! One line of the table, with every sample behind it.

use serde::{Deserialize, Serialize};

use crate::summary::{Summary, median};
use crate::target::Target;
use crate::unit::Unit;

/// A figure, what it is compared with, and what it is meant to come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The entry of the registry that measured it, and where that measures several, a slash
    /// and which: `refresh/keyring`. Two runs are compared by it.
    pub id: String,
    /// What was measured, for people.
    pub figure: String,
    /// The unit of all samples.
    pub unit: Unit,
    /// The product; `None` where it could not be measured.
    pub this: Option<Summary>,
    /// What it cannot be cheaper than: the sum of these, such as a bare request and one write
    /// to the keyring.
    pub floor: Vec<Summary>,
    /// What somebody would use instead.
    pub alternative: Option<Summary>,
    /// Product, floor and alternative took turns, so that sample `i` of each is of one round.
    pub paired: bool,
    /// What it is meant to come to.
    pub target: Target,
    /// Whether it does; `None` where nothing is promised, or in a short run.
    pub holds: Option<bool>,
    /// How the cost grows, where that is the figure.
    pub curve: Option<Curve>,
    /// What explains the figure: requests, keyring calls, synced writes, IPC messages of one.
    pub counts: Vec<(String, f64)>,
    /// What a reader must know; where the row could not be measured, why.
    pub note: String,
    /// The machine's load when it began and when it ended.
    pub load: [f64; 2],
    /// The day and the commit of a row that is kept from an earlier run; `None` of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// Costs along what grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What grows, with its unit: `cookies`, `bytes of the body`.
    pub of: String,
    /// From small to large.
    pub points: Vec<Point>,
}

/// One place on a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// How many, or how much.
    pub x: f64,
    /// The product there.
    pub this: Summary,
    /// The floor there.
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

    /// A row in the place of one that could not be measured. It does not hold.
    #[must_use]
    pub fn unmeasured(id: &str, figure: &str, why: &str) -> Self {
        Self {
            holds: Some(false),
            note: format!("could not be measured: {why}"),
            ..Self::new(id, figure, Unit::Count)
        }
    }

    /// Samples of the product.
    #[must_use]
    pub fn this(mut self, name: &str, samples: Vec<f64>) -> Self {
        self.this = Summary::of(name, samples);
        self
    }

    /// Samples of a floor; more than one are added up.
    #[must_use]
    pub fn floor(mut self, name: &str, samples: Vec<f64>) -> Self {
        self.floor.extend(Summary::of(name, samples));
        self
    }

    /// Samples of the alternative.
    #[must_use]
    pub fn alternative(mut self, name: &str, samples: Vec<f64>) -> Self {
        self.alternative = Summary::of(name, samples);
        self
    }

    /// Says that all took turns: they are then compared round by round.
    #[must_use]
    pub fn in_turns(mut self) -> Self {
        self.paired = true;
        self
    }

    /// What it is meant to come to.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// What a reader must know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// What one costs beside time: `("requests", 1.0)`.
    #[must_use]
    pub fn count(mut self, what: &str, of_one: f64) -> Self {
        self.counts.push((what.to_owned(), of_one));
        self
    }

    /// How the cost grows. The last point's samples are the row's.
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

    /// The curve, if it has one.
    #[must_use]
    pub fn curve(&self) -> Option<&Curve> {
        self.curve.as_ref()
    }

    /// What the floor comes to.
    #[must_use]
    pub fn floor_median(&self) -> Option<f64> {
        (!self.floor.is_empty()).then(|| self.floor.iter().map(|part| part.median).sum())
    }

    /// How much more than the floor: the median over the rounds, where there were rounds.
    #[must_use]
    pub fn over_floor(&self) -> Option<f64> {
        let by_round = self.by_round(|this, floor| this - floor);
        by_round.or_else(|| Some(self.this.as_ref()?.median - self.floor_median()?))
    }

    /// How many times the floor, likewise.
    #[must_use]
    pub fn times_floor(&self) -> Option<f64> {
        let by_round = self.by_round(|this, floor| this / floor);
        by_round.or_else(|| ratio(self.this.as_ref()?.median, self.floor_median()?))
    }

    /// How many times the product is faster, or smaller, than the alternative.
    #[must_use]
    pub fn faster_than_alternative(&self) -> Option<f64> {
        let (this, alternative) = (self.this.as_ref()?, self.alternative.as_ref()?);
        ratio(alternative.median, this.median)
    }

    /// The median of what each round comes to; `None` where there were no rounds.
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

    /// The entry of the registry that measures it.
    #[must_use]
    pub fn entry(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// Lets the target decide.
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
