//! `regex-lite` under the name `regex`.
//!
//! Tauri and `tauri-plugin-http` compare a few addresses of capabilities with patterns, for which `urlpattern`
//! asks `regex`. That crate's engines and its tables of Unicode were a sixteenth of the app's binary. Both are
//! made by the Rust project, with the same functions for this. What the smaller one cannot do, such as classes
//! of Unicode, is an error where the pattern is compiled.

pub use regex_lite::*;
