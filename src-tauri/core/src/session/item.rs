//! What the keyring holds for a workspace: generation, origin, and the refresh cookies whole.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secrets::SecretBytes;
use crate::token::RefreshToken;

/// The item. Has no `Debug`: it is the secret.
#[derive(Serialize, Deserialize)]
pub struct Item {
    /// Grows with each token that was taken into use.
    pub generation: u64,
    /// The origin that the token belongs to; it is sent to no other.
    pub origin: String,
    /// The token.
    pub token: RefreshToken,
}

impl Item {
    /// As bytes for the store.
    pub fn to_bytes(&self) -> SecretBytes {
        Zeroizing::new(serde_json::to_vec(self).expect("strings and numbers"))
    }

    /// From the store; `None` if these bytes are not an item.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
