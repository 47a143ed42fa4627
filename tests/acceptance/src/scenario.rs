//! Runs a test of the window, from its stage to the evidence of its failure.

use std::any::type_name;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use vestibule_backend::{Backend, Config};

use crate::app::App;
use crate::desktop::Desktop;
use crate::keyboard::Keyboard;
use crate::mouse::Mouse;
use crate::paths;

/// How many scenarios run at a time: each has a browser engine of its own.
pub const AT_ONCE: usize = 3;

/// The time limit of a scenario.
const SCENARIO_TIMEOUT: Duration = Duration::from_secs(600);

/// What a scenario runs on: a private desktop and a backend of its own.
pub struct Stage {
    /// The backend, whose behaviour the test can change.
    pub backend: Backend,
    /// The private desktop.
    pub desktop: Desktop,
    name: String,
    /// Variables of every app that starts here.
    variables: Vec<(&'static str, String)>,
}

/// Makes WebKit pass pictures through shared memory. There is no graphics card here, so with buffers
/// of a graphics card, which Mesa emulates, a test of the window computes a third more.
const WITHOUT_DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Makes the app offer no further account.
const ONE_ACCOUNT: (&str, &str) = ("VESTIBULE_E2E_OFF", "accounts");

/// Runs a scenario with the backend's default configuration for tests.
///
/// # Panics
/// If the scenario panics; then a screenshot and the app's log are in `target/acceptance`.
pub fn scenario<F: AsyncFnOnce(&Stage)>(play: F) {
    scenario_with(Config::default(), play);
}

/// Runs a scenario with an app that has one account, and so web storage: for attacks that need it.
///
/// # Panics
/// As [`scenario`].
pub fn scenario_of_one_account<F: AsyncFnOnce(&Stage)>(play: F) {
    run(Config::default(), &[ONE_ACCOUNT], play);
}

/// Runs a scenario with a backend of this configuration.
///
/// # Panics
/// As [`scenario`].
pub fn scenario_with<F: AsyncFnOnce(&Stage)>(config: Config, play: F) {
    run(config, &[], play);
}

fn run<F: AsyncFnOnce(&Stage)>(config: Config, variables: &[(&'static str, &str)], play: F) {
    let _turn = ScenarioSlot::take();
    let name = name_of::<F>();
    // Several threads, since the backend must answer while the test waits for the driver.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut stage = Stage::new(name, config).await;
        let further = variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        stage.variables.extend(further);
        stage.variables.push((WITHOUT_DMABUF, "1".to_owned()));
        let _ = std::fs::remove_file(stage.log());
        tokio::time::timeout(SCENARIO_TIMEOUT, play(&stage))
            .await
            .unwrap_or_else(|_| {
                panic!(
                    "the scenario takes more than {} s",
                    SCENARIO_TIMEOUT.as_secs()
                )
            });
        let _ = std::fs::remove_file(stage.log());
    });
}

impl Stage {
    /// A stage by itself, for programs that are not tests.
    pub async fn new(name: impl Into<String>, config: Config) -> Self {
        Self {
            backend: Backend::start(config).await.expect("a backend"),
            desktop: Desktop::open(),
            name: name.into(),
            variables: Vec::new(),
        }
    }

    /// The same with an app that has one account, and so web storage.
    #[must_use]
    pub fn of_one_account(mut self) -> Self {
        let (name, value) = ONE_ACCOUNT;
        self.variables.push((name, value.to_owned()));
        self
    }

    /// The same with these environment variables for every app that starts here.
    #[must_use]
    pub fn with(mut self, variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Starts the app, for the first time or again.
    pub async fn start(&self) -> App {
        self.start_against(&self.backend.url(), None).await
    }

    /// Starts the app with a backend at this address and a profile with this name or path.
    pub async fn start_against(&self, address: &str, profile: Option<&str>) -> App {
        let mut variables = self.variables.clone();
        variables.push(("VESTIBULE_BACKEND", address.to_owned()));
        variables.extend(profile.map(|profile| ("VESTIBULE_PROFILE", profile.to_owned())));
        App::start(&paths::app(), &self.desktop, &variables, &[], self.log()).await
    }

    /// Starts the app with additional environment variables.
    pub async fn start_with(&self, further: &[(&'static str, String)]) -> App {
        self.start_other(&paths::app(), further).await
    }

    /// Starts another app that is built for WebDriver, with additional environment variables.
    pub async fn start_other(&self, app: &Path, further: &[(&'static str, String)]) -> App {
        let mut variables = self.variables.clone();
        variables.push(("VESTIBULE_BACKEND", self.backend.url()));
        variables.extend_from_slice(further);
        App::start(app, &self.desktop, &variables, &[], self.log()).await
    }

    /// Starts the app with these arguments, as the desktop does that opens links.
    pub async fn start_by(&self, links: &[&str]) -> App {
        let mut variables = self.variables.clone();
        variables.push(("VESTIBULE_BACKEND", self.backend.url()));
        App::start(&paths::app(), &self.desktop, &variables, links, self.log()).await
    }

    /// The app's configuration folder, in which a settings file can be.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.desktop.home().join("config/dev.vestibule.desktop")
    }

    /// Starts the app and opens this page.
    pub async fn start_at(&self, path: &str) -> App {
        let app = self.start().await;
        app.open(path).await;
        app
    }

    /// The desktop's keyboard.
    pub fn keyboard(&self) -> Keyboard<'_> {
        Keyboard::new(&self.desktop)
    }

    /// The desktop's mouse.
    pub fn mouse(&self) -> Mouse<'_> {
        Mouse::new(&self.desktop)
    }

    /// The log of the app and of the driver.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        paths::artifacts().join(format!("{}.log", self.name))
    }
}

/// The test's name: `window::sign_in::wrong_password::{{closure}}` is the type of its closure.
fn name_of<F>() -> String {
    let path = type_name::<F>();
    let mut names = path.rsplit("::").filter(|name| !name.starts_with("{{"));
    names.next().unwrap_or(path).to_owned()
}

/// One of the [`AT_ONCE`] places for scenarios in this process.
pub(crate) struct ScenarioSlot;

static TAKEN: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

impl ScenarioSlot {
    pub(crate) fn take() -> Self {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken >= AT_ONCE {
            taken = FREED.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += 1;
        Self
    }
}

impl Drop for ScenarioSlot {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        FREED.notify_one();
    }
}
