//! A virtual screen, and the windows on it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use vestibule_bus::Bus;
use vestibule_harness::Lost;

/// The title of the app's windows.
const TITLE: &str = "^Vestibule$";

/// The screen. Closed when dropped.
pub struct Screen {
    server: Child,
    name: String,
    /// A second window, which takes the focus from the app's.
    elsewhere: String,
}

impl Screen {
    /// Opens a screen on a free display.
    pub fn open(bus: &Bus) -> Result<Self, Lost> {
        let mut server = Command::new("Xvfb");
        // Without `-noreset` the server resets whenever its last client disconnects.
        server
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", "1600x1000x24"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let server = bus.apply_environment(&mut server).spawn();
        let server = server.map_err(|error| missing("Xvfb", "xvfb", &error))?;
        let mut screen = Self {
            server,
            name: String::new(),
            elsewhere: String::new(),
        };
        let mut number = String::new();
        if let Some(stdout) = screen.server.stdout.take() {
            let read = BufReader::new(stdout).read_line(&mut number);
            read.map_err(|error| error.to_string())?;
        }
        if number.trim().is_empty() {
            return Err("Xvfb ended without naming its display".into());
        }
        screen.name = format!(":{}", number.trim());
        screen.elsewhere = screen.ask(&["search", "--maxdepth", "0", ".*"])?;
        Ok(screen)
    }

    /// The value for `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The app's visible windows.
    pub fn windows(&self) -> Result<Vec<String>, Lost> {
        let found = self.ask(&["search", "--onlyvisible", "--name", TITLE])?;
        Ok(found.lines().map(str::to_owned).collect())
    }

    /// The window that has the keyboard focus.
    pub fn focused(&self) -> Result<String, Lost> {
        self.ask(&["getwindowfocus", "-f"])
    }

    /// Gives the keyboard focus to the second window.
    pub fn look_away(&self) -> Result<(), Lost> {
        self.ask(&["windowfocus", "--sync", &self.elsewhere])
            .map(drop)
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, Lost> {
        let mut xdotool = Command::new("xdotool");
        let answer = xdotool.args(arguments).env("DISPLAY", &self.name).output();
        let answer = answer.map_err(|error| missing("xdotool", "xdotool", &error))?;
        // `xdotool` fails when a search finds nothing; here that is a valid answer.
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn missing(program: &str, package: &str, error: &std::io::Error) -> Lost {
    format!("{program} cannot be run ({error}): the Debian package {package} has it")
}
