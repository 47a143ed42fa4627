//! Every target parses its input and checks that the result is safe to use. A panic is a finding; a
//! failed check panics.
//!
//! The promise that no input makes a parser panic runs the same functions over the committed seeds, so
//! that the test command needs no fuzzer.

mod api_path;
mod dates;
mod deep_link;
mod device_code;
mod discovery;
mod id_token;
mod keyring_item;
mod launch_message;
mod profile_values;
mod provider;
mod provider_tokens;
mod redirect;
mod redirect_request;
mod response_fields;
mod session_list;
mod set_cookie;
mod terminal_text;

pub use api_path::api_path;
pub use dates::dates;
pub use deep_link::deep_link;
pub use device_code::device_code;
pub use discovery::discovery;
pub use id_token::id_token;
pub use keyring_item::keyring_item;
pub use launch_message::launch_message;
pub use profile_values::profile_values;
pub use provider_tokens::provider_tokens;
pub use redirect::redirect;
pub use redirect_request::redirect_request;
pub use response_fields::response_fields;
pub use session_list::session_list;
pub use set_cookie::set_cookie;
pub use terminal_text::terminal_text;

/// One target: its name, which is also the folder of its seeds, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 16] = [
    ("set_cookie", set_cookie),
    ("response_fields", response_fields),
    ("session_list", session_list),
    ("dates", dates),
    ("api_path", api_path),
    ("keyring_item", keyring_item),
    ("profile_values", profile_values),
    ("redirect", redirect),
    ("redirect_request", redirect_request),
    ("discovery", discovery),
    ("provider_tokens", provider_tokens),
    ("id_token", id_token),
    ("device_code", device_code),
    ("deep_link", deep_link),
    ("launch_message", launch_message),
    ("terminal_text", terminal_text),
];

/// Whether the line can be the text of a header: parsers never get any other line.
fn is_header_text(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

/// Whether the text can be shown to a person as it is.
fn is_shown_safely(text: &str) -> bool {
    !text.chars().any(vestibule_core::is_invisible)
}
