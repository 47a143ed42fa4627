//! The system's browser, as the app finds it: a program that writes down what it was asked to open, and a
//! real Chromium that a test then sends there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{ChildStdout, Stdio};

use serde_json::json;
use tempfile::TempDir;
use thirtyfour::{By, Capabilities, WebDriver};
use url::Url;

use crate::desktop::Desktop;
use crate::process_group::ProcessGroup;
use crate::wait::until;

/// What the app calls to open an address, one after the other until one succeeds (the crate `open`,
/// `unix.rs`).
const OPENERS: [&str; 6] = [
    "xdg-open",
    "gio",
    "gnome-open",
    "kde-open6",
    "kde-open5",
    "kde-open",
];
/// The first of them, played by a script.
const OPENER: &str = "#!/bin/sh\nprintf '%s\\n' \"$1\" >> \"${0%/*}/opened\"\n";

/// Takes down what the app opens.
pub struct SystemBrowser {
    folder: TempDir,
}

impl Default for SystemBrowser {
    fn default() -> Self {
        Self::new()
    }
}

impl SystemBrowser {
    /// A folder with the script in it.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn new() -> Self {
        Self::played_by(&OPENERS[..1], OPENER)
    }

    /// A computer on which no program opens addresses.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn none() -> Self {
        Self::played_by(&OPENERS, "#!/bin/sh\nexit 3\n")
    }

    fn played_by(programs: &[&str], text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for program in programs {
            let script = folder.path().join(program);
            fs::write(&script, text).expect("the script");
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
        }
        Self { folder }
    }

    /// The variable that puts it before the system's own programs.
    pub fn path(&self) -> (&'static str, String) {
        let before = std::env::var("PATH").unwrap_or_default();
        ("PATH", format!("{}:{before}", self.folder.path().display()))
    }

    /// The addresses that the app has opened, in order.
    #[must_use]
    pub fn opened(&self) -> Vec<String> {
        let all = fs::read_to_string(self.folder.path().join("opened"));
        all.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Waits for the address with this number, from one, that the app opens.
    ///
    /// # Panics
    /// If none comes, or it is none.
    pub async fn opening(&self, number: usize) -> Url {
        let address = until("the app to open an address", async || {
            let all = self.opened();
            let address = all.get(number - 1).cloned();
            address.ok_or_else(|| format!("{} were opened", all.len()))
        })
        .await;
        Url::parse(&address).expect("an address")
    }
}

/// A Chromium with a profile of its own, driven by its driver. Ends when dropped.
pub struct Chromium {
    /// Its window.
    pub window: WebDriver,
    /// Open as long as the driver may write to it.
    _output: BufReader<ChildStdout>,
    _group: ProcessGroup,
    _profile: TempDir,
}

impl Chromium {
    /// Starts it.
    ///
    /// # Panics
    /// If Debian's `chromium` and `chromium-driver` are not there or do not start.
    pub async fn start(desktop: &Desktop) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let mut command = desktop.command(PathBuf::from("chromedriver"));
        command
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut group = ProcessGroup::start(&mut command);
        let mut output = BufReader::new(group.child().stdout.take().expect("its output"));
        let port = announced_port(&mut output);
        let data = format!("--user-data-dir={}", profile.path().display());
        let mut wanted = Capabilities::new();
        let options = json!({
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", data,
            ],
        });
        wanted
            .set("browserName", json!("chrome"))
            .expect("a capability");
        wanted
            .set("goog:chromeOptions", options)
            .expect("a capability");
        let window = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await;
        Self {
            window: window.expect("a session with Chromium"),
            _output: output,
            _group: group,
            _profile: profile,
        }
    }

    /// Types into the field with this label.
    ///
    /// # Panics
    /// If there is none.
    pub async fn fill(&self, label: &str, text: &str) {
        let path = format!(
            "//label[contains(normalize-space(), '{label}')]//input | //input[@id=//label[contains(normalize-space(), '{label}')]/@for]"
        );
        let field = self.window.find(By::XPath(path)).await;
        field.expect(label).send_keys(text).await.expect("typed");
    }

    /// Clicks on the button with this name.
    ///
    /// # Panics
    /// If there is none.
    pub async fn click(&self, name: &str) {
        let path = format!("//button[normalize-space()='{name}']");
        let button = self.window.find(By::XPath(path)).await;
        button.expect(name).click().await.expect("clicked");
    }
}

/// The port that chromedriver has chosen, which it says once it listens.
fn announced_port(output: &mut impl BufRead) -> u16 {
    const BEFORE: &str = "started successfully on port ";
    let lines = output.lines().map_while(Result::ok);
    let mut said = lines.filter_map(|line| {
        let (_, port) = line.split_once(BEFORE)?;
        port.trim_end_matches('.').parse().ok()
    });
    said.next().expect("chromedriver names its port")
}
