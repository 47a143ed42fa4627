//! Two computers that share one synchronised keyring. Each has a session of its own, and neither
//! takes, ends or hides the other's.

use std::time::Duration;

use vestibule_backend::{Config, DeviceBinding};
use vestibule_core::StoreError;
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::*;

const BINDINGS: [DeviceBinding; 2] = [DeviceBinding::Id, DeviceBinding::Off];

async fn setup(binding: DeviceBinding) -> Setup {
    Setup::new(Config {
        device_binding: binding,
        ..Config::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_at_a_second_computer_leaves_the_first_ones_session_alone() {
    for binding in BINDINGS {
        let setup = setup(binding).await;
        let mut first = setup.install().await;
        first.sign_in(DEMO).await;
        let items = setup.store.items();
        let requests = setup.backend.requests("POST", REFRESH);
        let second = setup.install().await;
        assert_eq!(
            why(&second.state()),
            Some(SignedOutReason::Never),
            "{binding:?}: nobody has signed in there"
        );
        second.pass(Duration::from_secs(60));
        second.session.refresh().await.expect_err("nobody");
        let _ = second.session.unlock_keyring().await;
        assert!(
            setup.store.items() == items,
            "{binding:?}: the keyring is unchanged"
        );
        let after = setup.backend.requests("POST", REFRESH);
        assert_eq!(after, requests, "{binding:?}: nothing was sent");
        first.restart();
        let who = first.settle("the first").await;
        assert_eq!(who.as_deref(), Ok(DEMO), "{binding:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_at_a_second_computer_leaves_the_first_ones_session_alone() {
    for binding in BINDINGS {
        for email in [DEMO, ADMIN] {
            let setup = setup(binding).await;
            let mut first = setup.install().await;
            first.sign_in(DEMO).await;
            first.session.refresh().await.expect("refreshed");
            let mut second = setup.install().await;
            second.sign_in(email).await;
            let name = format!("{binding:?}, {email}");
            for _ in 0..2 {
                first.restart();
                assert_eq!(first.settle(&name).await.as_deref(), Ok(DEMO), "{name}");
                second.restart();
                assert_eq!(second.settle(&name).await.as_deref(), Ok(email), "{name}");
                first.session.refresh().await.expect("the first's");
                second.session.refresh().await.expect("the second's");
            }
            let alive = setup.alive(DEMO) + setup.alive(ADMIN);
            assert_eq!(alive, 2, "{name}: both sessions are valid");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_at_one_computer_signs_nobody_out_at_the_other() {
    for signs_out_first in [false, true] {
        let setup = setup(DeviceBinding::Id).await;
        let mut first = setup.install().await;
        let mut second = setup.install().await;
        first.sign_in(DEMO).await;
        second.sign_in(ADMIN).await;
        let (leaves, stays, email) = match signs_out_first {
            true => (&first, &mut second, ADMIN),
            false => (&second, &mut first, DEMO),
        };
        leaves.session.logout().await;
        let left = || setup.alive(DEMO) + setup.alive(ADMIN) == 1;
        leaves
            .passing(eventually("the end of one session", left))
            .await;
        stays.restart();
        assert_eq!(stays.settle("who stays").await.as_deref(), Ok(email));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_opens_late_at_the_second_computer_hands_it_nothing() {
    let setup = setup(DeviceBinding::Off).await;
    let mut first = setup.install().await;
    first.sign_in(DEMO).await;
    let second = setup.install().await;
    setup.store.block(Block::Fail(StoreError::Locked));
    second.sign_in(ADMIN).await;
    setup.store.heal();
    second.session.refresh().await.expect("refreshed");
    second.pass(Duration::from_secs(11));
    assert_eq!(second.settle("the second").await.as_deref(), Ok(ADMIN));
    first.restart();
    assert_eq!(first.settle("the first").await.as_deref(), Ok(DEMO));
    assert_eq!(setup.alive(DEMO), 1, "no session ended");
    assert_eq!(setup.alive(ADMIN), 1, "no session ended");
}

/// The records of an installation are lost one by one: it still finds its own session.
#[tokio::test(flavor = "multi_thread")]
async fn an_install_that_has_lost_one_record_still_knows_its_session() {
    let names = {
        let setup = setup(DeviceBinding::Id).await;
        let install = setup.install().await;
        install.sign_in(DEMO).await;
        files_of(&install.records)
    };
    for lost in names {
        let setup = setup(DeviceBinding::Id).await;
        let mut install = setup.install().await;
        install.sign_in(DEMO).await;
        let path = install.records.join(&lost);
        if std::fs::remove_file(path).is_err() {
            continue;
        }
        install.restart();
        let settled = install.settle(&lost).await;
        assert_eq!(settled.as_deref(), Ok(DEMO), "without {lost}");
    }
}

/// All records are lost: the keyring's items may belong to another computer.
#[tokio::test(flavor = "multi_thread")]
async fn an_install_that_has_lost_everything_leaves_the_item_alone() {
    let setup = setup(DeviceBinding::Off).await;
    let mut install = setup.install().await;
    install.sign_in(DEMO).await;
    let items = setup.store.items();
    let requests = setup.backend.requests("POST", REFRESH);
    std::fs::remove_dir_all(&install.records).expect("gone");
    install.restart();
    let settled = install.settle("nothing is known").await;
    assert_eq!(settled, Err(SignedOutReason::Never));
    assert!(setup.store.items() == items, "the keyring is unchanged");
    assert_eq!(setup.backend.requests("POST", REFRESH), requests);
    assert_eq!(setup.ends(DEMO), [None], "no session has ended");
}
