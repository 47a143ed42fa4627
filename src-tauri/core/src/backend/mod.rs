//! The backend over HTTP: one method per endpoint, one answer type each.
//!
//! Knows the profile and the wire, never the session. What an answer means is decided in
//! [`verdict`]; how it travels in [`client`]; calls to the adopter's own API are in [`api`].

mod api;
mod api_path;
mod body;
mod call;
mod client;
mod download;
mod fault;
mod head;
mod offers;
mod outgoing;
mod redirect;
mod renew;
mod retry_after;
mod sign_in;
mod traced;
mod verdict;
mod witness;

pub(crate) use api::{ApiCall, ApiPayload, Carried, Turn};
pub use api_path::refuse as refuse_api_path;
pub use body::Body;
pub(crate) use call::wiped;
pub use client::Backend;
pub(crate) use client::TOTAL_LIMIT;
pub use download::{CHUNK, Download};
pub use fault::{Fault, refusal};
pub use head::Head;
pub(crate) use outgoing::{Part, Sender};
pub use renew::Untold;
pub use retry_after::{retry_after, retry_after_of};
pub use sign_in::{Answering, Failed, Grant, SignIn, Unusable};
pub use verdict::{Told, Verdict};
pub use witness::{Exchange, Witness};
