//! Random values, hashes and keyed hashes. Nothing here is stored or printed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The database's key; a label separates each use of it.
#[derive(Clone)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// HMAC-SHA256 over a label and parts, each part preceded by its length.
    pub fn seal(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.mac(label, parts).finalize().into_bytes().into()
    }

    /// Whether `sealed` belongs to these parts. Takes the same time for every answer.
    pub fn opens(&self, label: &str, parts: &[&[u8]], sealed: &[u8]) -> bool {
        self.mac(label, parts).verify_slice(sealed).is_ok()
    }

    fn mac(&self, label: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key length");
        for part in std::iter::once(&label.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    bytes
}

/// A number below `bound`, without bias.
pub(crate) fn below(bound: u32) -> u32 {
    let zone = u32::MAX - u32::MAX % bound;
    loop {
        let drawn = u32::from_be_bytes(random());
        if drawn < zone {
            return drawn % bound;
        }
    }
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal: survives every cookie parser and needs no quoting.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_only_its_own_parts() {
        let key = Key::new([7; 32]);
        let sealed = key.seal("otp", &[b"ab", b"c"]);
        assert!(key.opens("otp", &[b"ab", b"c"], &sealed));
        assert!(
            !key.opens("otp", &[b"a", b"bc"], &sealed),
            "parts are framed"
        );
        assert!(
            !key.opens("jwt", &[b"ab", b"c"], &sealed),
            "labels separate"
        );
        assert!(!Key::new([8; 32]).opens("otp", &[b"ab", b"c"], &sealed));
    }

    #[test]
    fn drawn_numbers_stay_below() {
        assert!((0..1000).all(|_| below(7) < 7));
    }
}
