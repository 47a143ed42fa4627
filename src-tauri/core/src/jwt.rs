//! The claims of a JWT, read without a check of its signature: they plan the next refresh, or say who
//! has signed in where the token came over TLS from its issuer itself (OpenID Connect Core §3.1.3.7,
//! item 6). Nothing is allowed because of them: that is for the backend to decide.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// Longer JWTs are not decoded.
const LIMIT: usize = 64 * 1024;

/// The claims of `token`; `None` if it is not a signed JWT (RFC 7519 §3), or has no such claims.
pub(crate) fn claims<T: DeserializeOwned>(token: &str) -> Option<T> {
    if token.len() > LIMIT {
        return None;
    }
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        // Five parts are encrypted.
        return None;
    }
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
    serde_json::from_slice(&claims).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let of = |claims: &str| self::claims::<Value>(&format!("e30.{claims}.c2ln"));
        assert_eq!(of(&encode(r#"{"sub":"7"}"#)), Some(json!({"sub": "7"})));
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        for claims in [
            String::new(),
            "§".into(),
            encode("nothing"),
            encode(&deep),
            encode(&format!(r#"{{"sub":"{}"}}"#, "x".repeat(LIMIT))),
        ] {
            assert_eq!(of(&claims), None);
        }
        let claims = encode("{}");
        for token in [
            "",
            "..",
            &claims,
            &format!("e30.{claims}"),
            &format!("e30.x.{claims}.y.z"),
            &format!("e30.{claims}.y.z.a"),
        ] {
            assert_eq!(self::claims::<Value>(token), None, "{token}");
        }
    }
}
