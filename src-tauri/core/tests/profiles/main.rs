//! The shipped profiles against what real backends answered: a session over loopback with a
//! recording in place of the backend. The product's code knows none of these backends.

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
