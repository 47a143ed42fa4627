//! The steps: what each runs, in which order, and what it needs.

use std::cell::{Cell, OnceCell, RefCell};
use std::process::Command;
use std::thread;

use super::memory_folder::MemoryFolder;
use super::programs::{self, Program};
use super::{TestOptions, deny};
use crate::app::Profile;
use crate::failure::{Outcome, io, said};
use crate::setup::For;
use crate::test_counts::TestCounts;
use crate::test_failures::TestFailures;
use crate::{adopter, app, bench, bundle, compile, console, desktop, export, process, root};

/// One step of the test command.
pub struct Step {
    /// Its name on the command line and in the results.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// How many seconds it may take on two idle cores with nothing compiled yet. A step that takes
    /// longer is marked in the results; it does not fail.
    pub budget: u64,
    /// Steps that make what this one uses.
    pub needs: &'static [&'static str],
    /// What the machine must be prepared for.
    pub setup: Option<For>,
    /// Whether a filter on test names applies to it.
    pub filterable: bool,
    /// Runs the step; returns a note for the results.
    pub work: fn(&Run) -> Outcome<String>,
}

/// The packages that drive the window, and their folders. Linux only, where the webview has a
/// driver.
const WINDOW_TESTS: [(&str, &str); 2] = [
    ("vestibule-acceptance", "tests/acceptance"),
    ("vestibule-bench", "tests/bench"),
];

/// The variable by which libtest sets how many tests of a program run at once.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// Quick steps first, so that simple mistakes are reported within seconds.
pub const STEPS: &[Step] = &[
    step("fmt", "Rust is formatted", 5, |_| {
        cargo(&["fmt", "--all", "--check"])
    }),
    step("biome", "TypeScript is formatted and linted", 10, |_| {
        npm("lint")
    })
    .after(For::Development),
    step("tsc", "TypeScript type-checks", 15, |_| npm("typecheck")).after(For::Development),
    step(
        "deny",
        "licences, sources, and one HTTP and TLS stack",
        60,
        |_| deny::check(),
    ),
    step("vitest", "frontend tests", 75, |_| npm("test")).after(For::Development),
    step(
        "programs",
        "the test programs, compiled and checked by clippy",
        240,
        |run| run.programs.compile(),
    )
    .after(For::Tests),
    step(
        "rust",
        "Rust unit and integration tests, and the drift check of the types",
        150,
        rust,
    )
    .using(&["programs"])
    .after(For::Tests)
    .filterable(),
    step(
        "commands",
        "the README's commands, in a short form",
        60,
        |_| commands(),
    )
    .using(&["programs"])
    .after(For::Tests),
    step("export", "the static export of the frontend", 40, |_| {
        let made = export::ready()?;
        Ok(if made { "" } else { "up to date" }.to_owned())
    })
    .after(For::Development),
    step(
        "e2e",
        "the build for WebDriver, checked by clippy",
        240,
        |_| {
            let mut cargo = root::cargo();
            compile::under_clippy(&mut cargo);
            let built = app::build_e2e(Profile::Tested, &mut cargo)?;
            Ok(built.display().to_string())
        },
    )
    .using(&["export"])
    .after(For::Development),
    step(
        "adopter",
        "an app of the crates and the packed npm package alone",
        60,
        |_| adopter::build().map(|built| built.display().to_string()),
    )
    .after(For::Development),
    step("bundle", "the packages that users install", 40, |_| {
        bundle::linux(Profile::Tested).map(|folder| folder.display().to_string())
    })
    .using(&["export"])
    .after(For::Tests),
    step(
        "floors",
        "what the figures are compared with: blank windows, Next apps",
        60,
        |_| bench::for_tests().map(|()| String::new()),
    )
    .using(&["bundle"])
    .after(For::Tests),
    step(
        "acceptance",
        "the real window, driven by WebDriver, and the short form of the figures",
        270,
        acceptance,
    )
    .using(&["programs", "e2e", "adopter", "bundle", "floors"])
    .after(For::Tests)
    .filterable(),
];

const fn step(
    name: &'static str,
    about: &'static str,
    budget: u64,
    work: fn(&Run) -> Outcome<String>,
) -> Step {
    Step {
        name,
        about,
        budget,
        needs: &[],
        setup: None,
        filterable: false,
        work,
    }
}

impl Step {
    const fn after(mut self, setup: For) -> Self {
        self.setup = Some(setup);
        self
    }

    const fn using(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
        self
    }

    const fn filterable(mut self) -> Self {
        self.filterable = true;
        self
    }
}

/// What all steps of one run share.
pub struct Run {
    options: TestOptions,
    /// Made for the first step that runs test programs.
    memory: OnceCell<Option<MemoryFolder>>,
    programs: TestPrograms,
    matched: Cell<usize>,
    counted: Cell<bool>,
    failures: RefCell<TestFailures>,
}

impl Run {
    pub fn new(options: TestOptions) -> Self {
        Self {
            options,
            memory: OnceCell::new(),
            programs: TestPrograms::default(),
            matched: Cell::new(0),
            counted: Cell::new(false),
            failures: RefCell::default(),
        }
    }

    /// Whether tests were asked for by name and no test has that name.
    pub fn matched_nothing(&self) -> bool {
        self.options.filter.is_some() && self.counted.get() && self.matched.get() == 0
    }

    /// What the tests that failed have said, in a few lines each.
    pub fn failures(&self) -> String {
        self.failures.borrow().to_string()
    }

    /// The folder in memory for what tests write, where there is room for one.
    fn memory(&self) -> Option<&MemoryFolder> {
        let made = self.memory.get_or_init(|| {
            let made = MemoryFolder::make();
            match &made {
                Some(folder) => console::step(format_args!(
                    "tests write into {}, which is in memory",
                    folder.path().display()
                )),
                None => console::step(format_args!(
                    "tests write into {}",
                    std::env::temp_dir().display()
                )),
            }
            made
        });
        made.as_ref()
    }

    /// The command that runs these programs, a few at a time, with the caller's arguments. The tests of
    /// one program run in parallel too: most of them wait, for a network or a window that is slow on
    /// purpose.
    fn side_by_side(
        &self,
        list: &str,
        at_once: AtOnce,
        wanted: impl Fn(&Program) -> bool,
    ) -> Outcome<Command> {
        let file = root::records().join(format!("{list}.json"));
        programs::write(&file, &self.programs.those(wanted))?;
        let own = std::env::current_exe().map_err(io("finding our own binary"))?;
        let mut command = Command::new(own);
        command
            .args(["side-by-side", &at_once.programs.to_string()])
            .arg(file)
            .args(&self.options.filter)
            .args(&self.options.extra)
            .current_dir(root::root());
        if let Some(memory) = self.memory() {
            command.env("TMPDIR", memory.path());
        }
        if std::env::var_os(TEST_THREADS).is_none() {
            let cores = thread::available_parallelism().map_or(2, usize::from);
            command.env(TEST_THREADS, (at_once.tests_by_core * cores).to_string());
        }
        Ok(command)
    }

    /// Runs such a command and counts the tests. A run without tests is a failure.
    fn count(&self, command: &mut Command, mut line: impl FnMut(&str) + Send) -> Outcome<String> {
        let mut counts = TestCounts::default();
        let mut failures = TestFailures::default();
        let outcome = process::stream_lines(command, |text| {
            counts.read(text);
            failures.read(text);
            line(text);
        });
        self.failures.borrow_mut().add(failures);
        let ran = counts.passed + counts.failed;
        self.matched.set(self.matched.get() + ran);
        self.counted.set(true);
        outcome?;
        if ran == 0 && self.options.filter.is_none() {
            return Err(said("the test programs ran no test"));
        }
        Ok(counts.words())
    }
}

/// The test programs of this run, once they are compiled.
#[derive(Default)]
struct TestPrograms(OnceCell<Vec<Program>>);

impl TestPrograms {
    fn compile(&self) -> Outcome<String> {
        let window_tests = WINDOW_TESTS.map(|(package, _)| package);
        let left_out = match cfg!(target_os = "linux") {
            true => &[][..],
            false => &window_tests,
        };
        let compiled = programs::compile(left_out)?;
        programs::examples(left_out)?;
        let note = format!("{} programs", compiled.len());
        let _ = self.0.set(compiled);
        Ok(note)
    }

    fn those(&self, wanted: impl Fn(&Program) -> bool) -> Vec<Program> {
        let all = self.0.get().into_iter().flatten();
        all.filter(|program| wanted(program)).cloned().collect()
    }
}

/// How much runs at a time.
#[derive(Clone, Copy)]
struct AtOnce {
    /// Test programs.
    programs: usize,
    /// Tests of one program, for each core of the machine; libtest would run one.
    tests_by_core: usize,
}

/// A test of the core computes for a part of its time and waits for the rest: for a network that is
/// slow on purpose, for a keyring, or for one of the core's own limits, up to half a minute. This many
/// keep both cores of a small machine busy. More would wait for a processor, and with them the promises
/// that bound a time (P7, P14).
const CORE_TESTS: AtOnce = AtOnce {
    programs: 2,
    tests_by_core: 3,
};

/// Each test has a desktop, a driver, a keyring and a backend of its own, so tests of two programs
/// disturb each other no more than tests of one do.
const TESTS_OF_WINDOWS: AtOnce = AtOnce {
    programs: 2,
    tests_by_core: 2,
};

fn drives_the_window(program: &Program) -> bool {
    WINDOW_TESTS.iter().any(|(_, folder)| program.is_in(folder))
}

fn rust(run: &Run) -> Outcome<String> {
    let programs = run.side_by_side("rust", CORE_TESTS, |program| !drives_the_window(program))?;
    // The tests of the keyring need a real one, but not the developer's.
    let mut programs = if cfg!(target_os = "linux") {
        desktop::around(&programs)?
    } else {
        programs
    };
    let mut compared = false;
    let words = run.count(&mut programs, |line| {
        compared |= line.contains("wire_types") && line.ends_with("ok")
    })?;
    if !compared && run.options.filter.is_none() {
        return Err(said(
            "the core's test `wire_types` did not run, so the TypeScript types were not compared",
        ));
    }
    Ok(words)
}

fn acceptance(run: &Run) -> Outcome<String> {
    if !cfg!(target_os = "linux") {
        return Err(said(
            "the window can be driven on Linux only; here use --only with the other steps",
        ));
    }
    let mut programs = run.side_by_side("acceptance", TESTS_OF_WINDOWS, drives_the_window)?;
    programs
        .envs(bench::environment(Profile::Tested))
        .env("VESTIBULE_ADOPTER", adopter::path());
    run.count(&mut programs, |_| {})
}

/// The commands that the README names and that no other step runs.
const COMMANDS: &[&[&str]] = &[
    &["doctor"],
    &["dev-servers", "--check"],
    &["servers", "better-auth"],
];

fn commands() -> Outcome<String> {
    let own = std::env::current_exe().map_err(io("finding our own binary"))?;
    for words in COMMANDS {
        console::step(format_args!("cargo xtask {}", words.join(" ")));
        let mut command = Command::new(&own);
        // What they build is there already, since the test programs were built in the same way.
        compile::under_clippy(&mut command);
        process::run(command.args(*words))?;
    }
    Ok(format!("{} commands", COMMANDS.len()))
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
