//! Plots of a row: the distribution of its samples, and its growth curve. The SVG is written
//! directly, so that no drawing library has to be compiled.

mod axis;
mod chart;

use std::fs;
use std::path::{Path, PathBuf};

use crate::row::{Curve, Point, Row};
use crate::summary::Summary;
use crate::unit::Unit;
use axis::Axis;
use chart::{Chart, Series};

/// With fewer samples no distribution is drawn.
const FEWEST: usize = 3;

/// Draws the plots of each row; returns the files.
///
/// # Errors
/// If a file cannot be written.
pub fn draw(rows: &[Row], folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut files = Vec::new();
    for row in rows {
        let name = row.id.replace('/', "-");
        let drawn = [
            (distribution(row), format!("{name}.svg")),
            (
                row.curve().map(|curve| growth(row, curve)),
                format!("{name}-growth.svg"),
            ),
        ];
        for (svg, file) in drawn {
            if let Some(svg) = svg {
                let file = folder.join(file);
                fs::write(&file, svg)?;
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// The share of samples up to each value: one line for the product, for each part of the floor, and
/// for the alternative. `None` with too few samples.
fn distribution(row: &Row) -> Option<String> {
    let parts = row.this.iter().chain(&row.floor).chain(&row.alternative);
    let parts: Vec<&Summary> = parts.filter(|part| part.n >= FEWEST).collect();
    if row.this.as_ref().is_none_or(|this| this.n < FEWEST) {
        return None;
    }
    let all = parts.iter().flat_map(|part| part.samples.iter().copied());
    let unit = row.unit;
    let across = Axis::over(all, move |value| ticked(unit, value))?;
    let up = Axis::over([0.0, 100.0], |value| format!("{value} %"))?;
    let series = parts.iter().map(|part| Series {
        name: format!(
            "{} (n {}, median {})",
            part.name,
            part.n,
            unit.show(part.median)
        ),
        points: steps(&part.samples),
        dots: false,
    });
    let chart = Chart {
        title: format!("{}: share of the samples at or below", row.figure),
        across: String::new(),
        series: series.collect(),
    };
    Some(chart.svg(&across, &up))
}

/// The empirical distribution: one step at each sample.
fn steps(samples: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let share = 100.0 / sorted.len() as f64;
    let each = sorted.iter().enumerate();
    let corners = each.flat_map(|(nth, sample)| {
        [
            (*sample, share * nth as f64),
            (*sample, share * (nth + 1) as f64),
        ]
    });
    corners.collect()
}

/// The medians over what grows.
fn growth(row: &Row, curve: &Curve) -> String {
    let unit = row.unit;
    let line = |of: fn(&Point) -> Option<&Summary>| -> Vec<(f64, f64)> {
        let each = curve.points.iter();
        each.filter_map(|point| Some((point.x, of(point)?.median)))
            .collect()
    };
    let lines = [
        line(|point| Some(&point.this)),
        line(|point| point.floor.as_ref()),
    ];
    let heights = lines.iter().flatten().map(|(_, y)| *y);
    let places = curve.points.iter().map(|point| point.x);
    let in_bytes = curve.of.starts_with("bytes");
    let across = Axis::over(places, move |x| match in_bytes {
        true => ticked(Unit::Bytes, x),
        false => format!("{x}"),
    });
    let up = Axis::over(heights, move |value| ticked(unit, value));
    let name = |of: fn(&Point) -> Option<&Summary>| {
        let named = curve.points.iter().find_map(of);
        named.map_or_else(String::new, |part| format!("{}, median", part.name))
    };
    let names = [
        name(|point| Some(&point.this)),
        name(|point| point.floor.as_ref()),
    ];
    let series = names
        .into_iter()
        .zip(lines)
        .filter(|(_, points)| !points.is_empty());
    let chart = Chart {
        title: format!("{}, by {}", row.figure, curve.of),
        across: curve.of.clone(),
        series: series
            .map(|(name, points)| Series {
                name,
                points,
                dots: true,
            })
            .collect(),
    };
    match (across, up) {
        (Some(across), Some(up)) => chart.svg(&across, &up),
        _ => chart.svg(&Axis::unit(), &Axis::unit()),
    }
}

/// A round number without trailing zeros after the point.
fn ticked(unit: Unit, value: f64) -> String {
    let shown = unit.show(value);
    match shown.split_once(' ') {
        Some((number, name)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{number} {name}")
        }
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(name: &str, samples: &[f64]) -> Summary {
        Summary::of(name, samples.to_vec()).unwrap()
    }

    #[test]
    fn a_distribution_rises_to_all_of_its_samples() {
        assert_eq!(
            steps(&[2.0, 1.0]),
            [(1.0, 0.0), (1.0, 50.0), (2.0, 50.0), (2.0, 100.0)]
        );
    }

    #[test]
    fn every_series_and_every_curve_is_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let spread = Row::new("a/b", "a < b & c", Unit::Ms)
            .this("the product", vec![3.0, 4.0, 3.5, 40.0])
            .floor("the floor", vec![1.0, 1.1, 1.2, 1.3])
            .alternative("the other", vec![5.0, 6.0, 7.0, 8.0]);
        let point = |x: f64| Point {
            x,
            this: summary("core", &[x]),
            floor: Some(summary("bare", &[x / 2.0])),
        };
        let growing = Row::new("c", "c", Unit::Ms).grows("things", vec![point(1.0), point(9.0)]);
        let single = Row::new("d", "d", Unit::Bytes).this("size", vec![1.0]);
        let files = draw(&[spread, growing, single], folder.path()).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap()).collect();
        assert_eq!(names, ["a-b.svg", "c-growth.svg"]);
        let svg = fs::read_to_string(&files[0]).unwrap();
        assert!(svg.contains("a &lt; b &amp; c"), "{svg}");
        assert_eq!(svg.matches("class=\"series\"").count(), 3, "{svg}");
        let svg = fs::read_to_string(&files[1]).unwrap();
        assert_eq!(svg.matches("class=\"series\"").count(), 2, "{svg}");
        assert!(!svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!(ticked(Unit::Ms, 3.0), "3 ms");
        assert_eq!(ticked(Unit::Ms, 0.25), "250 µs");
        assert_eq!(ticked(Unit::Bytes, 20_000.0), "20 kB");
        assert_eq!(ticked(Unit::Count, 100.0), "100");
    }
}
