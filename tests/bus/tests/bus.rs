//! A bus starts, stops and repairs its daemons as a test asks.

#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vestibule_bus::{Bus, Ended, Keyring, PROMPTER, SECRETS};

fn with_keyring() -> Bus {
    let mut bus = Bus::start().expect("a bus");
    bus.start_keyring(Keyring::Unlocked).expect("a keyring");
    bus
}

fn tool(bus: &Bus, arguments: &[&str], input: &str) -> Option<String> {
    let mut tool = Command::new("secret-tool");
    let tool = bus.apply_environment(&mut tool).args(arguments);
    let tool = tool.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut tool = tool.stderr(Stdio::null()).spawn().expect("secret-tool");
    let mut stdin = tool.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let output = tool.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

fn store(bus: &Bus, value: &str) -> Option<String> {
    tool(bus, &["store", "--label=x", "a", "b"], value)
}

fn look(bus: &Bus) -> Option<String> {
    tool(bus, &["lookup", "a", "b"], "")
}

#[test]
fn a_keyring_keeps_what_it_was_given_over_its_death() {
    let mut bus = with_keyring();
    store(&bus, "kept").expect("stored");
    bus.kill_keyring().expect("killed");
    assert!(!bus.is_owned(SECRETS).expect("asked"));
    assert_eq!(look(&bus), None, "no keyring is on the bus");
    bus.start_keyring(Keyring::Unlocked).expect("started");
    assert_eq!(look(&bus).as_deref(), Some("kept"));
}

#[test]
fn a_lock_keeps_out_and_an_unlock_lets_in() {
    let mut bus = with_keyring();
    store(&bus, "first").expect("stored");
    bus.lock_keyring().expect("locked");
    assert_eq!(store(&bus, "second"), None, "the keyring is locked");
    bus.unlock_keyring().expect("unlocked");
    assert_eq!(look(&bus).as_deref(), Some("first"));
    bus.kill_keyring().expect("killed");
    bus.start_keyring(Keyring::Locked).expect("started");
    assert_eq!(store(&bus, "third"), None, "the keyring starts locked");
    bus.unlock_keyring().expect("unlocked");
    store(&bus, "fourth").expect("stored");
}

#[test]
fn a_mute_has_its_name_until_it_is_dropped() {
    let mut bus = with_keyring();
    let prompter = bus.ignore_prompts().expect("the name is free");
    assert!(bus.is_owned(PROMPTER).expect("asked"));
    bus.kill_keyring().expect("killed");
    let mute = bus.mute(SECRETS).expect("the name is free");
    drop((prompter, mute));
    bus.start_keyring(Keyring::Unlocked)
        .expect("the name is free");
}

#[test]
fn a_bus_ends_and_starts_again_with_the_same_address() {
    let mut bus = with_keyring();
    store(&bus, "kept").expect("stored");
    bus.end_bus().expect("ended");
    assert_eq!(look(&bus), None, "there is no bus");
    bus.start_bus().expect("started");
    bus.start_keyring(Keyring::Unlocked).expect("a keyring");
    assert_eq!(look(&bus).as_deref(), Some("kept"));
}

#[test]
fn a_dressed_process_finds_the_bus_and_outlives_nobody() {
    let bus = with_keyring();
    let home = bus.home().to_owned();
    let mut shell = Command::new("sh");
    bus.apply_environment(&mut shell);
    shell.args(["-c", "echo $VESTIBULE_BUS$DISPLAY; exec cat"]);
    let mut shell = shell
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut line = String::new();
    let stdout = shell.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    assert_eq!(
        line.trim(),
        home.display().to_string(),
        "the folder is set, and no display"
    );
    drop(bus);
    assert!(!home.exists(), "the folders are gone");
    drop(shell.stdin.take());
    shell.wait().expect("it ends");
}

/// Waits until something has ended by itself, and returns it.
fn end_of(bus: &Bus) -> Ended {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(ended) = bus.ended().expect("asked") {
            return ended;
        }
        assert!(Instant::now() < limit, "nothing ends");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_daemon_that_ends_by_itself_is_noticed_and_replaced() {
    let bus = with_keyring();
    store(&bus, "kept").expect("stored");
    assert_eq!(bus.ended().expect("asked"), None);
    assert_eq!(bus.repair().expect("nothing to do"), None);
    bus.trap_keyring().expect("it runs");
    let ended = end_of(&bus);
    let said = "the keyring daemon ended by itself (signal 5";
    assert!(ended.to_string().starts_with(said), "{ended}");
    assert!(!bus.keyring_answers());
    bus.trap_keyring().expect_err("the daemon has ended");
    // Of several threads that repair it, one starts the daemon.
    let repairs = std::thread::scope(|scope| {
        let repairs = [(); 4].map(|()| scope.spawn(|| bus.repair().expect("repaired")));
        repairs.map(|repair| repair.join().expect("no panic"))
    });
    assert_eq!(repairs.iter().flatten().collect::<Vec<_>>(), [&ended]);
    assert_eq!(bus.repairs(), 1);
    assert!(bus.keyring_answers());
    assert_eq!(look(&bus).as_deref(), Some("kept"));
}

#[test]
fn a_daemon_that_is_killed_on_purpose_is_not_replaced() {
    let mut bus = with_keyring();
    bus.kill_keyring().expect("killed");
    assert_eq!(bus.ended().expect("asked"), None);
    assert_eq!(bus.repair().expect("nothing to do"), None);
    assert!(!bus.is_owned(SECRETS).expect("asked"));
    bus.end_bus().expect("ended");
    assert_eq!(bus.repair().expect("nothing to do"), None);
    assert_eq!(look(&bus), None, "there is no bus");
}

#[test]
fn a_bus_that_ends_by_itself_is_replaced_with_its_keyring() {
    let bus = with_keyring();
    store(&bus, "kept").expect("stored");
    let mut asked = Command::new("dbus-send");
    let asked = bus.apply_environment(&mut asked).args([
        "--session",
        "--print-reply=literal",
        "--dest=org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus.GetConnectionUnixProcessID",
        "string:org.freedesktop.DBus",
    ]);
    let answer = asked.output().expect("dbus-send");
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    let id = answer.split_whitespace().last().expect("uint32 NUMBER");
    let killed = Command::new("kill").args(["-KILL", id]).status();
    assert!(killed.expect("kill").success(), "{answer}");
    assert_eq!(end_of(&bus), Ended::Bus);
    assert_eq!(bus.repair().expect("repaired"), Some(Ended::Bus));
    assert_eq!(look(&bus).as_deref(), Some("kept"));
}
