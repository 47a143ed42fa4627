//! A record that cannot be read is neither absent nor empty: it is not overwritten, and nothing is
//! concluded from it.

use std::time::Duration;

use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::StoreError;
use vestibule_core::wire::SignedOutReason;

use crate::support::*;

/// Signed in, with an earlier sign-out that the backend has not received.
async fn with_every_record(world: &World) -> Install {
    let busy = Effect::status(503);
    world
        .backend
        .faults()
        .add(Fault::on("POST", "/logout", busy));
    let install = world.install().await;
    install.sign_in(ADMIN).await;
    install.session.logout().await;
    install
        .passing(world.backend.reached("POST", "/logout", 1))
        .await;
    install.sign_in(PLAIN).await;
    install.session.refresh().await.expect("refreshed");
    install
}

async fn names() -> Vec<String> {
    let world = World::new(Config::default()).await;
    let names = files_of(&with_every_record(&world).await.records);
    // The spare marker has no content that matters: a new one is as good.
    let says = |name: &String| !name.ends_with(".spare");
    names.into_iter().filter(says).collect()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_not_written_over() {
    for name in names().await {
        let world = World::new(Config::default()).await;
        let mut install = with_every_record(&world).await;
        install.quit(&world).await;
        let record = Unreadable::make(&install.records, &name);
        let opened = world.try_open(&install.records, &install.clock, world.store.clone());
        // A session that does not open shows nobody, and has written nothing.
        if let Ok(session) = opened {
            install.session = session;
            install
                .passing(install.until("a start", |state| {
                    is_fresh(state) || why(state).is_some() || outage(state).is_some()
                }))
                .await;
            let _ = install.session.refresh().await;
            install.pass(Duration::from_secs(60));
            let _ = install.session.refresh().await;
            let shown = shown(&install.state());
            if is_fresh(&install.state()) {
                let owner = owner(&install.session).await;
                assert_eq!(shown, owner, "{name}: the person shown owns the session");
            }
            assert!(!record.is_written_over(), "{name} was overwritten");
            install.quit(&world).await;
        }
        record.heal();
        install.restart(&world);
        let settled = install.settle(&name).await;
        assert_eq!(settled.as_deref(), Ok(PLAIN), "{name}: as before");
        // The earlier sign-out is delivered in the end.
        world.backend.faults().clear();
        install
            .passing(eventually(
                "the earlier session's end at the backend",
                || world.alive(ADMIN) == 0,
            ))
            .await;
        assert_eq!(world.alive(PLAIN), 1, "{name}");
    }
}

/// A sign-out while the record of earlier ones cannot be read does not lose them.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn sign_outs_that_were_not_told_outlast_a_disk_that_fails_for_a_moment() {
    for name in names().await {
        let world = World::new(Config::default()).await;
        let mut install = with_every_record(&world).await;
        let record = Unreadable::make(&install.records, &name);
        install.session.logout().await;
        install
            .until("signed out", |state| why(state).is_some())
            .await;
        let again = install.session.login(login(MAILED)).await;
        drop(again);
        install.pass(Duration::from_secs(30));
        install.quit(&world).await;
        record.heal();
        world.backend.faults().clear();
        install.restart(&world);
        let settled = install.settle(&name).await;
        settled.expect_err("the session stays signed out");
        install
            .passing(eventually("both sign-outs", || {
                world.alive(ADMIN) + world.alive(PLAIN) == 0
            }))
            .await;
    }
}

/// All records, or all but one, cannot be read: then it is unknown whether anybody has ever signed
/// in.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_start_at_which_nothing_can_be_read_concludes_nothing() {
    let mut spared: Vec<_> = names().await.into_iter().map(Some).collect();
    spared.push(None);
    for spared in spared {
        let world = World::new(Config::default()).await;
        let mut install = with_every_record(&world).await;
        install.quit(&world).await;
        let names = files_of(&install.records).into_iter();
        let records: Vec<_> = names
            .filter(|name| Some(name) != spared.as_ref())
            .map(|name| Unreadable::make(&install.records, &name))
            .collect();
        world.store.block(Block::Fail(StoreError::Locked));
        let opened = world.try_open(&install.records, &install.clock, world.store.clone());
        if let Ok(session) = opened {
            let state = until(&session, "a start", |state| {
                outage(state).is_some() || why(state).is_some()
            })
            .await;
            assert_eq!(
                why(&state),
                None,
                "{spared:?}: the state is still unknown: {state:?}"
            );
        }
        for record in records {
            record.heal();
        }
        world.store.heal();
        install.restart(&world);
        let settled = install.settle("all records can be read again").await;
        assert_eq!(settled.as_deref(), Ok(PLAIN), "{spared:?}");
    }
}

/// An item that cannot be parsed may be a session's too.
#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_a_newer_format_is_left_alone() {
    let world = World::new(Config::default()).await;
    let mut install = world.install().await;
    install.sign_in(PLAIN).await;
    install.quit(&world).await;
    let items = world.store.items();
    for (account, _) in &items {
        world
            .store
            .put(account, br#"{"format":4000000,"what":"is this"}"#);
    }
    let newer = world.store.items();
    install.restart(&world);
    let state = install
        .until("a start", |state| {
            why(state).is_some() || outage(state).is_some()
        })
        .await;
    assert_ne!(why(&state), Some(SignedOutReason::Missing), "{state:?}");
    install.pass(Duration::from_secs(60));
    install.session.refresh().await.expect_err("not understood");
    assert!(world.store.items() == newer, "the keyring is unchanged");
    for (account, value) in &items {
        world.store.put(account, value);
    }
    install.restart(&world);
    let settled = install.settle("the older one is back").await;
    assert_eq!(settled.as_deref(), Ok(PLAIN));
}
