//! The keyring item of an account: whose it is, and the token that renews the session.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::identity::{AccountId, Generation, InstallId, SessionId};
use crate::secrets::SecretBytes;
use crate::token::RefreshToken;

/// The format of an item whose token is the backend's.
const FORMAT: u32 = 1;
/// The format of an item whose token is a provider's. Versions that know no sign-in by the browser leave
/// such an item alone.
const PROVIDER_FORMAT: u32 = 2;
/// The format of an item whose token says where else it may be revoked. Only such an item has it, so that
/// versions which do not know it still read the others.
const REVOCATION_FORMAT: u32 = 3;

/// The item. It has no `Debug`, because it is secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Item {
    format: u32,
    /// The session that the token renews.
    pub session: SessionId,
    /// The installation that wrote it. No other may use or delete it.
    pub install: InstallId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// Grows with each token that was taken into use.
    pub generation: Generation,
    /// The origin that the token belongs to. It is sent to no other.
    pub origin: String,
    /// The person was told that the session lasts until the app quits. A later start that finds the
    /// item ends the session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_quit: bool,
    /// The token: cookies by name, domain and path, or a token that is sent in bodies.
    pub token: RefreshToken,
}

/// The item as commit ff703f2 wrote it.
#[derive(Serialize, Deserialize)]
pub(super) struct LegacyItem {
    pub generation: Generation,
    pub origin: String,
    pub token: RefreshToken,
}

/// What the bytes of a keyring item turned out to be.
pub(super) enum ItemContent {
    Ours(Box<Item>),
    Legacy(LegacyItem),
    /// An item of a newer version: it cannot be read and is left alone.
    Newer,
    /// Bytes that no version has written.
    Unknown,
}

#[derive(Deserialize)]
struct FormatNumber {
    #[serde(default)]
    format: Option<u32>,
}

impl Item {
    /// An item with the token of a session.
    pub(super) fn new(
        session: SessionId,
        install: InstallId,
        account: AccountId,
        generation: Generation,
        origin: String,
        token: RefreshToken,
    ) -> Self {
        let format = match token.provider() {
            Some(held) if !held.revocation_origins.is_empty() => REVOCATION_FORMAT,
            Some(_) => PROVIDER_FORMAT,
            None => FORMAT,
        };
        Self {
            format,
            session,
            install,
            account,
            generation,
            origin,
            until_quit: false,
            token,
        }
    }

    /// Its name in the keyring. Items of different installations have different names.
    pub fn name(workspace: &str, install: InstallId, account: AccountId) -> String {
        format!("{workspace}.{install}.{account}")
    }

    /// The bytes that are stored.
    pub fn to_bytes(&self) -> SecretBytes {
        Zeroizing::new(serde_json::to_vec(self).expect("strings and numbers"))
    }

    /// Reads stored bytes; `None` if they are not an item of this format.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match ItemContent::of(bytes) {
            ItemContent::Ours(item) => Some(*item),
            ItemContent::Legacy(_) | ItemContent::Newer | ItemContent::Unknown => None,
        }
    }
}

impl ItemContent {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let Ok(FormatNumber { format }) = serde_json::from_slice(bytes) else {
            return Self::Unknown;
        };
        match format {
            Some(format) if format > REVOCATION_FORMAT => Self::Newer,
            Some(_) => serde_json::from_slice(bytes).map_or(Self::Unknown, Self::Ours),
            None => serde_json::from_slice(bytes).map_or(Self::Unknown, Self::Legacy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;
    use crate::token::ProviderToken;

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
        let newer = String::from_utf8_lossy(&bytes).replace("\"format\":1", "\"format\":4");
        assert!(matches!(
            ItemContent::of(newer.as_bytes()),
            ItemContent::Newer
        ));
        for damage in [&b""[..], b"{}", b"[1]", b"{\"format\":1}", b"not json"] {
            assert!(matches!(ItemContent::of(damage), ItemContent::Unknown));
        }
        let legacy = br#"{"generation":3,"origin":"https://a.example","token":[]}"#;
        assert!(matches!(ItemContent::of(legacy), ItemContent::Legacy(_)));
    }

    #[test]
    fn an_item_has_the_oldest_format_that_can_hold_it() {
        let of_provider = |revocation_origins: &[&str]| {
            RefreshToken::of_provider(ProviderToken {
                token: Secret::new("t"),
                endpoint: "https://id.example/token".parse().expect("an address"),
                revocation_origins: revocation_origins.iter().map(|&it| it.into()).collect(),
                expires: None,
            })
        };
        for (format, token) in [
            (1, RefreshToken::default()),
            (2, of_provider(&[])),
            (3, of_provider(&["https://revoke.example"])),
        ] {
            let (install, account) = (InstallId::new(), AccountId::new());
            let (session, origin) = (SessionId::new(), "https://a.example".to_owned());
            let first = Generation::FIRST;
            let item = Item::new(session, install, account, first, origin, token.clone());
            let bytes = item.to_bytes();
            let written: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            assert_eq!(written["format"], format);
            let read = Item::from_bytes(&bytes).expect("what was written");
            assert_eq!(read.token, token);
        }
    }
}
