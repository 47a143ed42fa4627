//! What a template may ask for, and where.

use std::borrow::Cow;

use crate::device::Device;
use crate::secrets::Secret;

/// A name after a dollar sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// What the user typed to say who they are, usually an e-mail address.
    Identifier,
    /// The password.
    Password,
    /// The display name of a new account.
    Name,
    /// The one-time code.
    Otp,
    /// What the backend gave out to name its challenge.
    Challenge,
    /// The whole device payload; stands alone only.
    Device,
    /// The install id.
    DeviceId,
    /// The refresh token that came in a body.
    RefreshToken,
    /// The access token.
    AccessToken,
    /// The backend's own origin, for an `Origin` header.
    Origin,
}

/// All, with their names.
pub const PLACEHOLDERS: [(&str, Placeholder); 10] = [
    ("identifier", Placeholder::Identifier),
    ("password", Placeholder::Password),
    ("name", Placeholder::Name),
    ("otp", Placeholder::Otp),
    ("challenge", Placeholder::Challenge),
    ("device", Placeholder::Device),
    ("device_id", Placeholder::DeviceId),
    ("refresh_token", Placeholder::RefreshToken),
    ("access_token", Placeholder::AccessToken),
    ("origin", Placeholder::Origin),
];

impl Placeholder {
    /// Its name, with the dollar sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Identifier => "$identifier",
            Self::Password => "$password",
            Self::Name => "$name",
            Self::Otp => "$otp",
            Self::Challenge => "$challenge",
            Self::Device => "$device",
            Self::DeviceId => "$device_id",
            Self::RefreshToken => "$refresh_token",
            Self::AccessToken => "$access_token",
            Self::Origin => "$origin",
        }
    }

    /// Whether it must not stand in an address, which every server on the way writes down.
    pub fn is_credential(self) -> bool {
        matches!(
            self,
            Self::Password | Self::RefreshToken | Self::AccessToken
        )
    }
}

/// What the placeholders stand for in one call; what is `None` is not known in it.
#[derive(Clone, Copy, Default)]
pub struct Variables<'a> {
    /// `$identifier`
    pub identifier: Option<&'a str>,
    /// `$password`
    pub password: Option<&'a Secret>,
    /// `$name`
    pub name: Option<&'a str>,
    /// `$otp`
    pub otp: Option<&'a Secret>,
    /// `$challenge`
    pub challenge: Option<&'a Secret>,
    /// `$device` and `$device_id`
    pub device: Option<&'a Device>,
    /// `$refresh_token`
    pub refresh_token: Option<&'a Secret>,
    /// `$access_token`
    pub access_token: Option<&'a Secret>,
    /// `$origin`
    pub origin: Option<&'a str>,
}

impl<'a> Variables<'a> {
    /// What stands for a placeholder within a text. `$device` is no text.
    pub fn text(&self, placeholder: Placeholder) -> Option<Cow<'a, str>> {
        let plain = |text: Option<&'a str>| text.map(Cow::Borrowed);
        let secret = |text: Option<&'a Secret>| plain(text.map(Secret::secret));
        match placeholder {
            Placeholder::Identifier => plain(self.identifier),
            Placeholder::Password => secret(self.password),
            Placeholder::Name => plain(self.name),
            Placeholder::Otp => secret(self.otp),
            Placeholder::Challenge => secret(self.challenge),
            Placeholder::Device => None,
            Placeholder::DeviceId => {
                let device = self.device?;
                Some(Cow::Owned(device.fingerprint.to_string()))
            }
            Placeholder::RefreshToken => secret(self.refresh_token),
            Placeholder::AccessToken => secret(self.access_token),
            Placeholder::Origin => plain(self.origin),
        }
    }
}
