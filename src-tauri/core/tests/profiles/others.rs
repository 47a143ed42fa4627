//! Well-known backends that the schema was not written for, each by a profile as an adopter
//! would write it, against answers as their documentation has them. None has a line of code.

mod carriers;
mod refusals;
mod renewals;

use crate::rig::{Played, said};
use crate::support::user;

const ANN: &str = "ann@example.com";
const ME: &str = r#"{"id":7,"name":"Ann","email":"ann@example.com"}"#;
/// exp = 1795411840, ten minutes after [`DATE`].
const JWT: &str = "e30.eyJleHAiOjE3OTU0MTE4NDB9.c2ln";
const DATE: &str = "Date: Mon, 23 Nov 2026 05:20:40 GMT";

/// Its name and its text.
macro_rules! profile {
    ($name:literal) => {
        ($name, include_str!(concat!($name, ".toml")))
    };
}
use profile;

async fn play((name, text): (&str, &str), exchanges: &[String]) -> Played {
    Played::described(name, text, exchanges).await
}

fn ok(request: &str, body: &str) -> String {
    said(request, "200 OK", &[DATE], body)
}

fn name(played: &Played) -> Option<String> {
    let state = played.session.snapshot().state;
    user(&state).map(|user| user.name.clone())
}
