//! Launches the app itself on a desktop of its own.

use std::cell::RefCell;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;

use rustix::process::{Pid, Signal, kill_process_group};
use vestibule_bus::{Bus, Keyring};
use vestibule_harness::Lost;

use super::screen::Screen;

/// The app in its build for WebDriver: at `VESTIBULE_APP`, or where `cargo xtask build` puts it.
pub fn program() -> Result<PathBuf, Lost> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let repository = here.ancestors().nth(2).unwrap_or(here);
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let otherwise = Path::new(&target).join("e2e/vestibule");
    let named = std::env::var_os("VESTIBULE_APP").map_or(otherwise, PathBuf::from);
    let program = repository.join(named);
    if program.is_file() {
        return Ok(program);
    }
    Err(format!(
        "there is no app at {}: build it with `cargo xtask build --e2e`",
        program.display()
    ))
}

/// A home folder, a screen, and a bus with or without D-Bus session.
pub struct Desk {
    program: PathBuf,
    address: String,
    pub screen: Screen,
    bus: Bus,
}

impl Desk {
    pub fn new(program: &Path, address: &str, with_bus: bool) -> Result<Self, Lost> {
        let told = |error: std::io::Error| error.to_string();
        let mut bus = Bus::without_bus().map_err(told)?;
        if with_bus {
            bus.start_bus().map_err(told)?;
            bus.start_keyring(Keyring::Unlocked).map_err(told)?;
        }
        Ok(Self {
            screen: Screen::open(&bus)?,
            program: program.to_owned(),
            address: address.to_owned(),
            bus,
        })
    }

    /// Launches the app once.
    pub fn launch(&self) -> Result<Launch, Lost> {
        let mut command = Command::new(&self.program);
        self.bus.apply_environment(&mut command);
        let child = command
            .env("DISPLAY", self.screen.name())
            .env("VESTIBULE_BACKEND", &self.address)
            .env("NO_AT_BRIDGE", "1")
            .env("GSETTINGS_BACKEND", "memory")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let child = child.map_err(|error| format!("the app does not start: {error}"))?;
        Ok(Launch(RefCell::new(child)))
    }

    /// Launches the app this many times at one moment, at which `dying` is killed too.
    pub fn launch_at_once(&self, many: usize, dying: Option<Launch>) -> Result<Vec<Launch>, Lost> {
        let gate = Barrier::new(many + usize::from(dying.is_some()));
        std::thread::scope(|scope| {
            let launch = || {
                gate.wait();
                self.launch()
            };
            let launching: Vec<_> = (0..many).map(|_| scope.spawn(launch)).collect();
            let ended = dying.map_or(Ok(()), |dying| {
                gate.wait();
                dying.end()
            });
            let launched = launching.into_iter().map(|launch| {
                let launched = launch.join();
                launched.unwrap_or_else(|_| Err("a launch panicked".into()))
            });
            let launched: Result<Vec<_>, Lost> = launched.collect();
            ended.and(launched)
        })
    }

    /// The processes that hold the lock, as the kernel lists them.
    pub fn holders(&self) -> Result<Vec<u32>, Lost> {
        let lock = self.lock()?;
        let inode = std::fs::metadata(&lock)
            .map_err(|error| error.to_string())?
            .ino();
        let locks = std::fs::read_to_string("/proc/locks").map_err(|error| error.to_string())?;
        let holds = |line: &str| {
            // `1: FLOCK ADVISORY WRITE 4711 fe:01:123456 0 EOF`; a waiting process has an arrow.
            let words: Vec<_> = line.split_whitespace().collect();
            let held = words.get(5)?.rsplit(':').next()?.parse() == Ok(inode);
            (held && words[1] == "FLOCK").then(|| words[4].parse().ok())?
        };
        Ok(locks.lines().filter_map(holds).collect())
    }

    /// The path of the app's lock file. The test searches for it, since the app's identifier, which
    /// names the folder, may change.
    fn lock(&self) -> Result<PathBuf, Lost> {
        let data = self.bus.home().join("data");
        let apps = std::fs::read_dir(data).map_err(|error| error.to_string())?;
        let locks = apps.flatten().map(|app| app.path().join("instance.lock"));
        let mut locks = locks.filter(|lock| lock.is_file());
        match (locks.next(), locks.next()) {
            (Some(lock), None) => Ok(lock),
            (None, _) => Err("there is no instance.lock".into()),
            (Some(_), Some(_)) => Err("there is more than one instance.lock".into()),
        }
    }
}

/// A process of the app. Dropping it kills it and all processes that it started.
pub struct Launch(RefCell<Child>);

impl Launch {
    pub fn id(&self) -> u32 {
        self.0.borrow().id()
    }

    /// Its exit code once it has ended; an inner `None` if a signal ended it.
    pub fn ended(&self) -> Result<Option<Option<i32>>, Lost> {
        let ended = self.0.borrow_mut().try_wait();
        let ended = ended.map_err(|error| error.to_string())?;
        Ok(ended.map(|status| status.code()))
    }

    /// Kills it with SIGKILL.
    pub fn end(self) -> Result<(), Lost> {
        let mut child = self.0.borrow_mut();
        let killed = child.kill().and_then(|()| child.wait());
        killed.map(drop).map_err(|error| error.to_string())
    }
}

impl Drop for Launch {
    fn drop(&mut self) {
        let child = self.0.get_mut();
        let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let Some(leader) = leader {
            let _ = kill_process_group(leader, Signal::KILL);
        }
        let _ = child.wait();
    }
}
