//! What is tried at every backend, through the core: an account is made, a password is wrong, and a
//! session begins, survives a restart of the app and a crash of the backend, and ends.

use std::sync::{Arc, Mutex};

use vestibule_core::ErrorCode;
use vestibule_core::wire::{LoginInput, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_harness::{code, is_fresh, is_stale, shown};

use crate::backends::{BOB, Backend, PASSWORD, Registers};
use crate::browser::Browser;
use crate::by_browser;
use crate::installation::{Ending, Installation, profile_of};
use crate::server::Server;
use crate::table::{COLUMNS, Cell, Row};

/// A backend that is being tried, and its row so far.
pub struct Trial {
    /// The backend.
    pub backend: &'static Backend,
    /// Its server.
    pub server: Server,
    /// The app's installation.
    pub installation: Installation,
    /// The browser of who signs in.
    pub browser: Browser,
    row: Arc<Mutex<Row>>,
}

impl Trial {
    /// Starts the server.
    pub async fn start(backend: &'static Backend, row: Arc<Mutex<Row>>) -> Self {
        let server = Server::start(backend).await;
        eprintln!("{server}");
        lock(&row).version = Some(server.version().to_owned());
        let installation = Installation::new(profile_of(backend, &server.url())).await;
        Self {
            backend,
            server,
            installation,
            browser: Browser::new(),
            row,
        }
    }

    /// Tries everything. Fills one cell after the other; a panic leaves the cell that it was at, and
    /// whoever has started this fills in the reason.
    pub async fn run(&mut self) {
        self.held(self.register().await);
        let wrong = self.wrong_password().await;
        self.held(wrong);
        let first = self.sign_in().await;
        self.held(format!("as {}", self.backend.shown));
        self.restart().await;
        self.held("restored and confirmed");
        let refreshed = self.refresh_three_times().await;
        self.held(refreshed);
        self.kill_and_come_back().await;
        self.held("kept, then confirmed");
        let reused = self.reuse(&first).await;
        self.held(reused);
        let last = self.installation.keep();
        self.installation.sign_out().await;
        self.held(match self.backend.signs_out {
            true => "told",
            false => "no such endpoint",
        });
        self.held(self.refresh_after_it(&last).await);
    }

    /// Says what came of the step that is over, in the next cell.
    fn held(&self, said: impl Into<String>) {
        let said = said.into();
        let mut row = lock(&self.row);
        let at = (row.cells.iter()).position(|cell| *cell == Cell::Untried);
        let at = at.expect("there are as many steps as columns");
        eprintln!("  {:<18} {said}", COLUMNS[at]);
        row.cells[at] = Cell::Held(said);
    }

    async fn register(&self) -> String {
        let (wanted, taken, weak) = match self.backend.registers {
            Registers::Nowhere => {
                let refused = self.make("Bob", BOB, PASSWORD).await;
                assert_eq!(code(&refused), Some(ErrorCode::Unsupported));
                return "no such endpoint".into();
            }
            Registers::Silently => {
                for _ in 0..2 {
                    let made = self.make("Bob", BOB, PASSWORD).await;
                    assert_eq!(made, Ok(SignInOutcome::Accepted));
                }
                return "accepted, new or not".into();
            }
            Registers::SignedIn { taken, weak } => (SignInOutcome::SignedIn, taken, weak),
            Registers::Accepted { taken, weak } => (SignInOutcome::Accepted, taken, weak),
        };
        // Two people of one name.
        for email in [BOB, "bob.the.second@example.com"] {
            let made = self.make("Bob", email, PASSWORD).await;
            assert_eq!(made, Ok(wanted), "{email}");
            self.is_account(email, wanted).await;
        }
        let again = self.make("Bob", BOB, PASSWORD).await;
        assert_eq!(code(&again), Some(taken), "the e-mail is taken: {again:?}");
        if let Some(weak) = weak {
            let refused = self.make("Eve", "eve@example.com", "x").await;
            assert_eq!(code(&refused), Some(weak), "a weak password: {refused:?}");
        }
        match wanted {
            SignInOutcome::SignedIn => "signed in".into(),
            _ => "accepted".into(),
        }
    }

    async fn make(
        &self,
        name: &str,
        email: &str,
        password: &str,
    ) -> Result<SignInOutcome, vestibule_core::AuthError> {
        let input = RegisterInput::new(name, email, password);
        self.installation.session.register(input).await
    }

    /// Checks that an account that was made can be used, and leaves it.
    async fn is_account(&self, email: &str, made: SignInOutcome) {
        if made != SignInOutcome::SignedIn {
            self.log_in(email, PASSWORD).await.expect("an account");
        }
        let state = self.installation.until("a fresh session", is_fresh).await;
        let address = shown(&state).expect("signed in");
        assert!(address == email || address.is_empty(), "{address}");
        self.installation.sign_out().await;
    }

    async fn log_in(
        &self,
        email: &str,
        password: &str,
    ) -> Result<SignInOutcome, vestibule_core::AuthError> {
        let input = LoginInput::new(email, password);
        self.installation.session.login(input).await
    }

    async fn wrong_password(&mut self) -> String {
        if self.backend.by_browser.is_some() {
            return by_browser::wrong_password(self).await;
        }
        let wrong = self.log_in(self.backend.email, "not-the-password").await;
        assert_eq!(
            code(&wrong),
            Some(ErrorCode::InvalidCredentials),
            "{wrong:?}"
        );
        "refused".into()
    }

    /// Signs in; returns what is stored then.
    pub async fn sign_in(&mut self) -> crate::installation::Kept {
        match self.backend.by_browser {
            Some(_) => by_browser::sign_in(self).await,
            None => {
                let outcome = self.log_in(self.backend.email, PASSWORD).await;
                assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
            }
        }
        self.is_shown().await;
        self.installation.keep()
    }

    async fn is_shown(&self) {
        let name = self.installation.until_fresh().await;
        assert_eq!(name, self.backend.shown, "whose session it is");
    }

    async fn restart(&mut self) {
        self.installation.restart();
        self.is_shown().await;
    }

    async fn refresh_three_times(&self) -> &'static str {
        let mut tokens = vec![self.installation.kept()];
        while tokens.len() < 4 {
            self.installation.refresh().await;
            let token = self.installation.kept();
            // The first call may join the refresh of the start, if that is still in progress.
            if tokens.len() == 1 && self.backend.rotates && token == tokens[0] {
                continue;
            }
            let is_new = !tokens.contains(&token);
            assert_eq!(is_new, self.backend.rotates, "whether the token is new");
            tokens.push(token);
        }
        match self.backend.rotates {
            true => "a new token each",
            false => "the same token",
        }
    }

    async fn kill_and_come_back(&mut self) {
        self.server.kill().await;
        let failed = self.installation.session.refresh().await;
        assert_eq!(code(&failed), Some(ErrorCode::Unreachable), "{failed:?}");
        let state = self.installation.session.snapshot().state;
        assert!(is_stale(&state), "the session stays: {state:?}");
        self.server.start_again().await;
        // By itself: nobody clicks.
        self.is_shown().await;
    }

    /// Sends the token of the sign-in again, which later ones have replaced.
    async fn reuse(&mut self, first: &crate::installation::Kept) -> &'static str {
        if !self.backend.rotates {
            return "none: one token";
        }
        let refused = self.installation.until_refused(first).await;
        assert_eq!(refused, SignedOutReason::Expired);
        if self.backend.reuse_ends {
            let _ = self.installation.session.refresh().await;
            let why = self.installation.until_signed_out().await;
            assert_eq!(why, SignedOutReason::Expired);
            self.sign_in().await;
            return "refused; it ends the session";
        }
        self.installation.refresh().await;
        "refused; the session goes on"
    }

    async fn refresh_after_it(&self, last: &crate::installation::Kept) -> &'static str {
        let ending = self.installation.copy(last).until_settled().await;
        match (ending, self.backend.ends_token) {
            (Ending::SignedOut(SignedOutReason::Expired), true) => "refused",
            (Ending::Fresh, false) => "still valid: only its signature is checked",
            (other, _) => panic!("the token of the session that was signed out: {other:?}"),
        }
    }
}

/// The row, also after a panic.
pub fn lock(row: &Mutex<Row>) -> std::sync::MutexGuard<'_, Row> {
    row.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
