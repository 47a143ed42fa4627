//! The machine, the day and the load of a run.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The machine and the moment of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many cores this process may use.
    pub cores: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// The kernel's name and version.
    pub kernel: String,
    /// The day, in UTC.
    pub day: String,
    /// The commit, with `+` where the work tree differed from it.
    pub commit: String,
}

impl Machine {
    /// This machine, now. What the system does not tell stays empty.
    #[must_use]
    pub fn here() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = field(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: field(&cpu, "model name").unwrap_or_default().to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory: kib.map_or(0, |kib: u64| kib * 1024),
            kernel: format!("Linux {}", kernel.trim()),
            day: day(SystemTime::now()),
            commit: commit(),
        }
    }

    /// Whether both are the same machine; the day and the commit do not matter.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let hardware = |one: &Self| (one.processor.clone(), one.cores, one.memory);
        hardware(self) == hardware(other)
    }

    /// The machine in one line.
    #[must_use]
    pub fn words(&self) -> String {
        format!(
            "{}, commit {}; {}, {} cores, {:.1} GB; {}",
            self.day,
            self.commit,
            self.processor,
            self.cores,
            self.memory as f64 / 1e9,
            self.kernel
        )
    }
}

/// The load of the last minute; 0 where the system does not tell.
#[must_use]
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().and_then(|first| first.parse().ok());
    first.unwrap_or_default()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| key.trim() == name)?;
    Some(value.trim())
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let output = git
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else {
        return String::new();
    };
    let differs = git(&["status", "--porcelain", "--untracked-files=no"]);
    let mark = if differs.is_some_and(|files| !files.is_empty()) {
        "+"
    } else {
        ""
    };
    format!("{commit}{mark}")
}

/// `2026-11-28`, computed from the days since 1970 (Howard Hinnant's `civil_from_days`).
fn day(moment: SystemTime) -> String {
    let seconds = moment
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn days_are_told_as_the_calendar_has_them() {
        let at = |days: u64| day(UNIX_EPOCH + Duration::from_secs(days * 86_400 + 5));
        assert_eq!(at(0), "1970-01-01");
        assert_eq!(at(11_016), "2000-02-29");
        assert_eq!(at(20_785), "2026-11-28");
    }

    #[test]
    fn this_machine_has_a_name_and_cores() {
        let here = Machine::here();
        assert!(here.cores > 0 && here.memory > 0, "{here:?}");
        assert!(here.kernel.len() > "Linux ".len(), "{here:?}");
    }
}
