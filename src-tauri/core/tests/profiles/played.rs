//! A session with a profile of its own, and a backend that replays a recording.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_core::profile::{Layer, Profile, load};
use vestibule_core::wire::{LoginInput, Phase, SignInOutcome, SignedOutReason};
use vestibule_harness::{Installation, Stored, eventually, user, why};
use vestibule_recordings::{Player, Recording};

/// An installation and the recording that answers it.
pub struct Played {
    pub player: Arc<Player>,
    installation: Installation,
}

impl Deref for Played {
    type Target = Installation;

    fn deref(&self) -> &Installation {
        &self.installation
    }
}

impl DerefMut for Played {
    fn deref_mut(&mut self) -> &mut Installation {
        &mut self.installation
    }
}

impl Played {
    /// A session in which nobody has signed in yet. `at` is the end of the base address; the
    /// backend accepts members named in `ignored`, although the recording does not show them.
    pub async fn playing(
        recording: Recording,
        mut profile: Value,
        at: &str,
        ignored: &[&str],
    ) -> Self {
        let player = Player::start(recording, ignored).await.expect("a port");
        profile["backend"] = json!(format!("{}{at}", player.url()));
        let profile = Profile::from_json(profile).expect("a shipped profile");
        Self::with(player, profile).await
    }

    /// A session whose profile names its own backend; the player gets no request.
    pub async fn elsewhere(profile: Value) -> Self {
        let nothing = Recording::parse(&said("POST /nothing", "200 OK", &[], "{}"));
        let player = Player::start(nothing, &[]).await.expect("a port");
        let profile = Profile::from_json(profile).unwrap_or_else(|error| panic!("{error}"));
        Self::with(player, profile).await
    }

    /// A session with a profile of an adopter: the text of a file.
    pub async fn described(name: &str, text: &str, exchanges: &[String]) -> Self {
        let recording = Recording::parse(&exchanges.concat());
        let player = Player::start(recording, &[]).await.expect("a port");
        let address = Layer::inline("the test", json!({"backend": player.url()}));
        let file = Layer::text(format!("{name}.toml"), text);
        let profile = file.and_then(|file| load(&[file, address]));
        let profile = profile.unwrap_or_else(|error| panic!("{error}"));
        Self::with(player, profile).await
    }

    async fn with(player: Player, profile: Profile) -> Self {
        Self {
            player: Arc::new(player),
            installation: Installation::new(profile).await,
        }
    }

    /// Another installation with what this one had stored, to test an old token.
    pub fn copy(&self, stored: &Stored) -> Self {
        let copy = Installation::open(Arc::default(), self.profile.clone(), Some(stored));
        Self {
            player: self.player.clone(),
            installation: copy.unwrap_or_else(|lost| panic!("{lost}")),
        }
    }

    /// Whether there is a record of this name.
    pub fn has_record(&self, name: &str) -> bool {
        self.records.join(name).exists()
    }

    /// A record as it is on the disk.
    pub fn record(&self, name: &str) -> Value {
        let bytes = std::fs::read(self.records.join(name)).expect("a record");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// Removes a record, as a damaged disk can.
    pub fn lose_record(&self, name: &str) {
        std::fs::remove_file(self.records.join(name)).expect("it was there");
    }

    /// What is stored now, for [`Played::copy`].
    pub fn item(&self) -> Stored {
        self.stored().expect("the keyring holds the token")
    }

    /// The token in the keyring, as text.
    pub fn kept(&self) -> String {
        self.installation.kept().expect("a token")
    }

    pub async fn sign_in(&self, email: &str, password: &str) {
        let outcome = self.session.login(LoginInput::new(email, password)).await;
        assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    }

    /// Advances the clock until the session has ended. After a failed refresh, a rejection is
    /// confirmed by a second request some seconds later; a rejection by the status alone takes
    /// three requests, over half a minute.
    pub async fn until_signed_out(&self) -> SignedOutReason {
        eventually("a sign-out", || {
            self.pass(Duration::from_secs(1));
            why(&self.state()).is_some()
        })
        .await;
        why(&self.state()).expect("signed out")
    }

    pub fn name(&self) -> String {
        user(&self.state())
            .expect("someone is signed in")
            .name
            .clone()
    }

    /// When the session ends, as the window shows it.
    pub fn expires_at(&self) -> Option<String> {
        match self.state().phase {
            Phase::SignedIn { session, .. } => session.expires_at,
            _ => None,
        }
    }

    /// How often `path` was answered.
    pub fn asked(&self, path: &str) -> usize {
        let played = self.player.played();
        played.iter().filter(|wanted| wanted.path == path).count()
    }

    /// Fails if a request was not in the recording.
    pub fn check_no_strays(&self) {
        let strays = self.player.strays();
        assert!(
            strays.is_empty(),
            "requests that were not recorded: {strays:?}"
        );
    }
}

/// One exchange of a script; `request` is what follows the address in a `curl` command.
pub fn said(request: &str, status: &str, headers: &[&str], body: &str) -> String {
    let lines: String = headers.iter().map(|header| format!("{header}\n")).collect();
    let (method, rest) = request.split_once(' ').expect("a method and a path");
    format!(
        "\n$ curl -si -X {method} http://127.0.0.1:1{rest}\nHTTP/1.1 {status}\n\
         Content-Type: application/json\n{lines}\n{body}\n"
    )
}
