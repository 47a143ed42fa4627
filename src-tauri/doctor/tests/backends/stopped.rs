//! Ctrl-C: the doctor signs out what it has signed in.

use std::time::Duration;

use vestibule_backend::Config;
use vestibule_doctor::{CHECKS, Check, Group, Outcome, Stop, examine};
use vestibule_harness::{DEMO, start_backend};

use crate::support::{Clerk, all_over, plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_examination_leaves_no_session() {
    let backend = start_backend(Config::default()).await;
    let mut plan = plan(&backend.url());
    plan.allowed.replay = true;
    plan.patience = Duration::from_secs(600);
    let prompter = Clerk::at(&backend);
    let (sender, stop) = Stop::new();
    let examination = tokio::spawn(async move { examine(&plan, prompter, stop).await });
    // Two sessions, one of them waiting for its window to shut.
    backend.reached("POST", "/refresh-token", 5).await;
    assert!(backend.sessions(DEMO).iter().any(|one| one.ended.is_none()));
    sender.send_replace(true);
    let report = tokio::time::timeout(Duration::from_secs(10), examination).await;
    let report = report
        .expect("the doctor ends soon")
        .expect("no panic")
        .expect("a client");
    assert_eq!(report.outcome, Outcome::Interrupted);
    assert_eq!(report.exit_code(false), 130);
    let concerned = CHECKS
        .iter()
        .filter(|check| check.group() != Group::Browser);
    let concerned: Vec<_> = concerned.map(Check::id).collect();
    let rows: Vec<_> = report.rows.iter().map(|row| row.id).collect();
    assert_eq!(rows, concerned, "it is whole");
    all_over(&backend, DEMO);
}

#[cfg(unix)]
mod by_signal {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};
    use tokio::process::Child;
    use vestibule_backend::{Backend, Config, Effect, Fault};
    use vestibule_harness::{DEMO, PASSWORD, start_backend};

    use crate::support::{all_over, program, text};

    /// The program, waiting for a grace window to close, with two sessions of its own.
    async fn waiting(backend: &Arc<Backend>) -> Child {
        let url = backend.url();
        let arguments = [
            "--backend",
            &url,
            "--email",
            DEMO,
            "--replay",
            "--patience",
            "600",
        ];
        let child = program(&arguments, PASSWORD).start().await;
        backend.reached("POST", "/refresh-token", 4).await;
        child
    }

    fn send(child: &Child, signal: Signal) {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).expect("it runs");
        kill_process(id, signal).expect("the program runs");
    }

    /// No session is left after any of the signals, also where the backend is slow.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_program_signs_out_before_it_ends() {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let backend = start_backend(Config::default()).await;
            let slow = Fault::on("POST", "/logout", Effect::Delay { ms: 500 });
            backend.faults().add(slow);
            let child = waiting(&backend).await;
            send(&child, signal);
            let ended = child.wait_with_output().await.expect("it ends");
            let (table, progress) = (text(&ended.stdout), text(&ended.stderr));
            assert_eq!(ended.status.code(), Some(130), "{signal:?}: {progress}");
            assert!(table.contains("Interrupted"), "{table}");
            assert!(progress.contains("is signed out"), "{progress}");
            all_over(&backend, DEMO);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_second_time_it_ends_at_once() {
        let backend = start_backend(Config::default()).await;
        let never = Fault::on("POST", "/logout", Effect::Hang {});
        backend.faults().add(never);
        let mut child = waiting(&backend).await;
        send(&child, Signal::INT);
        backend.reached("POST", "/logout", 1).await;
        let since = Instant::now();
        // A signal that follows too soon is taken for a copy of the first.
        let pause = Duration::from_millis(100);
        while tokio::time::timeout(pause, child.wait()).await.is_err() {
            assert!(
                since.elapsed() < Duration::from_secs(10),
                "it waits for the backend as after one Ctrl-C"
            );
            send(&child, Signal::INT);
        }
        let ended = child.wait_with_output().await.expect("it has ended");
        assert_eq!(ended.status.code(), Some(130));
        assert!(text(&ended.stdout).is_empty(), "there is no report");
        let progress = text(&ended.stderr);
        assert!(progress.contains("ended at once"), "{progress}");
    }
}
