//! Finds and ends all processes that this tool has started, directly or not.
//!
//! Each program gets a mark in its environment, which its own children inherit. On Linux a process
//! is therefore found even if it left its process group, started a session or lost its parent. On
//! other systems this does nothing, and process groups have to be enough.
//!
//! Adopting orphans (as a "subreaper") would find them too, but dead ones would stay visible until
//! this tool waits for them, and tests that wait for a process to disappear would wait in vain.

use std::process::Command;

#[cfg(target_os = "linux")]
mod imp {
    use std::fs;
    use std::process::Command;
    use std::sync::OnceLock;
    use std::thread;
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use rustix::process::{Pid, Signal, getpid, kill_process};

    /// Holds the marks: this tool's own after those of an outer `xtask`.
    const VARIABLE: &str = "VESTIBULE_XTASK_KIN";
    const MARK_TIMEOUT: Duration = Duration::from_secs(3);

    /// This tool's mark. Unique even when process ids are reused.
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
        // A process shows no environment for a moment while it executes a new program, so this
        // looks twice.
        let mut found_none = 0;
        loop {
            let left = find(mark);
            found_none = if left.is_empty() { found_none + 1 } else { 0 };
            if found_none == 2 || asked.elapsed() > MARK_TIMEOUT * 2 {
                return;
            }
            let patient = asked.elapsed() < MARK_TIMEOUT;
            let signal = if patient { Signal::TERM } else { Signal::KILL };
            for pid in left {
                let _ = kill_process(pid, signal);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The living processes with this mark. Dead ones have no environment.
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

    /// Whether an environment, in the kernel's format, holds the mark.
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

/// Puts this tool's mark into the environment of a program to be started.
pub fn mark(command: &mut Command) {
    imp::mark(command, imp::own());
}

/// Ends all remaining processes that this tool has started. Call it when none of them is needed.
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
        // A mark of its own, since other tests of this process start programs too.
        let own = format!("<{}>", folder.path().display());
        imp::mark(&mut command, &own);
        command.status().unwrap();
        let limit = Instant::now() + Duration::from_secs(20);
        while !note.exists() {
            assert!(Instant::now() < limit, "the process never started");
            std::thread::sleep(Duration::from_millis(10));
        }
        let pid = std::fs::read_to_string(&note).unwrap();
        let process = format!("/proc/{}", pid.trim());
        let environment = format!("{process}/environ");
        // While a process executes a new program, it has the new name before the new environment.
        let runs_sleep = || {
            let name = std::fs::read_to_string(format!("{process}/comm")).unwrap();
            name == "sleep\n" && !std::fs::read(&environment).unwrap().is_empty()
        };
        while !runs_sleep() {
            assert!(Instant::now() < limit, "the process never ran sleep");
            std::thread::sleep(Duration::from_millis(10));
        }
        imp::end_all(&own);
        let left = std::fs::read(&environment).unwrap_or_default();
        assert!(
            left.is_empty(),
            "the process is gone, or dead and not yet waited for"
        );
    }
}
