//! The desktop of a model's process. Its browser is at the provider at once, and whoever sits at it is
//! back in the app as soon as somebody signs in.

use tokio::sync::watch;
use url::Url;
use vestibule_core::browser::Desktop;
use vestibule_core::{AuthError, ErrorCode};

use super::backend::Person;

/// The app's own scheme.
const SCHEME: &str = "vestibule";

/// Notes which address was opened last.
#[derive(Default)]
pub struct ModelDesktop {
    opened: watch::Sender<Option<Url>>,
}

impl ModelDesktop {
    /// Waits for the next address that is opened.
    pub fn next(&self) -> impl Future<Output = Option<Url>> + Send + use<> {
        let mut opened = self.opened.subscribe();
        opened.mark_unchanged();
        async move {
            opened.changed().await.ok()?;
            opened.borrow().clone()
        }
    }
}

/// Where the provider sends the browser of this person, who was sent there with this address.
pub fn back(address: &Url, person: Person) -> Option<Url> {
    let state = address.query_pairs().find(|(name, _)| name == "state")?.1;
    let answer = [("code", person.code()), ("state", state.into_owned())];
    Url::parse_with_params(&format!("{SCHEME}:/callback"), answer).ok()
}

impl Desktop for ModelDesktop {
    fn open(&self, address: &Url) -> Result<(), AuthError> {
        self.opened.send_replace(Some(address.clone()));
        Ok(())
    }

    fn copy(&self, _: &str) -> Result<(), AuthError> {
        Err(ErrorCode::Unsupported.into())
    }

    fn scheme(&self) -> Option<String> {
        Some(SCHEME.to_owned())
    }
}
