//! The keys with which a provider signs (RFC 7517), and whether one of them has signed a token
//! (RFC 7515 §5.2).

use std::ops::RangeInclusive;

use ring::agreement;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;

use crate::jwt;

/// The most keys that are looked at. Providers publish a few.
const MOST: usize = 100;
/// The sizes of an RSA modulus that count, in bytes: a smaller one is too weak (RFC 7518 §3.3).
const RSA_BYTES: RangeInclusive<usize> = 256..=1024;
/// The sizes of an RSA exponent that are checked here, in bytes.
const EXPONENT_BYTES: RangeInclusive<usize> = 1..=4;
/// The size of a point on Ed25519 (RFC 8032 §5.1.5), in bytes.
const ED25519_BYTES: usize = 32;

/// The keys that a provider publishes, without those that can check no signature here.
#[derive(Debug, Default)]
pub(super) struct ProviderKeys(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, where it says so.
    algorithm: Option<&'static str>,
    public: PublicKey,
}

#[derive(Debug)]
enum PublicKey {
    /// Modulus and exponent, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point on a curve, as the curve's signatures have it.
    Point(Curve, Vec<u8>),
}

/// Each is for signatures of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    Ed25519,
}

/// How a token is signed (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2): each with a key of which only one
/// half is public.
#[derive(Clone, Copy)]
enum Algorithm {
    Rsa(&'static RsaParameters),
    Curve(Curve),
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignatureFault {
    /// The token names an algorithm that is not accepted here, such as `none`, or one with a shared secret,
    /// which everybody who has the app could read.
    Algorithm,
    /// None of the keys has made it. The provider may have new ones.
    Key,
}

impl ProviderKeys {
    /// Reads a set of keys (RFC 7517 §5); `None` if it is none. A key that makes no sense, or is not for
    /// signatures, costs the others nothing.
    pub(super) fn read(published: &Value) -> Option<Self> {
        let keys = published.get("keys")?.as_array()?;
        Some(Self(keys.iter().filter_map(Key::read).take(MOST).collect()))
    }

    /// How many of them can check a signature.
    pub(super) fn count_usable(&self) -> usize {
        self.0.iter().filter(|key| key.public.is_sound()).count()
    }

    /// Checks whether one of the keys has made the token's signature. The `kid` in the token's header only says
    /// which keys to try: a forger can write any `kid`.
    ///
    /// # Errors
    /// Why the signature does not count.
    pub(super) fn verify(&self, token: &jwt::Parts<'_>) -> Result<(), SignatureFault> {
        let header = token.header().ok_or(SignatureFault::Algorithm)?;
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let named = text("alg").and_then(Algorithm::named);
        let (name, algorithm) = named.ok_or(SignatureFault::Algorithm)?;
        let signature = token.signature().ok_or(SignatureFault::Key)?;
        let may_have_signed = |key: &&Key| {
            let is_meant = match (text("kid"), &key.id) {
                (Some(wanted), Some(id)) => wanted == id,
                _ => true,
            };
            is_meant && key.algorithm.is_none_or(|own| own == name)
        };
        let signed = token.signed().as_bytes();
        let mut candidates = self.0.iter().filter(may_have_signed);
        match candidates.any(|key| key.public.has_signed(algorithm, signed, &signature)) {
            true => Ok(()),
            false => Err(SignatureFault::Key),
        }
    }
}

impl Key {
    /// `None` if it can check nothing here.
    fn read(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let said = |name: &str| jwk.get(name).filter(|value| !value.is_null());
        let is_for_signatures = match (said("use"), said("key_ops")) {
            (Some(usage), _) => usage == "sig",
            (None, Some(operations)) => {
                let mut operations = operations.as_array()?.iter();
                operations.any(|operation| operation == "verify")
            }
            (None, None) => true,
        };
        let public = PublicKey::read(jwk).filter(|_| is_for_signatures)?;
        let algorithm = match said("alg") {
            None => None,
            Some(name) => {
                let (name, algorithm) = Algorithm::named(name.as_str()?)?;
                Some(name).filter(|_| public.is_for(algorithm)).map(Some)?
            }
        };
        Some(Self {
            id: text("kid").map(str::to_owned),
            algorithm,
            public,
        })
    }
}

impl PublicKey {
    /// RFC 7518 §6, RFC 8037 §2.
    fn read(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| jwt::decode(text(name)?);
        // Some libraries write a number with a zero before it, and others leave zeros out.
        let number = |name: &str| {
            let bytes = bytes(name)?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Some(bytes[zeros..].to_vec())
        };
        let coordinate = |name: &str, length: usize| {
            let number = number(name)?;
            let missing = length.checked_sub(number.len())?;
            Some([vec![0; missing], number].concat())
        };
        // SEC 1 §2.3.3: a point that is not compressed.
        let point =
            |length| Some([vec![4], coordinate("x", length)?, coordinate("y", length)?].concat());
        Some(match (text("kty")?, text("crv").unwrap_or_default()) {
            ("RSA", _) => Self::Rsa {
                n: number("n").filter(|n| RSA_BYTES.contains(&n.len()))?,
                e: number("e").filter(|e| EXPONENT_BYTES.contains(&e.len()))?,
            },
            ("EC", "P-256") => Self::Point(Curve::P256, point(32)?),
            ("EC", "P-384") => Self::Point(Curve::P384, point(48)?),
            ("OKP", "Ed25519") => {
                let point = bytes("x").filter(|x| x.len() == ED25519_BYTES)?;
                Self::Point(Curve::Ed25519, point.to_vec())
            }
            _ => return None,
        })
    }

    /// Whether signatures by this key are possible: its point must lie on its curve. ring has no function that
    /// checks a point alone, but its key agreement refuses a point that is on no curve.
    fn is_sound(&self) -> bool {
        let (curve, point) = match self {
            Self::Point(Curve::P256, point) => (&agreement::ECDH_P256, point),
            Self::Point(Curve::P384, point) => (&agreement::ECDH_P384, point),
            Self::Rsa { .. } | Self::Point(Curve::Ed25519, _) => return true,
        };
        let own = agreement::EphemeralPrivateKey::generate(curve, &SystemRandom::new());
        let other = agreement::UnparsedPublicKey::new(curve, point);
        own.is_ok_and(|own| agreement::agree_ephemeral(own, &other, |_| ()).is_ok())
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        match (self, algorithm) {
            (Self::Rsa { .. }, Algorithm::Rsa(_)) => true,
            (Self::Point(own, _), Algorithm::Curve(curve)) => *own == curve,
            _ => false,
        }
    }

    fn has_signed(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let outcome = match (self, algorithm) {
            // A signature of another length is another key's; arithmetic with a long one takes its time.
            (Self::Rsa { n, e }, Algorithm::Rsa(parameters)) if signature.len() == n.len() => {
                RsaPublicKeyComponents { n, e }.verify(parameters, signed, signature)
            }
            (Self::Point(own, point), Algorithm::Curve(curve)) if *own == curve => {
                UnparsedPublicKey::new(curve.signatures(), point).verify(signed, signature)
            }
            _ => return false,
        };
        outcome.is_ok()
    }
}

impl Curve {
    fn signatures(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED,
            Self::P384 => &ECDSA_P384_SHA384_FIXED,
            Self::Ed25519 => &ED25519,
        }
    }
}

impl Algorithm {
    /// The algorithm of this name, and its name: one has two.
    fn named(name: &str) -> Option<(&'static str, Self)> {
        Some(match name {
            "RS256" => ("RS256", Self::Rsa(&RSA_PKCS1_2048_8192_SHA256)),
            "RS384" => ("RS384", Self::Rsa(&RSA_PKCS1_2048_8192_SHA384)),
            "RS512" => ("RS512", Self::Rsa(&RSA_PKCS1_2048_8192_SHA512)),
            "PS256" => ("PS256", Self::Rsa(&RSA_PSS_2048_8192_SHA256)),
            "PS384" => ("PS384", Self::Rsa(&RSA_PSS_2048_8192_SHA384)),
            "PS512" => ("PS512", Self::Rsa(&RSA_PSS_2048_8192_SHA512)),
            "ES256" => ("ES256", Self::Curve(Curve::P256)),
            "ES384" => ("ES384", Self::Curve(Curve::P384)),
            "EdDSA" | "Ed25519" => ("Ed25519", Self::Curve(Curve::Ed25519)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use serde_json::json;

    use super::*;

    /// Keys, and a token of each kind: made by OpenSSL.
    fn made_elsewhere() -> Value {
        serde_json::from_str(include_str!("keys_tests.json")).expect("JSON")
    }

    fn verify(published: &Value, token: &str) -> Result<(), SignatureFault> {
        let keys = ProviderKeys::read(published).expect("a set of keys");
        keys.verify(&jwt::Parts::of(token).expect("three parts"))
    }

    fn tokens() -> Vec<(String, String)> {
        let made = made_elsewhere();
        let tokens = made["tokens"].as_object().expect("tokens");
        let text = |token: &Value| token.as_str().expect("a token").to_owned();
        tokens
            .iter()
            .map(|(name, token)| (name.clone(), text(token)))
            .collect()
    }

    #[test]
    fn a_signature_of_each_kind_is_checked() {
        let made = made_elsewhere();
        assert_eq!(tokens().len(), 9);
        for (name, token) in tokens() {
            assert_eq!(verify(&made, &token), Ok(()), "{name}");
            let (signed, signature) = token.rsplit_once('.').expect("a signature");
            let flipped = match &signature[20..21] {
                "A" => "B",
                _ => "A",
            };
            for changed in [
                format!("{signed}x.{signature}"),
                format!("{signed}.{}{flipped}{}", &signature[..20], &signature[21..]),
                format!("{signed}.{}", &signature[..20]),
                format!("{signed}."),
            ] {
                assert_eq!(
                    verify(&made, &changed),
                    Err(SignatureFault::Key),
                    "{name}: {changed}"
                );
            }
        }
    }

    #[test]
    fn a_key_checks_only_what_it_is_for() {
        let made = made_elsewhere();
        let all = made["keys"].as_array().expect("keys");
        for change in [
            json!({"use": "enc"}),
            json!({"use": 7}),
            json!({"use": null, "key_ops": ["encrypt"]}),
            json!({"use": null, "key_ops": "verify"}),
            json!({"alg": "RSA-OAEP"}),
            json!({"alg": "HS256"}),
            json!({"kid": "another"}),
            json!({"kty": "oct"}),
            json!({"crv": "P-521", "n": "AQAB"}),
        ] {
            let changed = all.iter().map(|key| {
                let mut key = key.clone();
                crate::profile::merge_for_tests(&mut key, &change);
                key
            });
            let published = json!({"keys": changed.collect::<Vec<_>>()});
            for (name, token) in tokens() {
                let checked = verify(&published, &token);
                assert_eq!(checked, Err(SignatureFault::Key), "{name}: {change}");
            }
        }
        let mut for_another = made_elsewhere();
        for key in for_another["keys"].as_array_mut().expect("keys") {
            key["alg"] = match key["crv"].as_str() {
                Some("P-256") => json!("ES384"),
                _ => json!("ES256"),
            };
        }
        assert_eq!(
            ProviderKeys::read(&for_another)
                .expect("a set")
                .count_usable(),
            0
        );
        // RFC 9864 has another name for what RFC 8037 has called EdDSA.
        let mut renamed = made_elsewhere();
        renamed["keys"][3]["alg"] = json!("Ed25519");
        let eddsa = tokens().into_iter().find(|(name, _)| name == "EdDSA");
        assert_eq!(verify(&renamed, &eddsa.expect("one").1), Ok(()));
    }

    #[test]
    fn of_keys_with_one_name_each_is_tried() {
        let made = made_elsewhere();
        let mut keys = made["keys"].as_array().expect("keys").clone();
        for key in &mut keys {
            key["kid"] = json!("rsa");
        }
        let keys: Vec<_> = keys.into_iter().rev().collect();
        let (_, token) = (tokens().into_iter().find(|(name, _)| name == "PS384")).expect("one");
        assert_eq!(verify(&json!({"keys": keys}), &token), Ok(()));
    }

    #[test]
    fn a_flood_of_keys_is_not_worked_through() {
        let made = made_elsewhere();
        let flood = vec![made["keys"][2].clone(); 2_000];
        let keys = ProviderKeys::read(&json!({"keys": flood})).expect("a set");
        assert_eq!(keys.count_usable(), MOST);
    }

    #[test]
    fn keys_are_read_as_they_are_written_in_the_wild() {
        let mut made = made_elsewhere();
        let zero = |number: &Value| {
            let bytes = jwt::decode(number.as_str().expect("a number")).expect("base64");
            let longer = [vec![0], bytes.to_vec()].concat();
            json!(base64::engine::general_purpose::STANDARD.encode(longer))
        };
        let keys = made["keys"].as_array_mut().expect("keys");
        for key in &mut *keys {
            for name in ["n", "x", "y"] {
                if key["kty"] != "OKP" && key.get(name).is_some() {
                    key[name] = zero(&key[name]);
                }
            }
            let members = key.as_object_mut().expect("a key");
            members.retain(|name, _| !["kid", "use", "alg"].contains(&name.as_str()));
        }
        let odd = [
            json!(null),
            json!({"kty": "XYZ"}),
            json!({"kty": 7}),
            json!("key"),
        ];
        keys.splice(0..0, odd);
        assert_eq!(ProviderKeys::read(&made).expect("a set").count_usable(), 4);
        for (name, token) in tokens() {
            assert_eq!(verify(&made, &token), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_weak_key_is_none() {
        let rsa = |bytes: usize, e: &str| {
            let n = vec![0x91; bytes];
            let n = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(n);
            let set = json!({"keys": [{"kty": "RSA", "n": n, "e": e}]});
            ProviderKeys::read(&set).expect("a set").count_usable()
        };
        assert_eq!(
            [255, 256, 1024, 1025].map(|bytes| rsa(bytes, "AQAB")),
            [0, 1, 1, 0]
        );
        assert_eq!(["", "AA", "AQAAAAAB"].map(|e| rsa(256, e)), [0, 0, 0]);
        let mut beside = made_elsewhere()["keys"][1].clone();
        assert_eq!(beside["crv"], "P-256");
        beside["y"] = beside["x"].clone();
        let beside = ProviderKeys::read(&json!({"keys": [beside]}));
        assert_eq!(
            beside.expect("a set").count_usable(),
            0,
            "it is on no curve"
        );
        let short = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": ""}]});
        assert_eq!(ProviderKeys::read(&short).expect("a set").count_usable(), 0);
        for no_set in [json!("a page"), json!({}), json!({"keys": 7}), json!([])] {
            assert!(ProviderKeys::read(&no_set).is_none(), "{no_set}");
        }
    }
}
