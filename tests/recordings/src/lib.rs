//! Recordings of real backends: exchanges that were recorded with `curl -si`, and a loopback server
//! that replays them.
//!
//! The text files in this crate are the recordings, one for each backend. A [`Player`] answers a
//! request with the recorded bytes if the same request was recorded: the same method, path, body
//! and credentials. Any other request becomes a [`Stray`], which the test can check for.

mod exchange;
mod player;
mod recording;

pub use exchange::{Answer, Exchange, Wanted};
pub use player::{Player, Stray};
pub use recording::{
    BETTER_AUTH, DIRECTUS, DJ_REST_AUTH, DJANGO_OAUTH_TOOLKIT, DJOSER, FASTAPI_USERS, FEATHERS,
    NODE_EXPRESS_BOILERPLATE, PARSE, Recording, STRAPI, STRAPI_SESSIONS, SUPABASE_BY_CONTRACT,
};
