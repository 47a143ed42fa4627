//! The table: a row for each backend, a cell for each thing that was tried there.

use serde_json::{Map, Value};

/// What is tried, in this order.
pub const COLUMNS: [&str; 9] = [
    "register",
    "wrong password",
    "sign-in",
    "restart",
    "three refreshes",
    "killed and back",
    "reuse",
    "sign-out",
    "refresh after it",
];

/// What came of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It went as expected, in words.
    Held(String),
    /// It did not, and why.
    Failed(String),
    /// Something before it failed, or the backend was not run.
    Untried,
}

/// One backend's row.
#[derive(Clone, Debug)]
pub struct Row {
    /// The backend's name.
    pub backend: String,
    /// The version of its package, where it is installed.
    pub version: Option<String>,
    /// A cell for each column.
    pub cells: [Cell; COLUMNS.len()],
    /// Further steps that only this backend has.
    pub further: Option<Cell>,
    /// Why it was not run, if it was not: it could not be installed or started.
    pub absent: Option<String>,
}

impl Row {
    /// A row in which nothing has been tried.
    pub fn of(backend: &str) -> Self {
        Self {
            backend: backend.to_owned(),
            version: None,
            cells: [const { Cell::Untried }; COLUMNS.len()],
            further: None,
            absent: None,
        }
    }

    /// Whether everything that was to be tried went as expected.
    pub fn holds(&self) -> bool {
        let all = self.cells.iter().chain(&self.further);
        self.absent.is_none() && all.into_iter().all(|cell| matches!(cell, Cell::Held(_)))
    }

    /// What went wrong, each with the name of its column.
    fn failures(&self) -> Vec<(&str, &str)> {
        let named = COLUMNS.into_iter().chain(["further steps"]);
        let absent = self.absent.iter().map(|why| ("not run", why.as_str()));
        let failed = named.zip(self.cells.iter().chain(&self.further));
        let failed = failed.filter_map(|(column, cell)| match cell {
            Cell::Failed(why) => Some((column, why.as_str())),
            Cell::Held(_) | Cell::Untried => None,
        });
        absent.chain(failed).collect()
    }

    fn json(&self) -> Value {
        let mut row = Map::new();
        row.insert("backend".into(), self.backend.clone().into());
        row.insert("version".into(), self.version.clone().into());
        row.insert("holds".into(), self.holds().into());
        row.insert("not_run".into(), self.absent.clone().into());
        for (column, cell) in COLUMNS.into_iter().zip(&self.cells) {
            row.insert(column.replace([' ', '-'], "_"), cell.text().into());
        }
        let further = self.further.as_ref().map(Cell::text);
        row.insert("further_steps".into(), further.into());
        Value::Object(row)
    }
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::Held(said) => said.clone(),
            Self::Failed(why) => format!("FAILED: {why}"),
            Self::Untried => "not tried".into(),
        }
    }

    /// The text for the table, in which a whole reason has no room.
    fn brief(&self) -> String {
        match self {
            Self::Failed(_) => "FAILED".into(),
            other => other.text(),
        }
    }
}

/// All rows as JSON.
pub fn json(rows: &[Row]) -> Value {
    rows.iter().map(Row::json).collect()
}

/// All rows as a table in Markdown, and below it each failure in full.
pub fn text(rows: &[Row]) -> String {
    let head = ["backend", "version"].into_iter().chain(COLUMNS);
    let mut lines: Vec<Vec<String>> = vec![head.map(str::to_owned).collect()];
    for row in rows {
        let version = match (&row.version, &row.absent) {
            (_, Some(_)) => "NOT RUN".to_owned(),
            (version, None) => version.clone().unwrap_or_default(),
        };
        let cells = row.cells.iter().map(Cell::brief);
        let whole = [row.backend.clone(), version].into_iter().chain(cells);
        lines.push(whole.collect());
    }
    let mut text = markdown(&lines);
    for row in rows {
        if let Some(Cell::Held(said)) = &row.further {
            text.push_str(&format!("\n{}, further steps: {said}\n", row.backend));
        }
        for (column, why) in row.failures() {
            text.push_str(&format!("\nFAILED: {}, {column}: {why}\n", row.backend));
        }
    }
    text
}

/// Lines of equally many cells as a table in Markdown; the first is its head.
pub fn markdown(lines: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|at| lines.iter().map(|line| line[at].chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let padded = line.iter().zip(&widths);
        let padded: Vec<String> = padded
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(&format!("| {} |\n", padded.join(" | ")));
        if number == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            text.push_str(&format!("| {} |\n", rule.join(" | ")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Row {
        Row {
            version: Some("1.2".into()),
            cells: [const { Cell::Held(String::new()) }; COLUMNS.len()],
            ..Row::of("djoser")
        }
    }

    #[test]
    fn a_row_with_a_failure_or_a_gap_does_not_hold() {
        assert!(held().holds());
        let mut failed = held();
        failed.cells[4] = Cell::Failed("the token was lost".into());
        assert!(!failed.holds());
        let table = text(&[held(), failed.clone()]);
        assert!(table.contains("FAILED: djoser, three refreshes: the token was lost"));
        assert_eq!(
            json(&[failed])[0]["three_refreshes"],
            "FAILED: the token was lost"
        );
        let further = Some(Cell::Failed("no code came".into()));
        assert!(!Row { further, ..held() }.holds());
        let mut gap = held();
        gap.cells[8] = Cell::Untried;
        assert!(!gap.holds());
    }

    #[test]
    fn a_backend_that_was_not_run_is_in_the_table_with_the_reason() {
        let row = Row {
            absent: Some("npm ci failed".into()),
            ..Row::of("strapi")
        };
        assert!(!row.holds());
        let rows = [row];
        let table = text(&rows);
        assert!(table.contains("NOT RUN"), "{table}");
        assert!(table.contains("FAILED: strapi, not run: npm ci failed"));
        assert_eq!(json(&rows)[0]["not_run"], "npm ci failed");
    }
}
