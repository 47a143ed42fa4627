//! A whole run as a file, and the changes since an earlier one.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::registry::{ENTRIES, Outcome};
use crate::row::Row;
use crate::table::aligned;

/// The version of the file's format; increased when older files can no longer be read.
const FORMAT: u32 = 1;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    format: u32,
    /// The machine and the moment.
    pub machine: Machine,
    /// The results.
    pub rows: Vec<Row>,
}

impl Report {
    /// A report with these rows.
    #[must_use]
    pub fn new(machine: Machine, rows: Vec<Row>) -> Self {
        Self {
            format: FORMAT,
            machine,
            rows,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If the file does not exist, or is no report of this format.
    pub fn read(file: &Path) -> Outcome<Self> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = std::fs::read(file).map_err(|error| failed(&error))?;
        let value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| failed(&error))?;
        match value["format"].as_u64() {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => return Err(failed(&format!("format {format}; this reads {FORMAT}"))),
            None => return Err(failed(&"not a report of this program")),
        }
        serde_json::from_value(value).map_err(|error| failed(&error))
    }

    /// Writes it to a file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, file: &Path) -> Outcome<()> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let mut text = serde_json::to_string_pretty(self).map_err(|error| failed(&error))?;
        text.push('\n');
        std::fs::write(file, text).map_err(|error| failed(&error))
    }

    /// Adds the rows of an earlier run on the same machine for entries that this run did not
    /// measure. Each is marked with its own day and commit.
    pub fn keep(&mut self, earlier: Self) {
        if !self.machine.is_same(&earlier.machine) {
            return;
        }
        let of = format!("{}, commit {}", earlier.machine.day, earlier.machine.commit);
        for mut row in earlier.rows {
            if self
                .rows
                .iter()
                .all(|own| own.entry() != row.entry() || own.kept.is_some())
            {
                row.kept.get_or_insert_with(|| of.clone());
                self.rows.push(row);
            }
        }
        // In the order of the table; rows of one entry keep their order.
        let place = |row: &Row| ENTRIES.iter().position(|entry| entry.id == row.entry());
        self.rows.retain(|row| place(row).is_some());
        self.rows.sort_by_key(place);
    }

    /// The lowest and the highest load in any row.
    #[must_use]
    pub fn load(&self) -> String {
        let own = self.rows.iter().filter(|row| row.kept.is_none());
        let all = own.flat_map(|row| row.load);
        let (least, most) = all.fold((f64::INFINITY, 0.0_f64), |(least, most), load| {
            (least.min(load), most.max(load))
        });
        format!("load {least} to {most}")
    }

    /// Each row of both runs: earlier, now, and the change.
    #[must_use]
    pub fn against(&self, earlier: &Self) -> String {
        let titles = ["Figure", "Earlier", "Now", "Change", "Held", "Holds"];
        let mut lines = vec![titles.map(str::to_owned)];
        for row in &self.rows {
            let before = earlier.rows.iter().find(|before| before.id == row.id);
            lines.push(compared(before, Some(row), &row.figure));
        }
        for before in &earlier.rows {
            if !self.rows.iter().any(|row| row.id == before.id) {
                lines.push(compared(Some(before), None, &before.figure));
            }
        }
        let words = earlier.machine.words();
        format!("\nagainst {words}\n{}", aligned(&lines))
    }
}

fn compared(before: Option<&Row>, now: Option<&Row>, figure: &str) -> [String; 6] {
    let median = |row: Option<&Row>| Some(row?.this.as_ref()?.median);
    let shown = |row: Option<&Row>| match (row, median(row)) {
        (Some(row), Some(median)) => row.unit.show(median),
        _ => "–".to_owned(),
    };
    let change = match (median(before), median(now)) {
        (Some(before), Some(now)) if before == now => "none".to_owned(),
        (Some(before), Some(now)) if before != 0.0 => {
            format!("{:+.1} %", (now / before - 1.0) * 100.0)
        }
        _ => "–".to_owned(),
    };
    let holds = |row: Option<&Row>| match row.and_then(|row| row.holds) {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "–",
    };
    [
        figure.to_owned(),
        shown(before),
        shown(now),
        change,
        holds(before).to_owned(),
        holds(now).to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;
    use crate::unit::Unit;

    fn report(rows: Vec<Row>) -> Report {
        Report::new(Machine::here(), rows)
    }

    fn row(id: &str, samples: &[f64]) -> Row {
        let row = Row::new(id, format!("figure {id}"), Unit::Ms);
        let mut row = row
            .this("core", samples.to_vec())
            .target(Target::AtMost(2.0));
        row.judge();
        row
    }

    #[test]
    fn a_report_comes_back_from_its_file_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        let mut unmeasured = Row::unmeasured("c", "c", "why");
        unmeasured.load = [0.5, 1.5];
        let written = report(vec![row("a", &[1.0, 2.5, 0.125]), unmeasured]);
        written.write(&file).unwrap();
        assert_eq!(Report::read(&file).unwrap(), written);
    }

    #[test]
    fn a_file_that_is_no_report_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.json");
        assert!(Report::read(&file).unwrap_err().contains("x.json"));
        std::fs::write(&file, "{\"rows\": []}").unwrap();
        assert!(Report::read(&file).unwrap_err().contains("not a report"));
        std::fs::write(&file, "{\"format\": 99}").unwrap();
        assert!(Report::read(&file).unwrap_err().contains("format 99"));
    }

    #[test]
    fn what_changed_what_is_new_and_what_is_gone_is_told() {
        let earlier = report(vec![row("a", &[4.0]), row("gone", &[1.0])]);
        let table = report(vec![row("a", &[1.0]), row("new", &[1.0])]).against(&earlier);
        let line = |of: &str| {
            let line = table
                .lines()
                .find(|line| line.starts_with(&format!("figure {of}")));
            line.unwrap()
                .split_whitespace()
                .skip(2)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(line("a"), "4.00 ms 1.00 ms -75.0 % NO yes");
        assert_eq!(line("new"), "– 1.00 ms – – yes");
        assert_eq!(line("gone"), "1.00 ms – – yes –");
    }
}
