//! Links of the app's own scheme: which there are, and what each is for. Nothing here opens one, and
//! reading one contacts nobody.

mod route;
mod scheme;

pub use route::{Fault, LONGEST, Route, read};
pub use scheme::Scheme;
