//! A backend, a prompter that answers the doctor's questions, and an examination.

use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use vestibule_backend::{Backend, Config};
use vestibule_core::backend::Witness;
use vestibule_core::profile::Profile;
use vestibule_core::secrets::Secret;
use vestibule_doctor::order::{Account, Allowed, Desk, Order};
use vestibule_doctor::report::Report;
use vestibule_doctor::row::Holds;
use vestibule_doctor::stop::Stop;
use vestibule_doctor::{examine, examine_and_keep};

pub const DEMO: &str = "demo@vestibule.test";
pub const OTP: &str = "otp@vestibule.test";
pub const PASSWORD: &str = "vestibule-demo";
/// Long enough to see a grace window, short enough for a test.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Answers with the codes that the bundled backend would have mailed, and records the messages.
#[derive(Default)]
pub struct Clerk {
    backend: Option<Arc<Backend>>,
    lines: Mutex<Vec<String>>,
}

impl Clerk {
    pub fn at(backend: &Arc<Backend>) -> Arc<Self> {
        Arc::new(Self {
            backend: Some(backend.clone()),
            lines: Mutex::default(),
        })
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panicked").clone()
    }
}

impl Desk for Clerk {
    fn progress(&self, line: &str) {
        self.lines
            .lock()
            .expect("nobody panicked")
            .push(line.to_owned());
    }

    fn code(&self, email: &str) -> Option<Secret> {
        self.backend.as_ref()?.last_code(email).map(Secret::new)
    }
}

pub async fn bundled(config: Config) -> Arc<Backend> {
    Arc::new(Backend::start(config).await.expect("a backend"))
}

pub fn account(email: &str) -> Account {
    Account {
        email: email.into(),
        password: Secret::new(PASSWORD),
    }
}

/// An examination of the contract at this address, with the plain demo account.
pub fn order(address: &str) -> Order {
    let profile = Profile::default().with_backend(address);
    let mut order = Order::new(profile.expect("an address"));
    order.account = Some(account(DEMO));
    (order.grace, order.patience) = (PATIENCE, PATIENCE);
    order
}

/// The same with everything that may be tried.
pub fn thorough(address: &str) -> Order {
    let mut order = order(address);
    order.otp_account = Some(account(OTP));
    order.register = Some("new@vestibule.test".into());
    order.allowed = Allowed::ALL;
    order
}

pub async fn examined(order: &Order, desk: Arc<dyn Desk>) -> Report {
    let (_sender, stop) = Stop::new();
    examine(order, desk, stop).await.expect("an HTTP client")
}

pub async fn examined_and_kept(order: &Order, desk: Arc<dyn Desk>) -> (Report, Witness) {
    let (_sender, stop) = Stop::new();
    examine_and_keep(order, desk, stop)
        .await
        .expect("an HTTP client")
}

/// The names of the rows with this result.
pub fn rows(report: &Report, holds: Holds) -> Vec<&'static str> {
    let of = report.rows.iter().filter(|row| row.holds == holds);
    of.map(|row| row.id).collect()
}

/// Checks that the row holds; otherwise the failure shows what was found.
#[track_caller]
pub fn holds(report: &Report, id: &str) {
    let row = report.row(id);
    assert_eq!(row.holds, Holds::Yes, "{row:#?}");
}

/// Checks that the row does not hold and has advice; returns what was found.
#[track_caller]
pub fn fails(report: &Report, id: &str) -> String {
    let row = report.row(id);
    assert_eq!(row.holds, Holds::No, "{row:#?}");
    assert!(!row.advice.is_empty(), "the row has advice: {row:#?}");
    let texts: Vec<&str> = row
        .advice
        .iter()
        .map(|advice| advice.text.as_str())
        .collect();
    texts.join(" ")
}

/// Checks that no session is still valid.
#[track_caller]
pub fn all_over(backend: &Backend, email: &str) {
    let alive: Vec<_> = backend
        .sessions(email)
        .into_iter()
        .filter(|one| one.ended.is_none())
        .collect();
    assert!(alive.is_empty(), "still signed in: {alive:?}");
}

/// Variables of the developer's environment that must not influence the tests.
const OF_THE_CALLER: [&str; 8] = [
    "VESTIBULE_DOCTOR_PASSWORD",
    "VESTIBULE_DOCTOR_OTP_PASSWORD",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The program itself, before its start.
pub struct Program {
    command: Command,
    typed: String,
}

/// The program with these arguments and this standard input.
pub fn program(arguments: &[&str], typed: &str) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule-doctor"));
    command.args(arguments).kill_on_drop(true);
    for name in OF_THE_CALLER {
        command.env_remove(name);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Program {
        command,
        typed: typed.into(),
    }
}

impl Program {
    pub fn with(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub async fn start(mut self) -> Child {
        let mut child = self.command.spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("piped");
        // The program may have ended without reading its input.
        let _ = stdin.write_all(self.typed.as_bytes()).await;
        child
    }

    pub async fn run(self) -> Output {
        let child = self.start().await;
        child.wait_with_output().await.expect("it ends")
    }
}

/// A program's output as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
