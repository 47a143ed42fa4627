//! `servers [NAME…] [--doctor] [--json] [--absent NAME=WHY]… [--skip NAME]…`: runs the core's sessions
//! against real servers of other projects, from their packages, with the shipped profiles, and prints a
//! table with a row for each; with `--doctor` it has the doctor find a profile for each instead.
//! `cargo xtask servers` installs the packages and runs this program.
//!
//! Nothing is skipped unless it was asked for: a step that cannot be done fails, and so does a server
//! that could not be installed.

mod arguments;
mod backends;
mod better_auth;
mod browser;
mod by_browser;
mod directus;
mod doctor;
mod form;
mod installation;
mod lifecycle;
mod second_factors;
mod sections;
mod server;
mod steps;
mod table;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use arguments::Arguments;
use backends::{BACKENDS, Backend};
use lifecycle::{Trial, lock};
use table::{Cell, Row};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments = match Arguments::of(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let all_hold = match arguments.doctor {
        true => try_doctor(&arguments).await,
        false => try_core(&arguments).await,
    };
    match all_hold {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Signs in at each backend with the core, and prints the table. True if every row holds.
async fn try_core(arguments: &Arguments) -> bool {
    let mut rows = Vec::new();
    for backend in BACKENDS.iter().filter(|it| arguments.asks_for(it.name)) {
        let row = match arguments.absent(backend) {
            Some(why) => Row {
                absent: Some(why),
                ..Row::of(backend.name)
            },
            None => tried(backend).await,
        };
        rows.push(row);
    }
    match arguments.json {
        true => println!("{:#}", table::json(&rows)),
        false => print!("{}", table::text(&rows)),
    }
    rows.iter().all(Row::holds)
}

/// Has the doctor find a profile for each backend, and prints the table. True if every row holds.
async fn try_doctor(arguments: &Arguments) -> bool {
    let mut rows = Vec::new();
    let by_password = BACKENDS.iter().filter(|it| it.by_browser.is_none());
    for backend in by_password.filter(|it| arguments.asks_for(it.name)) {
        let came = match arguments.absent(backend) {
            Some(why) => Err(why),
            None => tokio::spawn(doctor::Row::of(backend))
                .await
                .map_err(|panicked| reason(panicked.into_panic().as_ref())),
        };
        rows.push(came.unwrap_or_else(|why| doctor::Row::absent(backend, why)));
    }
    if rows.is_empty() {
        eprintln!("none of these takes a password: the doctor finds profiles for those that do");
        return false;
    }
    match arguments.json {
        true => println!("{:#}", doctor::json(&rows)),
        false => print!("{}", doctor::text(&rows)),
    }
    rows.iter().all(doctor::Row::holds)
}

/// Tries everything at one backend. What panics fails: the next backend is tried all the same.
async fn tried(backend: &'static Backend) -> Row {
    let row = Arc::new(Mutex::new(Row::of(backend.name)));
    let steps = tokio::spawn({
        let row = row.clone();
        async move {
            let mut trial = Trial::start(backend, row.clone()).await;
            trial.run().await;
            let steps = match backend.name {
                "better-auth" => better_auth::further(&mut trial).await,
                "directus" => directus::further(&mut trial).await,
                "oidc-provider" => by_browser::further_with_codes(&mut trial).await,
                "better-auth-desktop" => by_browser::further_by_page(&mut trial).await,
                _ if backend.by_browser.is_some() => by_browser::further(&mut trial).await,
                _ => return,
            };
            lock(&row).further = Some(Cell::Held(format!("all {steps} hold")));
        }
    });
    let ended = steps.await;
    let mut row = lock(&row).clone();
    if let Err(panicked) = ended {
        let why = reason(panicked.into_panic().as_ref());
        match row.cells.iter_mut().find(|cell| **cell == Cell::Untried) {
            _ if row.version.is_none() => row.absent = Some(why),
            Some(cell) => *cell = Cell::Failed(why),
            None => row.further = Some(Cell::Failed(why)),
        }
    }
    row
}

/// What a panic said.
fn reason(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}
