//! What a JSON Web Token says of itself. Its signature is the backend's business.

use serde_json::Value;

/// The claims of a JWT; none if the text is no JWT.
pub(crate) fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (head, claims) = (parts.next()?, parts.next()?);
    (parts.next().is_some() && parts.next().is_none()).then_some(())?;
    let head: Value = serde_json::from_slice(&decoded(head)?).ok()?;
    head.get("alg")?;
    let claims: Value = serde_json::from_slice(&decoded(claims)?).ok()?;
    claims.is_object().then_some(claims)
}

/// Base64 for addresses, without padding (RFC 4648 §5).
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claims_of_a_token_are_read_and_other_texts_are_none() {
        // {"alg":"HS256","typ":"JWT"} . {"sub":"7","exp":2000000000}
        let token =
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3IiwiZXhwIjoyMDAwMDAwMDAwfQ.c2ln";
        assert_eq!(claims(token).unwrap()["exp"], 2_000_000_000);
        for other in [
            "",
            "a.b.c",
            "1.2.3.4",
            "example.com",
            "eyJhbGciOiJIUzI1NiJ9.x",
        ] {
            assert_eq!(claims(other), None, "{other}");
        }
    }
}
