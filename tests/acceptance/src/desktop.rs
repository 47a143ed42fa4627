//! A private desktop: its own D-Bus session with an unlocked keyring, a virtual screen and an empty
//! home. Nothing of the developer's own desktop is read or changed. [`Desktop::bus`] lets a test
//! lock, stop or replace the keyring.
//!
//! Every process on it has the desktop's mark in its environment. A small shell in a process group
//! of its own reads from a pipe that this process holds. When the pipe closes, because the desktop
//! was dropped or because the test process was killed, the shell kills every process with the mark
//! and removes the home.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use vestibule_bus::{Bus, Keyring};

use crate::administrator::Administrator;
use crate::paths;
use crate::process_group::ProcessGroup;

const MARK: &str = "VESTIBULE_DESKTOP";

/// The service name of the app's items in the keyring.
const SERVICE: &str = "dev.vestibule.desktop";

/// Larger than any window that the tests ask for.
const SCREEN: &str = "1600x1000x24";

/// A private desktop. Dropping it ends every process on it.
pub struct Desktop {
    home: PathBuf,
    mark: String,
    display: String,
    // Fields are dropped in this order.
    _screen: Option<ProcessGroup>,
    bus: Mutex<Bus>,
    administrator: Mutex<Option<Administrator>>,
    _watch: Watch,
}

impl Desktop {
    /// Starts one.
    ///
    /// # Panics
    /// If one of its programs is missing or does not start.
    #[must_use]
    pub fn open() -> Self {
        let mut bus = Bus::start().expect("a bus of its own");
        bus.start_keyring(Keyring::Unlocked).expect("a keyring");
        let home = bus.home().to_owned();
        let mark = home.display().to_string();
        let mut desktop = Self {
            _watch: Watch::start(&mark, &home),
            display: String::new(),
            home,
            mark,
            _screen: None,
            bus: Mutex::new(bus),
            administrator: Mutex::default(),
        };
        let (screen, display) = desktop.screen();
        desktop._screen = Some(screen);
        desktop.display = display;
        desktop
    }

    /// The bus and the keyring on it.
    pub fn bus(&self) -> MutexGuard<'_, Bus> {
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on apps on this desktop find the policy of this administrator.
    pub fn is_administered_by(&self, administrator: Administrator) {
        *self.administrator() = Some(administrator);
    }

    /// The command, wrapped so that it sees the administrator's policy if this desktop has one.
    #[must_use]
    pub(crate) fn administered(&self, command: Command) -> Command {
        match &*self.administrator() {
            Some(administrator) => administrator.over(&command),
            None => command,
        }
    }

    fn administrator(&self) -> MutexGuard<'_, Option<Administrator>> {
        self.administrator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A command that runs on this desktop.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        self.bus().apply_environment(&mut command);
        command
            .env(MARK, &self.mark)
            .env("DISPLAY", &self.display)
            .env("MESA_SHADER_CACHE_DIR", paths::shaders())
            // There is no graphics card, so WebKit paints on the CPU. Otherwise Mesa would emulate
            // a graphics card on the CPU.
            .env("WEBKIT_SKIA_ENABLE_CPU_RENDERING", "1")
            .env("NO_AT_BRIDGE", "1")
            .env("GSETTINGS_BACKEND", "memory")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        command
    }

    /// Deletes the session from the open keyring, as its owner can with any tool.
    ///
    /// # Panics
    /// If the keyring holds none.
    pub fn clear_keyring(&self) {
        let mut tool = self.command("secret-tool");
        let cleared = tool.args(["clear", "service", SERVICE]).status();
        assert!(cleared.expect("secret-tool").success(), "it held a session");
    }

    /// The home folder, with the folders for data, config, cache and state below it.
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
        let running = self.running().into_iter();
        let these = running.filter(|(_, runs)| runs == program);
        these.map(|(id, _)| id).collect()
    }

    /// Every process on this desktop, with the program that it runs.
    #[must_use]
    pub fn running(&self) -> Vec<(u32, PathBuf)> {
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
            .filter_map(|process| {
                let id = process.file_name()?.to_str()?.parse().ok()?;
                let program = fs::read_link(process.join("exe")).ok()?;
                marked(&process).then_some((id, program))
            })
            .collect()
    }

    fn screen(&self) -> (ProcessGroup, String) {
        let mut screen = self.command("Xvfb");
        screen
            // Without `-noreset` the server resets and refuses connections for a moment whenever
            // its last client disconnects: each time an app is killed.
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", SCREEN])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut screen = ProcessGroup::start(&mut screen);
        let number = first_line("Xvfb", &mut screen);
        (screen, format!(":{number}"))
    }
}

/// The first line that a server prints, which means that it is ready.
fn first_line(name: &str, server: &mut ProcessGroup) -> String {
    let mut line = String::new();
    if let Some(stdout) = server.child().stdout.take() {
        let _ = BufReader::new(stdout).read_line(&mut line);
    }
    let line = line.trim();
    assert!(!line.is_empty(), "{name} ended without printing a line");
    line.to_owned()
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
