//! What a later launch hands over to the process that owns the windows. Every program of this user can send
//! such a message.

use vestibule_core::single_instance::{LONGEST_ARGUMENT, MOST_ARGUMENTS};
use vestibule_core::testing::{launch_message as written, read_launch_message};

/// The input is the message, its length included.
pub fn launch_message(data: &[u8]) {
    let Some(arguments) = read_launch_message(data) else {
        return;
    };
    assert_eq!(written(&arguments), data, "it reads otherwise again");
    let all: Vec<Vec<u8>> = arguments.into_iter().collect();
    assert!(all.len() <= MOST_ARGUMENTS);
    assert!(
        all.iter()
            .all(|argument| argument.len() <= LONGEST_ARGUMENT + 1)
    );
}
