//! The keyring daemon on a bus: starts, locks, stops and kills it.

use std::fs::File;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Bus, Daemons, PROMPTER, SECRETS, SilentService, control, end};

/// The keyring's password; it protects nothing.
const PASSWORD: &str = "test";
/// How often the daemon is asked to lock itself before it counts as unlocked.
const LOCK_TRIES: u32 = 20;
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// The state in which a keyring starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// Open, as after a login with a password.
    Unlocked,
    /// Locked, as after a login without one; with everything that was written before.
    Locked,
    /// As before the first login: no collection exists, unless an earlier daemon here was unlocked.
    Empty,
}

impl Bus {
    /// Starts `gnome-keyring-daemon` and waits until it is on the bus. It has everything that
    /// earlier daemons on this bus wrote.
    ///
    /// # Errors
    /// If it is missing, does not start, or already runs.
    pub fn start_keyring(&mut self, how: Keyring) -> io::Result<()> {
        self.bring_up_keyring(&mut self.daemons(), how)
    }

    pub(crate) fn bring_up_keyring(&self, daemons: &mut Daemons, how: Keyring) -> io::Result<()> {
        if daemons.keyring.is_some() {
            return Err(io::Error::other("a keyring is running"));
        }
        if how == Keyring::Locked && !self.home().join("data/keyrings/login.keyring").exists() {
            // A daemon that was never unlocked has no collection, so it is unlocked once first.
            self.bring_up_keyring(daemons, Keyring::Unlocked)?;
            self.take_down_keyring(daemons)?;
        }
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        if how == Keyring::Unlocked {
            command.arg("--unlock");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        command.stderr(File::create(self.keyring_log())?);
        let mut daemon = self.spawn(&mut command, "gnome-keyring")?;
        if let Some(mut stdin) = daemon.stdin.take()
            && how == Keyring::Unlocked
        {
            stdin.write_all(PASSWORD.as_bytes())?;
        }
        daemons.keyring = Some(daemon);
        self.until_owned(SECRETS, true)
    }

    /// Kills the daemon, as a crash would, and waits until the bus has noticed.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill_keyring(&mut self) -> io::Result<()> {
        self.take_down_keyring(&mut self.daemons())
    }

    fn take_down_keyring(&self, daemons: &mut Daemons) -> io::Result<()> {
        if daemons.keyring.is_none() {
            return Ok(());
        }
        end(&mut daemons.keyring)?;
        self.until_owned(SECRETS, false)
    }

    /// Locks the collection of the running daemon.
    ///
    /// # Errors
    /// If it stays unlocked.
    pub fn lock_keyring(&self) -> io::Result<()> {
        let mut tries = 0;
        loop {
            self.send(
                SECRETS,
                "/org/freedesktop/secrets",
                "org.freedesktop.Secret.Service.Lock",
                &[&format!("array:objpath:{COLLECTION}")],
            )?;
            tries += 1;
            match self.expect_locked(true) {
                // While a client uses it, gnome-keyring 42 sometimes reports success without
                // locking.
                Err(_) if tries < LOCK_TRIES => {}
                result => return result,
            }
        }
    }

    /// Unlocks the running daemon's collection, as a login does. Prompts that are open for it stay
    /// open.
    ///
    /// # Errors
    /// If it stays locked.
    pub fn unlock_keyring(&self) -> io::Result<()> {
        control::unlock(&self.home().join("run/keyring/control"), PASSWORD)?;
        self.expect_locked(false)
    }

    /// Stops the daemon (SIGSTOP): it keeps its name, receives calls and answers none.
    ///
    /// # Errors
    /// If none is running.
    pub fn hang_keyring(&self) -> io::Result<()> {
        self.signal_keyring(Signal::STOP)
    }

    /// Lets a stopped daemon continue. It then handles the calls that came meanwhile.
    ///
    /// # Errors
    /// If none is running.
    pub fn wake_keyring(&self) -> io::Result<()> {
        self.signal_keyring(Signal::CONT)
    }

    /// Ends the daemon as glib does on a fatal error (SIGTRAP), without this bus knowing: it counts
    /// as [ended by itself](Self::ended).
    ///
    /// # Errors
    /// If none is running.
    pub fn trap_keyring(&self) -> io::Result<()> {
        self.signal_keyring(Signal::TRAP)
    }

    /// Whether the daemon answers and is unlocked. Waits for at most five seconds. A daemon that is
    /// about to end, such as one that writes a core dump, has ended when this returns.
    #[must_use]
    pub fn keyring_answers(&self) -> bool {
        self.expect_locked(false).is_ok()
    }

    /// Takes the name of the program that shows password prompts, and shows none: calls that need a
    /// password wait for ever.
    ///
    /// # Errors
    /// If the bus does not give the name.
    pub fn ignore_prompts(&self) -> io::Result<SilentService> {
        self.mute(PROMPTER)
    }

    /// Takes this name and never answers.
    ///
    /// # Errors
    /// If the bus does not give the name.
    pub fn mute(&self, name: &str) -> io::Result<SilentService> {
        let mute = SilentService::connect(&self.socket(), name)?;
        self.until_owned(name, true)?;
        Ok(mute)
    }

    fn signal_keyring(&self, signal: Signal) -> io::Result<()> {
        let mut daemons = self.daemons();
        let mut pid = None;
        // The process id of an ended daemon may belong to another process by now.
        if let Some(daemon) = &mut daemons.keyring
            && daemon.try_wait()?.is_none()
        {
            pid = Pid::from_raw(i32::try_from(daemon.id()).unwrap_or_default());
        }
        let pid = pid.ok_or_else(|| io::Error::other("no keyring is running"))?;
        Ok(kill_process(pid, signal)?)
    }

    fn expect_locked(&self, wanted: bool) -> io::Result<()> {
        let answer = self.send(
            SECRETS,
            COLLECTION,
            "org.freedesktop.DBus.Properties.Get",
            &["string:org.freedesktop.Secret.Collection", "string:Locked"],
        )?;
        if answer.contains(&format!("boolean {wanted}")) {
            return Ok(());
        }
        let state = if wanted { "unlocked" } else { "locked" };
        Err(io::Error::other(format!("the keyring stays {state}")))
    }
}
