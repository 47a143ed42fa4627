//! One process owns a folder, and later launches hand over to it. The locks belong to open files
//! and not to processes, so threads of this process can stand in for launches.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use vestibule_core::single_instance::{Claim, InstanceOwner, OnShow, claim};
use vestibule_core::testing::FileLock;

const CLAIM_TIMEOUT: Duration = Duration::from_secs(30);

/// Counts how often a launch asked for the window.
fn counted() -> (Arc<AtomicUsize>, OnShow) {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    let shown: OnShow = Arc::new(move || {
        counting.fetch_add(1, Ordering::SeqCst);
    });
    (count, shown)
}

fn owner(folder: &Path, shown: &OnShow) -> InstanceOwner {
    match claim(folder, CLAIM_TIMEOUT, shown).expect("a folder") {
        Claim::Owned(owner) => owner,
        Claim::HandedOver => panic!("there is an owner"),
        Claim::Unresponsive(why) => panic!("{}", why.words("It")),
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let limit = Instant::now() + CLAIM_TIMEOUT;
    while !is_so() {
        assert!(Instant::now() < limit, "waited for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_later_launch_is_heard_wherever_the_folder_is() {
    let root = tempfile::tempdir().expect("a folder");
    let long = root.path().join("d".repeat(100)).join("e".repeat(100));
    for folder in [root.path().join("short"), long] {
        let (shown_first, first) = counted();
        let (shown_later, later) = counted();
        let owner = owner(&folder, &first);
        assert!(owner.has_listener(), "{}", folder.display());
        for knocks in 1..=3 {
            let claimed = claim(&folder, CLAIM_TIMEOUT, &later).expect("a folder");
            assert!(matches!(claimed, Claim::HandedOver), "{}", folder.display());
            until("the owner to be shown", || {
                shown_first.load(Ordering::SeqCst) == knocks
            });
        }
        drop(owner);
        drop(self::owner(&folder, &later));
        assert_eq!(shown_later.load(Ordering::SeqCst), 0);
    }
}

/// Eight launches at the moment at which the owner exits: afterwards there is one owner, or none if
/// every launch was answered by the old one.
#[test]
fn of_many_launches_one_stays() {
    const AT_ONCE: usize = 8;
    let folder = tempfile::tempdir().expect("a folder");
    let (_, shown) = counted();
    let mut before = Some(owner(folder.path(), &shown));
    for round in 0..20 {
        let gate = Barrier::new(AT_ONCE + 1);
        let claims: Vec<_> = std::thread::scope(|scope| {
            let launch = || {
                gate.wait();
                claim(folder.path(), CLAIM_TIMEOUT, &shown).expect("a folder")
            };
            let launches: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(launch)).collect();
            gate.wait();
            drop(before.take());
            let claims = launches.into_iter().map(|launch| launch.join());
            claims
                .map(|claim| claim.expect("it does not panic"))
                .collect()
        });
        let mut owners = Vec::new();
        for claim in claims {
            match claim {
                Claim::Owned(owner) => owners.push(owner),
                Claim::HandedOver => {}
                Claim::Unresponsive(why) => panic!("round {round}: {}", why.words("It")),
            }
        }
        // All may have been answered by the owner that exits, since it answers before it exits.
        assert!(owners.len() <= 1, "round {round}: {} owners", owners.len());
        before = Some(owners.pop().unwrap_or_else(|| owner(folder.path(), &shown)));
    }
}

#[test]
fn an_owner_that_does_not_answer_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, shown) = counted();
    let lock = FileLock::try_take(&folder.path().join("instance.lock"));
    let _lock = lock.expect("a folder").expect("the lock is free");
    for (note, says) in [
        (None, "does not answer"),
        (
            Some(r#"{"host": "another computer", "process": 7, "door": "/nowhere"}"#),
            "on the computer \"another computer\"",
        ),
    ] {
        if let Some(note) = note {
            std::fs::write(folder.path().join("instance.json"), note).expect("written");
        }
        match claim(folder.path(), Duration::ZERO, &shown).expect("a folder") {
            Claim::Unresponsive(why) => {
                let words = why.words("Vestibule");
                assert!(words.contains(says), "{words}");
            }
            Claim::Owned(_) | Claim::HandedOver => panic!("the lock is held"),
        }
    }
}
