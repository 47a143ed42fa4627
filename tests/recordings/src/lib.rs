//! Backends as they were: exchanges that were recorded with `curl -si` against real servers,
//! and a loopback server that plays them back.
//!
//! The text files beside this crate are the recordings, one for each backend. A [`Player`]
//! answers a request with the recorded bytes if it is one that was recorded: the same method,
//! path, body and credentials. It invents nothing: a request that nobody recorded is a
//! [`Stray`], for the test to find.

mod exchange;
mod player;
mod recording;

pub use exchange::{Answer, Exchange, Wanted};
pub use player::{Player, Stray};
pub use recording::{
    BETTER_AUTH, DIRECTUS, NODE_EXPRESS_BOILERPLATE, Recording, SUPABASE_BY_CONTRACT,
};
