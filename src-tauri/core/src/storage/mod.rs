//! Where things rest: the operating system's keyring behind a bound, records on disk, locks
//! between processes.

pub mod bounded_store;
pub mod file_lock;
pub mod keyring;
pub mod records;
