//! A private D-Bus session for tests, which decide whether there is a bus, whether there is a
//! keyring on it, and in which state that keyring is. The developer's own keyring is never touched.
//!
//! ```no_run
//! # use std::process::Command;
//! # use vestibule_bus::{Bus, Keyring};
//! # fn main() -> std::io::Result<()> {
//! let mut bus = Bus::start()?;
//! bus.start_keyring(Keyring::Unlocked)?;
//! let mut app = Command::new("app");
//! bus.apply_environment(&mut app).spawn()?;
//! bus.kill_keyring()?;
//! # Ok(())
//! # }
//! ```
//!
//! The daemons are the real ones: `dbus-daemon` and `gnome-keyring-daemon`. The bus does not start
//! services by itself. It ends when the process that started it does, for any reason, and the
//! keyring ends with it. The error about a missing program names its Debian package.

#![cfg(unix)]

mod control;
mod keyring;
mod repair;
mod silent_service;

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use keyring::Keyring;
pub use repair::Ended;
pub use silent_service::SilentService;
use tempfile::TempDir;

/// The bus name of the keyring: the Secret Service.
pub const SECRETS: &str = "org.freedesktop.secrets";
/// The bus name that the keyring calls when it needs a password.
pub const PROMPTER: &str = "org.gnome.keyring.SystemPrompter";

/// The variable that tells a process on a bus its folder; see [`Bus::here`].
const HOME: &str = "VESTIBULE_BUS";
/// The folders whose paths programs read from the environment.
const FOLDERS: [(&str, &str); 5] = [
    ("XDG_DATA_HOME", "data"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_STATE_HOME", "state"),
    ("XDG_RUNTIME_DIR", "run"),
];
/// Variables of the real desktop, which programs on this bus must not get.
const NOT_OURS: [&str; 6] = [
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "GNOME_KEYRING_CONTROL",
    "DBUS_STARTER_ADDRESS",
    "DBUS_STARTER_BUS_TYPE",
];

/// The bus's configuration. Without `<servicedir>`, so that only a test starts a keyring.
const CONFIG: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// A bus, its folders, and the keyring on it. Dropping it ends and deletes all of them.
///
/// A test that starts and ends the daemons itself holds the bus exclusively (`&mut`). A test that
/// shares it can replace a daemon that ended by itself; see [`Bus::repair`].
pub struct Bus {
    daemons: Mutex<Daemons>,
    home: PathBuf,
    /// `None` if the bus belongs to another process; see [`Bus::here`].
    _folder: Option<TempDir>,
}

/// The processes on the bus, in the order in which they are ended.
#[derive(Default)]
struct Daemons {
    keyring: Option<Child>,
    bus: Option<Child>,
    /// How many daemons that ended by themselves were replaced.
    repairs: u64,
}

impl Bus {
    /// A running bus without a keyring.
    ///
    /// # Errors
    /// If a program is missing; the error names its Debian package.
    pub fn start() -> io::Result<Self> {
        let mut bus = Self::without_bus()?;
        bus.start_bus()?;
        Ok(bus)
    }

    /// The folders and the address, without a bus that listens there.
    ///
    /// # Errors
    /// If the folders cannot be made.
    pub fn without_bus() -> io::Result<Self> {
        // A short path, because a socket's path has at most 107 bytes.
        let folder = tempfile::Builder::new().prefix("vb-").tempdir()?;
        for (_, name) in FOLDERS {
            let mut private = std::fs::DirBuilder::new();
            private.mode(0o700).create(folder.path().join(name))?;
        }
        Ok(Self {
            daemons: Mutex::default(),
            home: folder.path().to_owned(),
            _folder: Some(folder),
        })
    }

    /// The bus of this process, if the process that started it used [`Bus::apply_environment`].
    /// This does not end the bus, but ends a keyring that is started through it.
    #[must_use]
    pub fn here() -> Option<Self> {
        Some(Self {
            daemons: Mutex::default(),
            home: std::env::var_os(HOME)?.into(),
            _folder: None,
        })
    }

    /// Starts the bus if it does not run.
    ///
    /// # Errors
    /// If `dbus-daemon` or `dbus-run-session` is missing or does not start.
    pub fn start_bus(&mut self) -> io::Result<()> {
        self.bring_up_bus(&mut self.daemons())
    }

    fn bring_up_bus(&self, daemons: &mut Daemons) -> io::Result<()> {
        if daemons.bus.is_some() {
            return Ok(());
        }
        let (config, socket) = (self.home.join("bus.conf"), self.socket());
        if socket.exists() {
            std::fs::remove_file(&socket)?;
        }
        let address = socket.display().to_string();
        std::fs::write(&config, CONFIG.replace("SOCKET", &address))?;
        // The bus lives as long as the program in it, which ends when this process closes the other
        // end of its input, or dies.
        let mut command = Command::new("dbus-run-session");
        command.arg("--config-file").arg(&config);
        command.args(["--", "sh", "-c", "echo ready; exec cat >/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::null());
        let mut bus = self.spawn(&mut command, "dbus-daemon")?;
        let mut line = String::new();
        if let Some(stdout) = bus.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line.trim() != "ready" {
            let status = bus.wait()?;
            return Err(io::Error::other(format!(
                "dbus-run-session ended at once ({status}); the Debian package dbus-daemon has it"
            )));
        }
        daemons.bus = Some(bus);
        Ok(())
    }

    /// Ends the bus and the keyring on it, as a logout does. It can be started again at the same
    /// address.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub fn end_bus(&mut self) -> io::Result<()> {
        self.daemons().end()
    }

    /// The environment variables for a process on this bus.
    #[must_use]
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut address = OsString::from("unix:path=");
        address.push(self.socket());
        let folder = |name: &str| self.home.join(name).into_os_string();
        let folders = FOLDERS.map(|(variable, name)| (variable.into(), folder(name)));
        let mut environment = Vec::from(folders);
        environment.push(("DBUS_SESSION_BUS_ADDRESS".into(), address));
        environment.push(("HOME".into(), self.home.clone().into()));
        environment.push((HOME.into(), self.home.clone().into()));
        environment
    }

    /// Makes a command run on this bus, without the variables of the real desktop.
    pub fn apply_environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for variable in NOT_OURS {
            command.env_remove(variable);
        }
        command.envs(self.environment())
    }

    /// The folder with all other folders.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Whether a program on the bus has this name.
    ///
    /// # Errors
    /// If `dbus-send` is missing.
    pub fn is_owned(&self, name: &str) -> io::Result<bool> {
        let answer = self.send(
            "org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.NameHasOwner",
            &[&format!("string:{name}")],
        )?;
        Ok(answer.contains("boolean true"))
    }

    /// Makes a method call; returns the answer as text.
    fn send(&self, to: &str, path: &str, method: &str, arguments: &[&str]) -> io::Result<String> {
        let mut command = Command::new("dbus-send");
        command
            .args(["--session", "--print-reply=literal", "--reply-timeout=5000"])
            .arg(format!("--dest={to}"))
            .args([path, method])
            .args(arguments);
        let answer = self.apply_environment(&mut command).output();
        let answer = answer.map_err(|error| missing("dbus-send", "dbus-bin", &error))?;
        Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
    }

    /// Starts a daemon in a process group of its own, so that Ctrl+C does not end it before this
    /// process does.
    fn spawn(&self, command: &mut Command, package: &str) -> io::Result<Child> {
        use std::os::unix::process::CommandExt as _;
        let program = command.get_program().to_string_lossy().into_owned();
        let command = self.apply_environment(command).process_group(0);
        let child = command.spawn();
        child.map_err(|error| missing(&program, package, &error))
    }

    fn daemons(&self) -> MutexGuard<'_, Daemons> {
        self.daemons.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until_owned(&self, name: &str, wanted: bool) -> io::Result<()> {
        let verb = if wanted { "get" } else { "lose" };
        until(&format!("the bus to {verb} the name {name}"), || {
            Ok(self.is_owned(name)? == wanted)
        })
    }

    fn socket(&self) -> PathBuf {
        // Where programs without an address look for the bus.
        self.home.join("run/bus")
    }
}

impl Daemons {
    fn end(&mut self) -> io::Result<()> {
        end(&mut self.keyring)?;
        if let Some(mut bus) = self.bus.take() {
            drop(bus.stdin.take());
            bus.wait()?;
        }
        Ok(())
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.end_bus();
    }
}

/// Kills a daemon, if there is one, and waits until it has ended.
fn end(daemon: &mut Option<Child>) -> io::Result<()> {
    if let Some(mut daemon) = daemon.take() {
        daemon.kill()?;
        daemon.wait()?;
    }
    Ok(())
}

/// Repeats a check for up to 20 seconds, until it holds.
fn until(what: &str, mut holds: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let limit = Instant::now() + Duration::from_secs(20);
    while !holds()? {
        if Instant::now() > limit {
            return Err(io::Error::other(format!("waited for {what}")));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn missing(program: &str, package: &str, error: &io::Error) -> io::Error {
    let said = format!("{program} cannot be run ({error}): the Debian package {package} has it");
    io::Error::new(error.kind(), said)
}
