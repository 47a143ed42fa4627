//! `servers [NAME…]`: runs the core's sessions against real servers of other projects, installed
//! from their npm packages, with the shipped profiles. `cargo xtask servers` installs the packages
//! and runs this program. It prints each step and its result.
//!
//! Nothing is skipped: a step that cannot be done fails.

mod better_auth;
mod directus;
mod installation;
mod report;
mod second_factors;
mod server;

use std::process::ExitCode;
use std::time::Instant;

const NAMES: [&str; 2] = ["better-auth", "directus"];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(other) = asked.iter().find(|name| !NAMES.contains(&name.as_str())) {
        eprintln!("there is no server {other}; there are {}", NAMES.join(", "));
        return ExitCode::from(2);
    }
    let mut failed = false;
    for name in NAMES {
        if !asked.is_empty() && !asked.iter().any(|asked| asked == name) {
            continue;
        }
        let start = Instant::now();
        let run = match name {
            "better-auth" => tokio::spawn(better_auth::run()),
            _ => tokio::spawn(directus::run()),
        };
        // A panic has printed what is wrong; the next server is tried all the same.
        let verdict = match run.await {
            Ok(steps) => format!("all {steps} steps hold"),
            Err(_) => {
                failed = true;
                "FAILED".into()
            }
        };
        println!(
            "{name}: {verdict} ({:.1} s)\n",
            start.elapsed().as_secs_f32()
        );
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
