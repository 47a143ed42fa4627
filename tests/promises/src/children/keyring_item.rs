//! `item SERVICE FOLDER`: prints which generation the keyring holds for the session whose records
//! lie in that folder, or `none`. A process that has never written to the keyring reads it.

use std::process::ExitCode;

use vestibule_core::testing::Item;
use vestibule_core::{Keyring, SecretStore as _};

use crate::rig::item_name;

/// How often it reads: an item that is deleted meanwhile makes the service report an error.
const MAX_READS: usize = 3;

/// Reads until there is an answer.
pub fn run(arguments: &[String]) -> ExitCode {
    let [service, folder] = arguments else {
        eprintln!("item SERVICE FOLDER");
        return ExitCode::from(2);
    };
    let keyring = Keyring::new(service);
    let Some(name) = item_name(folder.as_ref()) else {
        eprintln!("the folder has no records");
        return ExitCode::FAILURE;
    };
    let look = || keyring.read(&name);
    let read = (1..MAX_READS).fold(look(), |read, _| read.or_else(|_| look()));
    match read {
        Ok(Some(bytes)) => match Item::from_bytes(&bytes) {
            Some(item) => println!("{}", item.generation.number()),
            None => {
                eprintln!("the keyring's item cannot be parsed");
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
