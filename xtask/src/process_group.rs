//! Programs that run in the background, and ending all processes that they started.
//!
//! Each gets a process group of its own, so that one signal reaches its grandchildren too (`next`
//! starts workers). Processes that leave the group are found by `process_tree`.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Outcome;
use crate::{console, process};

/// How long a group may take to end after the first signal (SIGTERM) before it is killed.
const POLITE_TIMEOUT: Duration = Duration::from_secs(4);

/// A running program with everything it starts; dropping it ends them all.
pub struct ProcessGroup {
    name: &'static str,
    child: Child,
}

impl ProcessGroup {
    /// Starts a program in a group of its own, its output prefixed line by line.
    pub fn start(name: &'static str, command: &mut Command) -> Outcome<Self> {
        // The terminal stops a background group that reads from it.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut group = Self::start_plain(name, command)?;
        let streams: [Option<Box<dyn std::io::Read + Send>>; 2] = [
            group.child.stdout.take().map(|s| Box::new(s) as _),
            group.child.stderr.take().map(|s| Box::new(s) as _),
        ];
        for stream in streams.into_iter().flatten() {
            thread::spawn(move || {
                for line in process::lossy_lines(stream) {
                    console::pass_on(format_args!("{name:>7} | {line}"));
                }
            });
        }
        Ok(group)
    }

    /// Starts a program in a group of its own, with its streams as the command says.
    pub fn start_plain(name: &'static str, command: &mut Command) -> Outcome<Self> {
        own_group(command);
        Ok(Self {
            name,
            child: process::spawn(command)?,
        })
    }

    /// What the program is called in messages.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How the program ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The child, for callers that use its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        let leader = self.child.id();
        signal_group(leader, Force::Ask);
        let until = Instant::now() + POLITE_TIMEOUT;
        while Instant::now() < until {
            if self.ended().is_some() && !imp::is_alive(leader) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        signal_group(leader, Force::Insist);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy)]
enum Force {
    Ask,
    Insist,
}

#[cfg(unix)]
mod imp {
    use super::{Command, Force};
    use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
    use std::os::unix::process::CommandExt;

    fn pid(id: u32) -> Option<Pid> {
        i32::try_from(id).ok().and_then(Pid::from_raw)
    }

    pub fn own_group(command: &mut Command) {
        command.process_group(0);
    }

    pub fn signal_group(leader: u32, force: Force) {
        let signal = match force {
            Force::Ask => Signal::TERM,
            Force::Insist => Signal::KILL,
        };
        if let Some(pid) = pid(leader) {
            let _ = kill_process_group(pid, signal);
        }
    }

    pub fn is_alive(leader: u32) -> bool {
        pid(leader).is_some_and(|pid| test_kill_process_group(pid).is_ok())
    }

    pub fn signal_one(id: u32, signal: i32) {
        // Ctrl+C in the terminal has reached the child already; a second one would make many tools
        // skip their clean-up.
        if signal == Signal::INT.as_raw() {
            return;
        }
        if let (Some(pid), Some(signal)) = (pid(id), Signal::from_named_raw(signal)) {
            let _ = kill_process(pid, signal);
        }
    }
}

#[cfg(not(unix))]
mod imp {
    use super::{Command, Force};

    pub fn own_group(_: &mut Command) {}

    pub fn signal_group(leader: u32, _: Force) {
        let _ = Command::new("taskkill")
            .args(["/T", "/F", "/PID", &leader.to_string()])
            .output();
    }

    pub fn is_alive(_: u32) -> bool {
        false
    }

    pub fn signal_one(_: u32, _: i32) {}
}

fn own_group(command: &mut Command) {
    imp::own_group(command);
}

fn signal_group(leader: u32, force: Force) {
    imp::signal_group(leader, force);
}

/// Passes a signal on to one child, unless it got it from the terminal already.
pub fn signal_one(id: u32, signal: i32) {
    imp::signal_one(id, signal);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Whether a process runs: a dead one has no environment, even before its parent has waited for
    /// it.
    fn alive(pid: u32) -> bool {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| !environment.is_empty())
    }

    #[test]
    fn dropping_a_group_ends_grandchildren_that_ignore_the_polite_signal() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("pid");
        let script = format!(
            "(trap '' TERM; sh -c 'echo $PPID' > {0}.tmp; mv {0}.tmp {0}; while :; do sleep 1; done) & wait",
            note.display()
        );
        let group = ProcessGroup::start("test", Command::new("sh").args(["-c", &script])).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while !note.exists() {
            assert!(Instant::now() < until, "the grandchild never started");
            thread::sleep(Duration::from_millis(10));
        }
        let grandchild: u32 = std::fs::read_to_string(&note)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert!(alive(grandchild), "the grandchild runs before the drop");
        drop(group);
        // The kernel may take a moment to remove a killed process.
        let until = Instant::now() + Duration::from_secs(20);
        while alive(grandchild) {
            assert!(Instant::now() < until, "the grandchild outlived its group");
            thread::sleep(Duration::from_millis(10));
        }
    }
}
