//! Storage: the operating system's keyring with a time limit on its calls, records on disk, and
//! locks between processes.

pub mod bounded_store;
pub mod file_lock;
pub mod keyring;
pub mod records;
