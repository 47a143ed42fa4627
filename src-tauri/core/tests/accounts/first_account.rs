//! The first account is there without being added, and an installation from before has it already.

use std::fs;

use vestibule_core::wire::{AccountStanding, SignedOutReason};
use vestibule_harness::*;

/// Moves the records of an installation from before to where the app looks for them.
fn move_in(app: &AccountApp, records: &std::path::Path) {
    fs::create_dir_all(&app.folder).expect("a folder");
    fs::rename(records, app.workspace(WORKSPACE)).expect("moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_account_is_there_without_being_added() {
    let backend = start_backend(vestibule_backend::Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &backend)]);
    assert_eq!(app.list(), [], "nothing is made before a window asks");
    let (id, _) = app.page("main");
    let list = app.list();
    assert_eq!(list.len(), 1, "one account, though nobody has added it");
    assert_eq!((list[0].id, list[0].owner.clone()), (id, None));
    app.sign_in("main", DEMO).await;
    app.restart().await;
    let (again, session) = app.page("main");
    assert_eq!(again, id, "the same account after a restart");
    until(&session, "the session to go on", is_fresh).await;
    assert_eq!(app.emails(), [DEMO]);
}

/// A page sends several commands at once when it begins.
#[tokio::test(flavor = "multi_thread")]
async fn commands_that_come_at_once_make_one_account() {
    let backend = start_backend(vestibule_backend::Config::default()).await;
    for _ in 0..10 {
        let app = AccountApp::new(&[(WORKSPACE, &backend)]);
        let commands: Vec<_> = (0..16)
            .map(|at| {
                let accounts = app.accounts().clone();
                let window = ["main", "window-2"][at % 2];
                tokio::task::spawn_blocking(move || accounts.of_window(window))
            })
            .collect();
        for command in commands {
            command.await.expect("no panic").expect("an account");
        }
        assert_eq!(app.list().len(), 1, "one first account, however many ask");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_from_before_is_the_first_account_and_stays_signed_in() {
    let setup = Setup::new(vestibule_backend::Config::default()).await;
    let before = setup.install().await;
    before.sign_in(DEMO).await;
    let name = before.session.item_name().to_owned();
    let item = setup.store.bare();
    let item = vestibule_core::SecretStore::read(item, &name);
    let item = item.expect("memory").expect("an item");
    let mut app = AccountApp::installed(&[(WORKSPACE, &setup.backend)]);
    app.store().put(&name, &item);
    move_in(&app, &before.records);
    app.start();
    let list = app.list();
    assert_eq!(app.emails(), [DEMO], "known before anything is opened");
    assert_eq!(list[0].standing, AccountStanding::Kept);
    assert_eq!(app.host.opens(), 0, "the list opens no session");
    let (id, session) = app.page("main");
    assert_eq!(id, list[0].id);
    until(&session, "the session to go on", is_fresh).await;
    assert_eq!(session.item_name(), name, "the same item in the keyring");
    assert_eq!(setup.alive(DEMO), 1, "no other session was begun or ended");
}

/// Before the first window asks, upkeep must not take what it may show for something to tidy up.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_signed_out_of_before_is_the_first_one_still() {
    let setup = Setup::new(vestibule_backend::Config::default()).await;
    let before = setup.install().await;
    before.sign_in(DEMO).await;
    before.session.logout().await;
    before.until_nothing_kept().await;
    eventually("the sign-out to be told", || {
        !before.session.owes_sign_out()
    })
    .await;
    let mut app = AccountApp::installed(&[(WORKSPACE, &setup.backend)]);
    move_in(&app, &before.records);
    app.start();
    let id = app.list()[0].id;
    app.clock().until_asleep().await;
    until_idle();
    let (shown, session) = app.page("main");
    assert_eq!(shown, id, "the account is not forgotten at the start");
    let state = until(&session, "a start", |state| why(state).is_some()).await;
    let by_user = Some(SignedOutReason::ByUser);
    assert_eq!(why(&state), by_user, "nor why nobody is signed in");
}

mod ff703f2 {
    //! The records that commit ff703f2 wrote.

    use super::*;
    use std::path::Path;

    /// What stands in the fixture for a session at the backend.
    async fn values(setup: &Setup) -> Vec<(&'static str, String)> {
        let elsewhere = setup.install_elsewhere().await;
        elsewhere.sign_in(DEMO).await;
        let sent = setup.backend.last_request("POST", "/login").expect("one");
        let device = sent.json().expect("JSON")["fingerprint"].clone();
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let user = user(&elsewhere.state()).expect("signed in").id.clone();
        vec![
            ("{origin}", setup.backend.url()),
            ("{user}", user),
            ("{fingerprint}", text(&device["fingerprint"])),
            ("{os}", text(&device["os"])),
            ("{token}", elsewhere.kept().expect("a token")),
        ]
    }

    fn fixture(name: &str, values: &[(&str, String)]) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ff703f2");
        let text = fs::read_to_string(path.join(name)).expect("a fixture");
        let fill = |text: String, (name, value): &(&str, String)| text.replace(name, value);
        values.iter().fold(text, fill)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_goes_on() {
        let setup = Setup::new(vestibule_backend::Config::default()).await;
        let values = values(&setup).await;
        let mut app = AccountApp::installed(&[(WORKSPACE, &setup.backend)]);
        let folder = app.workspace(WORKSPACE);
        fs::create_dir_all(&folder).expect("a folder");
        for name in ["journal.json", "user.json", "device.json"] {
            fs::write(folder.join(name), fixture(name, &values)).expect("written");
        }
        let item = fixture("item.json", &values);
        app.store().put(WORKSPACE, item.as_bytes());
        app.start();
        assert_eq!(
            app.list().len(),
            1,
            "an account is known by its old records"
        );
        let (id, session) = app.page("main");
        until(&session, "the session to go on", is_fresh).await;
        app.until_listed("its person", |list| list[0].owner.is_some())
            .await;
        assert_eq!(app.emails(), [DEMO]);
        drop(session);
        app.restart().await;
        let (again, session) = app.page("main");
        assert_eq!(again, id, "one account, not a second one beside it");
        until(&session, "the session to go on", is_fresh).await;
        assert_eq!(app.list().len(), 1);
    }

    /// The old list of pending sign-outs is not yet under its new name.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_sign_out_of_then_is_told_although_no_window_shows_the_account() {
        let setup = Setup::new(vestibule_backend::Config::default()).await;
        let values = values(&setup).await;
        let mut app = AccountApp::installed(&[(WORKSPACE, &setup.backend)]);
        let folder = app.workspace(WORKSPACE);
        fs::create_dir_all(&folder).expect("a folder");
        for (name, from) in [
            ("device.json", "device.json"),
            ("signed-out.json", "signed-out.json"),
            ("outbox.json", "outbox.json"),
        ] {
            fs::write(folder.join(name), fixture(from, &values)).expect("written");
        }
        const SLOT: &str = "3e0d6f5a-7f1d-4d43-9e51-6f7f6c1f2a10";
        let item = fixture("item.json", &values);
        app.store()
            .put(&format!("{WORKSPACE}.revoke.{SLOT}"), item.as_bytes());
        app.start();
        let step = std::time::Duration::from_secs(1);
        app.while_passing(step, "the backend to be told", |_| setup.alive(DEMO) == 0)
            .await;
        app.while_passing(step, "its token to be gone", |app| {
            app.store().items().is_empty()
        })
        .await;
    }
}
