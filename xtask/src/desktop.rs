//! A private desktop for one command: its own D-Bus session, an unlocked keyring, a virtual screen
//! and empty XDG folders. Tests on it can neither read nor change the developer's own keyring and
//! settings.
//!
//! Linux only; on other systems the command runs without one.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Outcome, io, said};
use crate::process_group::ProcessGroup;
use crate::{parent, process, process_tree, signals};

/// The folders whose paths programs read from the environment.
const FOLDERS: [(&str, &str); 5] = [
    ("XDG_DATA_HOME", "data"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_STATE_HOME", "state"),
    ("XDG_RUNTIME_DIR", "run"),
];

/// The command that runs `command` on a private desktop.
pub fn around(command: &Command) -> Outcome<Command> {
    if !cfg!(target_os = "linux") {
        return Err(said("a private desktop exists on Linux only"));
    }
    let own = std::env::current_exe().map_err(io("finding our own binary"))?;
    let mut outer = Command::new(own);
    outer
        .args(["desktop", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    parent::carry_over(command, &mut outer);
    Ok(outer)
}

/// Runs a program on a private desktop: starts the private D-Bus session.
pub fn run(program: &[OsString]) -> Outcome {
    let own = std::env::current_exe().map_err(io("finding our own binary"))?;
    let home = Home::new()?;
    let mut session = Command::new("dbus-run-session");
    session
        .arg("--")
        .arg(own)
        .args(["inside-desktop", "--"])
        .args(program);
    home.apply(&mut session);
    let outcome = process::run(&mut session);
    // Services that the bus started may still write into the folders.
    process_tree::end_all();
    drop(home);
    outcome
}

/// Runs inside the private D-Bus session: starts the keyring and the screen.
pub fn run_inside(program: &[OsString]) -> Outcome {
    let (name, arguments) = program
        .split_first()
        .ok_or_else(|| said("which program?"))?;
    let _keyring = unlocked_keyring()?;
    let (_screen, display) = screen()?;
    process::run(Command::new(name).args(arguments).env("DISPLAY", display))
}

/// Empty folders instead of the developer's own.
struct Home(PathBuf);

impl Home {
    fn new() -> Outcome<Self> {
        // A short path, because a socket's path has at most 107 bytes.
        let folder = std::env::temp_dir().join(format!("vestibule-{}", std::process::id()));
        let home = Self(folder);
        for (_, name) in FOLDERS {
            private_folder(&home.0.join(name))?;
        }
        Ok(home)
    }

    fn apply(&self, command: &mut Command) {
        for (variable, name) in FOLDERS {
            command.env(variable, self.0.join(name));
        }
        // Programs must not find the real desktop.
        for variable in [
            "DBUS_SESSION_BUS_ADDRESS",
            "GNOME_KEYRING_CONTROL",
            "WAYLAND_DISPLAY",
            "DISPLAY",
        ] {
            command.env_remove(variable);
        }
        command.env("NO_AT_BRIDGE", "1");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn private_folder(path: &Path) -> Outcome {
    fs::create_dir_all(path).map_err(io(format_args!("creating {}", path.display())))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .map_err(io(format_args!("closing {} to others", path.display())))?;
    }
    Ok(())
}

/// Starts the keyring and waits until the bus knows it.
fn unlocked_keyring() -> Outcome<ProcessGroup> {
    let mut daemon = Command::new("gnome-keyring-daemon");
    daemon
        .args(["--foreground", "--unlock", "--components=secrets"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut daemon = ProcessGroup::start_plain("keyring", &mut daemon)?;
    if let Some(mut stdin) = daemon.child().stdin.take() {
        stdin
            .write_all(b"test")
            .map_err(io("unlocking the keyring"))?;
    }
    until("the keyring did not appear on the session bus", || {
        if let Some(status) = daemon.ended() {
            return Err(said(format!(
                "gnome-keyring-daemon ended at once ({status})"
            )));
        }
        let mut ask = Command::new("dbus-send");
        ask.args([
            "--session",
            "--print-reply=literal",
            "--dest=org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.NameHasOwner",
            "string:org.freedesktop.secrets",
        ]);
        Ok(process::capture(&mut ask)?
            .text
            .contains("boolean true")
            .then_some(()))
    })?;
    Ok(daemon)
}

/// Starts a virtual screen on a free display and returns its name.
fn screen() -> Outcome<(ProcessGroup, String)> {
    let mut server = Command::new("Xvfb");
    server
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1600x1000x24",
            "-nolisten",
            "tcp",
            // Otherwise the server resets and refuses connections for a moment whenever its last
            // client disconnects.
            "-noreset",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut server = ProcessGroup::start_plain("Xvfb", &mut server)?;
    // The server writes the number of its display when it is ready.
    let stdout = server.child().stdout.take();
    let number = stdout.into_iter().flat_map(process::lossy_lines).next();
    let number = number.ok_or_else(|| said("Xvfb did not start: no display could be opened"))?;
    Ok((server, format!(":{}", number.trim())))
}

/// Repeats a question for up to 20 seconds, until there is an answer.
fn until<T>(otherwise: &str, mut ask: impl FnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        signals::check()?;
        if Instant::now() > limit {
            return Err(said(otherwise));
        }
        thread::sleep(Duration::from_millis(50));
    }
}
