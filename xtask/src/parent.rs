//! Not outliving whoever started us.
//!
//! Signals are the ordinary way to be told to end. This is for the others: a
//! parent that was killed outright tells nobody.

use std::ffi::OsString;
use std::process::Command;

use crate::failure::Outcome;
#[cfg(target_os = "linux")]
use crate::failure::{io, said};

/// Sees when the processes above us are gone.
pub struct Watch {
    parent: Option<u32>,
    owner: Option<u32>,
}

impl Watch {
    /// Watches the parent, and the process whose id the variable holds.
    pub fn new(variable: &str) -> Self {
        let owner = std::env::var(variable).ok().and_then(|id| id.parse().ok());
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

/// The same program, but ended by the system when this process dies.
///
/// On Linux it starts through ourselves, because the request has to be made by
/// the child. Elsewhere the program is started as it is.
pub fn bound(command: Command) -> Outcome<Command> {
    imp::bound(command)
}

/// The child's side of `bound`: asks for the signal and becomes the program.
pub fn become_bound(parent: u32, program: &[OsString]) -> Outcome {
    imp::become_bound(parent, program)
}

#[cfg(target_os = "linux")]
mod imp {
    use super::{Command, OsString, Outcome, io, said};
    use rustix::process::{
        Pid, Signal, getppid, set_parent_process_death_signal, test_kill_process,
    };
    use std::os::unix::process::CommandExt;

    pub fn parent() -> Option<u32> {
        u32::try_from(getppid()?.as_raw_nonzero().get()).ok()
    }

    pub fn is_alive(id: u32) -> bool {
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
    }

    pub fn bound(command: Command) -> Outcome<Command> {
        let own = std::env::current_exe().map_err(io("finding our own binary"))?;
        let mut outer = Command::new(own);
        outer
            .args(["bound", &std::process::id().to_string(), "--"])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => outer.env(name, value),
                None => outer.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            outer.current_dir(folder);
        }
        Ok(outer)
    }

    pub fn become_bound(expected: u32, program: &[OsString]) -> Outcome {
        set_parent_process_death_signal(Some(Signal::TERM))
            .map_err(|error| said(format!("asking to be ended with the parent: {error}")))?;
        // It may have died before we asked.
        if parent() != Some(expected) {
            return Ok(());
        }
        let Some((name, arguments)) = program.split_first() else {
            return Ok(());
        };
        let error = Command::new(name).args(arguments).exec();
        Err(said(format!(
            "could not start `{}`: {error}",
            name.display()
        )))
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::{Command, OsString, Outcome};

    #[cfg(unix)]
    pub fn parent() -> Option<u32> {
        u32::try_from(rustix::process::getppid()?.as_raw_nonzero().get()).ok()
    }

    #[cfg(not(unix))]
    pub fn parent() -> Option<u32> {
        None
    }

    #[cfg(unix)]
    pub fn is_alive(id: u32) -> bool {
        use rustix::process::{Pid, test_kill_process};
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
    }

    #[cfg(not(unix))]
    pub fn is_alive(_: u32) -> bool {
        true
    }

    pub fn bound(command: Command) -> Outcome<Command> {
        Ok(command)
    }

    pub fn become_bound(_: u32, program: &[OsString]) -> Outcome {
        let Some((name, arguments)) = program.split_first() else {
            return Ok(());
        };
        crate::process::run(Command::new(name).args(arguments))
    }
}
