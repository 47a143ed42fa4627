//! One file for each group of figures.

pub mod callers;
pub mod growth;
pub mod hour;
pub mod refresh;
pub mod sign_in;
