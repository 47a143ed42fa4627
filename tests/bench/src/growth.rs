//! How a cost grows with the size of its input.

use crate::row::Curve;
use crate::summary::median;

/// The largest exponent that still counts as linear, since samples scatter.
pub const LINEAR: f64 = 1.15;

/// The exponent `p` of `cost ~ x^p` over the upper half of a curve, by least squares of the
/// logarithms. A fixed cost only flattens the curve, so `a + b·x` gives at most 1 and `x²` gives
/// nearly 2. `None` with fewer than three points.
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

/// How far the points are from the line of [`per_hour`]: the median distance.
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

/// The slope of the straight line closest to the points, by least squares.
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

/// The growth in one step of `x`, which is an hour: the median over all pairs of points, so that a
/// few outliers have no effect.
#[must_use]
pub fn per_hour(curve: &Curve) -> Option<f64> {
    let points = &curve.points;
    let slopes = points.iter().enumerate().flat_map(|(nth, a)| {
        let later = points[nth + 1..].iter().filter(move |b| b.x > a.x);
        later.map(move |b| (b.this.median - a.this.median) / (b.x - a.x))
    });
    median(&slopes.collect::<Vec<_>>())
}
