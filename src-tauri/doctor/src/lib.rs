//! `vestibule doctor`: examines an adopter's backend with accounts that the adopter names. Says of
//! everything that the contract asks whether it holds, and what to change on which side.
//!
//! It sends requests through `vestibule-core`'s own client and judges the answers by its rules, so
//! that it finds what the app would find. It only signs in and out unless an option allows more,
//! and signs out every session that it has opened. It shows names and types of secrets, and never a
//! secret.
//!
//! The way through an examination: [`Plan`] → `examination` runs the probes in `checks` → their
//! observations → the checks judge them → [`Report`] → [`table()`].

#![warn(unreachable_pub)]

mod answered;
mod args;
mod checks;
mod choice;
mod client;
mod date;
mod examination;
mod finding;
mod interrupt;
mod issuer;
mod mask;
mod open_sessions;
mod plan;
mod prompter;
mod report;
mod shape;
mod shown;
mod stop;
mod suggest;
mod table;
mod wrong_tries;

use std::ffi::OsString;
use std::sync::Arc;

pub use checks::{CHECKS, Check, Group};
pub use choice::App;
pub use examination::{examine, examine_and_keep};
pub use finding::Holds;
pub use plan::{Account, Allowed, Hints, Plan};
pub use prompter::Prompter;
pub use report::{Outcome, Report};
pub use shown::Shown;
pub use stop::Stop;
pub use suggest::Suggestion;
pub use table::table;

use args::Options;

/// The exit status where the command line is not understood or the backend could not be examined.
const UNUSABLE: u8 = 2;

/// Runs the doctor with these arguments, the program's own name not among them. `app` is the app
/// that carries the doctor, or none. Answers the exit status.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    app: impl FnOnce() -> Result<Option<App>, String>,
) -> u8 {
    let options = match args::parse(arguments) {
        Ok(options) => options,
        Err(error) => return refuse(&format!("{error}; --help lists the options")),
    };
    if options.help {
        return shown_or_refused(&Shown::lines(args::HELP), 0);
    }
    let plan = match app().and_then(|app| plan_of(&options, app)) {
        Ok(plan) => plan,
        Err(error) => return refuse(&error),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error.to_string()),
    };
    let status = runtime.block_on(examined(&plan, &options));
    // A thread may still wait for a line on standard input.
    runtime.shutdown_background();
    status
}

async fn examined(plan: &Plan, options: &Options) -> u8 {
    let mut text = "Vestibule doctor. This will:".to_owned();
    for line in plan.announcement() {
        text += &format!("\n  - {}", table::wrap(&line, 94).join("\n    "));
    }
    prompter::print(&text);
    let (sender, stop) = Stop::new();
    tokio::spawn(interrupt::listen(sender));
    let report = match examine(plan, Arc::new(prompter::Terminal), stop).await {
        Ok(report) => report,
        Err(error) => return refuse(&error.to_string()),
    };
    prompter::Terminal.progress("done\n");
    let text = match options.json {
        true => match serde_json::to_string_pretty(&report) {
            Ok(text) => Shown::json(&(text + "\n")),
            Err(error) => return refuse(&format!("the report cannot be shown: {error}")),
        },
        false => table(&report),
    };
    shown_or_refused(&text, report.exit_code(options.strict))
}

fn shown_or_refused(text: &Shown, status: u8) -> u8 {
    match prompter::put(text) {
        Ok(()) => status,
        Err(error) => refuse(&format!("the report cannot be shown: {error}")),
    }
}

fn refuse(error: &str) -> u8 {
    prompter::print(&format!("vestibule doctor: {error}"));
    UNUSABLE
}

fn plan_of(options: &Options, app: Option<App>) -> Result<Plan, String> {
    let choice = choice::choose(options, app)?;
    let mut plan = Plan::new(choice.profile);
    plan.is_guess = choice.is_guess;
    plan.hints.clone_from(&options.hints);
    plan.places = choice.places;
    plan.network = choice.network;
    plan.policy = choice.policy;
    plan.allowed = options.allowed;
    plan.register.clone_from(&options.register);
    plan.patience = options.patience.unwrap_or(plan.patience);
    plan.browser = options.browser;
    plan.client_id.clone_from(&options.client_id);
    if let Some(email) = &options.email {
        let password = prompter::password(email)?;
        if let Some(email) = &options.otp_email {
            plan.otp_account = Some(Account {
                email: email.clone(),
                password: prompter::otp_password()?.unwrap_or_else(|| password.clone()),
            });
        }
        plan.account = Some(Account {
            email: email.to_owned(),
            password,
        });
    }
    Ok(plan)
}
