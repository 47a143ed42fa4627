//! An installation of the app: a keyring, a folder and a session over them.

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use vestibule_core::profile::Profile;
use vestibule_core::session::{Config, Session};
use vestibule_core::testing::MemoryStore;
use vestibule_core::wire::{FetchReply, FetchRequest, Phase, SessionState, SignedOutReason};
use vestibule_core::{SecretBytes, SecretStore as _};
use vestibule_harness::{TestDesktop, WORKSPACE, config, eventually, is_fresh, soon, until, why};

use crate::backends::Backend;

/// The scheme of the app.
const SCHEME: &str = "vestibule";

/// An installation.
pub struct Installation {
    profile: Profile,
    store: Arc<MemoryStore>,
    folder: TempDir,
    /// The session.
    pub session: Session,
    /// The desktop, which says what the browser was to open.
    pub desktop: Arc<TestDesktop>,
}

/// How the start of a session came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The server has confirmed the session.
    Fresh,
    /// The session has ended.
    SignedOut(SignedOutReason),
}

/// A copy of an installation's data.
pub struct Kept {
    name: String,
    item: SecretBytes,
    records: Vec<(&'static str, Vec<u8>)>,
}

impl Installation {
    /// An installation in which nobody has signed in yet.
    pub async fn new(profile: Value) -> Self {
        let profile = Profile::from_json(profile).unwrap_or_else(|error| panic!("{error}"));
        let place = Self::with(profile, None);
        place.until_signed_out().await;
        place
    }

    fn with(profile: Profile, kept: Option<&Kept>) -> Self {
        let store = Arc::new(MemoryStore::default());
        let folder = tempfile::tempdir().expect("a folder");
        if let Some(Kept {
            name,
            item,
            records,
        }) = kept
        {
            store.write(name, item).expect("memory");
            let folder = folder.path().join(WORKSPACE);
            std::fs::create_dir_all(&folder).expect("a folder");
            for (name, bytes) in records {
                std::fs::write(folder.join(name), bytes).expect("a record");
            }
        }
        let desktop = Arc::new(TestDesktop::default());
        desktop.set_scheme(SCHEME);
        let session = open(&profile, &store, &folder, &desktop);
        Self {
            profile,
            store,
            folder,
            session,
            desktop,
        }
    }

    /// A copy of everything that is stored now.
    pub fn keep(&self) -> Kept {
        let folder = self.folder.path().join(WORKSPACE);
        let of = |name| (name, std::fs::read(folder.join(name)).expect("a record"));
        Kept {
            name: self.session.item_name().to_owned(),
            item: self.item(),
            records: ["install.json", "device.json", "session.json"]
                .map(of)
                .into(),
        }
    }

    /// A new installation with these data, to test an old token.
    pub fn copy(&self, kept: &Kept) -> Self {
        Self::with(self.profile.clone(), Some(kept))
    }

    /// Starts the app again: another session over the same keyring and folder.
    pub fn restart(&mut self) {
        self.session = open(&self.profile, &self.store, &self.folder, &self.desktop);
    }

    /// The item in the keyring.
    fn item(&self) -> SecretBytes {
        let item = self.store.read(self.session.item_name()).expect("memory");
        item.expect("the keyring holds the token")
    }

    /// The refresh token in it, for comparisons.
    pub fn kept(&self) -> String {
        let item: Value = serde_json::from_slice(&self.item()).expect("JSON");
        let token = &item["token"];
        let places = [
            &token["body"],
            &token[0]["value"],
            &token["provider"]["token"],
        ];
        let text = places.into_iter().find_map(Value::as_str);
        text.expect("a token").to_owned()
    }

    /// Waits for a state that is wanted.
    pub async fn until(
        &self,
        what: &str,
        wanted: impl FnMut(&SessionState) -> bool,
    ) -> SessionState {
        until(&self.session, what, wanted).await
    }

    /// Waits until the session has ended. Returns the reason.
    pub async fn until_signed_out(&self) -> SignedOutReason {
        let state = self.until("nobody signed in", |state| why(state).is_some());
        why(&state.await).expect("signed out")
    }

    /// Waits until the server has confirmed the session; returns the user's name.
    pub async fn until_fresh(&self) -> String {
        let state = self.until("a fresh session", is_fresh).await;
        let Phase::SignedIn { user, .. } = state.phase else {
            unreachable!("it is fresh")
        };
        user.name
    }

    /// Makes a refresh, which must succeed.
    pub async fn refresh(&self) {
        self.session.refresh().await.expect("renewed");
        assert!(is_fresh(&self.session.snapshot().state));
    }

    /// Signs out, and waits until the server has received the sign-out.
    pub async fn sign_out(&self) {
        self.session.logout().await;
        assert_eq!(
            why(&self.session.snapshot().state),
            Some(SignedOutReason::ByUser)
        );
        let records = self.folder.path().join(WORKSPACE);
        let pending = records.join("pending-sign-outs.json");
        let name = self.session.item_name();
        // The item is deleted once the sign-out is pending.
        let is_told = || matches!(self.store.read(name), Ok(None)) && !pending.exists();
        eventually("the server to receive the sign-out", is_told).await;
    }

    /// Waits until the start of the session is over.
    pub async fn until_settled(&self) -> Ending {
        let is_settled = |state: &SessionState| why(state).is_some() || is_fresh(state);
        let state = self.until("the start to be over", is_settled).await;
        why(&state).map_or(Ending::Fresh, Ending::SignedOut)
    }

    /// Waits until the server refuses the token of this copy, which may take a moment after a
    /// sign-out. Only for tokens whose use changes nothing at the server.
    pub async fn until_refused(&self, kept: &Kept) -> SignedOutReason {
        let refused = async {
            loop {
                if let Ending::SignedOut(why) = self.copy(kept).until_settled().await {
                    return why;
                }
            }
        };
        soon("the server to refuse the token", refused).await
    }

    /// Sends JSON in the session, as a page does with `auth.fetch`.
    pub async fn post(&self, path: &str, body: &Value) -> FetchReply {
        let request = FetchRequest {
            path: path.into(),
            method: "POST".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Some(body.to_string()),
        };
        let reply = self.session.fetch(request).await.expect("an answer");
        assert!(
            reply.status < 300,
            "{path}: {} {}",
            reply.status,
            reply.body
        );
        reply
    }
}

fn open(
    profile: &Profile,
    store: &Arc<MemoryStore>,
    folder: &TempDir,
    desktop: &Arc<TestDesktop>,
) -> Session {
    let records = folder.path().join(WORKSPACE);
    let config = Config {
        desktop: desktop.clone(),
        ..config(profile.clone(), &records, store.clone())
    };
    Session::open(config).expect("the session opens")
}

/// The profile of a backend at this address.
pub fn profile_of(backend: &Backend, url: &str) -> Value {
    let mut profile = profile(backend.profile, url, backend.calls);
    if let Some(section) = backend.by_browser {
        profile["browser"] = section(url);
    }
    profile
}

/// A shipped profile for this address; pages may also post to the paths in `more`.
pub fn profile(name: &str, url: &str, more: &[&str]) -> Value {
    let allow: Vec<_> = more.iter().map(|path| format!("POST {path}")).collect();
    json!({"extends": name, "backend": url, "api": {"allow": allow}})
}
