//! The doctor against real backends, healthy and not: the bundled one in several tempers, the
//! example that adopters read, and what others have answered. Each asserts rows by name.

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
