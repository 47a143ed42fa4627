//! `vestibule doctor`: drives an adopter's backend through the contract with accounts that they
//! name, and says of each row of it whether it holds and what to change on which side.
//!
//! It speaks through `vestibule-core`'s own client and judges by its rules, so that it finds
//! what the app would find. It changes nothing beyond signing in and out unless it is told to,
//! and signs out what it signed in. No secret is shown: names are, and types of secrets.

pub mod args;
mod ask;
mod choice;
mod date;
mod exam;
mod interrupt;
mod ledger;
mod mask;
pub mod order;
pub mod report;
pub mod row;
mod shape;
pub mod stop;
pub mod suggest;
mod table;

use std::ffi::OsString;
use std::io::Write as _;
use std::sync::Arc;

pub use choice::App;
pub use exam::{examine, examine_and_keep};
pub use table::table;

use args::Asked;
use order::{Account, Desk as _, Order};
use stop::Stop;

/// Not understood, or not reached.
const UNUSABLE: u8 = 2;

/// Runs it from a command line, without the program's own name, as a part of `app` or, where that
/// answers none, by itself. Answers the exit status.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    app: impl FnOnce() -> Result<Option<App>, String>,
) -> u8 {
    let asked = match args::parse(arguments) {
        Ok(asked) => asked,
        Err(error) => return refuse(&format!("{error}; --help lists the options")),
    };
    if asked.help {
        print!("{}", args::HELP);
        return 0;
    }
    let order = match app().and_then(|app| order_of(&asked, app)) {
        Ok(order) => order,
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
    let status = runtime.block_on(examined(&order, &asked));
    // A thread may still wait for a line that nobody types.
    runtime.shutdown_background();
    status
}

async fn examined(order: &Order, asked: &Asked) -> u8 {
    let mut text = "Vestibule doctor. This will:".to_owned();
    for line in order.announcement() {
        text += &format!("\n  - {}", table::wrap(&line, 94).join("\n    "));
    }
    ask::tell(&text);
    let (sender, stop) = Stop::new();
    tokio::spawn(interrupt::listen(sender));
    let report = match examine(order, Arc::new(ask::Terminal), stop).await {
        Ok(report) => report,
        Err(error) => return refuse(&error.to_string()),
    };
    ask::Terminal.progress("done\n");
    let text = match asked.json {
        true => serde_json::to_string_pretty(&report).map(|text| text + "\n"),
        false => Ok(table(&report)),
    };
    let shown = text.map_err(std::io::Error::from);
    match shown.and_then(|text| std::io::stdout().write_all(text.as_bytes())) {
        Ok(()) => report.exit_code(asked.strict),
        Err(error) => refuse(&format!("the report cannot be shown: {error}")),
    }
}

fn refuse(error: &str) -> u8 {
    ask::tell(&format!("vestibule doctor: {error}"));
    UNUSABLE
}

fn order_of(asked: &Asked, app: Option<App>) -> Result<Order, String> {
    let choice = choice::choose(asked, app).map_err(|error| error.to_string())?;
    let mut order = Order::new(choice.profile);
    order.places = choice.places;
    order.desktop = choice.desktop;
    order.allowed = asked.allowed;
    order.register.clone_from(&asked.register);
    order.patience = asked.patience.unwrap_or(order.patience);
    if let Some(email) = &asked.email {
        let password = ask::password(email)?;
        if let Some(email) = &asked.otp_email {
            order.otp_account = Some(Account {
                email: email.clone(),
                password: ask::otp_password()?.unwrap_or_else(|| password.clone()),
            });
        }
        order.account = Some(Account {
            email: email.clone(),
            password,
        });
    }
    Ok(order)
}
