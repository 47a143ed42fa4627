//! Publishes a run: `docs/bench.json` with every sample, and the table in the README, which is
//! always written from that file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::registry::{ENTRIES, Outcome};
use crate::report::Report;
use crate::table;

const BEGIN: &str = "<!-- bench: `cargo xtask bench --publish` writes from here -->";
const END: &str = "<!-- bench: to here -->";

/// The two published files.
pub struct Published {
    /// The file with every sample.
    pub json: PathBuf,
    /// The README, with the table between two markers.
    pub readme: PathBuf,
}

impl Published {
    /// The files of the work tree in which this program was built.
    #[must_use]
    pub fn here() -> Self {
        Self::in_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
    }

    /// The files of this work tree.
    #[must_use]
    pub fn in_folder(root: &Path) -> Self {
        Self {
            json: root.join("docs/bench.json"),
            readme: root.join("README.md"),
        }
    }

    /// Fails before the measurements if [`Published::renew`] would fail after them: because the
    /// README has no place for the table, or an earlier run cannot be read.
    ///
    /// # Errors
    /// With the reason.
    pub fn check(&self) -> Outcome<()> {
        self.place().map(drop)?;
        self.earlier().map(drop)
    }

    /// Writes both files. Rows of entries that this run did not measure are kept from an earlier
    /// run on the same machine, and name the day of that run.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn renew(&self, mut report: Report) -> Outcome<()> {
        if let Some(earlier) = self.earlier()? {
            report.keep(earlier);
        }
        report.write(&self.json)?;
        let [before, _, after] = self.place()?;
        let text = format!("{before}{BEGIN}\n{}{END}{after}", section(&report));
        std::fs::write(&self.readme, text).map_err(|error| self.of_readme(&error))
    }

    /// Checks that the README has the table of the file.
    ///
    /// # Errors
    /// If it does not; the error contains the right text.
    pub fn agree(&self) -> Outcome<()> {
        let [_, said, _] = self.place()?;
        let wanted = section(&Report::read(&self.json)?);
        match said.trim_start_matches('\n') == wanted {
            true => Ok(()),
            false => Err(format!(
                "{} differs from the table of {}, which is:\n{wanted}",
                self.readme.display(),
                self.json.display()
            )),
        }
    }

    fn earlier(&self) -> Outcome<Option<Report>> {
        let is_there = self.json.exists();
        is_there.then(|| Report::read(&self.json)).transpose()
    }

    /// The README before, between and after the markers.
    fn place(&self) -> Outcome<[String; 3]> {
        let text = std::fs::read_to_string(&self.readme);
        let text = text.map_err(|error| self.of_readme(&error))?;
        let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
            let (between, after) = rest.split_once(END)?;
            Some([before, between, after].map(str::to_owned))
        });
        parts.ok_or_else(|| self.of_readme(&format!("it has no `{BEGIN}` with `{END}` after it")))
    }

    fn of_readme(&self, error: &dyn std::fmt::Display) -> String {
        format!("{}: {error}", self.readme.display())
    }
}

/// The text between the markers.
fn section(report: &Report) -> String {
    let mut text = format!(
        "Measured {}; {}.\n\n{}",
        report.machine.words(),
        report.load(),
        table::markdown(&report.rows)
    );
    let is_there = |id: &str| report.rows.iter().any(|row| row.entry() == id);
    let missing = ENTRIES.iter().filter(|entry| !is_there(entry.id));
    let missing: Vec<_> = missing
        .map(|entry| format!("{} (`cargo xtask bench {}`)", entry.figure, entry.id))
        .collect();
    if !missing.is_empty() {
        let _ = write!(text, "\nNot measured yet: {}.\n", missing.join("; "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::row::Row;
    use crate::unit::Unit;

    fn machine(day: &str) -> Machine {
        Machine {
            processor: "a processor".into(),
            cores: 2,
            memory: 8_000_000_000,
            kernel: "Linux 6".into(),
            day: day.into(),
            commit: "1234567".into(),
        }
    }

    fn run(day: &str, rows: &[(&str, f64)]) -> Report {
        let row = |(id, value): &(&str, f64)| {
            Row::new(*id, format!("the {id}"), Unit::Ms).this("it", vec![*value])
        };
        Report::new(machine(day), rows.iter().map(row).collect())
    }

    fn tree(readme: &str) -> (tempfile::TempDir, Published) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("docs")).unwrap();
        std::fs::write(folder.path().join("README.md"), readme).unwrap();
        let published = Published::in_folder(folder.path());
        (folder, published)
    }

    fn readme(published: &Published) -> String {
        std::fs::read_to_string(&published.readme).unwrap()
    }

    #[test]
    fn both_are_renewed_at_once_and_what_is_around_the_table_stays() {
        let (_folder, published) = tree(&format!("above\n\n{BEGIN}\nstale\n{END}\n\nbelow\n"));
        published.check().unwrap();
        published
            .renew(run("2026-11-01", &[("start", 3.0)]))
            .unwrap();
        let text = readme(&published);
        assert!(
            text.starts_with(&format!(
                "above\n\n{BEGIN}\nMeasured 2026-11-01, commit 1234567; a processor, 2 cores"
            )),
            "{text}"
        );
        assert!(text.ends_with(&format!("\n{END}\n\nbelow\n")), "{text}");
        assert!(!text.contains("stale"), "{text}");
        assert!(text.contains("| the start | 3.00 ms |"), "{text}");
        assert!(
            text.contains("`cargo xtask bench memory`"),
            "not measured: {text}"
        );
        assert_eq!(published.agree(), Ok(()));
        published
            .renew(run("2026-11-02", &[("start", 4.0)]))
            .unwrap();
        assert_eq!(readme(&published).matches(BEGIN).count(), 1);
    }

    #[test]
    fn a_figure_that_is_changed_by_hand_is_found() {
        let (_folder, published) = tree(&format!("{BEGIN}\n{END}\n"));
        published
            .renew(run("2026-11-01", &[("start", 3.0)]))
            .unwrap();
        let changed = readme(&published).replace("3.00 ms", "2.00 ms");
        std::fs::write(&published.readme, changed).unwrap();
        assert!(
            published
                .agree()
                .unwrap_err()
                .contains("| the start | 3.00 ms |")
        );
    }

    #[test]
    fn what_one_run_did_not_measure_is_kept_with_its_day_and_in_its_place() {
        let (_folder, published) = tree(&format!("{BEGIN}\n{END}\n"));
        let first = [
            ("start", 3.0),
            ("refresh/a", 1.0),
            ("refresh/b", 1.0),
            ("hour/core", 5.0),
        ];
        published.renew(run("2026-11-01", &first)).unwrap();
        published
            .renew(run("2026-11-02", &[("refresh/a", 2.0)]))
            .unwrap();
        let report = Report::read(&published.json).unwrap();
        let kept: Vec<_> = report
            .rows
            .iter()
            .map(|row| (row.id.as_str(), row.kept.as_deref()))
            .collect();
        let earlier = Some("2026-11-01, commit 1234567");
        assert_eq!(
            kept,
            [
                ("start", earlier),
                ("refresh/a", None),
                ("hour/core", earlier)
            ]
        );
        published
            .renew(run("2026-11-03", &[("start", 4.0)]))
            .unwrap();
        let text = readme(&published);
        assert!(
            text.contains("\n- Measured 2026-11-01, commit 1234567: the hour/core."),
            "{text}"
        );
        assert!(
            text.contains("\n- Measured 2026-11-02, commit 1234567: the refresh/a."),
            "{text}"
        );
    }

    #[test]
    fn rows_of_another_machine_are_not_kept() {
        let (_folder, published) = tree(&format!("{BEGIN}\n{END}\n"));
        published
            .renew(run("2026-11-01", &[("hour/core", 3.0)]))
            .unwrap();
        let mut elsewhere = run("2026-11-02", &[("start", 3.0)]);
        elsewhere.machine.processor = "another".into();
        published.renew(elsewhere).unwrap();
        let report = Report::read(&published.json).unwrap();
        assert_eq!(report.rows.len(), 1);
    }

    #[test]
    fn a_readme_without_a_place_is_told_before_anything_is_measured() {
        let (_folder, published) = tree("no place\n");
        assert!(
            published
                .check()
                .unwrap_err()
                .contains("README.md: it has no")
        );
    }
}
