//! A start that fails shows in a window what is wrong and what to do, and goes on in that window
//! once it has been done. The tests may run as root, whom no permission stops, so they use a file
//! where a folder has to be: that stops root too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use vestibule_acceptance::{App, Role, Stage, scenario, until};

const TITLE: &str = "Vestibule cannot start";

fn data(stage: &Stage) -> PathBuf {
    stage.desktop.home().join("data/dev.vestibule.desktop")
}

fn log(stage: &Stage) -> String {
    fs::read_to_string(data(stage).join("logs/vestibule.log")).unwrap_or_default()
}

fn put_a_file_at(path: &Path) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    fs::write(path, "in the way\n").expect("the file");
}

/// Starts the app, which can open its window but fails later.
async fn fails_to_start(stage: &Stage) -> App {
    let scratch = stage.desktop.home().join("scratch");
    fs::create_dir_all(&scratch).expect("the folder");
    let app = stage
        .start_with(&[("TMPDIR", scratch.display().to_string())])
        .await;
    app.find(Role::Heading, TITLE).await;
    app.says("your session is kept").await;
    for way_in in ["Sign in", "Create account"] {
        assert!(!app.shows(Role::Link, way_in).await, "{way_in}");
    }
    app
}

/// Tries again while the obstacle is there, then without it.
async fn goes_on_without(app: &App, obstacle: &Path) {
    app.click(Role::Button, "Try again").await;
    app.find(Role::Heading, TITLE).await;
    assert!(!app.shows(Role::Link, "Sign in").await);
    fs::remove_file(obstacle).expect("it was there");
    app.click(Role::Button, "Try again").await;
    app.find(Role::Link, "Sign in").await;
    app.gone(Role::Heading, TITLE).await;
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named_and_so_is_what_to_do() {
    scenario(async |stage| {
        let obstacle = data(stage);
        put_a_file_at(&obstacle);
        let app = fails_to_start(stage).await;
        app.says(&format!("The folder {} cannot", obstacle.display()))
            .await;
        app.says("move that file away").await;
        goes_on_without(&app, &obstacle).await;
        assert!(
            obstacle.join("instance.lock").is_file(),
            "this process owns the windows"
        );
        let told = log(stage);
        assert!(told.contains("the app cannot start"), "{told}");
        assert!(told.contains("move that file away"), "{told}");
        assert!(
            told.contains("started version"),
            "the log shows that the start goes on: {told}"
        );
    });
}

#[test]
fn a_folder_for_records_that_cannot_be_used_is_named_too() {
    scenario(async |stage| {
        let obstacle = data(stage).join("workspaces");
        put_a_file_at(&obstacle);
        let app = fails_to_start(stage).await;
        app.says(&format!("The folder {} cannot", obstacle.display()))
            .await;
        app.says("move that file away").await;
        let told = log(stage);
        assert!(told.contains("the accounts stay closed"), "{told}");
        goes_on_without(&app, &obstacle).await;
    });
}

/// Another process of the app on this desktop, which started and was then stopped (SIGSTOP).
struct StoppedProcess(Child);

impl StoppedProcess {
    async fn start(stage: &Stage) -> Self {
        let mut first = stage.desktop.command(vestibule_acceptance::app());
        first
            .env("VESTIBULE_BACKEND", stage.backend.url())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let first = Self(first.spawn().expect("it starts"));
        until("the first process to own the windows", async || {
            let at_work = log(stage).contains("started");
            at_work.then_some(()).ok_or_else(|| log(stage))
        })
        .await;
        first.signal(Signal::STOP);
        first
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), signal).expect("it runs");
    }
}

impl Drop for StoppedProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_first_process_that_hangs_is_told_of_and_its_place_is_taken_once_it_has_ended() {
    scenario(async |stage| {
        let first = StoppedProcess::start(stage).await;
        let app = fails_to_start(stage).await;
        app.says("and does not answer").await;
        app.says("End that process").await;
        let told = log(stage);
        assert!(told.contains("does not answer"), "{told}");
        assert_eq!(told.matches("started version").count(), 1, "one owner");
        app.click(Role::Button, "Try again").await;
        app.says("and does not answer").await;
        drop(first);
        until("the app to open", async || {
            if app.shows(Role::Link, "Sign in").await {
                return Ok(());
            }
            // The try before may still be under way, and succeed.
            let script = "[...document.querySelectorAll('main button')]
              .find(({ textContent }) => textContent === 'Try again')?.click()";
            app.run(script).await;
            Err("it does not yet".into())
        })
        .await;
        app.gone(Role::Heading, TITLE).await;
    });
}

#[test]
fn a_first_process_that_hung_and_goes_on_is_handed_over_to() {
    scenario(async |stage| {
        let first = StoppedProcess::start(stage).await;
        let app = fails_to_start(stage).await;
        let running = || stage.desktop.processes(&vestibule_acceptance::app());
        assert_eq!(running().len(), 2, "both processes run");
        first.signal(Signal::CONT);
        // The window closes before it can answer the click.
        let script = "document.querySelector('main button').click()";
        let _ = app.driver().execute(script, []).await;
        until("one process", async || match running()[..] {
            [one] if one == first.0.id() => Ok(()),
            _ => Err(format!("{:?}", running())),
        })
        .await;
        let scratch = stage.desktop.home().join("scratch");
        let left: Vec<_> = fs::read_dir(scratch).expect("a folder").collect();
        assert!(left.is_empty(), "{left:?}");
    });
}
