//! One process owns a folder, and later launches hand over to it. The locks belong to open files
//! and not to processes, so threads of this process can stand in for launches.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use vestibule_core::single_instance::{Arguments, Claim, InstanceOwner, OnLaunch, claim};
use vestibule_core::testing::FileLock;

const CLAIM_TIMEOUT: Duration = Duration::from_secs(30);

/// The arguments of each launch that asked for the window.
#[derive(Clone, Default)]
struct Launches(Arc<Mutex<Vec<Vec<String>>>>);

impl Launches {
    fn noting(&self) -> OnLaunch {
        let launches = self.clone();
        Arc::new(move |arguments: Arguments| {
            let arguments = arguments.into_iter();
            let arguments = arguments.map(|it| String::from_utf8_lossy(&it).into_owned());
            launches
                .0
                .lock()
                .expect("it is whole")
                .push(arguments.collect());
        })
    }

    fn all(&self) -> Vec<Vec<String>> {
        self.0.lock().expect("it is whole").clone()
    }

    fn until(&self, count: usize) -> Vec<Vec<String>> {
        until("the launches to be heard", || self.all().len() >= count);
        self.all()
    }
}

fn arguments(given: &[&str]) -> Arguments {
    Arguments::new(given.iter().map(OsString::from))
}

/// A launch with these arguments, which finds an owner.
fn launch(folder: &Path, given: &[&str]) {
    let nobody = Launches::default().noting();
    let claimed = claim(folder, CLAIM_TIMEOUT, &arguments(given), &nobody).expect("a folder");
    assert!(matches!(claimed, Claim::HandedOver), "{}", folder.display());
}

fn owner(folder: &Path, launched: &OnLaunch) -> InstanceOwner {
    match claim(folder, CLAIM_TIMEOUT, &Arguments::default(), launched).expect("a folder") {
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
        let (first, later) = (Launches::default(), Launches::default());
        let owner = owner(&folder, &first.noting());
        assert!(owner.has_listener(), "{}", folder.display());
        for knocks in 1..=3 {
            launch(&folder, &[]);
            let heard = first.until(knocks);
            assert_eq!(heard, vec![Vec::<String>::new(); knocks]);
        }
        drop(owner);
        drop(self::owner(&folder, &later.noting()));
        assert!(later.all().is_empty());
    }
}

#[test]
fn a_later_launch_hands_its_arguments_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let launches = Launches::default();
    let _owner = owner(folder.path(), &launches.noting());
    let long = &*"x".repeat(4096);
    let given = [
        &["app:/one", "app:/two"][..],
        &[],
        &[long; 16],
        &["\0\n", "é"],
    ];
    for arguments in given {
        launch(folder.path(), arguments);
    }
    assert_eq!(launches.until(given.len()), given);
}

#[test]
fn launches_at_once_are_all_heard_with_their_own_arguments() {
    const AT_ONCE: usize = 8;
    let folder = tempfile::tempdir().expect("a folder");
    let launches = Launches::default();
    let _owner = owner(folder.path(), &launches.noting());
    let gate = Barrier::new(AT_ONCE);
    std::thread::scope(|scope| {
        for number in 0..AT_ONCE {
            let (gate, folder) = (&gate, folder.path());
            scope.spawn(move || {
                gate.wait();
                launch(folder, &[&format!("app:/{number}"), "second"]);
            });
        }
    });
    let mut heard = launches.until(AT_ONCE);
    heard.sort();
    let wanted: Vec<_> = (0..AT_ONCE)
        .map(|number| vec![format!("app:/{number}"), "second".to_owned()])
        .collect();
    assert_eq!(heard, wanted);
}

/// Callers that are no launches, or of another version, on the owner's own socket.
#[cfg(unix)]
mod callers {
    use std::io::{Read as _, Write as _};
    use std::net::Shutdown;
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    fn call(folder: &Path, said: &[u8]) -> UnixStream {
        let mut caller = UnixStream::connect(folder.join("instance.sock")).expect("a door");
        caller.write_all(said).expect("it is written");
        caller
    }

    fn hears_ok(caller: &mut UnixStream) {
        let mut answer = [0; 3];
        caller.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"ok\n");
    }

    #[test]
    fn a_launch_of_a_version_that_hands_nothing_over_is_heard() {
        let folder = tempfile::tempdir().expect("a folder");
        let launches = Launches::default();
        let _owner = owner(folder.path(), &launches.noting());
        let mut caller = call(folder.path(), b"show\n");
        hears_ok(&mut caller);
        drop(caller);
        assert_eq!(launches.until(1), [Vec::<String>::new()]);
    }

    #[test]
    fn an_owner_of_a_version_that_takes_nothing_is_handed_over_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = FileLock::try_take(&folder.path().join("instance.lock"));
        let _lock = lock.expect("a folder").expect("the lock is free");
        let door = folder.path().join("instance.sock");
        let listener = UnixListener::bind(&door).expect("a socket");
        let note = serde_json::json!({ "host": "here", "process": 7, "door": door });
        let note_file = folder.path().join("instance.json");
        std::fs::write(note_file, note.to_string()).expect("written");
        let old = std::thread::spawn(move || {
            let (mut caller, _) = listener.accept().expect("a caller");
            let mut said = [0; 5];
            caller.read_exact(&mut said).expect("a word");
            assert_eq!(&said, b"show\n");
            caller.write_all(b"ok\n").expect("an answer");
        });
        launch(folder.path(), &["app:/join"]);
        old.join().expect("it does not panic");
    }

    #[test]
    fn a_caller_that_says_something_else_shows_nothing_and_keeps_nobody_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let launches = Launches::default();
        let _owner = owner(folder.path(), &launches.noting());
        let many = [b'x'; 1 << 16];
        for said in [&b"open\n"[..], b"show ", b"SHOW\n", &[0; 64], &many] {
            let caller = call(folder.path(), said);
            caller.shutdown(Shutdown::Both).expect("it is closed");
        }
        launch(folder.path(), &["app:/join"]);
        assert_eq!(launches.until(1), [["app:/join"]]);
    }

    #[test]
    fn arguments_that_cannot_be_read_are_none_and_the_window_is_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let launches = Launches::default();
        let _owner = owner(folder.path(), &launches.noting());
        let messages: [&[u8]; 5] = [
            &[0xff; 4],
            &[0, 0, 0, 3, 0, 9, b'x'],
            &[0, 0, 0, 9, 0, 1, b'x'],
            &[0, 0, 0, 4, 0xff, 0xff, b'x', b'x'],
            &[0, 0],
        ];
        for message in messages {
            let mut caller = call(folder.path(), b"show\n");
            hears_ok(&mut caller);
            caller.write_all(message).expect("it is written");
            caller.shutdown(Shutdown::Write).expect("it is closed");
            let mut rest = Vec::new();
            caller.read_to_end(&mut rest).expect("the end");
            assert!(rest.is_empty(), "what was not read was confirmed");
        }
        assert_eq!(launches.until(5), vec![Vec::<String>::new(); 5]);
    }

    #[test]
    fn a_caller_that_hangs_keeps_nobody_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let launches = Launches::default();
        let _owner = owner(folder.path(), &launches.noting());
        let mut hanging = call(folder.path(), b"show\n");
        hears_ok(&mut hanging);
        hanging.write_all(&[0, 0]).expect("it is written");
        launch(folder.path(), &["app:/join"]);
        let join = vec!["app:/join".to_owned()];
        until("the launch to be heard", || launches.all().contains(&join));
    }
}

/// Eight launches at the moment at which the owner exits: afterwards there is one owner, or none if
/// every launch was answered by the old one.
#[test]
fn of_many_launches_one_stays() {
    const AT_ONCE: usize = 8;
    let folder = tempfile::tempdir().expect("a folder");
    let shown = Launches::default().noting();
    let mut before = Some(owner(folder.path(), &shown));
    for round in 0..20 {
        let gate = Barrier::new(AT_ONCE + 1);
        let claims: Vec<_> = std::thread::scope(|scope| {
            let launch = || {
                gate.wait();
                claim(folder.path(), CLAIM_TIMEOUT, &Arguments::default(), &shown)
                    .expect("a folder")
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
    let shown = Launches::default().noting();
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
        match claim(folder.path(), Duration::ZERO, &Arguments::default(), &shown).expect("a folder")
        {
            Claim::Unresponsive(why) => {
                let words = why.words("Vestibule");
                assert!(words.contains(says), "{words}");
            }
            Claim::Owned(_) | Claim::HandedOver => panic!("the lock is held"),
        }
    }
}
