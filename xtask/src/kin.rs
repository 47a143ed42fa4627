//! Everything that was started from here, found again at the end.
//!
//! Each program gets a mark in its environment and hands it down to whatever it
//! starts. So on Linux a helper is found and ended that left its process group,
//! made itself a session or lost its parent. Elsewhere this does nothing: there
//! process groups are all there is.
//!
//! Adopting orphans (as a "subreaper") would find them too, but would keep the
//! dead among them visible, and tests that wait for a process to be gone would
//! wait in vain.

use std::process::Command;

#[cfg(target_os = "linux")]
mod imp {
    use std::fs;
    use std::process::Command;
    use std::sync::OnceLock;
    use std::thread;
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use rustix::process::{Pid, Signal, getpid, kill_process};

    /// Our own mark behind those of whoever started us.
    const VARIABLE: &str = "VESTIBULE_XTASK_KIN";
    const PATIENCE: Duration = Duration::from_secs(3);

    /// Unique even when process ids come round again.
    pub fn own() -> &'static str {
        static OWN: OnceLock<String> = OnceLock::new();
        OWN.get_or_init(|| {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            format!("<{}.{}>", getpid().as_raw_nonzero(), now.as_nanos())
        })
    }

    pub fn mark(command: &mut Command, mark: &str) {
        let inherited = std::env::var(VARIABLE).unwrap_or_default();
        command.env(VARIABLE, inherited + mark);
    }

    pub fn end_all(mark: &str) {
        let asked = Instant::now();
        loop {
            let left = find(mark);
            if left.is_empty() || asked.elapsed() > PATIENCE * 2 {
                return;
            }
            let patient = asked.elapsed() < PATIENCE;
            let signal = if patient { Signal::TERM } else { Signal::KILL };
            for pid in left {
                let _ = kill_process(pid, signal);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The living processes that carry a mark. The dead have no environment.
    fn find(mark: &str) -> Vec<Pid> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
                let environment = fs::read(entry.path().join("environ")).ok()?;
                carries(&environment, mark).then_some(pid)
            })
            .collect()
    }

    /// Whether an environment, as the kernel shows it, holds the mark.
    pub fn carries(environment: &[u8], mark: &str) -> bool {
        environment
            .split(|byte| *byte == 0)
            .filter_map(|entry| std::str::from_utf8(entry).ok()?.strip_prefix(VARIABLE))
            .any(|value| value.starts_with('=') && value.contains(mark))
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::process::Command;

    pub fn own() -> &'static str {
        ""
    }

    pub fn mark(_: &mut Command, _: &str) {}

    pub fn end_all(_: &str) {}
}

/// Marks a program that is about to be started as ours.
pub fn mark(command: &mut Command) {
    imp::mark(command, imp::own());
}

/// Ends all that is left of what was started from here. Call it when nothing of
/// it is wanted any more.
pub fn end_all() {
    imp::end_all(imp::own());
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Command, imp};
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    #[test]
    fn a_mark_counts_in_its_own_variable_and_behind_others() {
        let mark = "<7.1>";
        assert!(imp::carries(
            b"A=1\0VESTIBULE_XTASK_KIN=<3.9><7.1>\0B=2\0",
            mark
        ));
        assert!(!imp::carries(b"VESTIBULE_XTASK_KIN=<3.9>\0B=<7.1>\0", mark));
        assert!(!imp::carries(b"VESTIBULE_XTASK_KIND=<7.1>\0", mark));
        assert!(!imp::carries(b"", mark));
    }

    #[test]
    fn one_that_left_its_group_and_lost_its_parent_is_still_found() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("pid");
        let script =
            "setsid sh -c 'echo $$ > \"$1.new\"; mv \"$1.new\" \"$1\"; exec sleep 600' - \"$1\" &";
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "-"])
            .arg(&note)
            .stdout(Stdio::null());
        // Not our own mark: other tests of this process start programs too.
        let own = format!("<{}>", folder.path().display());
        imp::mark(&mut command, &own);
        command.status().unwrap();
        let limit = Instant::now() + Duration::from_secs(20);
        while !note.exists() {
            assert!(Instant::now() < limit, "it never started");
            std::thread::sleep(Duration::from_millis(10));
        }
        let pid = std::fs::read_to_string(&note).unwrap();
        let process = format!("/proc/{}", pid.trim());
        let environment = format!("{process}/environ");
        // While a process changes its program it shows no environment.
        while std::fs::read_to_string(format!("{process}/comm")).unwrap() != "sleep\n" {
            assert!(Instant::now() < limit, "it never slept");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!std::fs::read(&environment).unwrap().is_empty(), "it runs");
        imp::end_all(&own);
        let left = std::fs::read(&environment).unwrap_or_default();
        assert!(
            left.is_empty(),
            "it is gone, or dead and about to be collected"
        );
    }
}
