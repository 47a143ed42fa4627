//! `item SERVICE FOLDER`: says which generation the keyring holds of the session whose records
//! lie there, or `none`: a look by a process that has never written to it.

use std::process::ExitCode;

use vestibule_core::secrets::SecretStore as _;
use vestibule_core::session::Item;
use vestibule_core::storage::keyring::Keyring;

use crate::rig::item_name;

/// How often it is looked: an item that is deleted during the look is an error of the service.
const LOOKS: usize = 3;

/// Looks until there is an answer.
pub fn run(arguments: &[String]) -> ExitCode {
    let [service, folder] = arguments else {
        eprintln!("item SERVICE FOLDER");
        return ExitCode::from(2);
    };
    let keyring = Keyring::new(service);
    let Some(name) = item_name(folder.as_ref()) else {
        eprintln!("there are no records");
        return ExitCode::FAILURE;
    };
    let look = || keyring.read(&name);
    let read = (1..LOOKS).fold(look(), |read, _| read.or_else(|_| look()));
    match read {
        Ok(Some(bytes)) => match Item::from_bytes(&bytes) {
            Some(item) => println!("{}", item.generation.number()),
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
