//! How a cost grows with what it is asked for.

use crate::row::Curve;
use crate::summary::median;

/// The largest exponent that still counts as linear: samples scatter.
pub const LINEAR: f64 = 1.15;

/// The exponent `p` of `cost ~ x^p` over the upper half of a curve, by least squares of the
/// logarithms. A fixed cost only flattens it, so an honest `a + b·x` comes out at 1 or less and
/// `x²` near 2. `None` of fewer than three points.
#[must_use]
pub fn exponent(curve: &Curve) -> Option<f64> {
    let points = &curve.points;
    if points.len() < 3 {
        return None;
    }
    let from = (points.len() / 2).min(points.len() - 3);
    let logs = points[from..]
        .iter()
        .map(|point| (point.x.ln(), point.this.median.ln()));
    slope(&logs.collect::<Vec<_>>())
}

/// How far the points lie from the line of [`per_hour`]: half of them no further than this.
#[must_use]
pub fn scatter(curve: &Curve) -> Option<f64> {
    let per_hour = per_hour(curve)?;
    let points = curve.points.iter();
    let flat: Vec<_> = points
        .map(|point| point.this.median - per_hour * point.x)
        .collect();
    let middle = median(&flat)?;
    median(
        &flat
            .iter()
            .map(|value| (value - middle).abs())
            .collect::<Vec<_>>(),
    )
}

/// The slope of the straight line that is nearest to the points, by least squares.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let across: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let along: f64 = points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum();
    (across > 0.0 && along.is_finite()).then(|| along / across)
}

/// By how much it grows for each step of `x`, which is an hour: the median of what any two
/// points say, so that a few that stick out do not count.
#[must_use]
pub fn per_hour(curve: &Curve) -> Option<f64> {
    let points = &curve.points;
    let slopes = points.iter().enumerate().flat_map(|(nth, a)| {
        let later = points[nth + 1..].iter().filter(move |b| b.x > a.x);
        later.map(move |b| (b.this.median - a.this.median) / (b.x - a.x))
    });
    median(&slopes.collect::<Vec<_>>())
}
