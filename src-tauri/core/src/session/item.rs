//! What the keyring holds for an account: whose it is, and what renews the session.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::identity::{AccountId, Generation, InstallId, SessionId};
use crate::secrets::SecretBytes;
use crate::token::RefreshToken;

/// The format that this version writes and reads.
const FORMAT: u32 = 1;

/// The item. Has no `Debug`: it is the secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Item {
    format: u32,
    /// The session that the token renews.
    pub session: SessionId,
    /// The installation that has written it; no other may use or delete it.
    pub install: InstallId,
    /// The account that it is of.
    pub account: AccountId,
    /// Grows with each token that was taken into use.
    pub generation: Generation,
    /// The origin that the token belongs to; it is sent to no other.
    pub origin: String,
    /// The person was told that the session lasts until the app quits: found at a start, it is
    /// ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_quit: bool,
    /// The token: cookies by name, domain and path, or what travels in bodies.
    pub token: RefreshToken,
}

/// What commit ff703f2 wrote.
#[derive(Serialize, Deserialize)]
pub(super) struct LegacyItem {
    pub generation: Generation,
    pub origin: String,
    pub token: RefreshToken,
}

/// What bytes in the keyring are.
pub(super) enum Stored {
    Ours(Box<Item>),
    Legacy(LegacyItem),
    /// A newer version's: it cannot be read, and is left alone.
    Newer,
    /// Nothing that any version has written.
    Unknown,
}

#[derive(Deserialize)]
struct Number {
    #[serde(default)]
    format: Option<u32>,
}

impl Item {
    /// The token of a session.
    pub(super) fn new(
        session: SessionId,
        install: InstallId,
        account: AccountId,
        generation: Generation,
        origin: String,
        token: RefreshToken,
    ) -> Self {
        Self {
            format: FORMAT,
            session,
            install,
            account,
            generation,
            origin,
            until_quit: false,
            token,
        }
    }

    /// Its name in the keyring. Another installation's item never has it.
    pub fn name(workspace: &str, install: InstallId, account: AccountId) -> String {
        format!("{workspace}.{install}.{account}")
    }

    /// As bytes for the store.
    pub fn to_bytes(&self) -> SecretBytes {
        Zeroizing::new(serde_json::to_vec(self).expect("strings and numbers"))
    }

    /// From the store; `None` if these bytes are not an item of this format.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match Stored::of(bytes) {
            Stored::Ours(item) => Some(*item),
            Stored::Legacy(_) | Stored::Newer | Stored::Unknown => None,
        }
    }
}

impl Stored {
    pub fn of(bytes: &[u8]) -> Self {
        let Ok(Number { format }) = serde_json::from_slice(bytes) else {
            return Self::Unknown;
        };
        match format {
            Some(format) if format > FORMAT => Self::Newer,
            Some(_) => serde_json::from_slice(bytes).map_or(Self::Unknown, Self::Ours),
            None => serde_json::from_slice(bytes).map_or(Self::Unknown, Self::Legacy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_comes_back_and_a_newer_one_is_told_from_damage() {
        let item = Item::new(
            SessionId::new(),
            InstallId::new(),
            AccountId::new(),
            Generation::FIRST,
            "https://a.example".into(),
            RefreshToken::default(),
        );
        let bytes = item.to_bytes();
        let read = Item::from_bytes(&bytes).expect("what was written");
        assert_eq!((read.session, read.install), (item.session, item.install));
        assert!(!read.until_quit);
        let newer = String::from_utf8_lossy(&bytes).replace("\"format\":1", "\"format\":2");
        assert!(matches!(Stored::of(newer.as_bytes()), Stored::Newer));
        for damage in [&b""[..], b"{}", b"[1]", b"{\"format\":1}", b"not json"] {
            assert!(matches!(Stored::of(damage), Stored::Unknown));
        }
        let legacy = br#"{"generation":3,"origin":"https://a.example","token":[]}"#;
        assert!(matches!(Stored::of(legacy), Stored::Legacy(_)));
    }
}
