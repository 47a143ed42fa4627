//! The promises in their short forms. They are one program, because they spend most of their time
//! waiting, and the tests of one program run side by side. libtest starts them in the order of their
//! names: those that take longest have an early one.

use std::path::Path;

use vestibule_promises::registry;

#[cfg(target_os = "linux")]
mod broken;
mod fleet;

fn check(subject: &str) {
    registry::check(subject, Path::new(env!("CARGO_BIN_EXE_soak")));
}

#[test]
fn a_transient_failure_signs_no_one_out() {
    check("transient");
}

#[test]
fn a_definite_rejection_ends_the_session_and_says_why() {
    check("definite");
}

#[cfg(target_os = "linux")]
#[test]
fn a_rotation_is_raced_by_no_other_process() {
    check("process_race");
}

#[test]
fn many_callers_make_one_refresh() {
    check("single_flight");
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_loses_nothing_that_could_be_kept() {
    check("grace");
}

#[cfg(target_os = "linux")]
#[test]
fn the_keyring_daemon_may_die() {
    check("daemon_deaths");
}

#[cfg(target_os = "linux")]
#[test]
fn a_silent_keyring_keeps_nobody_waiting() {
    check("silent_keyring");
}

#[test]
fn no_secret_is_said() {
    check("secrecy");
}

#[test]
fn credentials_stay_with_their_origin() {
    check("origin");
}

#[test]
fn a_hostile_answer_is_bounded() {
    check("response_limits");
}

#[test]
fn wrong_clocks_are_harmless() {
    check("clocks");
}

#[test]
fn a_fleet_in_an_outage_stays_polite() {
    check("fleet");
}

#[cfg(target_os = "linux")]
#[test]
fn a_sign_out_is_final() {
    check("sign_outs");
}

#[test]
fn no_seed_breaks_a_parser() {
    check("parsers");
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_who_is_shown_is_the_right_one() {
    check("right_person");
}

#[cfg(target_os = "linux")]
#[test]
fn accounts_are_kept_whole_and_apart() {
    check("isolation");
}
