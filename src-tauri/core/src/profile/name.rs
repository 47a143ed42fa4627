//! Names of profiles, as people write them. The app's build script is made from this file too,
//! so that a slip is refused there in the same words: it needs its neighbours `mistake` and
//! `shipped`, and nothing else.

use super::mistake::{Mistake, nearest};
use super::shipped::SHIPPED;

/// What a profile extends that is to share nothing with a shipped one.
pub const NOTHING: &str = "nothing";
/// How files end that hold a profile.
const ENDINGS: [&str; 2] = [".toml", ".json"];

/// What a profile is named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// One that ships, or [`NOTHING`].
    Shipped,
    /// A file, which may not be there.
    File,
}

/// What `given` names; what is neither is refused under `key`.
pub fn named(key: &str, given: &str) -> Result<Named, Mistake> {
    let lower = given.to_ascii_lowercase();
    if names().any(|name| name == given) {
        Ok(Named::Shipped)
    } else if ENDINGS.iter().any(|ending| lower.ends_with(ending)) {
        Ok(Named::File)
    } else {
        Err(stranger(
            key,
            given,
            ", or a file that ends in .toml or .json",
        ))
    }
}

/// Why `given` stands for no shipped profile; `or` is what else it could have been.
pub fn stranger(key: &str, given: &str, or: &str) -> Mistake {
    let listed: Vec<_> = names().map(|name| format!("`{name}`")).collect();
    Mistake {
        nearest: nearest(given, names()).map(str::to_owned),
        ..Mistake::new(key, format!("must be one of {}{or}", listed.join(", ")))
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    let shipped = SHIPPED.iter().map(|shipped| shipped.name);
    shipped.chain([NOTHING])
}
