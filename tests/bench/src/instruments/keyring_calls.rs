//! Counts the calls of a desktop's keyring by all processes on it. The bus repeats them to a monitor.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use vestibule_acceptance::{Desktop, ProcessGroup, until};

use crate::counts::Counts;
use crate::registry::Outcome;

/// What is monitored.
const CALLS: &str = "type='method_call',path_namespace='/org/freedesktop/secrets'";

/// Listens on the bus of a desktop.
pub struct KeyringCalls {
    heard: Arc<Mutex<Vec<String>>>,
    _monitor: ProcessGroup,
}

impl KeyringCalls {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the monitor has no output.
    pub async fn hear(desktop: &Desktop) -> Outcome<Self> {
        let mut monitor = desktop.command("dbus-monitor");
        monitor
            .args(["--session", CALLS])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut monitor = ProcessGroup::start(&mut monitor);
        let output = monitor.child().stdout.take();
        let lines = BufReader::new(output.ok_or("the monitor has no output")?).lines();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let hears = heard.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, member)) = line.split_once("member=") {
                    let mut heard = hears.lock().unwrap_or_else(PoisonError::into_inner);
                    heard.push(member.to_owned());
                }
            }
        });
        let calls = Self {
            heard,
            _monitor: monitor,
        };
        // The bus tells a client that becomes a monitor that it loses its name.
        until("the monitor to listen", async || {
            match calls.of("NameLost") {
                0 => Err("it does not yet".to_owned()),
                _ => Ok(()),
            }
        })
        .await;
        Ok(calls)
    }

    /// The calls so far.
    #[must_use]
    pub fn so_far(&self) -> Counts {
        Counts {
            reads: self.of("GetSecret") + self.of("GetSecrets"),
            writes: self.of("SetSecret") + self.of("CreateItem"),
            deletions: self.of("Delete"),
            ..Counts::default()
        }
    }

    fn of(&self, member: &str) -> usize {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|other| *other == member).count()
    }
}
