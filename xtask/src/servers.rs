//! Runs what the app needs in development: the bundled backend and Next's server. `tauri dev`
//! starts this before the app and ends it after.
//!
//! When this command ends, by a signal or because its parent is gone, both servers and all
//! processes that they started end too.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome, io, said};
use crate::process_group::ProcessGroup;
use crate::{compile, console, parent, ports, process, process_tree, root, setup, signals};

/// The environment variable with the id of the outermost process of this tool. Between that process
/// and this one there are a shell and the Tauri CLI.
pub const OWNER: &str = "VESTIBULE_DEV_OWNER";

/// Builds the backend. Done before `tauri dev`, because after that cargo is busy with the app, and
/// the CLI waits for Next for only three minutes.
pub fn build_backend() -> Outcome<PathBuf> {
    console::step("building the bundled backend (a few minutes the first time)");
    compile::binary("vestibule-backend", &["--workspace"])
}

/// How long the servers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until a signal asks them to end.
    Told,
    /// Until both have answered a request for the page and the accounts that a new developer sees
    /// first.
    Answered,
}

/// Runs both servers.
pub fn serve(until: Until) -> Outcome {
    ports::check_free()?;
    if !setup::npm::installed()? {
        return Err(said(
            "the frontend's npm packages are not installed: run `cargo xtask setup` first.",
        ));
    }
    let backend = build_backend()?;

    let outcome = start_both(&backend, until);
    process_tree::end_all();
    match outcome {
        // A signal is the normal end of this command.
        Err(Failure::Interrupted(_)) => Ok(()),
        other => other,
    }
}

fn start_both(backend: &Path, until: Until) -> Outcome {
    let watch = parent::ParentWatch::new(owner());
    let database = root::target().join("dev/backend.sqlite3");
    let folder = database.parent().unwrap_or(root::target());
    std::fs::create_dir_all(folder).map_err(io(format_args!("creating {}", folder.display())))?;

    let mut backend = Command::new(backend);
    backend
        .arg("--port")
        .arg(ports::BACKEND.to_string())
        .arg("--database")
        .arg(&database)
        .arg("--demo")
        .current_dir(root::root());
    let backend = start("backend", &backend)?;
    let mut running = vec![backend];
    wait_for(ports::BACKEND, &mut running, &watch)?;

    let mut next = Command::new(process::npm());
    next.args(["run", "--silent", "dev"])
        .current_dir(root::frontend());
    // Without this variable Next looks for updates and sends usage statistics.
    next.env("NEXT_TELEMETRY_DISABLED", "1");
    running.push(start("next", &next)?);

    if until == Until::Answered {
        wait_for(ports::FRONTEND, &mut running, &watch)?;
        for (port, path) in [
            (ports::BACKEND, "/plans/team"),
            (ports::FRONTEND, "/auth/login/"),
        ] {
            if !ports::serves(port, path) {
                return Err(said(format!("port {port} does not answer {path} with 200")));
            }
        }
        return Ok(());
    }
    loop {
        pause(&mut running, &watch)?;
    }
}

/// Starts a server under a guard, so that it ends even if this process is killed.
fn start(name: &'static str, command: &Command) -> Outcome<ProcessGroup> {
    ProcessGroup::start(name, &mut parent::guarded(command)?)
}

fn owner() -> Option<u32> {
    std::env::var(OWNER).ok()?.parse().ok()
}

/// Waits until a server accepts connections.
fn wait_for(port: u16, running: &mut [ProcessGroup], watch: &parent::ParentWatch) -> Outcome {
    let until = Instant::now() + Duration::from_secs(30);
    while !ports::is_answering(port) {
        if Instant::now() > until {
            return Err(said(format!(
                "nothing answers on port {port} after 30 seconds"
            )));
        }
        pause(running, watch)?;
    }
    Ok(())
}

/// One round of waiting: fails on a signal, a dead parent or a dead server.
fn pause(running: &mut [ProcessGroup], watch: &parent::ParentWatch) -> Outcome {
    thread::sleep(Duration::from_millis(50));
    signals::check()?;
    if watch.is_gone() {
        return Err(Failure::Interrupted(0));
    }
    for group in running {
        if let Some(status) = group.ended() {
            return Err(said(format!(
                "the {} server ended by itself ({status}); its last output is above",
                group.name()
            )));
        }
    }
    Ok(())
}
