//! What every target does with its bytes: parse, and look whether what came out may be relied
//! on. A panic is a finding; so is a broken promise, which panics here.
//!
//! The promise P17 runs the same functions over the committed seeds, so that the test
//! command needs no fuzzer.

mod api_path;
mod dates;
mod keyring_item;
mod reply;
mod set_cookie;

pub use api_path::api_path;
pub use dates::dates;
pub use keyring_item::keyring_item;
pub use reply::reply;
pub use set_cookie::set_cookie;

/// One target: its name, which is also the folder of its seeds, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("set_cookie", set_cookie),
    ("reply", reply),
    ("dates", dates),
    ("api_path", api_path),
    ("keyring_item", keyring_item),
];

/// Whether a header can hold this line and be read as text: others never reach a parser.
fn is_header_text(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}
