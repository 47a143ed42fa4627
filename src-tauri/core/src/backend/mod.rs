//! The backend over HTTP: a method of [`Backend`] for each endpoint of the profile, with a type for
//! its answer. Nothing here knows the session.
//!
//! `sign_in`, `session_calls` and `sign_out` have the calls of a session, `api` has those
//! of the adopter's own API, `session_list` those about other sessions of the account. `provider` is what
//! a sign-in by the browser speaks with.
//! `endpoint_call` makes a call of an endpoint, `request` builds the requests, `client` sends them, `answers`
//! says what the answers mean, by the profile's rules and by `status`.

mod answers;
mod api;
mod api_path;
mod client;
mod code_words;
mod content_encoding;
mod download;
mod endpoint_call;
mod error;
mod features;
mod page_headers;
pub(crate) mod provider;
mod recorder;
mod redirect;
mod request;
mod request_span;
mod response;
mod response_body;
mod retry_after;
mod session_calls;
mod session_list;
mod sign_in;
mod sign_out;
mod tokens;
mod upload_body;

pub use answers::{RefreshAnswer, SignOutAnswer};
pub(crate) use api::{ApiCall, ApiPayload, CallCredentials};
pub use api_path::refuse as refuse_api_path;
pub use client::Backend;
pub(crate) use client::EXCHANGE_TIMEOUT;
pub use download::{CHUNK, Download};
pub use error::{BackendError, refusal};
pub use provider::{Authorization, Provider, ProviderFault, Returned};
pub(crate) use provider::{DevicePoll, DeviceSignIn};
pub use recorder::{Exchange, Recorder};
pub(crate) use request::wiped;
pub use response::Response;
pub use response_body::ResponseBody;
pub use retry_after::{retry_after, retry_after_of, said_at};
pub use session_calls::{NoOwner, invented_token};
pub(crate) use session_list::SessionEnd;
pub use sign_in::{
    CodeToVerify, Grant, OtpContext, SignInFailure, SignInResponse, UnusableSession,
};
pub use sign_out::UndeliveredSignOut;
pub(crate) use upload_body::{Sender, UploadPart};
