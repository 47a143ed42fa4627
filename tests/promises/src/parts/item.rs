//! `item SERVICE`: says which generation the keyring holds, or `none`: a look by a process
//! that has never written to it.

use std::process::ExitCode;

use vestibule_core::keyring::Keyring;
use vestibule_core::secrets::SecretStore as _;
use vestibule_core::session::Item;

use crate::rig::WORKSPACE;

/// How often it is looked: an item that is deleted during the look is an error of the service.
const LOOKS: usize = 3;

/// Looks until there is an answer.
pub fn run(arguments: &[String]) -> ExitCode {
    let [service] = arguments else {
        eprintln!("item SERVICE");
        return ExitCode::from(2);
    };
    let keyring = Keyring::new(service);
    let look = || keyring.read(WORKSPACE);
    let read = (1..LOOKS).fold(look(), |read, _| read.or_else(|_| look()));
    match read {
        Ok(Some(bytes)) => match Item::from_bytes(&bytes) {
            Some(item) => println!("{}", item.generation),
            None => {
                eprintln!("the keyring holds something else");
                return ExitCode::FAILURE;
            }
        },
        Ok(None) => println!("none"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
