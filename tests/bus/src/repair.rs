//! Finds daemons that ended by themselves, and replaces them while other threads use the bus.

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::{Bus, Daemons, Keyring, SECRETS};

/// A daemon that ended without its [`Bus`] having ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The keyring daemon.
    Keyring {
        /// The exit status, which names the signal if one ended it.
        status: ExitStatus,
        /// The last line on its standard error, which may be empty.
        last_words: String,
    },
    /// The bus, and with it the keyring daemon. Its exit status is unknown, since it is not a child
    /// of this process.
    Bus,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Keyring { status, last_words } = self else {
            return f.write_str("the bus ended by itself");
        };
        f.write_str("the keyring daemon ended by itself (")?;
        match (status.signal(), status.code()) {
            (Some(signal), _) => write!(f, "signal {signal}")?,
            (None, code) => write!(f, "exit code {}", code.unwrap_or_default())?,
        }
        if !last_words.is_empty() {
            write!(f, ": {last_words}")?;
        }
        f.write_str(")")
    }
}

impl Bus {
    /// What has ended by itself, if anything has. A keyring that was [killed](Bus::kill_keyring) or
    /// never started does not count.
    ///
    /// # Errors
    /// If the system does not tell how it ended.
    pub fn ended(&self) -> io::Result<Option<Ended>> {
        self.look_after(&mut self.daemons())
    }

    /// Restarts what has ended by itself, at the same address and with the same items, and returns
    /// what that was. If several threads call this at the same time, one restarts it and the others
    /// wait.
    ///
    /// # Errors
    /// If it does not start. It then still counts as ended by itself.
    pub fn repair(&self) -> io::Result<Option<Ended>> {
        let mut daemons = self.daemons();
        let Some(ended) = self.look_after(&mut daemons)? else {
            return Ok(None);
        };
        let gone = daemons.keyring.take();
        let started = self.start_anew(&mut daemons, &ended);
        if daemons.keyring.is_none() {
            daemons.keyring = gone;
        }
        started?;
        daemons.repairs += 1;
        Ok(Some(ended))
    }

    fn start_anew(&self, daemons: &mut Daemons, ended: &Ended) -> io::Result<()> {
        if *ended == Ended::Bus {
            daemons.end()?;
            self.bring_up_bus(daemons)?;
        }
        self.until_owned(SECRETS, false)?;
        self.bring_up_keyring(daemons, Keyring::Unlocked)
    }

    /// How many [repairs](Self::repair) there were. If the number has changed during a run, the
    /// keyring daemon was replaced in it.
    #[must_use]
    pub fn repairs(&self) -> u64 {
        self.daemons().repairs
    }

    fn look_after(&self, daemons: &mut Daemons) -> io::Result<Option<Ended>> {
        let Some(keyring) = &mut daemons.keyring else {
            return Ok(None);
        };
        // The keyring ends with its bus; `dbus-run-session` does not.
        let Some(status) = keyring.try_wait()? else {
            return Ok(None);
        };
        Ok(Some(match UnixStream::connect(self.socket()) {
            Ok(_) => Ended::Keyring {
                status,
                last_words: self.last_words(),
            },
            Err(_) => Ended::Bus,
        }))
    }

    /// The file with the running daemon's standard error.
    pub(crate) fn keyring_log(&self) -> PathBuf {
        self.home().join("keyring.log")
    }

    /// The last line of that file: glib prints why it ends the process.
    fn last_words(&self) -> String {
        let said = std::fs::read(self.keyring_log()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        last.unwrap_or_default().trim().to_owned()
    }
}
