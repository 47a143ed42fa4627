//! One run of the doctor's program at an address, and one more by the profile that it printed.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::proxy::Proxy;
use crate::backends::PASSWORD;

/// Where the doctor's program is.
const PROGRAM: &str = "VESTIBULE_SERVERS_DOCTOR";
/// How long the doctor may take to find a profile.
const LONGEST: Duration = Duration::from_secs(60);
/// After this long it is killed.
const KILLED_AFTER: Duration = Duration::from_secs(180);
/// How many sign-ins of the account may be refused.
const MOST_REFUSED: u32 = 3;

/// What came of a search for a profile.
#[derive(Clone, Debug)]
pub struct Examination {
    /// What the doctor was told besides the address and the account.
    pub told: &'static [&'static str],
    /// How long the search and the examination by the profile took together.
    pub took: Duration,
    /// How many sign-ins of the account the server refused in that time.
    pub refused: u32,
    /// Nothing where the printed profile fits, also when it is used; or why not.
    pub fits: Result<(), String>,
}

impl Examination {
    /// Runs the doctor at this address behind the proxy.
    pub async fn run(
        proxy: &Proxy,
        address: &str,
        email: &str,
        told: &'static [&'static str],
    ) -> Self {
        let begun = Instant::now();
        let mut arguments = vec!["--backend", address];
        arguments.extend(told);
        let report = report(&arguments, email).await;
        let (took, refused) = (begun.elapsed(), proxy.refused());
        let fits = match report.and_then(|report| profile_in(&report)) {
            Ok(profile) => fits_by(&profile, email).await,
            Err(why) => Err(why),
        };
        Self {
            told,
            took,
            refused,
            fits,
        }
    }

    /// Why it does not hold, if it does not.
    pub fn failure(&self) -> Option<String> {
        match &self.fits {
            Err(why) => Some(why.clone()),
            Ok(()) if self.took > LONGEST => Some(format!("it took {} s", self.seconds())),
            Ok(()) if self.refused > MOST_REFUSED => {
                Some(format!("{} sign-ins were refused", self.refused))
            }
            Ok(()) => None,
        }
    }

    /// The time in seconds, with one decimal.
    pub fn seconds(&self) -> String {
        format!("{:.1}", self.took.as_secs_f64())
    }

    /// As a command line has it.
    pub fn told(&self) -> String {
        let words = self
            .told
            .iter()
            .map(|word| match word.contains([' ', '$', '"', '&']) {
                true => format!("'{word}'"),
                false => (*word).to_owned(),
            });
        words.collect::<Vec<_>>().join(" ")
    }

    /// For `--json`.
    pub fn json(&self) -> Map<String, Value> {
        let members = [
            ("holds", json!(self.failure().is_none())),
            ("failure", json!(self.failure())),
            ("told", json!(self.told)),
            ("seconds", json!(self.took.as_secs_f64())),
            ("refused_sign_ins", json!(self.refused)),
        ];
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// The profile of a report, or the doctor's sentence.
fn profile_in(report: &Value) -> Result<String, String> {
    let suggestion = &report["suggestion"];
    match (suggestion["toml"].as_str(), suggestion["what"].as_str()) {
        (Some(toml), _) => match fits(report) {
            Ok(()) => Ok(toml.to_owned()),
            Err(why) => {
                eprintln!("the profile that it printed:\n{toml}");
                Err(why)
            }
        },
        (None, Some(what)) => Err(what.to_owned()),
        (None, None) => Err(format!("it printed no profile: {}", verdict(report))),
    }
}

/// Runs the doctor with a profile as its file.
async fn fits_by(profile: &str, email: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("profile.toml");
    std::fs::write(&file, profile).expect("the profile is written");
    let file = file.to_str().expect("a path in UTF-8");
    let report = report(&["--profile", file], email).await?;
    fits(&report).map_err(|why| format!("by the printed profile: {why}"))
}

fn fits(report: &Value) -> Result<(), String> {
    match report["outcome"] == "fits" {
        true => Ok(()),
        false => Err(verdict(report)),
    }
}

/// What a report says of a backend that does not fit.
fn verdict(report: &Value) -> String {
    let rows = report["rows"].as_array().into_iter().flatten();
    let failed = rows.filter(|row| row["holds"] == "no" && row["weight"] == "must");
    let failed: Vec<String> = failed
        .map(|row| format!("{}: {}", row["title"], row["got"]))
        .collect();
    format!(
        "{} {} {}",
        report["outcome"],
        report["notes"],
        failed.join(", ")
    )
}

/// Runs the doctor; returns its report.
async fn report(arguments: &[&str], email: &str) -> Result<Value, String> {
    let program = std::env::var_os(PROGRAM).ok_or(format!(
        "{PROGRAM} is not set: `cargo xtask servers --doctor` sets it"
    ))?;
    let running = Command::new(Path::new(&program))
        .args(arguments)
        .args(["--email", email, "--json"])
        .env("VESTIBULE_DOCTOR_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(KILLED_AFTER, running)
        .await
        .map_err(|_| {
            format!(
                "the doctor had not ended after {} s",
                KILLED_AFTER.as_secs()
            )
        })?;
    let ended = ended.map_err(|error| format!("the doctor cannot be run: {error}"))?;
    serde_json::from_slice(&ended.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let last = said.trim_end().lines().next_back().unwrap_or_default();
        format!("the doctor printed no report: {last}")
    })
}
