//! Samples of one thing, and their quantiles.

use serde::{Deserialize, Serialize};

/// The samples of one series, in the order in which they were taken, with their quantiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// What was measured, such as `bare reqwest`.
    pub name: String,
    /// The number of samples.
    pub n: usize,
    /// Half of the samples are at most this.
    pub median: f64,
    /// 19 of 20 samples are at most this.
    pub p95: f64,
    /// The samples.
    pub samples: Vec<f64>,
}

impl Summary {
    /// The summary of these samples; `None` without samples, since their median would not be 0.
    #[must_use]
    pub fn of(name: impl Into<String>, samples: Vec<f64>) -> Option<Self> {
        Some(Self {
            name: name.into(),
            n: samples.len(),
            median: quantile(&samples, 0.5)?,
            p95: quantile(&samples, 0.95)?,
            samples,
        })
    }

    /// A single value that does not vary, such as the size of a file.
    #[must_use]
    pub fn single(name: impl Into<String>, value: f64) -> Self {
        Self {
            name: name.into(),
            n: 1,
            median: value,
            p95: value,
            samples: vec![value],
        }
    }
}

/// The value at or below which this part of all samples lies, interpolated between neighbours;
/// `None` without samples.
#[must_use]
pub fn quantile(samples: &[f64], part: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = part.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let share = place - place.floor();
    Some(sorted[below] + (sorted[above] - sorted[below]) * share)
}

/// The median; `None` without samples.
#[must_use]
pub fn median(samples: &[f64]) -> Option<f64> {
    quantile(samples, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7.0], 0.95), Some(7.0));
        assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), Some(2.5));
        let hundred: Vec<_> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&hundred, 0.95), Some(95.0));
    }

    #[test]
    fn the_order_of_the_samples_stays() {
        let summary = Summary::of("x", vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((summary.n, summary.median), (3, 2.0));
        assert_eq!(summary.samples, [3.0, 1.0, 2.0]);
        assert!(Summary::of("x", Vec::new()).is_none());
    }
}
