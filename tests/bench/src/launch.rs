//! Starts a window as a user starts it: without a driver, a script or anything else of a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vestibule_acceptance::{Desktop, ProcessGroup, Stage, until};
use vestibule_backend::Config;

use crate::built;
use crate::in_page::InPage;
use crate::instruments::paint::PaintWatch;
use crate::memory;
use crate::registry::Outcome;

/// A window's process and all processes that it started. They end when it is dropped.
pub struct Launch {
    group: ProcessGroup,
    begun: Instant,
}

impl Launch {
    /// Starts this program on this desktop.
    #[must_use]
    pub fn of(program: &Path, desktop: &Desktop) -> Self {
        Self::by(desktop.command(program))
    }

    /// Starts a window by a command of its desktop that executes the program.
    #[must_use]
    pub fn by(mut command: Command) -> Self {
        // It trusts the authorities of the system, as on any desktop.
        command.env_remove("SSL_CERT_FILE");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let begun = Instant::now();
        Self {
            group: ProcessGroup::start(&mut command),
            begun,
        }
    }

    /// The milliseconds from before the start to content on the screen.
    ///
    /// # Errors
    /// If no content appears.
    pub fn to_content(&mut self, screen: &PaintWatch) -> Outcome<f64> {
        let seen = screen.content();
        if let Some(status) = self.group.ended() {
            return Err(format!("the window's process has ended: {status}"));
        }
        Ok(seen?.duration_since(self.begun).as_secs_f64() * 1e3)
    }

    /// The id of the window's own process.
    pub fn process(&mut self) -> u32 {
        self.group.child().id()
    }

    /// The memory of each of its processes in bytes, with the process's name.
    ///
    /// # Errors
    /// If the window's process has ended.
    pub fn weights(&mut self) -> Outcome<Vec<(String, f64)>> {
        weights(self.process())
    }

    /// Ends it, and waits until all processes have ended, so that the next start does not find its
    /// lock held.
    ///
    /// # Errors
    /// If a window stays on the screen.
    pub async fn end(mut self, screen: &PaintWatch) -> Outcome<()> {
        let processes = memory::tree(self.process());
        drop(self);
        until("the window's processes to end", async || {
            let left = processes.iter().filter(|id| memory::pss(**id).is_some());
            match left.count() {
                0 => Ok(()),
                count => Err(format!("{count} are left")),
            }
        })
        .await;
        screen.empty()
    }
}

/// The memory of a process and of all processes that it started, in bytes, with their names.
///
/// # Errors
/// If the process has ended.
pub fn weights(process: u32) -> Outcome<Vec<(String, f64)>> {
    let weight = |id: u32| Some((name(id), memory::pss(id)? as f64));
    let weights: Vec<_> = memory::tree(process)
        .into_iter()
        .filter_map(weight)
        .collect();
    match weights.is_empty() {
        true => Err(format!("the process {process} has ended")),
        false => Ok(weights),
    }
}

/// The name of a process, of at most 15 characters.
#[must_use]
pub fn name(process: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{process}/comm"));
    name.unwrap_or_default().trim().to_owned()
}

/// The sum of these sizes.
#[must_use]
pub fn sum(weights: &[(String, f64)]) -> f64 {
    weights.iter().map(|(_, bytes)| bytes).sum()
}

/// The shipped app, with a remembered session, and a blank window, on one desktop. Each entry ends
/// what it has started there before the next one begins.
pub struct Shipped {
    /// The desktop, and the app's backend.
    pub stage: Stage,
    /// The path of the app.
    pub app: PathBuf,
    /// The path of the blank window.
    pub blank: PathBuf,
}

impl Shipped {
    /// Signs in with the build for WebDriver, which uses the same folders and the same item in the
    /// keyring.
    ///
    /// # Errors
    /// If a build is missing, or the sign-in fails.
    pub async fn signed_in() -> Outcome<Self> {
        let (app, blank) = (built::shipped()?, built::blank_window()?);
        let stage = Stage::new("bench-shipped", Config::default()).await;
        let page = InPage::start(&stage, "", &[]).await?;
        page.sign_in().await?;
        page.app.kill();
        name_backend(&stage)?;
        Ok(Self { stage, app, blank })
    }

    /// A watch of the screen, once it is empty.
    ///
    /// # Errors
    /// If a window stays on the screen.
    pub fn screen(&self) -> Outcome<PaintWatch> {
        let screen = PaintWatch::of(&self.stage.desktop)?;
        screen.empty()?;
        Ok(screen)
    }
}

/// Writes a settings file with the stage's backend: the shipped app takes no address from a variable.
///
/// # Errors
/// If the file cannot be written.
pub fn name_backend(stage: &Stage) -> Outcome<()> {
    let folder = stage.settings();
    let file = folder.join("profile.toml");
    let text = format!("schema = 1\nbackend = '{}'\n", stage.backend.url());
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// Waits for this long; only for a moment in a short form.
pub async fn idle(time: Duration, is_short: bool) {
    let time = if is_short {
        Duration::from_secs(2)
    } else {
        time
    };
    tokio::time::sleep(time).await;
}
