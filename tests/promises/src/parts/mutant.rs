//! `mutant CHECK SEQUENCES SEED`: P19's model in a process of its own, whose core does without
//! one check. Says after how many sequences that was found, and what it lost; ends with 1 if it
//! was not.

use std::process::ExitCode;

use crate::right_person::mutants;

/// Looks for a loss.
pub fn run(arguments: &[String]) -> ExitCode {
    let [check, sequences, seed] = arguments else {
        eprintln!("mutant CHECK SEQUENCES SEED");
        return ExitCode::from(2);
    };
    let (Ok(sequences), Ok(seed)) = (sequences.parse(), seed.parse()) else {
        eprintln!("how many sequences, and from which on?");
        return ExitCode::from(2);
    };
    match mutants::look_for(check, sequences, seed) {
        Ok(Some((after, loss))) => {
            println!("{after} {loss}");
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
