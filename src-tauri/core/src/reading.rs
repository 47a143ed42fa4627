//! How the app reads what a backend sends: for the doctor, whose verdict is about what the app understands.
//! Nothing here is another reading than the session's own.

pub use crate::backend::{retry_after_of, said_at};
pub use crate::header_text::{address, text as header_text};
pub use crate::json_text::{is_empty, is_markup, parse as json, text};
pub use crate::jwt::claims;
pub use crate::moment::epoch_ms;
