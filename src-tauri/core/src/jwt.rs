//! JWTs, taken apart and decoded. Where nothing checks the signature, the claims only plan the next refresh,
//! or say who has signed in where the token came over TLS from its issuer itself (OpenID Connect Core
//! §3.1.3.7, item 6). Nothing is allowed because of them: that is for the backend to decide.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::json_text;

/// Longer JWTs are not decoded.
const LIMIT: usize = 64 * 1024;

/// Base64 for addresses (RFC 4648 §5), with or without padding. Tokens of a backend's own make are often
/// written with an encoder of another kind.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    NO_PAD
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A signed JWT, taken apart (RFC 7515 §3.1). Nothing of it is decoded or checked.
pub(crate) struct Parts<'a> {
    /// The header and the claims, as they were signed.
    signed: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes `token` apart; `None` if it is not a signed JWT (RFC 7519 §3).
    pub(crate) fn of(token: &'a str) -> Option<Self> {
        if token.len() > LIMIT {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        // Five parts are encrypted.
        let is_signed = !claims.contains('.');
        is_signed.then_some(Self {
            signed,
            header,
            claims,
            signature,
        })
    }

    /// What the signature is of.
    pub(crate) fn signed(&self) -> &'a str {
        self.signed
    }

    /// The header; `None` if it is no JSON.
    pub(crate) fn header(&self) -> Option<Value> {
        json_text::parse(&decode(self.header)?)
    }

    /// The claims; `None` if they are no JSON.
    pub(crate) fn claims(&self) -> Option<Value> {
        json_text::parse(&decode(self.claims)?)
    }

    /// The bytes of the signature; `None` if they cannot be decoded.
    pub(crate) fn signature(&self) -> Option<Zeroizing<Vec<u8>>> {
        decode(self.signature)
    }
}

/// The bytes of a part of a JWT, or of a member of a key (RFC 7517).
pub(crate) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = Zeroizing::new(text.replace('+', "-").replace('/', "_"));
    BASE64.decode(text.as_bytes()).ok().map(Zeroizing::new)
}

/// The claims of `token`; `None` if it is not a signed JWT, or has none. They are read as JSON of an answer
/// is.
pub fn claims(token: &str) -> Option<Value> {
    Parts::of(token)?.claims()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_claims_are_read_in_each_base64_and_with_half_a_character() {
        let wanted = json!({"sub": "?ü>?\u{fffd}", "n": 12});
        let text = r#"{"sub":"?ü>?\ud83d","n":12}"#;
        let (common, own) = (STANDARD.encode(text), URL_SAFE_NO_PAD.encode(text));
        assert!(common.contains('+') && common.contains('/') && common.ends_with('='));
        for claims in [&common, &own, &format!("{own}="), &common.replace('=', "")] {
            let read = claims_of(claims);
            assert_eq!(read.as_ref(), Some(&wanted), "{claims}");
        }
    }

    fn claims_of(encoded: &str) -> Option<Value> {
        claims(&format!("e30.{encoded}.c2ln"))
    }

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        assert_eq!(
            claims_of(&encode(r#"{"sub":"7"}"#)),
            Some(json!({"sub": "7"}))
        );
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        for claims in [
            String::new(),
            "§".into(),
            encode("nothing"),
            encode(&deep),
            encode(&format!(r#"{{"sub":"{}"}}"#, "x".repeat(LIMIT))),
        ] {
            assert_eq!(claims_of(&claims), None);
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
            assert_eq!(self::claims(token), None, "{token}");
        }
    }
}
