//! Two computers that share one synchronised keyring. Each has a session of its own, and neither
//! takes, ends or hides the other's.

use std::time::Duration;

use vestibule_backend::{Config, DeviceBinding};
use vestibule_core::StoreError;
use vestibule_core::wire::SignedOutReason;

use crate::support::*;

const BINDINGS: [DeviceBinding; 2] = [DeviceBinding::Id, DeviceBinding::Off];

async fn world(binding: DeviceBinding) -> World {
    World::new(Config {
        device_binding: binding,
        ..Config::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_at_a_second_computer_leaves_the_first_ones_session_alone() {
    for binding in BINDINGS {
        let world = world(binding).await;
        let mut first = world.install().await;
        first.sign_in(PLAIN).await;
        let items = world.store.items();
        let requests = world.backend.requests("POST", REFRESH);
        let second = world.install().await;
        assert_eq!(
            why(&second.state()),
            Some(SignedOutReason::Never),
            "{binding:?}: nobody has signed in there"
        );
        second.pass(Duration::from_secs(60));
        second.session.refresh().await.expect_err("nobody");
        let _ = second.session.unlock_keyring().await;
        assert!(
            world.store.items() == items,
            "{binding:?}: the keyring is unchanged"
        );
        let after = world.backend.requests("POST", REFRESH);
        assert_eq!(after, requests, "{binding:?}: nothing was sent");
        first.restart(&world);
        let who = first.settle("the first").await;
        assert_eq!(who.as_deref(), Ok(PLAIN), "{binding:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_at_a_second_computer_leaves_the_first_ones_session_alone() {
    for binding in BINDINGS {
        for email in [PLAIN, ADMIN] {
            let world = world(binding).await;
            let mut first = world.install().await;
            first.sign_in(PLAIN).await;
            first.session.refresh().await.expect("refreshed");
            let mut second = world.install().await;
            second.sign_in(email).await;
            let name = format!("{binding:?}, {email}");
            for _ in 0..2 {
                first.restart(&world);
                assert_eq!(first.settle(&name).await.as_deref(), Ok(PLAIN), "{name}");
                second.restart(&world);
                assert_eq!(second.settle(&name).await.as_deref(), Ok(email), "{name}");
                first.session.refresh().await.expect("the first's");
                second.session.refresh().await.expect("the second's");
            }
            let alive = world.alive(PLAIN) + world.alive(ADMIN);
            assert_eq!(alive, 2, "{name}: both sessions are valid");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_at_one_computer_signs_nobody_out_at_the_other() {
    for signs_out_first in [false, true] {
        let world = world(DeviceBinding::Id).await;
        let mut first = world.install().await;
        let mut second = world.install().await;
        first.sign_in(PLAIN).await;
        second.sign_in(ADMIN).await;
        let (leaves, stays, email) = match signs_out_first {
            true => (&first, &mut second, ADMIN),
            false => (&second, &mut first, PLAIN),
        };
        leaves.session.logout().await;
        let left = || world.alive(PLAIN) + world.alive(ADMIN) == 1;
        leaves
            .passing(eventually("the end of one session", left))
            .await;
        stays.restart(&world);
        assert_eq!(stays.settle("who stays").await.as_deref(), Ok(email));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_opens_late_at_the_second_computer_hands_it_nothing() {
    let world = world(DeviceBinding::Off).await;
    let mut first = world.install().await;
    first.sign_in(PLAIN).await;
    let second = world.install().await;
    world.store.block(Block::Fail(StoreError::Locked));
    second.sign_in(ADMIN).await;
    world.store.heal();
    second.session.refresh().await.expect("refreshed");
    second.pass(Duration::from_secs(11));
    assert_eq!(second.settle("the second").await.as_deref(), Ok(ADMIN));
    first.restart(&world);
    assert_eq!(first.settle("the first").await.as_deref(), Ok(PLAIN));
    assert_eq!(world.alive(PLAIN), 1, "no session ended");
    assert_eq!(world.alive(ADMIN), 1, "no session ended");
}

/// The records of an installation are lost one by one: it still finds its own session.
#[tokio::test(flavor = "multi_thread")]
async fn an_install_that_has_lost_one_record_still_knows_its_session() {
    let names = {
        let world = world(DeviceBinding::Id).await;
        let install = world.install().await;
        install.sign_in(PLAIN).await;
        files_of(&install.records)
    };
    for lost in names {
        let world = world(DeviceBinding::Id).await;
        let mut install = world.install().await;
        install.sign_in(PLAIN).await;
        let path = install.records.join(&lost);
        if std::fs::remove_file(path).is_err() {
            continue;
        }
        install.restart(&world);
        let settled = install.settle(&lost).await;
        assert_eq!(settled.as_deref(), Ok(PLAIN), "without {lost}");
    }
}

/// All records are lost: the keyring's items may belong to another computer.
#[tokio::test(flavor = "multi_thread")]
async fn an_install_that_has_lost_everything_leaves_the_item_alone() {
    let world = world(DeviceBinding::Off).await;
    let mut install = world.install().await;
    install.sign_in(PLAIN).await;
    let items = world.store.items();
    let requests = world.backend.requests("POST", REFRESH);
    std::fs::remove_dir_all(&install.records).expect("gone");
    install.restart(&world);
    let settled = install.settle("nothing is known").await;
    assert_eq!(settled, Err(SignedOutReason::Never));
    assert!(world.store.items() == items, "the keyring is unchanged");
    assert_eq!(world.backend.requests("POST", REFRESH), requests);
    assert_eq!(world.ends(PLAIN), [None], "no session has ended");
}
