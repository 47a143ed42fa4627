//! A private desktop: its own D-Bus session with an unlocked keyring, a virtual screen and
//! an empty home. Nothing of the developer's own desktop is read or changed. What befalls
//! the keyring is the test's to say: see [`Desktop::bus`].
//!
//! Everything that runs on it carries the desktop's mark in its environment. A watch, a
//! small shell in a group of its own, waits at a pipe that this process holds: when the
//! pipe closes, because the desktop was dropped or because the test process itself was
//! killed, it kills whatever carries the mark and removes the home.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use vestibule_bus::{Bus, Keyring};

use crate::administrator::Administrator;
use crate::group::Group;
use crate::places;

const MARK: &str = "VESTIBULE_DESKTOP";

/// What the app's items in the keyring are filed under.
const SERVICE: &str = "dev.vestibule.desktop";

/// The screen is larger than any window that the tests ask for.
const SCREEN: &str = "1600x1000x24";

/// A private desktop. Dropping it ends everything on it.
pub struct Desktop {
    home: PathBuf,
    mark: String,
    display: String,
    // In the order in which they end.
    _screen: Option<Group>,
    bus: Mutex<Bus>,
    administrator: Mutex<Option<Administrator>>,
    _watch: Watch,
}

impl Desktop {
    /// Opens one.
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

    /// From now on an app on it finds the policy of this administrator.
    pub fn is_administered_by(&self, administrator: Administrator) {
        *self.administrator() = Some(administrator);
    }

    /// The same command, where this desktop's administrator has a policy.
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

    /// A command whose desktop is this one.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        self.bus().dress(&mut command);
        command
            .env(MARK, &self.mark)
            .env("DISPLAY", &self.display)
            .env("MESA_SHADER_CACHE_DIR", places::shaders())
            // There is no graphics card here: pages are painted by the processor without one in
            // between that Mesa would have to imitate.
            .env("WEBKIT_SKIA_ENABLE_CPU_RENDERING", "1")
            .env("NO_AT_BRIDGE", "1")
            .env("GSETTINGS_BACKEND", "memory")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        command
    }

    /// Takes the session out of the open keyring, as its owner may with any tool.
    ///
    /// # Panics
    /// If it holds none.
    pub fn clear_keyring(&self) {
        let mut tool = self.command("secret-tool");
        let cleared = tool.args(["clear", "service", SERVICE]).status();
        assert!(cleared.expect("secret-tool").success(), "it held a session");
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
