//! The doctor against real backends, with and without faults: the bundled one in several
//! configurations, the example that adopters read, and recorded answers of others. The tests assert
//! rows of the report by name.

mod bundled;
mod example;
mod issuer;
mod network_path;
mod plain_http;
mod played;
mod program;
mod proxy;
mod recorded;
mod secrecy;
mod shapes;
mod stopped;
mod suggested;
mod support;
mod tls;
mod unfit_backends;
