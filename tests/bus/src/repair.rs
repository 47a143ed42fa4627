//! What has ended by itself, and a new one in its place while others hold the bus.

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::{Bus, Daemons, Keyring, SECRETS};

/// What has ended without being told to by its [`Bus`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The keyring daemon.
    Keyring {
        /// The exit status, which names the signal if one ended it.
        status: ExitStatus,
        /// The last that it said on its standard error, which may be nothing.
        last_words: String,
    },
    /// The bus, and with it the keyring daemon. How is not known: it is not our child.
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
    /// What has ended by itself, if anything has. A keyring that was
    /// [killed](Bus::kill_keyring) or never started is none of that.
    ///
    /// # Errors
    /// If the system does not say how it ended.
    pub fn ended(&self) -> io::Result<Option<Ended>> {
        self.look_after(&mut self.daemons())
    }

    /// Starts what has ended by itself anew, at the same address and with the same items.
    /// Answers what that was. Of several who come at once one does it, and the others wait
    /// until it is done.
    ///
    /// # Errors
    /// If it does not start. It still counts as ended by itself then.
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

    /// How often something was [repaired](Self::repair): whoever finds another number at
    /// the end of something than at its beginning has had two keyring daemons for it.
    #[must_use]
    pub fn repairs(&self) -> u64 {
        self.daemons().repairs
    }

    fn look_after(&self, daemons: &mut Daemons) -> io::Result<Option<Ended>> {
        let Some(keyring) = &mut daemons.keyring else {
            return Ok(None);
        };
        // The keyring ends with its bus. `dbus-run-session` does not.
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

    /// Where the running daemon complains.
    pub(crate) fn keyring_log(&self) -> PathBuf {
        self.home().join("keyring.log")
    }

    /// The last line there: glib says why it gives up before it does.
    fn last_words(&self) -> String {
        let said = std::fs::read(self.keyring_log()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        last.unwrap_or_default().trim().to_owned()
    }
}
