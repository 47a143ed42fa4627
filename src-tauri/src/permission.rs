//! The names of this app's permissions, from `plugins.vestibule.roles` in `tauri.conf.json`.

// A permission may be for pages only.
#![allow(dead_code)]

include!(concat!(env!("OUT_DIR"), "/permissions.rs"));
