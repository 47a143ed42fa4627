//! The keyring, at a person's request.

use super::Session;
use super::rotate::Asked;
use crate::error::AuthError;

impl Session {
    /// Lets the keyring ask for its password, and tries it now instead of when it is next
    /// due: offers it the token that it would not take, or reads the one it holds and renews
    /// the session with it. What came of it is in the state; who types slowly is waited for
    /// by the schedule.
    ///
    /// # Errors
    /// If the session is behind the keyring and could not be renewed.
    pub async fn unlock_keyring(&self) -> Result<(), AuthError> {
        // Whether it is open now shows in what follows.
        let _ = self.0.vault.unlock().await;
        let unread = self.held().unread;
        if unread {
            return self.fly(Asked::Click).await;
        }
        {
            let mut held = self.held();
            held.left_over = held.left_over.map(|due| due.min(self.now()));
        }
        self.look_at_left_over().await;
        self.save_now().await;
        Ok(())
    }
}
