//! The model of two people and one keyring in a child process whose core skips one check. Answers after
//! how many sequences the model noticed that, and what was lost; `None` if it did not notice.

use std::process::ExitCode;

use vestibule_harness::child::{Protocol, serve_once};

use crate::right_person::mutants;

/// The child, started with the check, the number of sequences, and the first seed.
pub struct MutantProtocol;

impl Protocol for MutantProtocol {
    const NAME: &'static str = "mutant";
    type Arguments = (String, u64, u64);
    type Command = ();
    type Answer = Option<(u64, String)>;
    type Event = ();
    type Report = ();

    fn take((): &mut (), (): ()) {}
}

/// Runs sequences until one loses.
pub fn run(arguments: &[String]) -> ExitCode {
    serve_once::<MutantProtocol>(arguments, |(check, sequences, seed)| {
        mutants::look_for(&check, sequences, seed)
    })
}
