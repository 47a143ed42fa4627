//! Storage: the operating system's keyring with a time limit on its calls, records on disk, and
//! locks between processes.

pub(crate) mod bounded_store;
pub(crate) mod file_lock;
pub(crate) mod keyring;
pub(crate) mod numbered_records;
pub(crate) mod records;
