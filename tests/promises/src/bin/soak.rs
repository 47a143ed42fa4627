//! `soak [P1 P4 …] [--short] [--markdown]`: runs the promises, all or the named ones, in their
//! long form, and prints one table. Exits with 1 if a promise does not hold, with 2 if the
//! command line is wrong.
//!
//! `soak --child NAME …` runs the child process that a promise needs.

use std::process::ExitCode;

use vestibule_promises::registry::{self, Form, PROMISES, Setting};
use vestibule_promises::{children, report};

const HELP: &str = "soak [PROMISE…] [--short] [--markdown]";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == "--child").is_some() {
        return children::run(&arguments.collect::<Vec<_>>());
    }
    let (mut form, mut markdown, mut names) = (Form::Long, false, Vec::new());
    for argument in arguments {
        match argument.as_str() {
            "--short" => form = Form::Short,
            "--markdown" => markdown = true,
            "--help" | "-h" => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            name if PROMISES.iter().any(|promise| promise.number == name) => {
                names.push(argument);
            }
            other => {
                let known: Vec<_> = PROMISES.iter().map(|promise| promise.number).collect();
                eprintln!(
                    "{HELP}\nthere is no {other}; there are {}",
                    known.join(", ")
                );
                return ExitCode::from(2);
            }
        }
    }
    let Ok(program) = std::env::current_exe() else {
        eprintln!("the path of this program is unknown");
        return ExitCode::FAILURE;
    };
    let setting = Setting { program };
    let rows = registry::runtime().block_on(registry::run(&names, form, &setting));
    if markdown {
        print!("{}", report::markdown(&rows));
    } else {
        print!("{}", report::text(&rows));
    }
    if rows.iter().all(|one| one.row.holds) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
