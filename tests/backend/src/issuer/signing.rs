//! ID tokens (OpenID Connect Core 1.0, section 2), signed with ES256, and the public key with which
//! anybody can check them. The key is made at the first start and kept in the database.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use rusqlite::OptionalExtension as _;
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::secret::{hex, sha256};
use crate::store::Store;

/// The issuer's key.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    id: String,
}

impl SigningKey {
    /// The key of this database; makes one if it has none. Puts `mark`, if given, into its id and so into
    /// the header of each ID token.
    pub fn of(store: &Store, mark: Option<&str>) -> Result<Self, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let random = SystemRandom::new();
        let fresh = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        let fresh = fresh.map_err(|error| text(&error))?;
        let kept: Vec<u8> = store
            .run_here(|tx| {
                let select = "SELECT value FROM keys WHERE name = 'issuer'";
                let kept = tx.query_row(select, [], |row| row.get(0)).optional()?;
                if let Some(kept) = kept {
                    return Ok(kept);
                }
                let insert = "INSERT INTO keys (name, value) VALUES ('issuer', ?1)";
                tx.execute(insert, [fresh.as_ref()])?;
                Ok(fresh.as_ref().to_vec())
            })
            .map_err(|error| text(&error))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &kept, &random);
        let pair = pair.map_err(|error| text(&error))?;
        let id = hex(&sha256(pair.public_key().as_ref())[..8]);
        let id = id + mark.unwrap_or_default();
        Ok(Self { pair, id })
    }

    /// The set of public keys (RFC 7517).
    pub fn public(&self) -> Value {
        // An uncompressed point: 4, then both coordinates of 32 bytes each.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": encode(x), "y": encode(y),
        }] })
    }

    /// A signed JWT (RFC 7515) of these claims.
    pub fn sign(&self, claims: &Value) -> Result<String, Refusal> {
        let head = json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" });
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&head), encode(claims));
        let random = SystemRandom::new();
        let signature = self.pair.sign(&random, signed.as_bytes());
        let signature = signature
            .map_err(|error| Refusal::internal("an ID token could not be signed", &error))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
