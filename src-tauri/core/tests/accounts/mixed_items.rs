//! A keyring that was merged or restored may hold one account's item under another's name.

use std::time::Duration;

use vestibule_backend::Config;
use vestibule_harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_another_account_is_left_alone() {
    let setup = Setup::new(Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    let second = app.add("window-2", WORKSPACE, ADMIN).await;
    app.quit().await;
    let items = app.store().items();
    let [(one, of_one), (two, of_two)] = &items[..] else {
        panic!("an item for each: {}", items.len());
    };
    app.store().put(one, of_two);
    app.store().put(two, of_one);
    app.start();
    let people = [("main", first, DEMO), ("window-2", second, ADMIN)];
    for (window, id, email) in people {
        app.accounts().switch(window, id).expect("listed");
        let (_, session) = app.page(window);
        let looked = |state: &vestibule_core::wire::SessionState| outage(state).is_some();
        let state = until(&session, "a start that waits", looked).await;
        let seen = shown(&state);
        assert!(seen.is_none_or(|seen| seen == email), "{email}");
        assert_eq!(owner(&session).await, None, "no token of another is sent");
    }
    assert_eq!(
        (setup.alive(DEMO), setup.alive(ADMIN)),
        (1, 1),
        "nobody ends"
    );
    app.store().put(one, of_one);
    app.store().put(two, of_two);
    for (window, _, email) in people {
        app.while_passing(Duration::from_secs(1), "the sessions to go on", |app| {
            is_fresh(&app.page(window).1.snapshot().state)
        })
        .await;
        let (_, session) = app.page(window);
        assert_eq!(owner(&session).await.as_deref(), Some(email));
    }
}
