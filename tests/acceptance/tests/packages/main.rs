//! The packages that a user installs: complete, started unchanged, and closed to a hostile
//! environment.
//!
//! The shipped app refuses WebDriver, so these tests look at the screen itself.

mod binary;
mod hostile;
mod links;
mod start;
mod unpacked;
mod webdriver;
