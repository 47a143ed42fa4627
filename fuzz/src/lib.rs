//! Every target parses its input and checks that the result is safe to use. A panic is a finding; a
//! failed check panics.
//!
//! The promise that no input makes a parser panic runs the same functions over the committed seeds, so that the test command needs
//! no fuzzer.

mod api_path;
mod dates;
mod keyring_item;
mod profile_values;
mod response_fields;
mod session_list;
mod set_cookie;

pub use api_path::api_path;
pub use dates::dates;
pub use keyring_item::keyring_item;
pub use profile_values::profile_values;
pub use response_fields::response_fields;
pub use session_list::session_list;
pub use set_cookie::set_cookie;

/// One target: its name, which is also the folder of its seeds, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 7] = [
    ("set_cookie", set_cookie),
    ("response_fields", response_fields),
    ("session_list", session_list),
    ("dates", dates),
    ("api_path", api_path),
    ("keyring_item", keyring_item),
    ("profile_values", profile_values),
];

/// Whether the line can be the text of a header: parsers never get any other line.
fn is_header_text(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}
