//! What the app needs beside itself in development: the bundled backend and
//! Next's server. `tauri dev` starts this before the app and ends it after.
//!
//! Whatever way it is ended, by a signal or by the death of whoever started
//! it, both servers and all they started end with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome, io, said};
use crate::group::Group;
use crate::{compile, kin, parent, ports, process, root, say, setup, signals};

/// The environment variable in which the outermost of our processes leaves its
/// id: between it and us there are a shell and the Tauri CLI.
pub const OWNER: &str = "VESTIBULE_DEV_OWNER";

/// Builds the backend; before `tauri dev`, because afterwards cargo is busy
/// with the app and the CLI waits for Next for three minutes only.
pub fn build_backend() -> Outcome<PathBuf> {
    say::step("building the bundled backend (a few minutes the first time)");
    compile::binary("vestibule-backend", &["--workspace"])
}

/// What `serve` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Both servers stay up until they are told to end.
    Told,
    /// They end once both have answered a request for what a newcomer sees first.
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
    kin::end_all();
    match outcome {
        // Being told to end is how this command ends.
        Err(Failure::Interrupted(_)) => Ok(()),
        other => other,
    }
}

fn start_both(backend: &Path, until: Until) -> Outcome {
    let watch = parent::Watch::new(owner());
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
    // Next asks for updates and sends figures home unless told not to.
    next.env("NEXT_TELEMETRY_DISABLED", "1");
    running.push(start("next", &next)?);

    if until == Until::Answered {
        wait_for(ports::FRONTEND, &mut running, &watch)?;
        for (port, path) in [
            (ports::BACKEND, "/plans/team"),
            (ports::FRONTEND, "/auth/login/"),
        ] {
            if !ports::serves(port, path) {
                return Err(said(format!(
                    "nothing good is served at port {port}, {path}"
                )));
            }
        }
        return Ok(());
    }
    loop {
        pause(&mut running, &watch)?;
    }
}

/// Starts a server so that not even our own sudden death leaves it running.
fn start(name: &'static str, command: &Command) -> Outcome<Group> {
    Group::start(name, &mut parent::guarded(command)?)
}

fn owner() -> Option<u32> {
    std::env::var(OWNER).ok()?.parse().ok()
}

/// Waits until a server accepts connections.
fn wait_for(port: u16, running: &mut [Group], watch: &parent::Watch) -> Outcome {
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

/// One round of waiting: stops for a signal, a dead parent or a dead server.
fn pause(running: &mut [Group], watch: &parent::Watch) -> Outcome {
    thread::sleep(Duration::from_millis(50));
    signals::check()?;
    if watch.is_gone() {
        return Err(Failure::Interrupted(0));
    }
    for group in running {
        if let Some(status) = group.ended() {
            return Err(said(format!(
                "the {} server ended by itself ({status}); its last words are above",
                group.name()
            )));
        }
    }
    Ok(())
}
