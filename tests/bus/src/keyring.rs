//! The keyring daemon on a bus, and what may befall it.

use std::fs::File;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Bus, Daemons, Mute, PROMPTER, SECRETS, control, end};

/// Its password; it guards nothing.
const PASSWORD: &str = "test";
/// How often it is told to lock itself before it is said to stay open.
const LOCK_TRIES: u32 = 20;
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// How a keyring starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// Open, as after a login with a password.
    Unlocked,
    /// Closed, as after a login without one. What was written before is behind the lock.
    Locked,
    /// As before the first login: there is no collection, where no daemon was unlocked here.
    Empty,
}

impl Bus {
    /// Starts `gnome-keyring-daemon` and waits until the bus knows it. What earlier daemons
    /// on this bus wrote is in it.
    ///
    /// # Errors
    /// If it is missing, does not start, or one is running.
    pub fn start_keyring(&mut self, how: Keyring) -> io::Result<()> {
        self.bring_up_keyring(&mut self.daemons(), how)
    }

    pub(crate) fn bring_up_keyring(&self, daemons: &mut Daemons, how: Keyring) -> io::Result<()> {
        if daemons.keyring.is_some() {
            return Err(io::Error::other("a keyring is running"));
        }
        if how == Keyring::Locked && !self.home().join("data/keyrings/login.keyring").exists() {
            // One that has never been unlocked has no collection, which is another matter.
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

    /// Ends the daemon as a crash would, and waits until the bus has noticed.
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
                // With a client at it, gnome-keyring 42 now and then does as told to no effect.
                Err(_) if tries < LOCK_TRIES => {}
                result => return result,
            }
        }
    }

    /// Unlocks the running daemon's collection, as a login does: prompts that are open for it
    /// stay open.
    ///
    /// # Errors
    /// If it stays locked.
    pub fn unlock_keyring(&self) -> io::Result<()> {
        control::unlock(&self.home().join("run/keyring/control"), PASSWORD)?;
        self.expect_locked(false)
    }

    /// Stops the daemon where it is: it keeps its name, takes calls and answers none.
    ///
    /// # Errors
    /// If none is running.
    pub fn hang_keyring(&self) -> io::Result<()> {
        self.signal_keyring(Signal::STOP)
    }

    /// Lets a daemon that hangs go on: what it was asked meanwhile it does now.
    ///
    /// # Errors
    /// If none is running.
    pub fn wake_keyring(&self) -> io::Result<()> {
        self.signal_keyring(Signal::CONT)
    }

    /// Ends the daemon as glib does when it gives up (SIGTRAP), behind the back of this bus:
    /// it counts as [ended by itself](Self::ended).
    ///
    /// # Errors
    /// If none is running.
    pub fn trap_keyring(&self) -> io::Result<()> {
        self.signal_keyring(Signal::TRAP)
    }

    /// Whether the daemon answers and is open. Waits for at most five seconds: one that is
    /// about to end, such as one that writes a core dump, has ended when this returns.
    #[must_use]
    pub fn keyring_answers(&self) -> bool {
        self.expect_locked(false).is_ok()
    }

    /// Somebody takes the name of the one that shows password prompts, and shows none:
    /// whatever waits for a password waits for ever.
    ///
    /// # Errors
    /// If the bus does not give the name.
    pub fn ignore_prompts(&self) -> io::Result<Mute> {
        self.mute(PROMPTER)
    }

    /// Somebody takes this name and never answers.
    ///
    /// # Errors
    /// If the bus does not give the name.
    pub fn mute(&self, name: &str) -> io::Result<Mute> {
        let mute = Mute::connect(&self.socket(), name)?;
        self.until_owned(name, true)?;
        Ok(mute)
    }

    fn signal_keyring(&self, signal: Signal) -> io::Result<()> {
        let mut daemons = self.daemons();
        let mut pid = None;
        // The number of one that has ended may be another process's by now.
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
