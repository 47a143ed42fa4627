//! `mutant CHECK SEQUENCES SEED`: P19's model in a child process whose core skips one check. Prints
//! after how many sequences the model noticed that, and what was lost; exits with 1 if it did not
//! notice.

use std::process::ExitCode;

use crate::right_person::mutants;

/// Runs sequences until one loses.
pub fn run(arguments: &[String]) -> ExitCode {
    let [check, sequences, seed] = arguments else {
        eprintln!("mutant CHECK SEQUENCES SEED");
        return ExitCode::from(2);
    };
    let (Ok(sequences), Ok(seed)) = (sequences.parse(), seed.parse()) else {
        eprintln!("the number of sequences and the first seed must be numbers");
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
