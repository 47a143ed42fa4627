//! The packages that a user installs: unpacked, complete, and started as they are; and what
//! is in them gives nothing to a hostile environment (P18).
//!
//! What ships shuts WebDriver out, so the screen itself is looked at.

mod binary;
mod hostile;
mod start;
mod unpacked;
mod webdriver;
