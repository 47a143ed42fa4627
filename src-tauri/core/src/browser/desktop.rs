//! What the desktop does for a sign-in by the browser.

use url::Url;

use super::done_page::DonePage;
use crate::error::{AuthError, ErrorCode};

/// The desktop on which the app runs. A call may take as long as a program takes to start; it is made
/// outside of the runtime's own threads.
pub trait Desktop: Send + Sync + 'static {
    /// Opens `address` in the system's browser, never in a window of the app (RFC 8252 §8.12).
    ///
    /// # Errors
    /// If no browser was started. The person then copies the address.
    fn open(&self, address: &Url) -> Result<(), AuthError>;

    /// Puts `text` on the clipboard, for the person to paste it into a browser.
    ///
    /// # Errors
    /// If there is no clipboard.
    fn copy(&self, text: &str) -> Result<(), AuthError>;

    /// Brings the window that has begun the sign-in to the front, because the browser is done.
    fn come_to_front(&self) {}

    /// The app's own scheme, if the system sends its addresses to this app.
    fn scheme(&self) -> Option<String> {
        None
    }

    /// What the browser shows at the end.
    fn done_page(&self) -> DonePage {
        DonePage::default()
    }
}

/// No desktop: a sign-in by the browser is refused, one by a code on another device is not.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDesktop;

impl Desktop for NoDesktop {
    fn open(&self, _: &Url) -> Result<(), AuthError> {
        Err(ErrorCode::Unsupported.into())
    }

    fn copy(&self, _: &str) -> Result<(), AuthError> {
        Err(ErrorCode::Unsupported.into())
    }
}
