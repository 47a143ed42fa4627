//! The peak memory of a process. The kernel records it, so no sampling can miss it.

use std::fs;

use crate::registry::Outcome;

/// The peak of one process, reset at the start.
pub struct Peak {
    process: u32,
    before: f64,
}

impl Peak {
    /// Resets the peak of `process`.
    ///
    /// # Errors
    /// If the process does not run, or may not be changed.
    pub fn begin(process: u32) -> Outcome<Self> {
        let told = |error| format!("the memory of the process {process}: {error}");
        fs::write(format!("/proc/{process}/clear_refs"), "5").map_err(told)?;
        let before = status(process, "VmRSS")?;
        Ok(Self { process, before })
    }

    /// By how many bytes the peak exceeds the memory at the start.
    ///
    /// # Errors
    /// If the process does not run any more.
    pub fn more(&self) -> Outcome<f64> {
        Ok(status(self.process, "VmHWM")? - self.before)
    }
}

fn status(process: u32, field: &str) -> Outcome<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"));
    let text = text.map_err(|error| format!("the memory of the process {process}: {error}"))?;
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let kib = kib.ok_or_else(|| format!("the process {process} has no {field}"))?;
    Ok(kib * 1024.0)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Command, Stdio};

    use super::*;

    /// The control: the peak of a process that takes 5 MB for a moment and frees them is seen.
    #[test]
    fn five_megabytes_for_a_moment_are_seen() {
        // Perl holds a whole line, so a long one takes that much memory.
        let mut reader = Command::new("perl")
            .args(["-ne", "$| = 1; print length($_) - 1, \"\\n\""])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut into = reader.stdin.take().unwrap();
        let mut from = BufReader::new(reader.stdout.take().unwrap()).lines();
        let mut give = |bytes: usize| {
            into.write_all(&b"x".repeat(bytes)).unwrap();
            into.write_all(b"\n").unwrap();
            assert_eq!(from.next().unwrap().unwrap(), bytes.to_string());
        };
        give(1);
        let peak = Peak::begin(reader.id()).unwrap();
        give(1);
        let without = peak.more().unwrap();
        give(5_000_000);
        let with = peak.more().unwrap();
        assert!(without < 1e6, "{without}");
        assert!(with - without >= 5e6, "{with}");
        drop(into);
        reader.wait().unwrap();
        assert!(Peak::begin(u32::MAX).is_err());
    }
}
