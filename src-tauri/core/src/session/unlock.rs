//! The keyring, at a person's request.

use super::Session;
use super::rotate::Asked;
use crate::error::AuthError;

impl Session {
    /// Tries the keyring now instead of when it is next due, and may make it ask for its
    /// password: offers it the token that it would not take, or reads the one it holds and
    /// renews the session with it. What came of it is in the state.
    ///
    /// # Errors
    /// If the session is behind the keyring and could not be renewed.
    pub async fn unlock_keyring(&self) -> Result<(), AuthError> {
        let unread = self.held().unread;
        if unread {
            return self.fly(Asked::Click).await;
        }
        self.save_now().await;
        Ok(())
    }
}
