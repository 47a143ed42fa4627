//! The profiles that ship, against what real backends answered: a session over loopback, with
//! a recording where the backend would be. No line of the product knows any of them.

#[path = "../support/mod.rs"]
mod support;

mod better_auth;
mod directus;
mod documents;
mod node_express;
mod others;
mod quirks_of_calls;
mod quirks_of_sign_ins;
mod quirks_of_sign_outs;
mod quirks_of_tokens;
mod rig;
mod supabase;
