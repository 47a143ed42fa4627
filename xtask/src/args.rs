//! The command line.

use std::ffi::OsString;

use lexopt::prelude::*;

use crate::failure::{Outcome, said};
use crate::servers::Until;
use crate::test::{TestOptions, parallel};
use crate::{bench, fuzz, real_servers, soak};

/// What `--help` prints.
pub const HELP: &str = "\
Vestibule's own commands: cargo xtask COMMAND

  dev [ARGS]           get what is missing, start the bundled backend, open the app
  test [FILTER]        get what is missing, run every check and test
      --only STEP[,STEP]   only these steps and what they need
      --list               the names of the steps
      -- ARGS              passed to the test binaries
  setup                get everything that dev and test need
  doctor               check this machine and print what is missing
  doctor --backend URL check an auth backend and print what to change (--help: how)
  tauri ARGS           the Tauri CLI (also: cargo tauri ARGS)
  build [ARGS]         bundle the app for this system (cargo tauri build)
  build --e2e          build the app for WebDriver and print its path
  bench [NAME…]        measure everything, or the named figures, next to its floor
      --long               also an hour of use and minutes of idling
      --short              a few samples, not compared with the targets
      --list               the names, and how long each takes
      --json FILE          keep every sample
      --against FILE       compare with an earlier run
      --publish            write docs/bench.json and the table in the README
      --markdown           the table as in the README
  fuzz [TARGET]        fuzz every parser, or one
      --seconds N          how long each (30)
  soak [P1 P4 …]       test the promises many times, print the result of each
      --short              as often as `test` does
      --markdown           the table as in the README
  servers [NAME…]      sign in at real servers of other projects, print a table
      --doctor             have the doctor find a profile at each instead
      --skip NAME          leave one out
      --json               the table as JSON
  types                write the frontend's generated types and docs/profile.schema.json
  export               export the frontend if its sources changed
  dev-servers          the backend and Next, as `tauri dev` starts them
      --check              end once both have answered
  desktop -- COMMAND   run one command on a private desktop with keyring and screen (Linux)

What `cargo tauri dev --help` and `cargo tauri build --help` list, dev and build take too.
The bundled backend listens on 127.0.0.1:4580, Next on 127.0.0.1:3180.
";

/// One command of this tool.
#[derive(Debug, PartialEq, Eq)]
pub enum Task {
    /// Prints the help.
    Help,
    /// Installs everything that `dev` and `test` need.
    Setup,
    /// Runs the app from source.
    Dev(Vec<OsString>),
    /// Runs the backend and Next's server.
    DevServers(Until),
    /// Runs the Tauri CLI.
    Tauri(Vec<OsString>),
    /// Bundles the app.
    Build(Vec<OsString>),
    /// Builds the app for WebDriver.
    BuildE2e,
    /// Exports the frontend.
    Export,
    /// Runs checks and tests.
    Test(TestOptions),
    /// Prints the names of the steps of `test`.
    ListSteps,
    /// Measures; the arguments go to the program `bench`.
    Bench(Vec<OsString>),
    /// Fuzzes the parsers.
    Fuzz(fuzz::FuzzOptions),
    /// Runs the promises; the arguments go to the program `soak`.
    Soak(Vec<OsString>),
    /// Signs in at real servers; the arguments go to the program `servers`.
    Servers(Vec<OsString>),
    /// Writes the TypeScript of the wire types.
    Types,
    /// Checks this machine or, with arguments, a backend.
    Doctor(Vec<OsString>),
    /// Runs a command on a private desktop.
    Desktop(Vec<OsString>),
    /// The part of [`Task::Desktop`] that runs inside the private D-Bus session.
    InsideDesktop(Vec<OsString>),
    /// Runs a program that ends when the process with this id does.
    Guard(u32, Vec<OsString>),
    /// Runs test programs, a few at a time.
    SideBySide(parallel::ParallelOptions),
}

/// Reads the command line, without the program's own name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Outcome<Task> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let command = match parser.next().map_err(wrong)? {
        None | Some(Short('h') | Long("help")) => return Ok(Task::Help),
        Some(Value(command)) => command.to_string_lossy().into_owned(),
        Some(other) => return Err(wrong(other.unexpected())),
    };
    // The arguments of other tools are passed on unread.
    match command.as_str() {
        "tauri" => return Ok(Task::Tauri(rest(parser)?)),
        // Preparing the machine takes minutes, so `--help` is recognised before.
        "dev" => return unless_help(rest(parser)?, |arguments| Ok(Task::Dev(arguments))),
        "build" | "package" => return unless_help(rest(parser)?, build),
        "bench" => return unless_help(rest(parser)?, measure),
        "soak" => return unless_help(rest(parser)?, soak),
        "servers" => return unless_help(rest(parser)?, servers),
        "doctor" => return Ok(Task::Doctor(rest(parser)?)),
        "desktop" => return program(rest(parser)?).map(Task::Desktop),
        "inside-desktop" => return program(rest(parser)?).map(Task::InsideDesktop),
        "guard" => return guard(rest(parser)?),
        "side-by-side" => return side_by_side(rest(parser)?),
        "test" => return test(parser),
        "fuzz" => return fuzz(parser),
        "dev-servers" => return dev_servers(parser),
        _ => {}
    }
    let task = match command.as_str() {
        "help" => Task::Help,
        "setup" => Task::Setup,
        "export" => Task::Export,
        "types" => Task::Types,
        _ => {
            return Err(said(format!(
                "there is no command `{command}`; `cargo xtask help` lists them"
            )));
        }
    };
    match parser.next().map_err(wrong)? {
        None => Ok(task),
        Some(Short('h') | Long("help")) => Ok(Task::Help),
        Some(other) => Err(wrong(other.unexpected())),
    }
}

fn test(mut parser: lexopt::Parser) -> Outcome<Task> {
    let mut options = TestOptions::default();
    loop {
        // Recognised here because the parser drops the dashes themselves.
        if let Some(raw) = parser.try_raw_args()
            && raw.peek().is_some_and(|next| next == "--")
        {
            options.extra = raw.skip(1).collect();
            return Ok(Task::Test(options));
        }
        match parser.next().map_err(wrong)? {
            None => return Ok(Task::Test(options)),
            Some(Short('h') | Long("help")) => return Ok(Task::Help),
            Some(Long("list")) => return Ok(Task::ListSteps),
            Some(Long("only")) => {
                let steps = parser.value().map_err(wrong)?;
                let steps = steps.to_string_lossy().into_owned();
                options.only.extend(
                    steps
                        .split(',')
                        .map(str::trim)
                        .filter(|s| !s.is_empty())
                        .map(str::to_owned),
                );
                if options.only.is_empty() {
                    return Err(said(
                        "--only wants the name of a step; `cargo xtask test --list` lists them",
                    ));
                }
            }
            Some(Value(filter)) if options.filter.is_none() => {
                options.filter = Some(filter.to_string_lossy().into_owned());
            }
            Some(other) => return Err(wrong(other.unexpected())),
        }
    }
}

fn dev_servers(mut parser: lexopt::Parser) -> Outcome<Task> {
    match parser.next().map_err(wrong)? {
        None => Ok(Task::DevServers(Until::Told)),
        Some(Long("check")) => Ok(Task::DevServers(Until::Answered)),
        Some(Short('h') | Long("help")) => Ok(Task::Help),
        Some(other) => Err(wrong(other.unexpected())),
    }
}

fn fuzz(mut parser: lexopt::Parser) -> Outcome<Task> {
    let mut options = fuzz::FuzzOptions::default();
    loop {
        match parser.next().map_err(wrong)? {
            None => return Ok(Task::Fuzz(options)),
            Some(Short('h') | Long("help")) => return Ok(Task::Help),
            Some(Long("seconds")) => {
                let seconds = parser.value().map_err(wrong)?.parse().map_err(wrong)?;
                if seconds == 0 {
                    return Err(said(
                        "--seconds 0 is no limit to the fuzzer: it would never end",
                    ));
                }
                options.seconds = Some(seconds);
            }
            Some(Value(target)) if options.target.is_none() => {
                options.target = Some(target.to_string_lossy().into_owned());
            }
            Some(other) => return Err(wrong(other.unexpected())),
        }
    }
}

fn unless_help(
    arguments: Vec<OsString>,
    task: impl FnOnce(Vec<OsString>) -> Outcome<Task>,
) -> Outcome<Task> {
    let mut own = arguments.iter().take_while(|argument| *argument != "--");
    if own.any(|argument| argument == "--help" || argument == "-h") {
        return Ok(Task::Help);
    }
    task(arguments)
}

fn measure(arguments: Vec<OsString>) -> Outcome<Task> {
    bench::check(&arguments)?;
    Ok(Task::Bench(arguments))
}

fn soak(arguments: Vec<OsString>) -> Outcome<Task> {
    let known = soak::promises().into_iter().chain(soak::OPTIONS);
    one_of(&arguments, "promise", known)?;
    Ok(Task::Soak(arguments))
}

fn servers(arguments: Vec<OsString>) -> Outcome<Task> {
    one_of(&arguments, "server", real_servers::words())?;
    Ok(Task::Servers(arguments))
}

/// Refuses a word that is not in the list.
fn one_of(
    arguments: &[OsString],
    what: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Outcome {
    let is_unknown = |argument: &&OsString| known.clone().all(|one| **argument != *one);
    let Some(unknown) = arguments.iter().find(is_unknown) else {
        return Ok(());
    };
    let known: Vec<_> = known.collect();
    Err(said(format!(
        "there is no {what} `{}`; there are {}",
        unknown.to_string_lossy(),
        known.join(", ")
    )))
}

fn build(arguments: Vec<OsString>) -> Outcome<Task> {
    if !arguments.iter().any(|argument| argument == "--e2e") {
        return Ok(Task::Build(arguments));
    }
    if arguments.len() > 1 {
        return Err(said("`build --e2e` takes no further arguments"));
    }
    Ok(Task::BuildE2e)
}

fn guard(mut arguments: Vec<OsString>) -> Outcome<Task> {
    let parent = arguments.first().and_then(|id| id.to_str()?.parse().ok());
    let parent = parent.ok_or_else(|| said("`guard` is for this tool's own use"))?;
    arguments.remove(0);
    Ok(Task::Guard(parent, program(arguments)?))
}

fn side_by_side(arguments: Vec<OsString>) -> Outcome<Task> {
    let mut arguments = arguments.into_iter();
    let at_once = arguments
        .next()
        .and_then(|count| count.to_str()?.parse().ok());
    let (Some(at_once), Some(list)) = (at_once, arguments.next()) else {
        return Err(said("`side-by-side` is for this tool's own use"));
    };
    Ok(Task::SideBySide(parallel::ParallelOptions {
        list: list.into(),
        at_once,
        arguments: arguments.collect(),
    }))
}

/// A program and its arguments, after an optional `--`.
fn program(mut arguments: Vec<OsString>) -> Outcome<Vec<OsString>> {
    if arguments.first().is_some_and(|first| first == "--") {
        arguments.remove(0);
    }
    if arguments.is_empty() {
        return Err(said("which command? Put it after `--`"));
    }
    Ok(arguments)
}

fn rest(mut parser: lexopt::Parser) -> Outcome<Vec<OsString>> {
    Ok(parser.raw_args().map_err(wrong)?.collect())
}

fn wrong(error: lexopt::Error) -> crate::failure::Failure {
    said(format!("{error}; `cargo xtask help` shows how"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(line: &str) -> Task {
        parse(line.split_whitespace().map(OsString::from)).unwrap()
    }

    fn refused(line: &str) -> String {
        parse(line.split_whitespace().map(OsString::from))
            .unwrap_err()
            .to_string()
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn help_wherever_it_is_asked_for() {
        for line in [
            "",
            "help",
            "--help",
            "-h",
            "setup --help",
            "test -h",
            "bench --help",
            "bench refresh -h",
            "soak --help",
            "soak P1 -h",
            "servers --help",
            "build --help",
            "package -h",
            "dev --help",
        ] {
            assert_eq!(task(line), Task::Help, "{line}");
        }
    }

    #[test]
    fn what_the_tauri_cli_gets_is_passed_on_untouched() {
        assert_eq!(
            task("tauri build --bundles deb -- --locked"),
            Task::Tauri(words("build --bundles deb -- --locked"))
        );
        assert_eq!(task("tauri --version"), Task::Tauri(words("--version")));
        assert_eq!(task("dev --no-watch"), Task::Dev(words("--no-watch")));
        assert_eq!(task("build --debug"), Task::Build(words("--debug")));
        assert_eq!(task("soak P1 --short"), Task::Soak(words("P1 --short")));
        assert_eq!(
            task("bench refresh --json here.json"),
            Task::Bench(words("refresh --json here.json"))
        );
        assert_eq!(task("servers directus"), Task::Servers(words("directus")));
        let doctor = "--doctor directus";
        assert_eq!(
            task(&format!("servers {doctor}")),
            Task::Servers(words(doctor))
        );
        assert_eq!(task("doctor"), Task::Doctor(Vec::new()));
        assert_eq!(task("doctor --json"), Task::Doctor(words("--json")));
    }

    #[test]
    fn the_build_for_webdriver_is_not_a_bundle() {
        assert_eq!(task("build --e2e"), Task::BuildE2e);
        assert!(refused("build --e2e --debug").contains("no further"));
    }

    #[test]
    fn tests_by_step_by_name_and_with_arguments_of_their_own() {
        let Task::Test(options) =
            task("test --only fmt,clippy --only=rust login -- --nocapture --test-threads 1")
        else {
            panic!("a test task");
        };
        assert_eq!(options.only, ["fmt", "clippy", "rust"]);
        assert_eq!(options.filter.as_deref(), Some("login"));
        assert_eq!(options.extra, words("--nocapture --test-threads 1"));
        assert_eq!(task("test"), Task::Test(TestOptions::default()));
        assert_eq!(task("test --list"), Task::ListSteps);
    }

    #[test]
    fn fuzzing_is_of_one_target_or_all_and_for_some_time() {
        assert_eq!(task("fuzz"), Task::Fuzz(fuzz::FuzzOptions::default()));
        let options = fuzz::FuzzOptions {
            target: Some("response_fields".into()),
            seconds: Some(5),
        };
        assert_eq!(
            task("fuzz response_fields --seconds 5"),
            Task::Fuzz(options)
        );
        assert!(refused("fuzz --seconds soon").contains("soon"));
        let never = refused("fuzz --seconds 0");
        assert!(never.contains("no limit"), "{never}");
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert!(refused("tset").contains("tset"));
        assert!(refused("setup now").contains("now"));
        assert!(refused("test a b").contains('b'));
        assert!(refused("test --olny fmt").contains("olny"));
        assert!(refused("test --only").contains("only"));
        assert!(refused("desktop").contains("which command"));
        assert!(refused("--version").contains("version"));
    }

    /// Otherwise the mistake would be reported only after everything was installed and built.
    #[test]
    fn a_promise_or_a_server_that_is_not_there_is_named_at_once() {
        for line in ["soak P99", "soak P1 --shrot"] {
            let failure = refused(line);
            let wrong = line.split(' ').next_back().unwrap();
            assert!(failure.contains(wrong), "{failure}");
            assert!(failure.contains("P1, P2"), "{failure}");
        }
        let failure = refused("servers nothing");
        assert!(failure.contains("nothing"), "{failure}");
        assert!(failure.contains("better-auth, directus"), "{failure}");
        assert_eq!(task("servers"), Task::Servers(Vec::new()));
        assert_eq!(
            task("soak P12 --markdown"),
            Task::Soak(words("P12 --markdown"))
        );
    }

    #[test]
    fn what_stands_behind_the_dashes_is_the_apps() {
        assert_eq!(task("dev -- -- --help"), Task::Dev(words("-- -- --help")));
    }

    #[test]
    fn a_program_comes_with_its_own_options() {
        assert_eq!(task("desktop -- ls -l"), Task::Desktop(words("ls -l")));
        assert_eq!(
            task("guard 42 -- npm run dev"),
            Task::Guard(42, words("npm run dev"))
        );
    }
}
