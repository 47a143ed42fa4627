//! Access tokens: short-lived HS256 JWTs, each with an id of its own.
//!
//! A valid signature is not enough: the caller that checks a token also checks that the
//! session it names has not ended. This module knows nothing of sessions.

use std::sync::Once;

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use signature::{Signer, Verifier};
use uuid::Uuid;

use crate::clock::Millis;
use crate::error::Refusal;
use crate::secret::Key;

const ISSUER: &str = "vestibule-backend";

/// The claims of a token.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub iss: String,
    /// The account's id.
    pub sub: String,
    /// The session's id.
    pub sid: String,
    pub jti: String,
    /// Issued at, in seconds with a fraction (a JWT's dates may have one), so that a test that
    /// expires every token issued so far can tell two tokens of the same second apart.
    pub iat: f64,
    /// Expires at, in whole seconds.
    pub exp: i64,
}

impl Claims {
    pub fn new(account: &str, session: &str, issued: Millis, life: Millis) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "exact until the year 287396")]
        let iat = issued as f64 / 1000.0;
        Self {
            iss: ISSUER.into(),
            sub: account.into(),
            sid: session.into(),
            jti: Uuid::new_v4().to_string(),
            iat,
            exp: (issued + life + 999).div_euclid(1000),
        }
    }

    /// When it was issued, in milliseconds.
    pub fn issued(&self) -> Millis {
        #[expect(clippy::cast_possible_truncation, reason = "a date of our own making")]
        let issued = (self.iat * 1000.0).round() as Millis;
        issued
    }
}

/// Signs and reads access tokens.
pub(crate) struct AccessTokens {
    head: Header,
    sign: EncodingKey,
    read: DecodingKey,
    rules: Validation,
}

impl AccessTokens {
    /// Puts `mark`, if given, as the key id into the header of each token.
    pub fn new(key: &Key, mark: Option<&str>) -> Self {
        install_hs256();
        let secret = key.seal("access token", &[]);
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = 0;
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "iss", "sub"]);
        let mut head = Header::new(Algorithm::HS256);
        head.kid = mark.map(str::to_owned);
        Self {
            head,
            sign: EncodingKey::from_secret(&secret),
            read: DecodingKey::from_secret(&secret),
            rules,
        }
    }

    pub fn sign(&self, claims: &Claims) -> Result<String, Refusal> {
        jsonwebtoken::encode(&self.head, claims, &self.sign)
            .map_err(|error| Refusal::internal("an access token could not be signed", &error))
    }

    pub fn read(&self, token: &str) -> Result<Claims, Refusal> {
        match jsonwebtoken::decode::<Claims>(token, &self.read, &self.rules) {
            Ok(data) => Ok(data.claims),
            Err(error) if *error.kind() == ErrorKind::ExpiredSignature => Err(expired()),
            Err(_) => Err(Refusal::unauthorized(
                "ACCESS_INVALID",
                "this is not an access token of this backend",
            )),
        }
    }
}

/// The refusal of an access token whose lifetime is over.
pub(crate) fn expired() -> Refusal {
    Refusal::unauthorized("ACCESS_EXPIRED", "the access token has expired")
}

// The ready-made providers of `jsonwebtoken` bring RSA and elliptic curves. HS256 needs only
// a keyed hash, so this provider has nothing else.

struct Hs256(Hmac<Sha256>);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let mac = self.0.clone().chain_update(message);
        Ok(mac.finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signed: &Vec<u8>) -> Result<(), signature::Error> {
        let mac = self.0.clone().chain_update(message);
        mac.verify_slice(signed)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

fn hs256(algorithm: Algorithm, secret: &[u8]) -> Result<Box<Hs256>, Error> {
    if algorithm != Algorithm::HS256 {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let mac = Hmac::new_from_slice(secret).map_err(|_| ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(Hs256(mac)))
}

fn install_hs256() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| Ok(hs256(*algorithm, key.as_bytes())?),
        verifier_factory: |algorithm, key| Ok(hs256(*algorithm, key.try_get_as_bytes()?)?),
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another provider installed by the same process can sign HS256 too.
        let _ = PROVIDER.install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;

    #[test]
    fn tokens_are_read_back_and_never_alike() {
        let tokens = AccessTokens::new(&Key::new([1; 32]), None);
        let issued = now();
        let sign = || {
            tokens
                .sign(&Claims::new("a", "s", issued, 60_000))
                .expect("signed")
        };
        let (one, two) = (sign(), sign());
        assert_ne!(one, two, "each token has an id of its own");
        let claims = tokens.read(&one).expect("read");
        assert_eq!((claims.sub.as_str(), claims.sid.as_str()), ("a", "s"));
        assert_eq!(claims.issued(), issued);
    }

    #[test]
    fn old_foreign_and_unsigned_tokens_are_refused() {
        let tokens = AccessTokens::new(&Key::new([1; 32]), None);
        let old = tokens
            .sign(&Claims::new("a", "s", now() - 60_000, 1000))
            .expect("signed");
        assert_eq!(tokens.read(&old).expect_err("old").code, "ACCESS_EXPIRED");

        let foreign = AccessTokens::new(&Key::new([2; 32]), Some("mark"))
            .sign(&Claims::new("a", "s", now(), 60_000))
            .expect("signed");
        assert_eq!(
            tokens.read(&foreign).expect_err("foreign").code,
            "ACCESS_INVALID"
        );

        // {"alg":"none"} with claims that would otherwise be accepted.
        let claims = foreign.split('.').nth(1).expect("claims");
        let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
        assert!(tokens.read(&unsigned).is_err(), "unsigned");
        assert!(tokens.read("garbage").is_err());
    }
}
