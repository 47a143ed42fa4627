//! Time-based one-time passwords: RFC 6238 over HMAC-SHA1, six digits, thirty seconds.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::clock::Millis;

/// The step that contains a moment.
pub(crate) fn step(at: Millis) -> i64 {
    at.div_euclid(30_000)
}

/// The code of a step.
pub(crate) fn code(secret: &[u8], step: i64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes any key length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[19] & 0x0f);
    let word = u32::from_be_bytes([
        digest[offset] & 0x7f,
        digest[offset + 1],
        digest[offset + 2],
        digest[offset + 3],
    ]);
    format!("{:06}", word % 1_000_000)
}

/// The step this code belongs to: the current one, the one before or the one after, and later
/// than the last accepted one, since a code works once.
pub(crate) fn accept(secret: &[u8], given: &str, at: Millis, last: Option<i64>) -> Option<i64> {
    let now = step(at);
    (now - 1..=now + 1).rfind(|step| {
        last.is_none_or(|last| *step > last)
            && alike(code(secret, *step).as_bytes(), given.as_bytes())
    })
}

/// A code that would be accepted now: the current one, or the next if the current one is used.
pub(crate) fn usable(secret: &[u8], at: Millis, last: Option<i64>) -> Option<String> {
    let now = step(at);
    (now..=now + 1)
        .find(|step| last.is_none_or(|last| *step > last))
        .map(|step| code(secret, step))
}

/// The secret in base32, as it is typed into an authenticator app.
pub(crate) fn base32(secret: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in secret {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// Compares in a time that does not depend on where the two differ.
fn alike(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn the_vectors_of_the_rfc() {
        for (second, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, step(second * 1000)), expected, "{second}");
        }
    }

    #[test]
    fn neighbours_pass_once_and_strangers_never() {
        let at = 59_000;
        let current = code(SECRET, step(at));
        assert_eq!(accept(SECRET, &current, at, None), Some(1));
        assert_eq!(accept(SECRET, &current, at + 30_000, None), Some(1));
        assert_eq!(
            accept(SECRET, &current, at + 60_000, None),
            None,
            "too late"
        );
        assert_eq!(accept(SECRET, &current, at, Some(1)), None, "used");
        let next = usable(SECRET, at, Some(1)).expect("the next one");
        assert_eq!(accept(SECRET, &next, at, Some(1)), Some(2));
        assert_eq!(usable(SECRET, at, Some(2)), None);
        assert_eq!(accept(SECRET, "28708", at, None), None);
    }

    #[test]
    fn base32_of_known_text() {
        assert_eq!(
            base32(b"12345678901234567890"),
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
        assert_eq!(base32(b"fo"), "MZXQ");
    }
}
