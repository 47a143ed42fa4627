//! An answer's body, whole: JSON, or nothing that is understood.

use serde_json::Value;

use crate::profile::{Fields, Profile};
use crate::reply::Reply;

/// The most values that are taken apart. A mebibyte of `0,` is half a million of them and
/// thirty times its size in memory; no answer to a sign-in or a refresh comes near this.
const VALUES_LIMIT: usize = 20_000;

/// A body that was read whole.
pub enum Body {
    /// JSON.
    Json(Value),
    /// Anything else, or nothing.
    Other,
}

impl Body {
    /// What these bytes are.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if is_dense(bytes) {
            tracing::warn!("an answer holds more values than are read");
            return Self::Other;
        }
        serde_json::from_slice(bytes).map_or(Self::Other, Self::Json)
    }

    /// The JSON, if it is any.
    pub fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(body) => Some(body),
            Self::Other => None,
        }
    }

    /// A reader over a JSON body.
    pub fn reply<'a>(&'a self, profile: &'a Profile, fields: &'a Fields) -> Option<Reply<'a>> {
        Some(Reply::new(self.json()?, profile, fields))
    }
}

/// Whether there may be too many values. Each but the first has one of these before it; what
/// stands within texts is counted too, which only errs towards caution.
fn is_dense(bytes: &[u8]) -> bool {
    let before = bytes
        .iter()
        .filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{'));
    before.count() > VALUES_LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_very_many_values_is_not_taken_apart() {
        for unit in ["0,", "[],", "\"\",", "{},"] {
            let body = format!("[{}0]", unit.repeat(VALUES_LIMIT + 1));
            assert!(
                serde_json::from_str::<Value>(&body).is_ok(),
                "{unit} makes JSON"
            );
            assert!(matches!(Body::of(body.as_bytes()), Body::Other), "{unit}");
        }
        let depth = "[".repeat(1 << 20);
        assert!(matches!(Body::of(depth.as_bytes()), Body::Other));
    }

    #[test]
    fn a_long_text_is_no_matter() {
        let body = format!(r#"{{"user":{{"image":"{}"}}}}"#, "A+/=".repeat(200_000));
        assert!(matches!(Body::of(body.as_bytes()), Body::Json(_)));
    }
}
