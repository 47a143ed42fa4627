//! What the tests share: a backend, a prompter that knows its codes, and an examination.

use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use vestibule_backend::Backend;
use vestibule_core::Secret;
use vestibule_core::backend::Recorder;
use vestibule_core::profile::Profile;
use vestibule_core::transport::Url;
use vestibule_doctor::{
    Account, Allowed, Holds, Plan, Prompter, Report, Stop, examine, examine_and_keep,
};
use vestibule_harness::{DEMO, OTP, PASSWORD, alive};

/// How long a replaced token is tried: long enough to see the grace window of a test.
pub const WATCH_TIME: Duration = Duration::from_secs(3);

/// A prompter that reads the codes that the bundled backend would have mailed, and keeps the lines
/// of progress.
#[derive(Default)]
pub struct Clerk {
    backend: Option<Arc<Backend>>,
    cancels: bool,
    lines: Mutex<Vec<String>>,
}

impl Clerk {
    pub fn at(backend: &Arc<Backend>) -> Arc<Self> {
        Arc::new(Self {
            backend: Some(backend.clone()),
            ..Self::default()
        })
    }

    /// One who cancels on the sign-in page.
    pub fn cancelling(backend: &Arc<Backend>) -> Arc<Self> {
        Arc::new(Self {
            backend: Some(backend.clone()),
            cancels: true,
            ..Self::default()
        })
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panicked").clone()
    }
}

impl Prompter for Clerk {
    fn progress(&self, line: &str) {
        self.lines
            .lock()
            .expect("nobody panicked")
            .push(line.to_owned());
    }

    fn code(&self, email: &str) -> Option<Secret> {
        self.backend.as_ref()?.last_code(email).map(Secret::new)
    }

    fn open(&self, address: &Url) {
        let (address, cancels) = (address.clone(), self.cancels);
        tokio::spawn(async move { sign_in_on_page(&address, cancels).await });
    }
}

/// Plays a person in a browser: fills in the form of the bundled backend's page, and goes where it
/// leads.
pub async fn sign_in_on_page(address: &Url, cancels: bool) {
    let decision = if cancels { "refuse" } else { "allow" };
    let typed = [
        ("email", DEMO),
        ("password", PASSWORD),
        ("decision", decision),
    ];
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(address.query_pairs())
        .extend_pairs(typed)
        .finish();
    let mut page = address.clone();
    page.set_query(None);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let browser = browser.no_proxy().build().expect("a client");
    let request = browser
        .post(page)
        .header("origin", address.origin().ascii_serialization())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let answer = request.send().await.expect("an answer");
    let location = answer.headers().get("location").expect("a redirect");
    let back = location.to_str().expect("a text").to_owned();
    let done = browser.get(back).send().await.expect("the doctor listens");
    assert_eq!(done.status(), 303, "the browser is sent on");
}

pub fn account(email: &str) -> Account {
    Account {
        email: email.into(),
        password: Secret::new(PASSWORD),
    }
}

/// The contract's profile for this address, with the demo account that needs no code.
pub fn plan(address: &str) -> Plan {
    let profile = Profile::default().with_backend(address);
    let mut plan = Plan::new(profile.expect("an address"));
    plan.account = Some(account(DEMO));
    (plan.grace, plan.patience) = (WATCH_TIME, WATCH_TIME);
    plan
}

/// The same plan, with everything allowed.
pub fn thorough(address: &str) -> Plan {
    let mut plan = plan(address);
    plan.otp_account = Some(account(OTP));
    plan.register = Some("new@vestibule.test".into());
    plan.allowed = Allowed::ALL;
    plan
}

pub async fn examined(plan: &Plan, prompter: Arc<dyn Prompter>) -> Report {
    let (_sender, stop) = Stop::new();
    examine(plan, prompter, stop).await.expect("an HTTP client")
}

pub async fn examined_and_kept(plan: &Plan, prompter: Arc<dyn Prompter>) -> (Report, Recorder) {
    let (_sender, stop) = Stop::new();
    examine_and_keep(plan, prompter, stop)
        .await
        .expect("an HTTP client")
}

/// The names of the rows with this result.
pub fn rows(report: &Report, holds: Holds) -> Vec<&'static str> {
    let of = report.rows.iter().filter(|row| row.holds == holds);
    of.map(|row| row.id).collect()
}

/// Asserts that the row holds.
#[track_caller]
pub fn holds(report: &Report, id: &str) {
    let row = report.row(id);
    assert_eq!(row.holds, Holds::Yes, "{row:#?}");
}

/// Asserts that the row does not hold and has advice, and answers the advice.
#[track_caller]
pub fn fails(report: &Report, id: &str) -> String {
    let row = report.row(id);
    assert_eq!(row.holds, Holds::No, "{row:#?}");
    assert!(!row.advice.is_empty(), "it has advice: {row:#?}");
    let texts: Vec<&str> = row.advice.iter().map(|advice| &*advice.text).collect();
    texts.join(" ")
}

/// Asserts that no session of the account is left.
#[track_caller]
pub fn all_over(backend: &Backend, email: &str) {
    let sessions = backend.sessions(email);
    assert_eq!(alive(backend, email), 0, "still signed in: {sessions:?}");
}

/// Variables of the environment in which the tests run that must not reach the program.
const CALLERS_VARIABLES: [&str; 8] = [
    "VESTIBULE_DOCTOR_PASSWORD",
    "VESTIBULE_DOCTOR_OTP_PASSWORD",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The doctor's program, about to start.
pub struct Program {
    command: Command,
    typed: String,
}

/// The doctor's program with these arguments, and `typed` on standard input.
pub fn program(arguments: &[&str], typed: &str) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule-doctor"));
    command.args(arguments).kill_on_drop(true);
    for name in CALLERS_VARIABLES {
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
        // An error is ignored: the program may end without reading.
        let _ = stdin.write_all(self.typed.as_bytes()).await;
        child
    }

    pub async fn run(self) -> Output {
        let child = self.start().await;
        child.wait_with_output().await.expect("it ends")
    }
}

/// The text that a program has written.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
