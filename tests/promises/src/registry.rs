//! Every promise that this crate shows. To add one, write a module with
//!
//! ```text
//! pub async fn short(setting: &Setting) -> Row    // seconds: runs in `cargo xtask test`
//! pub async fn long(setting: &Setting) -> Row     // the figure: runs in `cargo xtask soak`
//! ```
//!
//! and a line in [`PROMISES`]. A promise with two figures (with a grace window and without)
//! has two modules and two lines under one number. Its test names one of the modules, and runs all of
//! the number. It is a line in `tests/short`:
//!
//! ```text
//! #[test]
//! fn no_secret_is_said() { check("secrecy") }
//! ```
//!
//! A form does not panic when it finds a loss: it counts the loss, prints on standard error what
//! happened, and marks in its row that the bound does not hold. It waits for conditions, shows its
//! progress with [`Setting::progress`], and leaves no process behind.

use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Instant;

#[cfg(target_os = "linux")]
use crate::account_kills;
#[cfg(target_os = "linux")]
use crate::canaries;
#[cfg(target_os = "linux")]
use crate::crash::{grace, sign_outs, strict, two_people};
use crate::definite::{by_provider, by_status};
#[cfg(target_os = "linux")]
use crate::isolation;
#[cfg(target_os = "linux")]
use crate::keyring::{daemon_deaths, silent_keyring};
#[cfg(target_os = "linux")]
use crate::launches;
#[cfg(target_os = "linux")]
use crate::page_limits;
#[cfg(target_os = "linux")]
use crate::process_race;
use crate::report::{self, Numbered, Row};
#[cfg(target_os = "linux")]
use crate::right_person::{self, mutants};
use crate::{
    clocks, definite, fleet, not_definite, origin, parsers, plans, response_limits, secrecy,
    single_flight, state_machine, transient,
};

/// What a form has to work with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The program `soak`, for a form that needs a child process: it starts the program with
    /// `--child` and the name of a child; see `src/bin/soak.rs`.
    pub program: PathBuf,
}

impl Setting {
    /// Shows the progress of a long form on one line of standard error.
    pub fn progress(&self, subject: &str, done: u64, of: u64) {
        let mut stderr = std::io::stderr().lock();
        let end = if done == of { "\n" } else { "" };
        let _ = write!(stderr, "\r{subject}: {done} of {of}{end}");
        let _ = stderr.flush();
    }
}

/// Which form of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Takes seconds; part of the test command.
    Short,
    /// Measures the published figure.
    Long,
}

type Working<'a> = Pin<Box<dyn Future<Output = Row> + Send + 'a>>;

/// One line of the table.
pub struct Promise {
    /// Its number in this table and in the README's, such as `P1`.
    pub number: &'static str,
    /// The module that shows it.
    subject: &'static str,
    short: for<'a> fn(&'a Setting) -> Working<'a>,
    /// `Err` with the command that measures the figure, if that is another.
    long: Result<for<'a> fn(&'a Setting) -> Working<'a>, &'static str>,
}

/// Makes a line of the table from a module.
macro_rules! promise {
    ($number:literal, $module:ident) => {
        promise!(
            $number,
            $module,
            Ok(|setting| Box::pin($module::long(setting)))
        )
    };
    ($number:literal, $module:ident, $long:expr) => {
        Promise {
            number: $number,
            subject: stringify!($module),
            short: |setting| Box::pin($module::short(setting)),
            long: $long,
        }
    };
}

/// Every promise, in the order of the table.
pub const PROMISES: &[Promise] = &[
    promise!("P1", transient),
    promise!("P1", state_machine),
    promise!("P2", definite),
    promise!("P2", by_status),
    promise!("P2", by_provider),
    promise!("P2", not_definite),
    #[cfg(target_os = "linux")]
    promise!("P3", process_race),
    promise!("P4", single_flight),
    #[cfg(target_os = "linux")]
    promise!("P5", grace),
    #[cfg(target_os = "linux")]
    promise!("P5", strict),
    #[cfg(target_os = "linux")]
    promise!("P6", daemon_deaths),
    #[cfg(target_os = "linux")]
    promise!("P7", silent_keyring),
    #[cfg(target_os = "linux")]
    promise!("P8", canaries),
    promise!("P9", secrecy),
    promise!("P10", origin),
    promise!("P11", response_limits),
    promise!("P12", clocks),
    promise!("P12", plans),
    promise!("P13", fleet),
    #[cfg(target_os = "linux")]
    promise!("P14", sign_outs),
    #[cfg(target_os = "linux")]
    promise!("P15", launches),
    promise!("P17", parsers, Err("cargo xtask fuzz --seconds 120")),
    #[cfg(target_os = "linux")]
    promise!("P19", right_person),
    #[cfg(target_os = "linux")]
    promise!("P19", mutants),
    #[cfg(target_os = "linux")]
    promise!("P19", two_people),
    #[cfg(target_os = "linux")]
    promise!("P21", page_limits),
    #[cfg(target_os = "linux")]
    promise!("P22", isolation),
    #[cfg(target_os = "linux")]
    promise!("P22", account_kills),
];

/// Runs the promises with these numbers, or all of them, one after the other.
pub async fn run(numbers: &[String], form: Form, setting: &Setting) -> Vec<Numbered> {
    let mut rows = Vec::new();
    for promise in PROMISES {
        if !numbers.is_empty() && !numbers.iter().any(|number| number == promise.number) {
            continue;
        }
        let number = promise.number;
        let started = Instant::now();
        let form = match (form, promise.long) {
            (Form::Short, _) => promise.short,
            (Form::Long, Ok(long)) => long,
            (Form::Long, Err(command)) => {
                eprintln!("{number}: `{command}` measures it");
                continue;
            }
        };
        let row = form(setting).await;
        let seconds = started.elapsed().as_secs_f64();
        eprintln!("{number}: {} in {seconds:.1} s", row.what);
        rows.push(Numbered { number, row });
    }
    rows
}

/// The runtime for all promises.
///
/// # Panics
/// If the system cannot create threads.
pub fn runtime() -> tokio::runtime::Runtime {
    raise_limits();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("threads for a runtime")
}

/// Raises the limit of open files: a thousand callers have a thousand connections, and both ends of
/// each are in this process.
#[cfg(unix)]
fn raise_limits() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum.map(|most| most.min(20_000)).or(Some(20_000)),
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        eprintln!("the limit of open files cannot be raised: {error}");
    }
}

#[cfg(not(unix))]
fn raise_limits() {}

/// Runs the short forms of the promise that this module shows, as a test.
///
/// # Panics
/// If it does not hold.
pub fn check(subject: &str, program: &Path) {
    let setting = Setting {
        program: program.to_owned(),
    };
    let promise = PROMISES.iter().find(|promise| promise.subject == subject);
    let Some(promise) = promise else {
        panic!("no module of the table is called {subject}");
    };
    let numbers = [promise.number.to_owned()];
    let rows = runtime().block_on(run(&numbers, Form::Short, &setting));
    assert!(!rows.is_empty(), "{subject} has no short form");
    assert!(
        rows.iter().all(|one| one.row.holds),
        "broken:\n{}",
        report::text(&rows)
    );
}
