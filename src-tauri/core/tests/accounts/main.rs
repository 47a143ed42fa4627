//! Several accounts over loopback, with the bundled backend: what the list says, which account each
//! window shows, and what becomes of those that no window shows.

mod first_account;
mod windows;
