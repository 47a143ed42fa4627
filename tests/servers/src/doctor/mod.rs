//! Tries the doctor at every server: whether it finds a profile by the address and one account alone,
//! as the server is, and behind a proxy that renames paths, members and cookies.

mod cases;
mod examination;
mod proxy;
mod renaming;

use serde_json::{Value, json};
use vestibule_core::wire::{RegisterInput, SignInOutcome};

use self::examination::Examination;
use self::proxy::Proxy;
use self::renaming::Renaming;
use crate::backends::{BOB, Backend, PASSWORD};
use crate::installation::{Installation, profile};
use crate::server::Server;
use crate::table::markdown;

const COLUMNS: [&str; 10] = [
    "backend",
    "version",
    "as it is",
    "seconds",
    "refused sign-ins",
    "told",
    "renamed",
    "seconds",
    "refused sign-ins",
    "told",
];

/// No names but the server's own.
static UNCHANGED: Renaming = Renaming {
    paths: &[],
    members: &[],
    cookies: &[],
};

/// One backend's row.
pub struct Row {
    backend: &'static str,
    /// The package's version, and both examinations; or why the backend was not run.
    came: Result<(String, [Examination; 2]), String>,
}

impl Row {
    /// The row of a backend that was not run.
    pub fn absent(backend: &Backend, why: String) -> Self {
        Self {
            backend: backend.name,
            came: Err(why),
        }
    }

    /// Starts the backend and runs the doctor there, once for each way.
    pub async fn of(backend: &'static Backend) -> Self {
        let case = cases::of(backend.name);
        let ways = [
            (&UNCHANGED, backend.path, case.told),
            (&case.renaming, "", case.told_renamed),
        ];
        let mut examinations = Vec::new();
        let mut version = String::new();
        for (renaming, path, told) in ways {
            // A server of its own: some limit how often an address may sign in within a minute.
            let server = Server::start(backend).await;
            eprintln!("{server}");
            server.version().clone_into(&mut version);
            make_account(backend, &server).await;
            let proxy = Proxy::before(&server.url(), renaming, backend.email).await;
            let examination = Examination::run(&proxy, &proxy.url(path), backend.email, told).await;
            eprintln!("  {} s: {}", examination.seconds(), said(&examination));
            examinations.push(examination);
        }
        let examinations = examinations.try_into().expect("one for each way");
        Self {
            backend: backend.name,
            came: Ok((version, examinations)),
        }
    }

    /// Whether a profile was found and fits, both ways.
    pub fn holds(&self) -> bool {
        self.failures().is_empty()
    }

    fn failures(&self) -> Vec<(&'static str, String)> {
        let examinations = match &self.came {
            Ok((_, examinations)) => examinations,
            Err(why) => return vec![("not run", why.clone())],
        };
        ["as it is", "renamed"]
            .into_iter()
            .zip(examinations)
            .filter_map(|(way, examination)| Some((way, examination.failure()?)))
            .collect()
    }

    fn line(&self) -> Vec<String> {
        let mut line = vec![self.backend.to_owned()];
        let Ok((version, examinations)) = &self.came else {
            line.push("NOT RUN".into());
            line.resize(COLUMNS.len(), String::new());
            return line;
        };
        line.push(version.clone());
        for examination in examinations {
            let held = examination.failure().map_or("fits", |_| "FAILED");
            let told = match examination.told().as_str() {
                "" => "–".to_owned(),
                told => format!("`{told}`"),
            };
            let refused = examination.refused.to_string();
            line.extend([held.to_owned(), examination.seconds(), refused, told]);
        }
        line
    }

    fn json(&self) -> Value {
        let (version, plain, renamed, absent) = match &self.came {
            Ok((version, [plain, renamed])) => (
                Some(version),
                Some(plain.json()),
                Some(renamed.json()),
                None,
            ),
            Err(why) => (None, None, None, Some(why)),
        };
        json!({
            "backend": self.backend,
            "version": version,
            "holds": self.holds(),
            "not_run": absent,
            "as_it_is": plain,
            "renamed": renamed,
        })
    }
}

/// The table for people, and below it what failed.
pub fn text(rows: &[Row]) -> String {
    let mut lines = vec![COLUMNS.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(Row::line));
    let mut text = markdown(&lines);
    for row in rows {
        for (way, why) in row.failures() {
            text.push_str(&format!("\nFAILED: {}, {way}: {why}\n", row.backend));
        }
    }
    text
}

/// The table for programs.
pub fn json(rows: &[Row]) -> Value {
    rows.iter().map(Row::json).collect()
}

fn said(examination: &Examination) -> String {
    examination.failure().unwrap_or_else(|| "fits".to_owned())
}

/// Makes the account that signs in, where the server has none at its first start.
async fn make_account(backend: &Backend, server: &Server) {
    if backend.email != BOB {
        return;
    }
    let place = Installation::new(profile(backend.profile, &server.url(), &[])).await;
    let input = RegisterInput::new(backend.shown, BOB, PASSWORD);
    let made = place.session.register(input).await;
    assert_eq!(made, Ok(SignInOutcome::SignedIn));
    place.sign_out().await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::backends::BACKENDS;

    fn row(seconds: u64, refused: u32, fits: Result<(), String>) -> Row {
        let examination = |fits| Examination {
            told: &["--header", "a: b"],
            took: Duration::from_secs(seconds),
            refused,
            fits,
        };
        Row {
            backend: "djoser",
            came: Ok(("1.2".into(), [examination(Ok(())), examination(fits)])),
        }
    }

    #[test]
    fn a_row_holds_where_both_fit_in_time_and_with_few_refusals() {
        assert!(row(60, 3, Ok(())).holds());
        assert!(!row(61, 0, Ok(())).holds());
        assert!(!row(1, 4, Ok(())).holds());
        let failed = row(1, 0, Err("no sign-in was found".into()));
        assert!(!failed.holds());
        assert_eq!(json(&[row(1, 0, Ok(()))])[0]["renamed"]["holds"], true);
        let table = text(&[failed]);
        assert!(
            table.contains("FAILED: djoser, renamed: no sign-in was found"),
            "{table}"
        );
        assert!(table.contains("`--header 'a: b'`"), "{table}");
    }

    #[test]
    fn a_backend_that_was_not_run_is_in_the_table_with_the_reason() {
        let rows = [Row::absent(&BACKENDS[0], "npm ci failed".into())];
        assert!(!rows[0].holds());
        let table = text(&rows);
        assert!(table.contains("NOT RUN"), "{table}");
        assert!(table.contains("not run: npm ci failed"), "{table}");
        assert_eq!(json(&rows)[0]["not_run"], "npm ci failed");
    }
}
