//! A panic where unwinding is not allowed, as in a callback from C, ends the process at once. Its
//! values are not logged either.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const DYING: &str = "VESTIBULE_TEST_DYING";
const SECRET: &str = "token-in-an-abort-0123456789";

extern "C" fn called_from_c() {
    let token = env::var(DYING).map(|_| SECRET).unwrap_or_default();
    panic!("made with {token}");
}

fn die(folder: &Path) {
    let log = vestibule_log::start();
    log.keep_in(folder).expect("a file");
    called_from_c();
}

#[test]
fn an_abort_tells_no_values() {
    if let Some(folder) = env::var_os(DYING) {
        die(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let dead = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "an_abort_tells_no_values", "--nocapture"])
        .env(DYING, folder.path())
        .output()
        .expect("this program again");
    // On other systems than Windows a signal ends the process.
    const STATUS_STACK_BUFFER_OVERRUN: u32 = 0xC000_0409;
    let aborted = cfg!(windows).then_some(STATUS_STACK_BUFFER_OVERRUN.cast_signed());
    assert_eq!(dead.status.code(), aborted, "{}", dead.status);
    let told = fs::read_to_string(folder.path().join("vestibule.log")).expect("a log");
    assert!(told.contains("aborts.rs:"), "the place: {told}");
    let said = [told.as_bytes(), &dead.stdout, &dead.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!said.contains(SECRET), "{said}");
    assert!(said.contains("a panic"), "{said}");
}
