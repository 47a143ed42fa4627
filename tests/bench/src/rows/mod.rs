//! One file for each group of figures.

pub mod accounts;
pub mod app_hour;
pub mod callers;
pub mod click;
pub mod controls;
pub mod fetch;
pub mod growth;
pub mod hour;
pub mod idle;
pub mod memory;
pub mod reads;
pub mod refresh;
pub mod sign_in;
pub mod size;
pub mod start;
pub mod switch;
pub mod windows;
