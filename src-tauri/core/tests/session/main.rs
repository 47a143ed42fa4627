//! The session over loopback, with the bundled backend: the state after each answer, what is
//! stored, and how many requests were sent.

#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod broken_sign_in;
mod codes;
mod codes_and_challenges;
mod confirm;
mod countdowns;
mod device;
mod disk;
mod fetch;
mod killed_between;
mod lock;
mod obstacles;
mod other_backend;
mod outbox;
mod page_refreshes;
mod races;
mod refresh_cookies;
mod refresh_ends;
mod refresh_faults;
mod refresh_waits;
mod restore;
mod roles;
mod sign_in;
mod sign_out;
mod single_flight;
mod slow_keyring;
mod spent_tokens;
mod status_alone;
mod storage;
mod take_over;
mod two_installs;
mod two_items;
mod unlock;
mod unreadable_records;
mod until_quit;
mod which_cookies;
mod whose_calls;
mod whose_keyring;
