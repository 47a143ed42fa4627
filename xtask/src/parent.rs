//! Ends this tool when the process that started it is gone.
//!
//! Normally a signal asks a process to end. This covers a parent that was killed and sent none.

use std::ffi::OsString;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Outcome, io, said};
use crate::process_group::ProcessGroup;
use crate::{process_tree, signals};

/// Notices when the processes that started this one are gone.
pub struct ParentWatch {
    parent: Option<u32>,
    owner: Option<u32>,
}

impl ParentWatch {
    /// Watches the parent and, if given, one more ancestor.
    pub fn new(owner: Option<u32>) -> Self {
        Self {
            parent: imp::parent(),
            owner,
        }
    }

    /// Whether the parent or the owner has died.
    pub fn is_gone(&self) -> bool {
        self.parent != imp::parent() || self.owner.is_some_and(|owner| !imp::is_alive(owner))
    }
}

/// Whether there is a process with this id.
pub fn is_alive(id: u32) -> bool {
    imp::is_alive(id)
}

/// The same program under a guard: a process that runs it and ends it, with all processes that it
/// started, as soon as this process is gone for any reason.
pub fn guarded(command: &Command) -> Outcome<Command> {
    let own = std::env::current_exe().map_err(io("finding our own binary"))?;
    let mut guard = Command::new(own);
    guard
        .args(["guard", &std::process::id().to_string(), "--"])
        .arg(command.get_program())
        .args(command.get_args());
    carry_over(command, &mut guard);
    Ok(guard)
}

/// The guard: runs the program until it ends, or until this process or its parent does.
pub fn guard(parent: u32, program: &[OsString]) -> Outcome {
    let watch = ParentWatch::new(Some(parent));
    let (name, arguments) = program
        .split_first()
        .ok_or_else(|| said("which program?"))?;
    let mut group =
        ProcessGroup::start_plain("guarded program", Command::new(name).args(arguments))?;
    let outcome = loop {
        if let Some(status) = group.ended() {
            break match status.code() {
                Some(0) => Ok(()),
                code => Err(Failure::Tool {
                    name: name.display().to_string(),
                    code: code.unwrap_or(1),
                }),
            };
        }
        if let Err(interrupted) = signals::check() {
            break Err(interrupted);
        }
        if watch.is_gone() {
            break Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    };
    drop(group);
    process_tree::end_all();
    outcome
}

/// Copies the environment and the folder of one command to another.
pub fn carry_over(from: &Command, to: &mut Command) {
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
    if let Some(folder) = from.get_current_dir() {
        to.current_dir(folder);
    }
}

#[cfg(unix)]
mod imp {
    use rustix::io::Errno;
    use rustix::process::{Pid, getppid, test_kill_process};

    pub fn parent() -> Option<u32> {
        u32::try_from(getppid()?.as_raw_nonzero().get()).ok()
    }

    pub fn is_alive(id: u32) -> bool {
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        // A process that this one may not signal is alive too.
        pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
    }
}

#[cfg(not(unix))]
mod imp {
    // Windows ends the processes of a console together.
    pub fn parent() -> Option<u32> {
        None
    }

    pub fn is_alive(_: u32) -> bool {
        true
    }
}
