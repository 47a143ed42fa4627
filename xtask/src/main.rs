//! `cargo xtask`: set-up, development, tests and measurements of this repository.
//!
//! It runs the ordinary tools (cargo, npm, the Tauri CLI) in the right order and with what they
//! need. It replaces none of them and is not part of what ships.

mod adopter;
mod app;
mod args;
mod bench;
mod bundle;
mod compile;
mod console;
mod desktop;
mod display;
mod doctor;
mod export;
mod failure;
mod fuzz;
mod machine;
mod parent;
mod ports;
mod process;
mod process_group;
mod process_tree;
mod real_servers;
mod room;
mod root;
mod servers;
mod setup;
mod signals;
mod soak;
mod tauri;
mod test;
mod test_counts;
mod test_failures;
mod types;

use std::process::ExitCode;

use args::Task;
use failure::{Failure, Outcome};
use setup::For;

fn main() -> ExitCode {
    signals::listen();
    let task = match args::parse(std::env::args_os().skip(1)) {
        Ok(task) => task,
        Err(failure) => return stopped(&failure, false),
    };
    // These run one program and exit as it does; that program has printed why it failed.
    let stand_in = matches!(
        task,
        Task::Tauri(_) | Task::Desktop(_) | Task::InsideDesktop(_) | Task::Guard(..)
    ) || matches!(&task, Task::Doctor(arguments) if !arguments.is_empty());
    match run(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => stopped(&failure, stand_in),
    }
}

fn stopped(failure: &Failure, stand_in: bool) -> ExitCode {
    match failure {
        // Tools that were killed may have left processes behind.
        Failure::Interrupted(_) => process_tree::end_all(),
        Failure::Tool { .. } if stand_in => {}
        other => console::failure(other),
    }
    ExitCode::from(failure.exit_code())
}

fn run(task: Task) -> Outcome {
    match task {
        Task::Help => {
            print!("{}", args::HELP);
            Ok(())
        }
        Task::Setup => {
            setup::ready(For::Tests)?;
            console::step("everything is here; `cargo xtask dev` opens the app");
            Ok(())
        }
        Task::Dev(arguments) => tauri::dev(&arguments),
        Task::DevServers(until) => servers::serve(until),
        Task::Tauri(arguments) => tauri::run(&arguments),
        Task::Build(arguments) => tauri::build(&arguments),
        Task::BuildE2e => app::build_e2e_from_scratch(),
        Task::Export => setup::ready(For::Development)
            .and_then(|()| export::ready())
            .map(drop),
        Task::Test(options) => test::run(options),
        Task::ListSteps => {
            test::list();
            Ok(())
        }
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Soak(arguments) => soak::run(&arguments),
        Task::Servers(arguments) => real_servers::run(&arguments),
        Task::Types => types::write(),
        Task::Doctor(arguments) => doctor::run(&arguments),
        Task::Desktop(program) => desktop::run(&program),
        Task::InsideDesktop(program) => desktop::run_inside(&program),
        Task::Guard(parent, program) => parent::guard(parent, &program),
        Task::SideBySide(options) => test::parallel::run(&options),
    }
}
