//! The app under test, started by WebDriver on a private desktop.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use thirtyfour::WebDriver;

use crate::desktop::Desktop;
use crate::driver::Driver;
use crate::record;
use crate::screen::Screen;
use crate::wait::{CONDITION_TIMEOUT, until};

/// Whether the window has had the same size for two frames. It takes its size from the last run
/// after it was shown, which moves centred elements. The driver first asks where an element is and
/// then clicks there, so it would hit a neighbouring element.
const HAS_ITS_SIZE: &str = "
  const [done] = arguments;
  const size = () => `${innerWidth} ${innerHeight}`;
  const before = size();
  const look = () => done(size() === before);
  // A hidden window draws no frames.
  setTimeout(look, 100);
  requestAnimationFrame(() => requestAnimationFrame(look));
";

/// A running app. Dropping it kills it; in a failed test it first leaves a screenshot.
pub struct App {
    session: Option<WebDriver>,
    processes: Vec<u32>,
    log: PathBuf,
    display: String,
    // The app is in the driver's process group.
    driver: Option<Driver>,
}

impl App {
    /// Starts an app on this desktop with these variables and arguments; its log goes to `log`.
    pub(crate) async fn start(
        app: &Path,
        desktop: &Desktop,
        variables: &[(&'static str, String)],
        arguments: &[&str],
        log: PathBuf,
    ) -> Self {
        let script = desktop.home().join("recorder.js");
        std::fs::write(&script, record::SCRIPT).expect("the recorder's script");
        let mut environment = vec![
            ("VESTIBULE_E2E_SCRIPT", script.display().to_string()),
            ("RUST_LOG", "info,vestibule_core=debug".to_owned()),
        ];
        environment.extend_from_slice(variables);
        let mut driver = Driver::start(desktop, &log, &environment).await;
        let session = driver.open(app, arguments).await;
        let session = session.unwrap_or_else(|error| {
            panic!(
                "the app does not start under WebDriver: {error}\n{}",
                tail(&log)
            )
        });
        until("the window to keep its size", async || {
            let told = session.execute_async(HAS_ITS_SIZE, Vec::new()).await;
            let told = told.map_err(|error| error.to_string())?;
            match told.json().as_bool() {
                Some(true) => Ok(()),
                _ => Err("it changes".into()),
            }
        })
        .await;
        Self {
            session: Some(session),
            processes: desktop.processes(app),
            log,
            display: desktop.display().to_owned(),
            driver: Some(driver),
        }
    }

    /// The WebDriver session.
    ///
    /// # Panics
    /// After the app was killed.
    #[must_use]
    pub fn driver(&self) -> &WebDriver {
        self.session.as_ref().expect("the app is running")
    }

    /// `kill -9`, and waits until the process is gone.
    ///
    /// # Panics
    /// If it was gone already.
    pub fn kill(mut self) {
        assert!(!self.processes.is_empty(), "the app's process is known");
        for id in self.processes.clone() {
            let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
            kill_process(pid.expect("a process id"), Signal::KILL).expect("it was running");
        }
        self.end();
    }

    /// Waits until the app has ended its own process; nothing here kills it.
    ///
    /// # Panics
    /// If it goes on.
    pub async fn ends(mut self) {
        until("the app to end", async || {
            match self.processes.iter().all(|id| threads(*id) == 0) {
                true => Ok(()),
                false => Err("it goes on".into()),
            }
        })
        .await;
        self.end();
    }

    /// Ends the driver and the app, and waits for the app: it holds the bus name, and as long as it
    /// does, the next app would hand over to it. The session is dropped first, since the driver
    /// that would have to end it ends too.
    fn end(&mut self) {
        if let Some(session) = self.session.take() {
            let _ = session.leak();
        }
        self.driver = None;
        let limit = Instant::now() + CONDITION_TIMEOUT;
        while Instant::now() < limit && self.processes.iter().any(|id| threads(*id) > 0) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Leaves a picture of the screen, the page's text and the last lines of the log.
    fn leave_evidence(&self) {
        let picture = self.log.with_extension("png");
        match Screen::at(&self.display).and_then(|screen| screen.save(&picture)) {
            Ok(()) => eprintln!("the screen: {}", picture.display()),
            Err(error) => eprintln!("there is no picture of the screen: {error}"),
        }
        match self.session.clone().and_then(text_of) {
            Some(text) => eprintln!("the page: {text}"),
            None => eprintln!("the page no longer answers"),
        }
        eprintln!("log: {}\n{}", self.log.display(), tail(&self.log));
    }
}

/// The address and the text of the page, if it answers. The test's own runtime may be unwinding, so
/// this uses another thread.
fn text_of(session: WebDriver) -> Option<String> {
    let asked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .ok()?;
        let look = session.execute("return `${location.href}\n${document.body.innerText}`", []);
        let limited = async { tokio::time::timeout(Duration::from_secs(10), look).await };
        let answer = runtime.block_on(limited).ok()?.ok()?;
        answer.json().as_str().map(str::to_owned)
    });
    asked.join().ok()?
}

impl Drop for App {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.leave_evidence();
        }
        self.end();
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// How many threads of a process still run. Its files and sockets close with the last one, which
/// may be long after the first has ended.
fn threads(id: u32) -> usize {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{id}/task")) else {
        return 0;
    };
    let running = threads.flatten().filter(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let state = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.chars().next());
        state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
    });
    running.count()
}
