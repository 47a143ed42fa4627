//! Several accounts over loopback, with the bundled backend: what the list says, which account each
//! window shows, and what becomes of those that no window shows.

mod background;
mod device;
mod fifty;
mod first_account;
mod index;
mod mixed_items;
mod removal;
mod same_person;
mod shared_grants;
mod sign_out;
mod trusted_device;
mod windows;
