//! A private desktop: its own D-Bus session with an unlocked keyring, a virtual screen and
//! an empty home. Nothing of the developer's own desktop is read or changed.
//!
//! Everything that runs on it carries the desktop's mark in its environment. A watch, a
//! small shell in a group of its own, waits at a pipe that this process holds: when the
//! pipe closes, because the desktop was dropped or because the test process itself was
//! killed, it kills whatever carries the mark and removes the home.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::group::Group;
use crate::wait::until_now;

const MARK: &str = "VESTIBULE_DESKTOP";

/// The bus knows no services: nothing is started behind the tests' back.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// The screen is larger than any window that the tests ask for.
const SCREEN: &str = "1600x1000x24";

/// A private desktop. Dropping it ends everything on it.
pub struct Desktop {
    home: PathBuf,
    mark: String,
    address: String,
    display: String,
    // In the order in which they end.
    _screen: Option<Group>,
    _keyring: Option<Group>,
    _bus: Option<Group>,
    _watch: Watch,
}

impl Desktop {
    /// Opens one.
    ///
    /// # Panics
    /// If one of its programs is missing or does not start.
    #[must_use]
    pub fn open() -> Self {
        // Short, because a socket's path has room for 107 bytes only.
        let home = tempfile::Builder::new()
            .prefix("vst-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let mark = home.display().to_string();
        let mut desktop = Self {
            _watch: Watch::start(&mark, &home),
            address: format!("unix:path={}", home.join("bus").display()),
            display: String::new(),
            home,
            mark,
            _screen: None,
            _keyring: None,
            _bus: None,
        };
        for folder in ["data", "config", "cache", "state", "run"] {
            private_folder(&desktop.home.join(folder));
        }
        desktop._bus = Some(desktop.bus());
        desktop._keyring = Some(desktop.keyring());
        let (screen, display) = desktop.screen();
        desktop._screen = Some(screen);
        desktop.display = display;
        desktop
    }

    /// A command whose desktop is this one.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for variable in ["WAYLAND_DISPLAY", "XAUTHORITY", "GNOME_KEYRING_CONTROL"] {
            command.env_remove(variable);
        }
        command
            .env(MARK, &self.mark)
            .env("HOME", &self.home)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("DISPLAY", &self.display)
            .env("XDG_DATA_HOME", self.home.join("data"))
            .env("XDG_CONFIG_HOME", self.home.join("config"))
            .env("XDG_CACHE_HOME", self.home.join("cache"))
            .env("XDG_STATE_HOME", self.home.join("state"))
            .env("XDG_RUNTIME_DIR", self.home.join("run"))
            .env("NO_AT_BRIDGE", "1")
            .env("GSETTINGS_BACKEND", "memory")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        command
    }

    /// The home folder; data, config, cache and state lie below it.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The name of its display.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The processes on this desktop that run `program`.
    #[must_use]
    pub fn processes(&self, program: &Path) -> Vec<u32> {
        let wanted = format!("{MARK}={}", self.mark);
        let marked = |process: &Path| {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == wanted.as_bytes())
        };
        let Ok(all) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        all.flatten()
            .map(|entry| entry.path())
            .filter(|process| {
                fs::read_link(process.join("exe")).is_ok_and(|exe| exe == program)
                    && marked(process)
            })
            .filter_map(|process| process.file_name()?.to_str()?.parse().ok())
            .collect()
    }

    fn bus(&self) -> Group {
        let config = self.home.join("bus.conf");
        let socket = self.home.join("bus").display().to_string();
        fs::write(&config, BUS.replace("SOCKET", &socket)).expect("the bus's configuration");
        let mut bus = self.command("dbus-daemon");
        bus.arg("--nofork")
            .arg("--print-address")
            .arg(format!("--config-file={}", config.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut bus = Group::start(&mut bus);
        first_line("dbus-daemon", &mut bus);
        bus
    }

    fn keyring(&self) -> Group {
        let mut keyring = self.command("gnome-keyring-daemon");
        keyring
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut keyring = Group::start(&mut keyring);
        if let Some(mut stdin) = keyring.child().stdin.take() {
            stdin.write_all(b"test").expect("the keyring's password");
        }
        until_now("the keyring to appear on the session bus", || {
            let mut ask = self.command("dbus-send");
            let answer = ask
                .args([
                    "--session",
                    "--print-reply=literal",
                    "--dest=org.freedesktop.DBus",
                    "/org/freedesktop/DBus",
                    "org.freedesktop.DBus.NameHasOwner",
                    "string:org.freedesktop.secrets",
                ])
                .output()
                .map_err(|error| error.to_string())?;
            let text = String::from_utf8_lossy(&answer.stdout).into_owned();
            if text.contains("boolean true") {
                return Ok(());
            }
            match keyring.ended() {
                Some(status) => panic!("gnome-keyring-daemon ended at once: {status}"),
                None => Err(text),
            }
        });
        keyring
    }

    fn screen(&self) -> (Group, String) {
        let mut screen = self.command("Xvfb");
        screen
            // Without `-noreset` the server starts over, and refuses connections meanwhile,
            // whenever its last client leaves: each time an app is killed.
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", SCREEN])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut screen = Group::start(&mut screen);
        let number = first_line("Xvfb", &mut screen);
        (screen, format!(":{number}"))
    }
}

/// A server says on its first line that it is ready.
fn first_line(name: &str, server: &mut Group) -> String {
    let mut line = String::new();
    if let Some(stdout) = server.child().stdout.take() {
        let _ = BufReader::new(stdout).read_line(&mut line);
    }
    let line = line.trim();
    assert!(!line.is_empty(), "{name} ended without a word");
    line.to_owned()
}

fn private_folder(path: &Path) {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .mode(0o700)
        .create(path)
        .expect("a folder of the desktop");
}

/// Ends what is left of a desktop once the pipe closes.
struct Watch {
    pipe: Option<ChildStdin>,
    shell: Child,
}

const SWEEP: &str = r#"trap '' INT HUP TERM
cat >/dev/null
for round in 1 2; do
  for file in $(grep -lzxF -- "$1" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${file#/proc/}; kill -9 "${pid%/environ}" 2>/dev/null
  done
done
rm -rf -- "$2""#;

impl Watch {
    fn start(mark: &str, home: &Path) -> Self {
        use std::os::unix::process::CommandExt as _;
        let mut shell = Command::new("sh")
            .args(["-c", SWEEP, "sh", &format!("{MARK}={mark}")])
            .arg(home)
            .env_remove(MARK)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell");
        Self {
            pipe: shell.stdin.take(),
            shell,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.shell.wait();
    }
}
