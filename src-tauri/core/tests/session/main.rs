//! The session over loopback, with the bundled backend: the state after each answer, what is
//! stored, and how many requests were sent.

#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod broken_sign_in;
mod callers;
mod codes;
mod codes_and_challenges;
mod confirm;
mod cookie_selection;
mod countdowns;
mod crash_recovery;
mod device;
mod fetch;
mod item_ownership;
mod legacy_records;
mod lock;
mod obstacles;
mod other_backend;
mod page_refreshes;
mod pending_sign_outs;
mod races;
mod records;
mod refresh_cookies;
mod refresh_ends;
mod refresh_faults;
mod refresh_waits;
mod replaced_tokens;
mod restore;
mod roles;
mod sign_in;
mod sign_out;
mod single_flight;
mod slow_keyring;
mod status_alone;
mod storage;
mod two_installs;
mod two_items;
mod unlock;
mod unreadable_records;
mod until_quit;
