//! Rows as one table: for a terminal, or as Markdown for the README.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::growth;
use crate::row::Row;
use crate::summary::Summary;
use crate::target::Target;
use crate::unit::Unit;

const TITLES: [&str; 7] = [
    "Figure",
    "This app",
    "Floor",
    "Alternative",
    "Ratio",
    "Target",
    "Holds",
];

const ABSENT: &str = "–";

/// The table for a terminal, followed by counts and notes.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let mut lines = vec![TITLES.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let mut table = aligned(&lines);
    for (row, remark) in remarks(rows) {
        let _ = writeln!(table, "  {row}: {remark}");
    }
    table
}

/// The table as Markdown. What explains a row is in the run's file; below the table are only
/// remarks about rows that were not measured, or not in this run.
#[must_use]
pub fn markdown(rows: &[Row]) -> String {
    let mut table = format!(
        "| {} |\n|---|--:|--:|--:|--:|---|---|\n",
        TITLES.join(" | ")
    );
    for row in rows {
        let cells = cells(row).map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(table, "| {} |", cells.join(" | "));
    }
    let mut remarks = BTreeMap::<String, Vec<&str>>::new();
    for row in rows {
        if let Some(remark) = of_another_kind(row) {
            remarks.entry(remark).or_default().push(&row.figure);
        }
    }
    if !remarks.is_empty() {
        table.push('\n');
    }
    for (remark, figures) in remarks {
        let _ = writeln!(table, "- {remark}: {}.", figures.join("; "));
    }
    table
}

/// The remark about a row that was not measured, or not in this run.
fn of_another_kind(row: &Row) -> Option<String> {
    match (&row.this, &row.kept) {
        (None, _) => Some(row.note.clone()),
        (_, Some(kept)) => Some(format!("Measured {kept}")),
        _ => None,
    }
}

/// Aligned columns; all but the first and the last two are right-aligned.
pub(crate) fn aligned<const N: usize>(lines: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut table = String::new();
    for line in lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            let _ = match column {
                0 => write!(text, "{cell:<width$}  "),
                _ if column + 2 >= N => write!(text, "{cell:<width$}  "),
                _ => write!(text, "{cell:>width$}  "),
            };
        }
        let _ = writeln!(table, "{}", text.trim_end());
    }
    table
}

fn cells(row: &Row) -> [String; 7] {
    let absent = || ABSENT.to_owned();
    let series = |summary: &Summary| told(row.unit, summary);
    let floor: Vec<_> = row.floor.iter().map(series).collect();
    [
        row.figure.clone(),
        row.this.as_ref().map_or_else(absent, series),
        if floor.is_empty() {
            absent()
        } else {
            floor.join(" + ")
        },
        row.alternative.as_ref().map_or_else(absent, series),
        compared(row).unwrap_or_else(absent),
        row.target.words(row),
        match row.holds {
            Some(true) => "yes".to_owned(),
            Some(false) => "NO".to_owned(),
            None => absent(),
        },
    ]
}

/// The median, followed in brackets by the value that 19 of 20 samples do not exceed, if it
/// differs.
fn told(unit: Unit, summary: &Summary) -> String {
    let (median, p95) = (unit.show(summary.median), unit.show(summary.p95));
    match median == p95 {
        true => median,
        false => format!("{median} ({p95})"),
    }
}

/// The product compared with its floor, or with its alternative where it has no floor.
fn compared(row: &Row) -> Option<String> {
    let curve = || row.curve();
    match row.target {
        Target::NoWorseThanLinear => {
            return Some(format!("grows as x^{:.2}", growth::exponent(curve()?)?));
        }
        Target::SteadyWithin(_) => {
            let per_hour = growth::per_hour(curve()?)?;
            let sign = if per_hour < 0.0 { "" } else { "+" };
            let scatter = row.unit.show(growth::scatter(curve()?)?);
            return Some(format!(
                "{sign}{}/h, scatter {scatter}",
                row.unit.show(per_hour)
            ));
        }
        _ => {}
    }
    if let Some(times) = row.times_floor() {
        let over = row.over_floor()?;
        let sign = if over < 0.0 { "" } else { "+" };
        return Some(format!("{times:.2}×, {sign}{}", row.unit.show(over)));
    }
    let times = row.faster_than_alternative()?;
    Some(format!("{times:.1}× better"))
}

/// The text below the table: counts and notes.
fn remarks(rows: &[Row]) -> Vec<(&str, String)> {
    let remark = |row: &Row| {
        let counts = row.counts.iter();
        let counts: Vec<_> = counts
            .map(|(what, count)| format!("{what} {count}"))
            .collect();
        let kept = row.kept.as_ref().map(|kept| format!("measured {kept}"));
        let mut parts = vec![
            counts.join(", "),
            row.note.clone(),
            kept.unwrap_or_default(),
        ];
        parts.retain(|part| !part.is_empty());
        parts.join("; ")
    };
    let remarks = rows.iter().map(|row| (row.figure.as_str(), remark(row)));
    remarks.filter(|(_, remark)| !remark.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let mut measured = Row::new("a", "a | figure", Unit::Ms)
            .this("core", vec![4.0, 4.0, 6.0])
            .floor("bare", vec![1.0; 3])
            .floor("write", vec![1.0; 3])
            .in_turns()
            .target(Target::OverFloor(1.5))
            .count("requests", 1.0)
            .note("a note");
        measured.judge();
        vec![measured, Row::unmeasured("b", "another", "no screen")]
    }

    #[test]
    fn a_row_that_falls_short_or_was_not_measured_says_so() {
        let table = text(&rows());
        let lines: Vec<_> = table.lines().collect();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let figures = "4.00 ms (5.80 ms) 1.00 ms + 1.00 ms – 2.00×, +2.00 ms ≤ floor + 1.50 ms NO";
        assert_eq!(words(lines[1]), format!("a | figure {figures}"));
        assert_eq!(words(lines[2]), "another – – – – – NO");
        assert_eq!(lines[3].trim(), "a | figure: requests 1; a note");
        assert_eq!(lines[4].trim(), "another: could not be measured: no screen");
    }

    #[test]
    fn markdown_cells_do_not_break() {
        let table = markdown(&rows());
        assert!(table.contains("| a \\| figure | 4.00 ms"), "{table}");
        assert!(
            table.ends_with("|\n\n- could not be measured: no screen: another.\n"),
            "{table}"
        );
        assert!(!table.contains("a note"), "{table}");
    }

    #[test]
    fn a_row_of_an_earlier_run_says_so() {
        let mut rows = rows();
        rows[0].kept = Some("2026-11-28, commit 1234567".into());
        rows[1] = Row {
            id: "c".into(),
            figure: "third".into(),
            ..rows[0].clone()
        };
        let remark = "- Measured 2026-11-28, commit 1234567: a | figure; third.\n";
        assert!(markdown(&rows).ends_with(remark));
        assert!(text(&rows).contains("a note; measured 2026-11-28"));
    }
}
