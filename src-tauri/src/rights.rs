//! The names of this app's rights, from `plugins.vestibule.roles` in `tauri.conf.json`.

// A right that only pages ask for is not used here.
#![allow(dead_code)]

include!(concat!(env!("OUT_DIR"), "/rights.rs"));
