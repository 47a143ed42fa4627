//! The shipped profiles against what real backends answered: a session over loopback with a
//! recording in place of the backend. The product's code knows none of these backends.

mod better_auth;
mod call_deviations;
mod directus;
mod documents;
mod encoded_answers;
mod node_express;
mod odd_answers;
mod others;
mod played;
mod recorded_servers;
mod second_factors;
mod session_ends;
mod session_lists;
mod sign_in_deviations;
mod sign_out_deviations;
mod supabase;
mod token_deviations;
