//! Instruments that look at a window from outside. Each has a control: a test that plants something
//! and finds it in the figure.

pub mod keyring_calls;
pub mod messages;
pub mod paint;
pub mod peak;
pub mod sent;
pub mod threads;
pub mod weight;
