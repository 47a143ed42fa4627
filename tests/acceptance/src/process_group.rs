//! A program in a process group of its own, so that all processes that it starts end with it.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process_group};

/// A running program; dropping it kills its whole group.
pub struct ProcessGroup(Child);

impl ProcessGroup {
    /// Starts the program.
    ///
    /// # Panics
    /// If the program cannot be started; the message names it.
    pub fn start(command: &mut Command) -> Self {
        match command.process_group(0).spawn() {
            Ok(child) => Self(child),
            Err(error) => panic!(
                "{} cannot be started: {error} (`cargo xtask setup` installs what the tests need)",
                command.get_program().display()
            ),
        }
    }

    /// The child's pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Its exit status, once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        let leader = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let Some(leader) = leader {
            let _ = kill_process_group(leader, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}
