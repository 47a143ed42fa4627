//! Whole sessions over the real keyring.

use std::sync::Arc;

use tempfile::TempDir;
use vestibule_backend::{Backend, Config};
use vestibule_core::profile::Profile;
use vestibule_core::session::Session;
use vestibule_core::wire::{Phase, SignedOutReason, StorageStatus};
use vestibule_core::{Keyring, SecretStore};

use crate::daemon::{self, keyring, kill, with_keyring};
use vestibule_harness::*;

pub fn start(backend: &Backend, keyring: &Arc<Keyring>, folder: &TempDir) -> Session {
    let profile = Profile::default().with_backend(&backend.url());
    let profile = profile.expect("a loopback address");
    let config = config(profile, &folder.path().join(WORKSPACE), keyring.clone());
    Session::open(config).expect("the session opens")
}

pub fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(test);
}

/// Every file under `folder`, searched for these bytes.
fn found_in(folder: &std::path::Path, secret: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(found_in(&path, secret));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            let wanted = secret.as_bytes();
            if bytes.windows(wanted.len()).any(|part| part == wanted) {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_session_is_back_after_a_restart_and_no_file_holds_its_token() {
    let name = "sessions::a_session_is_back_after_a_restart_and_no_file_holds_its_token";
    let Some(_bus) = with_keyring(name) else {
        return;
    };
    run(async {
        let backend = Backend::start(Config::default()).await.expect("starts");
        let folder = tempfile::tempdir().expect("a folder");
        let keyring = Arc::new(keyring());
        let mut tokens = Vec::new();
        let first = start(&backend, &keyring, &folder);
        first.login(login(DEMO)).await.expect("signed in");
        assert_eq!(first.snapshot().state.storage, StorageStatus::Ok);
        drop(first);
        for round in 1..=3 {
            let session = start(&backend, &keyring, &folder);
            let state = until(&session, "a fresh session", is_fresh).await;
            assert_eq!(user(&state).map(|user| user.email.as_str()), Some(DEMO));
            assert_eq!(
                backend.requests("POST", REFRESH),
                round,
                "one refresh for each start"
            );
            session.fetch(get("/me")).await.expect("a call");
            let sent = backend.last_request("POST", REFRESH).expect("one");
            tokens.push(sent.cookie(COOKIE).expect("the token").to_owned());
            let call = backend.last_request("GET", "/me").expect("one");
            let bearer = call.header("authorization").expect("a bearer");
            tokens.push(bearer.trim_start_matches("Bearer ").to_owned());
        }
        for token in &tokens {
            assert_eq!(
                found_in(folder.path(), token),
                Vec::<std::path::PathBuf>::new()
            );
        }
        assert!(
            !found_in(folder.path(), DEMO).is_empty(),
            "the control: the search finds the last user"
        );
        let last = start(&backend, &keyring, &folder);
        until(&last, "a fresh session", is_fresh).await;
        last.logout().await;
        let (emptied, name) = (keyring.clone(), last.item_name().to_owned());
        tokio::task::spawn_blocking(move || {
            // The store blocks, so this must not run on a thread of the runtime.
            while !matches!(emptied.read(&name), Ok(None)) {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        })
        .await
        .expect("the keyring is emptied");
        let after = start(&backend, &keyring, &folder);
        let state = until(&after, "nobody signed in", |state| why(state).is_some()).await;
        assert_eq!(why(&state), Some(SignedOutReason::ByUser));
    });
}

#[test]
fn a_daemon_that_dies_costs_no_session() {
    let Some(mut bus) = with_keyring("sessions::a_daemon_that_dies_costs_no_session") else {
        return;
    };
    run(async {
        let strict = Config {
            grace: std::time::Duration::ZERO,
            ..Config::default()
        };
        let backend = Backend::start(strict).await.expect("starts");
        let folder = tempfile::tempdir().expect("a folder");
        let keyring = Arc::new(keyring());
        let session = start(&backend, &keyring, &folder);
        session.login(login(DEMO)).await.expect("signed in");
        kill(&mut bus);
        session
            .refresh()
            .await
            .expect("the session goes on in memory");
        let state = session.snapshot().state;
        assert_eq!(
            state.storage,
            StorageStatus::Absent,
            "the state says that it is not stored: {state:?}"
        );
        assert!(
            matches!(
                state.phase,
                Phase::SignedIn {
                    remembered: false,
                    ..
                }
            ),
            "{state:?}"
        );
        daemon::start(&mut bus);
        until(&session, "the token in the keyring", |state| {
            remembered(state) == Some(true) && state.storage == StorageStatus::Ok
        })
        .await;
        drop(session);
        let again = start(&backend, &keyring, &folder);
        until(&again, "a fresh session", is_fresh).await;
        assert_eq!(
            backend.requests("POST", REFRESH),
            2,
            "the newest token was kept"
        );
    });
}
