//! Targets as data, and whether a row reaches its target.

use serde::{Deserialize, Serialize};

use crate::growth;
use crate::row::Row;

/// A target. Each compares medians, in the unit of its row, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// No target; the figure explains another one.
    Told,
    /// At most this much more than the floor.
    OverFloor(f64),
    /// At most this many times the floor.
    TimesFloor(f64),
    /// At least this many times faster, or smaller, than the alternative.
    FasterThanAlternative(f64),
    /// The median is at most this.
    AtMost(f64),
    /// 19 of 20 samples are at most this.
    P95AtMost(f64),
    /// Every sample is exactly this.
    Exactly(f64),
    /// The curve grows at most linearly.
    NoWorseThanLinear,
    /// Over hours of use the slope is 0, or smaller than this noise in an hour. The curve's `x` is
    /// in hours.
    SteadyWithin(f64),
    /// The row is a control: this much was planted in addition to the floor, and was measured.
    Hears {
        /// The planted amount.
        planted: f64,
        /// By how much the measured amount may differ from it.
        within: f64,
    },
    /// All of these targets.
    All(Vec<Target>),
}

impl Target {
    /// Whether the row reaches the target; `None` where there is none. A row without the values
    /// that the target compares does not reach it.
    #[must_use]
    pub fn holds(&self, row: &Row) -> Option<bool> {
        let compared =
            |value: Option<f64>, most: f64| Some(value.is_some_and(|value| value <= most));
        match self {
            Self::Told => None,
            Self::OverFloor(most) => compared(row.over_floor(), *most),
            Self::TimesFloor(most) => compared(row.times_floor(), *most),
            Self::FasterThanAlternative(least) => Some(
                row.faster_than_alternative()
                    .is_some_and(|times| times >= *least),
            ),
            Self::AtMost(most) => compared(row.this.as_ref().map(|this| this.median), *most),
            Self::P95AtMost(most) => compared(row.this.as_ref().map(|this| this.p95), *most),
            Self::Exactly(wanted) => {
                let every = |samples: &[f64]| samples.iter().all(|sample| sample == wanted);
                Some(row.this.as_ref().is_some_and(|this| every(&this.samples)))
            }
            Self::NoWorseThanLinear => {
                compared(row.curve().and_then(growth::exponent), growth::LINEAR)
            }
            Self::SteadyWithin(most) => compared(row.curve().and_then(growth::per_hour), *most),
            Self::Hears { planted, within } => {
                compared(row.over_floor().map(|over| (over - planted).abs()), *within)
            }
            Self::All(targets) => {
                let judged: Vec<_> = targets.iter().filter_map(|one| one.holds(row)).collect();
                (!judged.is_empty()).then(|| judged.into_iter().all(|holds| holds))
            }
        }
    }

    /// The target in words, for a row in `unit`.
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
            Self::SteadyWithin(most) => format!("slope 0 (noise ≤ {}/h)", show(*most)),
            Self::Hears { planted, within } => {
                format!("floor + {} ± {}", show(*planted), show(*within))
            }
            Self::All(targets) => {
                let words: Vec<_> = targets.iter().map(|one| one.words(row)).collect();
                words.join(", ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Point, Row};
    use crate::summary::Summary;
    use crate::unit::Unit;

    fn row(this: &[f64], floor: &[f64], alternative: &[f64]) -> Row {
        Row::new("r", "a row", Unit::Ms)
            .this("this", this.to_vec())
            .floor("floor", floor.to_vec())
            .alternative("alternative", alternative.to_vec())
    }

    fn hears(planted: f64, within: f64) -> Target {
        Target::Hears { planted, within }
    }

    fn curve(cost: impl Fn(f64) -> f64) -> Row {
        let point = |x: f64| Point {
            x,
            this: Summary::single("c", cost(x)),
            floor: None,
        };
        let points = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0].map(point);
        Row::new("r", "a row", Unit::Ms).grows("things", points.to_vec())
    }

    #[test]
    fn each_kind_decides_at_its_bound() {
        let one = row(&[5.0; 3], &[2.0; 3], &[20.0; 3]);
        for (target, holds) in [
            (Target::OverFloor(3.0), true),
            (Target::OverFloor(2.9), false),
            (Target::TimesFloor(2.5), true),
            (Target::TimesFloor(2.4), false),
            (Target::FasterThanAlternative(4.0), true),
            (Target::FasterThanAlternative(4.1), false),
            (Target::AtMost(5.0), true),
            (Target::AtMost(4.9), false),
            (Target::P95AtMost(5.0), true),
            (Target::P95AtMost(4.9), false),
            (Target::Exactly(5.0), true),
            (hears(4.0, 1.0), true),
            (hears(2.0, 1.0), true),
            (hears(4.0, 0.9), false),
            (hears(2.0, 0.9), false),
            (Target::Exactly(4.0), false),
            (
                Target::All(vec![Target::AtMost(5.0), Target::OverFloor(2.9)]),
                false,
            ),
            (Target::All(vec![Target::Told, Target::AtMost(5.0)]), true),
        ] {
            assert_eq!(target.holds(&one), Some(holds), "{target:?}");
        }
        assert_eq!(Target::Told.holds(&one), None);
        assert_eq!(Target::All(vec![Target::Told]).holds(&one), None);
    }

    #[test]
    fn a_target_on_the_tail_or_on_every_sample_is_not_held_by_a_median() {
        let mut samples = vec![1.0; 18];
        samples.extend([9.0, 9.0]);
        let one = row(&samples, &[], &[]);
        assert_eq!(Target::AtMost(1.0).holds(&one), Some(true));
        assert_eq!(Target::P95AtMost(1.0).holds(&one), Some(false));
        assert_eq!(Target::Exactly(1.0).holds(&one), Some(false));
    }

    #[test]
    fn what_cannot_be_compared_does_not_hold() {
        let alone = row(&[5.0], &[], &[]);
        for target in [
            Target::OverFloor(1e9),
            Target::TimesFloor(1e9),
            Target::FasterThanAlternative(0.0),
            Target::NoWorseThanLinear,
            Target::SteadyWithin(1e9),
            hears(3.0, 1e9),
        ] {
            assert_eq!(target.holds(&alone), Some(false), "{target:?}");
        }
        let mut unmeasured = Row::unmeasured("r", "a row", "no keyring");
        unmeasured.judge();
        assert_eq!(unmeasured.holds, Some(false));
        assert!(unmeasured.note.contains("no keyring"));
    }

    #[test]
    fn growth_is_told_from_a_fixed_cost() {
        let linear = Target::NoWorseThanLinear;
        assert_eq!(linear.holds(&curve(|_| 3.0)), Some(true));
        assert_eq!(linear.holds(&curve(|x| 1.0 + 0.2 * x)), Some(true));
        assert_eq!(linear.holds(&curve(|x| 0.1 * x)), Some(true));
        assert_eq!(linear.holds(&curve(|x| 0.1 + 0.01 * x * x)), Some(false));
    }

    #[test]
    fn a_leak_is_told_from_scatter() {
        let scatter = |x: f64| 30e6 + 2e5 * (x * 7.0).sin();
        let steady = Target::SteadyWithin(5e5);
        assert_eq!(steady.holds(&curve(scatter)), Some(true));
        assert_eq!(steady.holds(&curve(|x| scatter(x) + 1e6 * x)), Some(false));
    }

    #[test]
    fn rounds_are_compared_one_by_one() {
        // The machine was busy in half of the rounds, so the medians alone would come from
        // different halves.
        let (floor, this) = ([1.0, 1.0, 10.0, 10.0, 10.0], [3.0, 3.0, 3.0, 12.0, 12.0]);
        let paired = row(&this, &floor, &[]).in_turns();
        assert_eq!(paired.over_floor(), Some(2.0));
        assert_eq!(row(&this, &floor, &[]).over_floor(), Some(-7.0));
        let two = row(&[10.0; 3], &[2.0; 3], &[])
            .floor("more", vec![3.0; 3])
            .in_turns();
        assert_eq!(
            (two.over_floor(), two.times_floor()),
            (Some(5.0), Some(2.0))
        );
    }
}
