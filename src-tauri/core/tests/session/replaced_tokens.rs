//! A token that the disk knows to be used is never sent to a refresh: a backend that detects copies
//! would end the session and raise an alarm.

use std::time::Duration;

use serde_json::json;
use vestibule_backend::Config;
use vestibule_core::StoreError;
use vestibule_core::testing::Clock as _;
use vestibule_core::wire::{SessionState, SignedOutReason};
use vestibule_harness::*;

/// The errors with which the keyring refuses a write.
const TROUBLES: [StoreError; 3] = [StoreError::Locked, StoreError::Failed, StoreError::TooLarge];

struct Row {
    grace: u64,
    rotations: u32,
    trouble: StoreError,
    is_closed_at_start: bool,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for trouble in TROUBLES {
        for (grace, rotations) in [(0, 1), (0, 3), (60, 2)] {
            for is_closed_at_start in [false, true] {
                rows.push(Row {
                    grace,
                    rotations,
                    trouble,
                    is_closed_at_start,
                });
            }
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_disk_knows_to_be_spent_is_not_sent_again() {
    for row in rows() {
        let Row {
            grace,
            rotations,
            trouble,
            is_closed_at_start,
        } = row;
        let name = format!(
            "{trouble}, {rotations} rotations, {grace} s of grace, closed at the start: \
             {is_closed_at_start}"
        );
        let setup = Setup::new(Config {
            grace: Duration::from_secs(grace),
            ..Config::default()
        })
        .await;
        let mut install = setup.install().await;
        install.sign_in(DEMO).await;
        setup.store.block(Block::Fail(trouble));
        for _ in 0..rotations {
            install.session.refresh().await.expect("refreshed");
        }
        let before = setup.backend.requests("POST", REFRESH);
        if !is_closed_at_start {
            setup.store.heal();
        }
        install.restart();
        if is_closed_at_start {
            install
                .until("a start", |state| {
                    outage(state).is_some() || why(state).is_some()
                })
                .await;
            setup.store.heal();
        }
        let settled = install.settle(&name).await;
        assert_eq!(
            settled,
            Err(SignedOutReason::Missing),
            "{name}: the reason is shown"
        );
        let after = setup.backend.requests("POST", REFRESH);
        assert_eq!(after, before, "{name}: nothing was sent to a refresh");
        install
            .passing(eventually("the session's end at the backend", || {
                setup.alive(DEMO) == 0
            }))
            .await;
        assert_eq!(
            setup.ends(DEMO),
            [Some("signed_out".into())],
            "{name}: no alarm"
        );
        install.restart();
        install
            .settle(&name)
            .await
            .expect_err("the session stays signed out");
    }
}

/// A keyring that was restored to an earlier state.
#[tokio::test(flavor = "multi_thread")]
async fn an_item_from_a_backup_is_not_sent_again() {
    let setup = Setup::new(Config {
        grace: Duration::ZERO,
        ..Config::default()
    })
    .await;
    let mut install = setup.install().await;
    install.sign_in(DEMO).await;
    let backup = setup.store.items();
    for _ in 0..2 {
        install.session.refresh().await.expect("refreshed");
    }
    for (account, value) in backup {
        setup.store.put(&account, &value);
    }
    let before = setup.backend.requests("POST", REFRESH);
    install.restart();
    let settled = install.settle("a backup").await;
    assert_eq!(settled, Err(SignedOutReason::Missing));
    assert_eq!(setup.backend.requests("POST", REFRESH), before, "not sent");
    assert!(
        !setup.ends(DEMO).contains(&Some("reuse".into())),
        "no alarm: {:?}",
        setup.ends(DEMO)
    );
}

/// The record that knew of the used token was replaced by that of another person's sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn nor_after_somebody_else_has_signed_in_before_the_keyring_could_be_read() {
    for restarts in [false, true] {
        let setup = Setup::new(Config {
            grace: Duration::ZERO,
            ..Config::default()
        })
        .await;
        let mut install = setup.install().await;
        install.sign_in(DEMO).await;
        setup.store.block(Block::Fail(StoreError::Locked));
        install.session.refresh().await.expect("refreshed");
        if restarts {
            install.restart();
            let settled = install.settle("a start while it is locked").await;
            assert_eq!(settled, Err(SignedOutReason::Missing), "until quit");
        }
        install.sign_in(ADMIN).await;
        install.quit().await;
        setup.store.heal();
        let before = setup.backend.requests("POST", REFRESH);
        install.restart();
        let name = format!("restarted before: {restarts}");
        install.settle(&name).await.expect_err("until quit, both");
        let after = setup.backend.requests("POST", REFRESH);
        assert_eq!(after, before, "{name}: nothing was sent to a refresh");
        assert!(
            !setup.ends(DEMO).contains(&Some("reuse".into())),
            "{name}: no alarm: {:?}",
            setup.ends(DEMO)
        );
    }
}

/// The backend gives the same successor again for a while, and the profile names that time.
#[tokio::test(flavor = "multi_thread")]
async fn the_one_before_is_sent_once_more_within_the_grace_of_the_profile() {
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
    let rows = [
        ("in time", 1, Duration::from_secs(10), None, true),
        ("too late", 1, Duration::from_secs(31), None, false),
        (
            "by a clock that was set back",
            1,
            Duration::ZERO,
            Some(hour),
            false,
        ),
        ("two behind", 2, Duration::ZERO, None, false),
    ];
    for (name, rotations, passes, set_back, is_sent) in rows {
        let setup = Setup::with_profile(
            Config {
                grace: minute,
                ..Config::default()
            },
            json!({"session": {"grace_s": 30}}),
        )
        .await;
        let mut install = setup.install().await;
        install.sign_in(DEMO).await;
        let backup = setup.store.items();
        for _ in 0..rotations {
            install.session.refresh().await.expect("refreshed");
        }
        install.quit().await;
        for (account, value) in backup {
            setup.store.put(&account, &value);
        }
        install.pass(passes);
        if let Some(by) = set_back {
            install.clock.set_wall(install.clock.wall() - by);
        }
        let before = setup.backend.requests("POST", REFRESH);
        install.restart();
        let settled = install.settle(name).await;
        let sent = setup.backend.requests("POST", REFRESH) - before;
        match is_sent {
            true => assert_eq!(settled.as_deref(), Ok(DEMO), "{name}"),
            false => assert_eq!(settled, Err(SignedOutReason::Missing), "{name}"),
        }
        assert_eq!(sent, usize::from(is_sent), "{name}");
    }
}

/// The grace window may end while the backend cannot be reached.
#[tokio::test(flavor = "multi_thread")]
async fn the_one_before_is_not_sent_once_its_time_is_over() {
    let setup = Setup::with_profile(
        Config {
            grace: Duration::from_secs(60),
            ..Config::default()
        },
        json!({"session": {"grace_s": 30}}),
    )
    .await;
    let mut install = setup.install().await;
    install.sign_in(DEMO).await;
    let backup = setup.store.items();
    install.session.refresh().await.expect("refreshed");
    install.quit().await;
    for (account, value) in backup {
        setup.store.put(&account, &value);
    }
    setup.backend.down().await;
    install.restart();
    let tried = |state: &SessionState| outage(state).is_some() && is_stale(state);
    install.until("a failed refresh", tried).await;
    install.pass(Duration::from_secs(31));
    let before = setup.backend.requests("POST", REFRESH);
    setup.backend.up().await.expect("the backend is back");
    let settled = install.settle("after the grace window").await;
    assert_eq!(settled, Err(SignedOutReason::Missing));
    assert_eq!(setup.backend.requests("POST", REFRESH), before, "not sent");
    install
        .passing(eventually("the session's end at the backend", || {
            setup.ends(DEMO) == [Some("signed_out".into())]
        }))
        .await;
}

/// A token that the record does not know to be used is the newest one.
#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_newer_than_the_record_is_taken() {
    for lost in [true, false] {
        let setup = Setup::new(Config {
            grace: Duration::ZERO,
            ..Config::default()
        })
        .await;
        let mut install = setup.install().await;
        install.sign_in(DEMO).await;
        let files = files_of(&install.records);
        let records: Vec<_> = files
            .iter()
            .map(|file| {
                (
                    file,
                    std::fs::read(install.records.join(file)).expect("read"),
                )
            })
            .collect();
        for _ in 0..2 {
            install.session.refresh().await.expect("refreshed");
        }
        for (file, bytes) in records {
            // A power cut loses the write of the last rotation, or all of them except the device's.
            match lost && file != "device.json" {
                true => std::fs::remove_file(install.records.join(file)).expect("gone"),
                false => std::fs::write(install.records.join(file), bytes).expect("old"),
            }
        }
        install.restart();
        let settled = install.settle("a newer item").await;
        assert_eq!(settled.as_deref(), Ok(DEMO), "lost: {lost}");
        assert_eq!(setup.alive(DEMO), 1, "lost: {lost}");
    }
}
