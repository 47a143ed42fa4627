//! The result of a promise as a row of a table: text for a terminal, Markdown for the README. The
//! promise that makes a row decides whether its bound holds.

use std::fmt::Write as _;

/// One promise, or one part of it, after its runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What was done, in a few words, with the important figures.
    pub what: String,
    /// How many runs there were.
    pub runs: u64,
    /// How many runs were lost, or the measured figure that the bound limits.
    pub losses: u64,
    /// The bound that is promised.
    pub bound: &'static str,
    /// Whether the bound holds.
    pub holds: bool,
}

const TITLES: [&str; 6] = ["", "What was done", "Runs", "Losses", "Bound", "Holds"];

/// A row with the number of its promise.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// The number in the table of promises.
    pub number: &'static str,
    /// What was found.
    pub row: Row,
}

impl Numbered {
    fn cells(&self) -> [String; 6] {
        let row = &self.row;
        [
            self.number.to_owned(),
            row.what.clone(),
            grouped(row.runs),
            grouped(row.losses),
            row.bound.to_owned(),
            if row.holds { "yes" } else { "NO" }.to_owned(),
        ]
    }
}

/// The table for a terminal.
pub fn text(rows: &[Numbered]) -> String {
    let mut lines = vec![TITLES.map(str::to_owned)];
    lines.extend(rows.iter().map(Numbered::cells));
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut table = String::new();
    for line in &lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            // Numbers are right-aligned.
            let _ = match column {
                2 | 3 => write!(text, "{cell:>width$}  "),
                _ => write!(text, "{cell:<width$}  "),
            };
        }
        let _ = writeln!(table, "{}", text.trim_end());
    }
    table
}

/// The table for the README.
pub fn markdown(rows: &[Numbered]) -> String {
    let mut table = format!("| {} |\n|---|---|--:|--:|---|---|\n", TITLES.join(" | "));
    for row in rows {
        let cells = row.cells().map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(table, "| {} |", cells.join(" | "));
    }
    table
}

/// `12345` as `12 345`, with a non-breaking space.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Numbered> {
        let row = |number, what: &str, runs, losses, holds| Numbered {
            number,
            row: Row {
                what: what.into(),
                runs,
                losses,
                bound: "0",
                holds,
            },
        };
        vec![
            row("P1", "every fault", 12_345, 0, true),
            row("P10", "a | b", 7, 1, false),
        ]
    }

    #[test]
    fn columns_line_up() {
        let table = text(&rows());
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(
            lines[1],
            "P1   every fault    12\u{a0}345       0  0      yes"
        );
        assert!(lines[2].ends_with("NO"));
    }

    #[test]
    fn markdown_cells_do_not_break() {
        let table = markdown(&rows());
        assert!(
            table.contains("| P10 | a \\| b | 7 | 1 | 0 | NO |"),
            "{table}"
        );
    }
}
