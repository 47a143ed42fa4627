//! The parent's side: an installation that outlives its processes, and one such process.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;
use vestibule_bus::Bus;
use vestibule_core::wire::SessionState;
use vestibule_harness::child::{ChildProcess, command};
use vestibule_harness::{Lost, is_fresh, why};

use super::protocol::{AppProtocol, AppReport, AppStart, Command, ItemProtocol, Watched};
use crate::registry::Setting;

/// What remains when the process dies: its account, its folder, and its name in the keyring.
pub struct AppHome {
    program: PathBuf,
    start: AppStart,
}

impl AppHome {
    /// A new one whose processes report the core's steps, and whose clock goes fast. Its records lie
    /// in the bus's folder and are deleted with it.
    pub fn new(
        setting: &Setting,
        bus: &Bus,
        address: String,
        carrier: impl Into<String>,
        email: String,
    ) -> Self {
        let service = format!("vestibule-promise-{}", Uuid::new_v4());
        Self {
            program: setting.program.clone(),
            start: AppStart {
                address,
                carrier: carrier.into(),
                email,
                folder: bus.home().join(&service),
                service,
                is_fast: true,
                watched: Watched::Steps,
                dies_at: None,
            },
        }
    }

    /// The same with a clock that the parent advances, and with a window that is measured.
    pub fn with_a_window(mut self) -> Self {
        (self.start.is_fast, self.start.watched) = (false, Watched::Window);
        self
    }

    /// The email address of its account.
    pub fn email(&self) -> &str {
        &self.start.email
    }

    /// The folder with its records.
    pub fn folder(&self) -> &PathBuf {
        &self.start.folder
    }

    /// Starts the app.
    pub fn start(&self, bus: &Bus) -> Result<App, Lost> {
        self.start_dying_at(bus, None)
    }

    /// The same; it kills itself when it reaches this step.
    pub fn start_dying_at(&self, bus: &Bus, step: Option<&str>) -> Result<App, Lost> {
        let start = AppStart {
            dies_at: step.map(str::to_owned),
            ..self.start.clone()
        };
        let mut command = command::<AppProtocol>(&self.program, &start)?;
        bus.apply_environment(&mut command);
        ChildProcess::start(command).map(App)
    }

    /// The generation that the keyring holds, as another process reads it.
    pub async fn generation(&self, bus: &Bus) -> Result<Option<u64>, Lost> {
        let arguments = (self.start.service.clone(), self.start.folder.clone());
        let mut command = command::<ItemProtocol>(&self.program, &arguments)?;
        bus.apply_environment(&mut command);
        ChildProcess::<ItemProtocol>::start(command)?.ready().await
    }
}

/// One run of the app. Killed when dropped.
pub struct App(ChildProcess<AppProtocol>);

impl Deref for App {
    type Target = ChildProcess<AppProtocol>;

    fn deref(&self) -> &ChildProcess<AppProtocol> {
        &self.0
    }
}

impl DerefMut for App {
    fn deref_mut(&mut self) -> &mut ChildProcess<AppProtocol> {
        &mut self.0
    }
}

impl App {
    /// Waits for a state that is `wanted`.
    pub async fn until_state(
        &mut self,
        what: &str,
        wanted: impl Fn(&SessionState) -> bool,
    ) -> Result<AppReport, Lost> {
        self.until(what, |heard| heard.is(&wanted)).await
    }

    /// Waits until the start has found a session or nobody.
    pub async fn until_started(&mut self) -> Result<AppReport, Lost> {
        let over = |now: &SessionState| is_fresh(now) || why(now).is_some();
        self.until_state("the start to be over", over).await
    }

    /// Waits for such a state for at most the promised time.
    pub async fn state_within(
        &mut self,
        limit: Duration,
        what: &str,
        wanted: impl Fn(&SessionState) -> bool,
    ) -> Result<SessionState, Lost> {
        let heard = self.within(limit, what, |heard| heard.is(&wanted)).await?;
        heard.state.clone().ok_or_else(|| "no state".into())
    }

    /// Advances the app's clock, by a minute at most, until the state is `wanted`.
    pub async fn in_time(
        &mut self,
        what: &str,
        wanted: impl Fn(&SessionState) -> bool,
    ) -> Result<SessionState, Lost> {
        let soon = Duration::from_millis(100);
        for _ in 0..60 {
            if let Ok(state) = self.state_within(soon, what, &wanted).await {
                return Ok(state);
            }
            self.ask(Command::Pass(1)).await?;
        }
        // A call of the core may be in progress, and its own limits are in real time.
        let limit = Duration::from_secs(5);
        self.state_within(limit, what, wanted).await
    }

    /// The longest time that a read of the state took, in milliseconds.
    pub fn slowest_ms(&self) -> u64 {
        let heard = self.heard();
        let done = heard.answers.iter().flatten();
        done.map(|done| done.window_ms).max().unwrap_or_default()
    }
}
