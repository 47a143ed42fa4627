//! The steps themselves: what is run, in which order, and what it needs.

use std::cell::Cell;
use std::process::Command;
use std::thread;

use super::{Asked, deny};
use crate::failure::{Outcome, said};
use crate::setup::For;
use crate::tally::Tally;
use crate::{app, bench, bundle, desktop, export, process, root};

/// One step of the test command.
pub struct Step {
    /// What it is called on the command line and in the account.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Steps that make what this one uses.
    pub needs: &'static [&'static str],
    /// What the machine must be ready for.
    pub setup: Option<For>,
    /// Whether a filter on test names means anything to it.
    pub filterable: bool,
    /// Does it; answers a note for the account.
    pub work: fn(&Run) -> Outcome<String>,
}

/// The crates that drive the window. They are written for Linux, where the webview
/// has a driver.
const WINDOW_TESTS: [&str; 2] = ["vestibule-acceptance", "vestibule-bench"];

/// How many tests of one program run at once, as libtest reads it.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// Quick ones first, so that a slip is told within seconds.
pub const STEPS: &[Step] = &[
    step("fmt", "Rust is formatted", None, |_| {
        cargo(&["fmt", "--all", "--check"])
    }),
    step(
        "biome",
        "TypeScript is formatted and linted",
        Some(For::Development),
        |_| npm("lint"),
    ),
    step(
        "tsc",
        "TypeScript type-checks",
        Some(For::Development),
        |_| npm("typecheck"),
    ),
    step(
        "deny",
        "licences, sources, and one HTTP and TLS stack",
        None,
        |_| deny::check(),
    ),
    step("vitest", "frontend tests", Some(For::Development), |_| {
        npm("test")
    }),
    step(
        "clippy",
        "Rust is free of warnings",
        Some(For::Development),
        |_| {
            let mut arguments = vec!["clippy", "--workspace", "--all-targets"];
            if !cfg!(target_os = "linux") {
                arguments.extend(named("--exclude"));
            }
            cargo(&[&arguments[..], &["--", "-D", "warnings"]].concat())
        },
    ),
    step(
        "clippy-e2e",
        "so are the builds for WebDriver and with reports",
        Some(For::Development),
        |_| {
            cargo(&[
                "clippy",
                "--package",
                "vestibule",
                "--all-targets",
                "--features",
                "e2e,sentry",
                "--",
                "-D",
                "warnings",
            ])
        },
    ),
    Step {
        filterable: true,
        ..step(
            "rust",
            "Rust unit and integration tests, and the drift check of the types",
            Some(For::Tests),
            rust,
        )
    },
    step(
        "export",
        "the static export of the frontend",
        Some(For::Development),
        |_| {
            export::ready().map(|made| {
                if made {
                    String::new()
                } else {
                    "up to date".into()
                }
            })
        },
    ),
    Step {
        needs: &["export"],
        ..step(
            "e2e",
            "the build for WebDriver",
            Some(For::Development),
            |_| app::build_e2e().map(|path| path.display().to_string()),
        )
    },
    Step {
        needs: &["export"],
        ..step(
            "bundle",
            "the packages that users install",
            Some(For::Tests),
            |_| bundle::linux().map(|folder| folder.display().to_string()),
        )
    },
    Step {
        needs: &["bundle"],
        ..step(
            "floors",
            "what the figures are compared with: blank windows, Next apps",
            Some(For::Tests),
            |_| {
                bench::unpack(&bundle::folder())?;
                bench::floors().map(|()| String::new())
            },
        )
    },
    Step {
        needs: &["e2e", "bundle", "floors"],
        filterable: true,
        ..step(
            "acceptance",
            "the real window, driven by WebDriver, and the short form of the figures",
            Some(For::Tests),
            acceptance,
        )
    },
];

const fn step(
    name: &'static str,
    about: &'static str,
    setup: Option<For>,
    work: fn(&Run) -> Outcome<String>,
) -> Step {
    Step {
        name,
        about,
        needs: &[],
        setup,
        filterable: false,
        work,
    }
}

/// What all steps of one run share.
pub struct Run {
    asked: Asked,
    matched: Cell<usize>,
    counted: Cell<bool>,
}

impl Run {
    pub fn new(asked: Asked) -> Self {
        Self {
            asked,
            matched: Cell::new(0),
            counted: Cell::new(false),
        }
    }

    /// Whether tests were asked for by name and none had that name.
    pub fn matched_nothing(&self) -> bool {
        self.asked.filter.is_some() && self.counted.get() && self.matched.get() == 0
    }

    /// Adds what the caller asked for to a `cargo test`, and lets its tests run beside each
    /// other: most of them wait, for a network or a window that is slow on purpose.
    fn narrow(&self, cargo: &mut Command) {
        if std::env::var_os(TEST_THREADS).is_none() {
            cargo.env(TEST_THREADS, side_by_side().to_string());
        }
        cargo
            .args(&self.asked.filter)
            .arg("--")
            .args(&self.asked.extra);
    }

    /// Runs a `cargo test`, counts, and does not let "no test" pass for success.
    fn count(&self, cargo: &mut Command, mut line: impl FnMut(&str) + Send) -> Outcome<String> {
        let mut tally = Tally::default();
        let outcome = process::follow(cargo, |text| {
            tally.read(text);
            line(text);
        });
        let ran = tally.passed + tally.failed;
        self.matched.set(self.matched.get() + ran);
        self.counted.set(true);
        outcome?;
        if ran == 0 && self.asked.filter.is_none() {
            return Err(said("the test runner ran no test"));
        }
        Ok(tally.words())
    }
}

/// Two for each core, which kept both cores of a small machine busy without making tests that
/// bound a wait late; libtest would take one.
fn side_by_side() -> usize {
    2 * thread::available_parallelism().map_or(2, usize::from)
}

fn rust(run: &Run) -> Outcome<String> {
    let mut cargo = root::cargo();
    cargo
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(named("--exclude"));
    run.narrow(&mut cargo);
    // The tests of the keyring need a real one, and it must not be the developer's.
    let mut cargo = if cfg!(target_os = "linux") {
        desktop::around(&cargo)?
    } else {
        cargo
    };
    let mut compared = false;
    let words = run.count(&mut cargo, |line| {
        compared |= line.contains("wire_types") && line.ends_with("ok")
    })?;
    if !compared && run.asked.filter.is_none() {
        return Err(said(
            "the core's test `wire_types` did not run, so the TypeScript types were not compared",
        ));
    }
    Ok(words)
}

/// Those crates, each behind this flag of cargo's.
fn named(flag: &'static str) -> impl Iterator<Item = &'static str> {
    WINDOW_TESTS.into_iter().flat_map(move |name| [flag, name])
}

fn acceptance(run: &Run) -> Outcome<String> {
    if !cfg!(target_os = "linux") {
        return Err(said(
            "the window can be driven on Linux only; here use --only with the other steps",
        ));
    }
    let mut cargo = root::cargo();
    cargo
        .args(["test", "--no-fail-fast"])
        .args(named("--package"))
        .envs(bench::environment());
    run.narrow(&mut cargo);
    run.count(&mut cargo, |_| {})
}

fn cargo(arguments: &[&str]) -> Outcome<String> {
    process::run(root::cargo().args(arguments)).map(|()| String::new())
}

fn npm(script: &str) -> Outcome<String> {
    let mut npm = Command::new(process::npm());
    npm.args(["run", "--silent", script])
        .current_dir(root::frontend());
    process::run(&mut npm).map(|()| String::new())
}
