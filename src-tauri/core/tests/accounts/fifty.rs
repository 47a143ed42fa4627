//! Fifty accounts cost a start as much as one.

use std::time::Duration;

use vestibule_backend::{Backend, Config};
use vestibule_core::ErrorCode;
use vestibule_harness::*;

const MANY: usize = 50;

async fn app_with(backend: &Backend, count: usize) -> AccountApp {
    let app = AccountApp::new(&[(WORKSPACE, backend)]);
    app.sign_in("main", DEMO).await;
    for _ in 1..count {
        let email = account(backend).unwrap_or_else(|lost| panic!("{lost}"));
        app.add("window-2", WORKSPACE, &email).await;
    }
    app.accounts().window_closed("window-2");
    app.while_passing(Duration::from_secs(1), "the others to be closed", |app| {
        app.host.open_now().len() == 1
    })
    .await;
    app
}

/// What a start has cost.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    keyring: [usize; 3],
    requests: usize,
    syncs: usize,
    opens: usize,
}

impl Cost {
    fn so_far(app: &AccountApp, backend: &Backend) -> Self {
        let store = app.store();
        Self {
            keyring: [store.reads(), store.writes(), store.deletes()],
            requests: backend.all_requests(),
            syncs: app.host.syncs(),
            opens: app.host.opens(),
        }
    }

    fn since(&self, before: &Self) -> Self {
        let keyring = std::array::from_fn(|at| self.keyring[at] - before.keyring[at]);
        Self {
            keyring,
            requests: self.requests - before.requests,
            syncs: self.syncs - before.syncs,
            opens: self.opens - before.opens,
        }
    }
}

/// Starts the app again until its first window has a fresh session.
async fn start(app: &mut AccountApp, backend: &Backend, count: usize) -> Cost {
    app.quit().await;
    let before = Cost::so_far(app, backend);
    app.start();
    let listed = app.list();
    assert_eq!(listed.len(), count);
    assert!(listed.iter().all(|it| it.owner.is_some()), "with owners");
    let nothing = Cost::so_far(app, backend).since(&before);
    assert_eq!(nothing.keyring, [0; 3], "the list needs no keyring");
    assert_eq!((nothing.requests, nothing.opens), (0, 0), "and no session");
    let (_, session) = app.page("main");
    until(&session, "a fresh session", is_fresh).await;
    eventually("the session to be at rest", || session.is_at_rest()).await;
    until_idle();
    Cost::so_far(app, backend).since(&before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_is_flat_and_after_a_week_away_they_are_renewed_one_after_the_other() {
    let backend = start_backend(Config::default()).await;
    let one_backend = start_backend(Config::default()).await;
    let mut one = app_with(&one_backend, 1).await;
    let with_one = start(&mut one, &one_backend, 1).await;
    drop(one);
    let mut app = app_with(&backend, MANY).await;
    let with_many = start(&mut app, &backend, MANY).await;
    assert_eq!(with_many, with_one, "the first window's session alone");

    let full = app.accounts().add("window-2", WORKSPACE);
    assert_eq!(code(&full), Some(ErrorCode::TooManyAccounts));
    let away = app.folder.with_file_name("away");
    std::fs::rename(&app.folder, &away).expect("moved");
    let listed = app.list().len();
    std::fs::rename(&away, &app.folder).expect("moved back");
    assert_eq!(listed, MANY, "the list is answered without the disk");

    // Long enough for every renewal to be due.
    app.quit().await;
    app.clock().advance(Duration::from_secs(28 * 24 * 3600));
    app.start();
    let (_, session) = app.page("main");
    until(&session, "a fresh session", is_fresh).await;
    drop(session);
    until_idle();
    let (mut seconds, mut busiest, mut renewed) = (0, 0, 0);
    let opens = app.host.opens();
    while renewed < MANY - 1 {
        let before = app.host.opens();
        app.clock().advance(Duration::from_secs(1));
        app.clock().until_asleep().await;
        // One that was opened is renewed within this second.
        eventually("a renewal to be over", || app.host.open_now().len() <= 1).await;
        app.clock().until_asleep().await;
        seconds += 1;
        let now = app.host.opens();
        busiest = busiest.max(now - before);
        renewed = now - opens;
        assert!(seconds > 9 || renewed == 0, "none in the first ten seconds");
        assert!(seconds < 3000, "{renewed} in {seconds} s");
    }
    assert_eq!(busiest, 1, "one at a time");
    assert!(seconds >= 49 * 3, "spread, and not in {seconds} s");
    let signed_out = app.list().iter().filter(|it| it.owner.is_none()).count();
    assert_eq!(signed_out, 0, "nobody is signed out");
}
