//! The placeholders of templates, and their values in one call.

use std::borrow::Cow;

use super::named_values::NamedValues;
use crate::device::Device;
use crate::secrets::Secret;

/// A name after a dollar sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// What the user typed to identify themselves, usually an e-mail address.
    Identifier,
    /// The password.
    Password,
    /// The display name of a new account.
    Name,
    /// The one-time code.
    Otp,
    /// Whether the backend is to trust this device from now on; true or false where it is the whole
    /// text.
    TrustDevice,
    /// The backend's own id of its challenge.
    Challenge,
    /// The whole device payload; only where it is the whole text.
    Device,
    /// The device's fingerprint.
    DeviceId,
    /// What the backend calls the session that is to be ended: the text at `answer.sessions.id`.
    ListedSession,
    /// The refresh token that came in a body.
    RefreshToken,
    /// The access token.
    AccessToken,
    /// The origin to which the request goes, for an `Origin` header.
    Origin,
}

/// All placeholders, with their names.
pub(super) const PLACEHOLDERS: [(&str, Placeholder); 12] = [
    ("identifier", Placeholder::Identifier),
    ("password", Placeholder::Password),
    ("name", Placeholder::Name),
    ("otp", Placeholder::Otp),
    ("trust_device", Placeholder::TrustDevice),
    ("challenge", Placeholder::Challenge),
    ("device", Placeholder::Device),
    ("device_id", Placeholder::DeviceId),
    ("listed_session", Placeholder::ListedSession),
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
            Self::TrustDevice => "$trust_device",
            Self::Challenge => "$challenge",
            Self::Device => "$device",
            Self::DeviceId => "$device_id",
            Self::ListedSession => "$listed_session",
            Self::RefreshToken => "$refresh_token",
            Self::AccessToken => "$access_token",
            Self::Origin => "$origin",
        }
    }

    /// Whether it must not be in an address, because the backend and the proxies before it log
    /// addresses.
    pub fn is_credential(self) -> bool {
        matches!(
            self,
            Self::Password | Self::RefreshToken | Self::AccessToken
        )
    }
}

/// The values of the placeholders in one call; `None` if the call has no such value.
#[derive(Clone, Copy, Default)]
pub struct Variables<'a> {
    pub identifier: Option<&'a str>,
    pub password: Option<&'a Secret>,
    pub name: Option<&'a str>,
    pub otp: Option<&'a Secret>,
    pub trust_device: Option<bool>,
    pub challenge: Option<&'a Secret>,
    /// For `$device` and `$device_id`.
    pub device: Option<&'a Device>,
    pub listed_session: Option<&'a Secret>,
    pub refresh_token: Option<&'a Secret>,
    pub access_token: Option<&'a Secret>,
    pub origin: Option<&'a str>,
    /// For `$kept.NAME`: what the step before has kept.
    pub kept: Option<&'a NamedValues>,
    /// For `$cookie.NAME`, each decoded.
    pub cookies: Option<&'a NamedValues>,
}

impl<'a> Variables<'a> {
    /// The value of a placeholder within a text. `$device` has none, because it is a table.
    pub fn text(&self, placeholder: Placeholder) -> Option<Cow<'a, str>> {
        let plain = |text: Option<&'a str>| text.map(Cow::Borrowed);
        let secret = |text: Option<&'a Secret>| plain(text.map(Secret::secret));
        match placeholder {
            Placeholder::Identifier => plain(self.identifier),
            Placeholder::Password => secret(self.password),
            Placeholder::Name => plain(self.name),
            Placeholder::Otp => secret(self.otp),
            Placeholder::TrustDevice => plain(self.trust_device.map(|on| match on {
                true => "true",
                false => "false",
            })),
            Placeholder::Challenge => secret(self.challenge),
            Placeholder::Device => None,
            Placeholder::DeviceId => {
                let device = self.device?;
                Some(Cow::Owned(device.fingerprint.to_string()))
            }
            Placeholder::ListedSession => secret(self.listed_session),
            Placeholder::RefreshToken => secret(self.refresh_token),
            Placeholder::AccessToken => secret(self.access_token),
            Placeholder::Origin => plain(self.origin),
        }
    }
}
