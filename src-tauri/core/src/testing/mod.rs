//! What only this repository's tests, benchmarks and fuzz targets need.

mod manual_clock;
mod memory_store;

pub use self::manual_clock::ManualClock;
pub use self::memory_store::MemoryStore;
pub use crate::backend::provider::for_tests::{
    Keys, ReadTokens, discovered, read_device_code, read_tokens,
};
pub use crate::backend::refuse_api_path;
pub use crate::backend_calls::PIECE;
pub use crate::browser::listener::target_of;
pub use crate::clock::{Clock, SinceBoot, Sleep, SystemClock};
pub use crate::cookies::Jar;
pub use crate::failpoints::{ACCOUNT_FAILPOINTS, FAILPOINTS};
pub use crate::plan::Plan;
pub use crate::profile::{Fields, SessionFields};
pub use crate::schedule::{
    CLICK_GAP, LIFE_MIN, PAGE_GAP, RETRY_AFTER_MAX, SPREAD_MAX, refresh_after,
};
pub use crate::session::{Item, Machine, Upload, UploadAnswer};
pub use crate::session_entries::read as read_session_entries;
pub use crate::state::{BrowserSignIn, Challenge, Event, Outage, State};
pub use crate::status::api_failure;
pub use crate::storage::bounded_store::{BoundedStore, MAX_THREADS, WriteOrder};
pub use crate::storage::file_lock::FileLock;
pub use crate::storage::keyring::VALUE_LIMIT;
pub use crate::storage::records::{Durability, FolderRecords, HeldLock, RecordStore};

use serde_json::{Map, Value};

use crate::profile::{Endpoint, Variables, request};
use crate::single_instance::Arguments;

/// The body of a request to `endpoint` in which a person has typed `identifier`, with `more` members;
/// `None` if there is none, or it cannot be built.
pub fn body_of(
    endpoint: &Endpoint,
    identifier: &str,
    more: Option<&Map<String, Value>>,
) -> Option<Vec<u8>> {
    let variables = Variables {
        identifier: Some(identifier),
        ..Variables::default()
    };
    let request = request(endpoint, &variables, more).ok()?;
    Some(request.body?.bytes.to_vec())
}

/// What a launch hands over in this message; `None` if it is none.
pub fn read_launch_message(message: &[u8]) -> Option<Arguments> {
    let (header, body) = message.split_first_chunk()?;
    let is_whole = Arguments::length(*header) == Some(body.len());
    is_whole.then(|| Arguments::read(body))?
}

/// The message with which a launch hands these over.
pub fn launch_message(arguments: &Arguments) -> Vec<u8> {
    arguments.message()
}
