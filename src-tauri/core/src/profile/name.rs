//! Names of profiles, as people write them.

use super::mistake::{Mistake, nearest};
use super::shipped::SHIPPED;

/// What a profile extends if it shares nothing with a shipped one.
pub(super) const NOTHING: &str = "nothing";
/// The extensions of files that hold a profile.
const ENDINGS: [&str; 2] = [".toml", ".json"];

/// What a name of a profile stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProfileName {
    /// A shipped profile, or [`NOTHING`].
    Shipped,
    /// A file, which may not exist.
    File,
}

/// What `given` stands for. A name that is neither is refused under `key`.
pub(super) fn resolve(key: &str, given: &str) -> Result<ProfileName, Mistake> {
    let lower = given.to_ascii_lowercase();
    if names().any(|name| name == given) {
        Ok(ProfileName::Shipped)
    } else if ENDINGS.iter().any(|ending| lower.ends_with(ending)) {
        Ok(ProfileName::File)
    } else {
        Err(unknown_name(
            key,
            given,
            ", or a file that ends in .toml or .json",
        ))
    }
}

/// The mistake that `given` is not a shipped profile; `or` says what else it could have been.
pub(super) fn unknown_name(key: &str, given: &str, or: &str) -> Mistake {
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
