//! The doctor with real backends, healthy and faulty: the bundled one in several configurations,
//! the example for adopters, and recordings of others. Each test asserts rows by name.

mod bundled;
mod example;
mod front;
mod plain_http;
mod program;
mod proxy;
mod recorded;
mod secrecy;
mod stopped;
mod support;
mod tls;
mod troubles;
mod ways;
