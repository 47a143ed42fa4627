//! Where the list of the account's sessions says what.

use serde::Deserialize;

use super::pointer::Pointer;

/// Where to find things in the list of the account's sessions: `list` in the whole answer, the rest
/// in each entry of the list. An entry without an `id` is left out. A time may be a text (ISO 8601)
/// or a number since 1970, in seconds or in a smaller unit.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SessionFields {
    /// The list: the first of these that is one.
    pub list: Vec<Pointer>,
    /// What the backend calls the session: the value of `$listed_session`. It may be a token, for no
    /// window sees it.
    pub id: Vec<Pointer>,
    /// A name for people, such as that of the device.
    pub name: Vec<Pointer>,
    /// The browser or program: a text, or a table with `name` and `version`.
    pub browser: Vec<Pointer>,
    /// The operating system, likewise.
    pub os: Vec<Pointer>,
    /// The `User-Agent` of the sign-in.
    pub user_agent: Vec<Pointer>,
    /// The network address of the sign-in.
    pub address: Vec<Pointer>,
    /// When it began.
    pub created: Vec<Pointer>,
    /// When it was last used.
    pub last_used: Vec<Pointer>,
    /// When it ends.
    pub expires: Vec<Pointer>,
    /// Whether it is the session that asks.
    pub current: Vec<Pointer>,
}

impl SessionFields {
    /// What of a session is shown, each with its key.
    pub(super) fn shown(&self) -> [(&'static str, &[Pointer]); 8] {
        [
            ("name", &self.name),
            ("browser", &self.browser),
            ("os", &self.os),
            ("user_agent", &self.user_agent),
            ("address", &self.address),
            ("created", &self.created),
            ("last_used", &self.last_used),
            ("expires", &self.expires),
        ]
    }
}
