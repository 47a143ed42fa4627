//! What the rows of the core are measured with: a backend, TLS in front of it, and sessions. Only
//! this module, [`crate::accounts`] and [`crate::counts`] know the core's storage.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tempfile::TempDir;
use vestibule_backend::{Backend, Config};
use vestibule_core::SecretStore;
use vestibule_core::profile::Profile;
use vestibule_core::session::{self, Session};
use vestibule_core::testing::{Clock, SystemClock};
use vestibule_core::wire::Phase;
use vestibule_harness::{DEMO, config, get, login};

use crate::registry::Outcome;
use crate::tls::Front;

/// How requests reach the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// By HTTP, directly.
    Plain,
    /// By HTTPS.
    Tls,
}

/// A backend, and a folder on the disk for the sessions with it.
pub struct Fixture {
    /// The backend, whose behaviour the controls change.
    pub backend: Backend,
    front: Option<Front>,
    folder: TempDir,
    opened: AtomicUsize,
}

/// A session and the folder with its records.
pub struct Subject {
    /// The session; it has looked for an earlier one and found none.
    pub session: Session,
    /// The folder with its records.
    pub folder: PathBuf,
}

impl Fixture {
    /// Starts a backend, with the sessions' folders below `folder`, which must be on a disk: in a
    /// `/tmp` in memory a synced write costs nothing.
    ///
    /// # Errors
    /// If the backend does not start, or the folder cannot be created.
    pub async fn start(connection: Connection, folder: &Path) -> Outcome<Self> {
        let backend = Backend::start(Config::default()).await;
        let backend = backend.map_err(|error| error.to_string())?;
        let front = match connection {
            Connection::Plain => None,
            Connection::Tls => Some(Front::before(backend.address()).await?),
        };
        let folder = std::fs::create_dir_all(folder)
            .and_then(|()| tempfile::Builder::new().prefix("stand-").tempdir_in(folder));
        Ok(Self {
            backend,
            front,
            folder: folder.map_err(|error| format!("no folder: {error}"))?,
            opened: AtomicUsize::new(0),
        })
    }

    /// The address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        let front = self.front.as_ref().map(Front::url);
        front.unwrap_or_else(|| self.backend.url())
    }

    /// A folder on the disk that is deleted with the fixture.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A session of an app that was never started before.
    ///
    /// # Errors
    /// If the session cannot be opened, or finds somebody signed in.
    pub async fn subject(&self, store: Arc<dyn SecretStore>) -> Outcome<Subject> {
        self.subject_with(store, Arc::new(SystemClock)).await
    }

    /// The same with another clock.
    ///
    /// # Errors
    /// As [`Fixture::subject`].
    pub async fn subject_with(
        &self,
        store: Arc<dyn SecretStore>,
        clock: Arc<dyn Clock>,
    ) -> Outcome<Subject> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.path().join(number.to_string());
        let session = open(
            &self.url(),
            &format!("bench-{number}"),
            &folder,
            store,
            clock,
        )
        .await?;
        Ok(Subject { session, folder })
    }
}

/// Opens a session with a backend at another address and waits until it has looked for an earlier
/// one.
///
/// # Errors
/// If the session cannot be opened, or finds somebody signed in.
pub async fn open(
    url: &str,
    workspace: &str,
    folder: &Path,
    store: Arc<dyn SecretStore>,
    clock: Arc<dyn Clock>,
) -> Outcome<Session> {
    let profile = Profile::default().with_backend(url);
    let profile = profile.map_err(|error| error.to_string())?;
    let config = session::Config {
        workspace: workspace.to_owned(),
        ..config(profile, folder, store)
    };
    let session = Session::open_with_clock(config, clock).map_err(|error| error.to_string())?;
    let mut changes = session.subscribe();
    let phase = changes
        .wait_for(|change| !matches!(change.state.phase, Phase::Restoring { .. }))
        .await
        .map(|change| change.state.phase.clone());
    match phase {
        Ok(Phase::SignedOut { .. }) => Ok(session),
        other => Err(format!(
            "a session that was never used starts with {other:?}"
        )),
    }
}

/// Signs the demo account in.
///
/// # Errors
/// If the sign-in is refused.
pub async fn sign_in(session: &Session) -> Outcome<()> {
    let signed_in = session.login(login(DEMO)).await;
    signed_in
        .map(drop)
        .map_err(|error| format!("a sign-in: {error}"))
}

/// Refreshes the session, as after a click.
///
/// # Errors
/// If the refresh fails.
pub async fn refresh(session: &Session) -> Outcome<()> {
    let refreshed = session.refresh().await;
    refreshed.map_err(|error| format!("a refresh: {error}"))
}

/// A GET of the adopter's API with the session's token, whose answer is short.
///
/// # Errors
/// If there is no answer, or one with another status than 200.
pub async fn fetch(session: &Session, path: &str) -> Outcome<()> {
    let answer = session.fetch(get(path)).await;
    match answer.map_err(|error| format!("a call: {error}"))?.status {
        200 => Ok(()),
        status => Err(format!("a call is answered with {status}")),
    }
}

/// How many milliseconds this work takes.
///
/// # Errors
/// If the work fails.
pub async fn timed(work: impl Future<Output = Outcome<()>>) -> Outcome<f64> {
    let begun = Instant::now();
    work.await?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}
