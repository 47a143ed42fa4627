//! One item is written, read, replaced and deleted, also when the daemon dies in between.

use std::time::{Duration, Instant};

use vestibule_core::testing::VALUE_LIMIT;
use vestibule_core::{SecretStore as _, StoreError};

use crate::daemon::{enter, keyring, kill, start, start_empty, start_locked, with_keyring};

#[test]
fn an_item_is_written_read_replaced_and_deleted() {
    let Some(_bus) = with_keyring("items::an_item_is_written_read_replaced_and_deleted") else {
        return;
    };
    let keyring = keyring();
    let read = || {
        keyring
            .read("a")
            .expect("it can be read")
            .map(|bytes| bytes.to_vec())
    };
    assert_eq!(read(), None, "the keyring reports that there is no item");
    for value in [
        &b"first"[..],
        b"second",
        b"",
        &[0, 159, 255, 10],
        &[7; VALUE_LIMIT],
    ] {
        keyring.write("a", value).expect("written");
        assert_eq!(read().as_deref(), Some(value), "what was written last");
    }
    keyring.write("b", b"other").expect("written");
    keyring.delete("a").expect("deleted");
    assert_eq!(read(), None, "gone");
    keyring.delete("a").expect("nothing to delete is success");
    let other = keyring.read("b").expect("read").map(|bytes| bytes.to_vec());
    assert_eq!(
        other.as_deref(),
        Some(&b"other"[..]),
        "another account is untouched"
    );
}

/// Refresh tokens of some backends are long: JWTs with many claims, or encrypted.
#[test]
fn a_large_value_is_kept_whole() {
    let Some(_bus) = with_keyring("items::a_large_value_is_kept_whole") else {
        return;
    };
    let value: Vec<u8> = (0..VALUE_LIMIT).map(|at| (at % 251) as u8).collect();
    let keyring = keyring();
    keyring.write("a", &value).expect("written");
    let held = keyring.read("a").expect("read").map(|bytes| bytes.to_vec());
    assert!(held == Some(value), "a long value is read back unchanged");
}

#[test]
fn a_value_too_large_is_refused_and_the_old_one_stays() {
    let Some(_bus) = with_keyring("items::a_value_too_large_is_refused_and_the_old_one_stays")
    else {
        return;
    };
    let keyring = keyring();
    keyring.write("a", b"small").expect("written");
    let refused = keyring.write("a", &[7; VALUE_LIMIT + 1]);
    assert_eq!(refused, Err(StoreError::TooLarge));
    let held = keyring.read("a").expect("read").map(|bytes| bytes.to_vec());
    assert_eq!(held.as_deref(), Some(&b"small"[..]));
}

#[test]
fn no_keyring_is_not_an_empty_keyring() {
    let Some(_bus) = enter("items::no_keyring_is_not_an_empty_keyring") else {
        return;
    };
    let keyring = keyring();
    let read = keyring.read("a").map(|found| found.is_some());
    assert_eq!(
        read,
        Err(StoreError::Absent),
        "a keyring that cannot be asked is not an empty one"
    );
    assert_eq!(keyring.write("a", b"x"), Err(StoreError::Absent));
    assert_eq!(keyring.delete("a"), Err(StoreError::Absent));
}

#[test]
fn a_keyring_that_comes_late_works_without_a_new_start() {
    let Some(mut bus) = enter("items::a_keyring_that_comes_late_works_without_a_new_start") else {
        return;
    };
    let keyring = keyring();
    assert!(keyring.read("a").is_err(), "no keyring yet");
    start(&mut bus);
    keyring.write("a", b"x").expect("it works now");
    assert!(keyring.read("a").expect("read").is_some());
}

#[test]
fn the_daemon_may_die_between_any_two_calls() {
    let Some(mut bus) = with_keyring("items::the_daemon_may_die_between_any_two_calls") else {
        return;
    };
    let keyring = keyring();
    for round in 0..5_u8 {
        keyring
            .write("a", &[round])
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
        kill(&mut bus);
        let gone = keyring.read("a").map(|found| found.is_some());
        assert!(
            gone.is_err(),
            "round {round}: without a daemon the call fails: {gone:?}"
        );
        start(&mut bus);
        let held = keyring.read("a").expect("the first call works again");
        let held = held.map(|bytes| bytes.to_vec());
        assert_eq!(
            held,
            Some(vec![round]),
            "round {round}: an acknowledged write is kept"
        );
        kill(&mut bus);
        start(&mut bus);
        keyring
            .write("a", &[round, round])
            .expect("the first call works again");
        kill(&mut bus);
        start(&mut bus);
        keyring.delete("a").expect("the first call works again");
        assert!(
            keyring.read("a").expect("read").is_none(),
            "round {round}: deleted"
        );
    }
}

#[test]
fn a_locked_keyring_says_so_in_time_and_recovers() {
    let Some(mut bus) = with_keyring("items::a_locked_keyring_says_so_in_time_and_recovers") else {
        return;
    };
    let keyring = keyring();
    keyring.write("a", b"x").expect("written");
    kill(&mut bus);
    start_locked(&mut bus);
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let keyring = std::sync::Arc::new(keyring);
    let bounded = vestibule_core::testing::BoundedStore::new(keyring.clone(), "a");
    for _ in 0..2 {
        let read = runtime
            .block_on(bounded.read())
            .map(|found| !found.is_empty());
        assert!(
            matches!(
                read,
                Err(StoreError::Locked | StoreError::TimedOut | StoreError::Absent)
            ),
            "a locked keyring is not an empty one: {read:?}"
        );
    }
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(8),
        "each call within its bound: {took:?}"
    );
    kill(&mut bus);
    start(&mut bus);
    let held = runtime.block_on(bounded.read()).expect("unlocked");
    assert_eq!(
        held.first().map(|bytes| bytes.to_vec()).as_deref(),
        Some(&b"x"[..]),
        "the item can be read again"
    );
}

#[test]
fn a_locked_keyring_prompts_when_asked_to_and_holds_nothing_up() {
    let name = "items::a_locked_keyring_prompts_when_asked_to_and_holds_nothing_up";
    let Some(mut bus) = with_keyring(name) else {
        return;
    };
    let prompter = bus.ignore_prompts().expect("the prompter's name is free");
    let keyring = keyring();
    keyring.write("a", b"x").expect("written");
    bus.lock_keyring().expect("locked");
    let locked = |calls: usize| {
        for _ in 0..calls {
            assert_eq!(keyring.write("a", b"y"), Err(StoreError::Locked));
            let read = keyring.read("a").map(|found| found.is_some());
            assert_eq!(read, Err(StoreError::Locked), "the item is locked");
            assert_eq!(keyring.delete("a"), Err(StoreError::Locked));
            assert_eq!(keyring.write("b", b"y"), Err(StoreError::Locked));
        }
    };
    locked(2 * vestibule_core::testing::MAX_THREADS);
    assert_eq!(prompter.heard("BeginPrompting"), 0, "no prompt was opened");
    for _ in 0..2 {
        let began = Instant::now();
        assert_eq!(keyring.unlock(), Err(StoreError::Locked), "no answer");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(3), "bounded: {took:?}");
        assert_eq!(prompter.heard("BeginPrompting"), 1, "one at a time");
    }
    locked(1);
    bus.unlock_keyring().expect("another program unlocks it");
    keyring.unlock().expect("an open keyring needs no prompt");
    keyring
        .write("a", b"z")
        .expect("the first call works again");
    kill(&mut bus);
    start_locked(&mut bus);
    assert_eq!(keyring.unlock(), Err(StoreError::Locked));
    assert_eq!(
        prompter.heard("BeginPrompting"),
        2,
        "a new daemon opens a new prompt"
    );
    kill(&mut bus);
    start(&mut bus);
    let held = keyring.read("a").expect("read").map(|held| held.to_vec());
    assert_eq!(
        held.as_deref(),
        Some(&b"z"[..]),
        "an open prompt does no harm"
    );
}

#[test]
fn a_prompt_that_cannot_be_shown_is_no_answer() {
    let Some(mut bus) = with_keyring("items::a_prompt_that_cannot_be_shown_is_no_answer") else {
        return;
    };
    let keyring = keyring();
    bus.lock_keyring().expect("locked");
    for _ in 0..2 {
        let began = Instant::now();
        assert_eq!(keyring.unlock(), Err(StoreError::Locked));
        let took = began.elapsed();
        assert!(
            took < Duration::from_secs(2),
            "the end of the daemon ends the prompt: {took:?}"
        );
    }
    kill(&mut bus);
    assert_eq!(
        keyring.unlock(),
        Err(StoreError::Absent),
        "without a daemon there is no prompt"
    );
}

#[test]
fn a_daemon_without_a_collection_is_asked_to_make_one_by_a_click_only() {
    let name = "items::a_daemon_without_a_collection_is_asked_to_make_one_by_a_click_only";
    let Some(mut bus) = enter(name) else {
        return;
    };
    let prompter = bus.ignore_prompts().expect("the prompter's name is free");
    start_empty(&mut bus);
    let keyring = keyring();
    assert_eq!(keyring.write("a", b"x"), Err(StoreError::NoCollection));
    assert_eq!(prompter.heard("BeginPrompting"), 0, "no prompt was opened");
    assert_eq!(keyring.unlock(), Err(StoreError::NoCollection), "no answer");
    assert_eq!(
        prompter.heard("BeginPrompting"),
        1,
        "a prompt for a new collection"
    );
}

#[test]
fn a_daemon_that_hangs_is_not_waited_for() {
    let Some(bus) = with_keyring("items::a_daemon_that_hangs_is_not_waited_for") else {
        return;
    };
    let keyring = keyring();
    keyring.write("a", b"x").expect("written");
    bus.hang_keyring().expect("it runs");
    let began = Instant::now();
    assert_eq!(keyring.write("a", b"y"), Err(StoreError::TimedOut));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3), "by itself: {took:?}");
    bus.wake_keyring().expect("it runs");
    keyring
        .write("a", b"z")
        .expect("the first call works again");
}
