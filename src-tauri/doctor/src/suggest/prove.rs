//! Proves a profile with the app's own session: sign in, forget everything but what is kept, renew
//! twice, read the user, sign out, see that it is over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use vestibule_core::browser::NoDesktop;
use vestibule_core::profile::Profile;
use vestibule_core::session::{Config, NoOtherAccounts, Session};
use vestibule_core::wire::{Freshness, LoginInput, Phase, SessionChanged, User};

use super::search::{Missing, Search};
use super::store::MemoryStore;
use super::wire::Answer;
use crate::client::PRODUCT;

/// How long one step of a proof may take.
const STEP: Duration = Duration::from_secs(12);
/// How long a sign-out may take. One that was refused is repeated for days, which no proof awaits.
const SIGN_OUT: Duration = Duration::from_secs(3);
const WORKSPACE: &str = "doctor";

/// What a proof has shown.
pub(super) struct Proof {
    /// What the backend answers to a session that is over; none where the session goes on.
    pub over: Option<Answer>,
    /// What it answered to the first sign-out, and to a second one.
    pub sign_outs: Vec<Answer>,
}

/// One installation of the app: a folder and a keyring.
struct Installation {
    folder: TempDir,
    store: Arc<MemoryStore>,
}

impl Installation {
    fn new() -> Result<Self, Missing> {
        let folder = tempfile::tempdir().map_err(|_| unusable())?;
        Ok(Self {
            folder,
            store: Arc::default(),
        })
    }

    /// What is kept, once more, for a look at the session after its end.
    fn copy(&self) -> Result<Self, Missing> {
        let copy = Self {
            store: Arc::new(self.store.copy()),
            ..Self::new()?
        };
        copy_folder(self.folder.path(), copy.folder.path()).map_err(|_| unusable())?;
        Ok(copy)
    }

    fn open(&self, search: &Search<'_>, profile: &Profile) -> Result<Session, Missing> {
        let config = Config {
            workspace: WORKSPACE.into(),
            profile: profile.clone(),
            folder: self.folder.path().to_owned(),
            store: self.store.clone(),
            product: PRODUCT.into(),
            desktop: Arc::new(NoDesktop),
            others: Arc::new(NoOtherAccounts),
        };
        let opened = Session::open_over(Arc::new(search.wire.clone()), config);
        opened.map_err(|_| unusable())
    }
}

fn unusable() -> Missing {
    Missing::Sentence("no temporary folder could be made for the proof of the profile".into())
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Runs the proof. The sentence of an error says which step has failed.
pub(super) async fn prove(search: &Search<'_>, profile: &Profile) -> Result<Proof, Missing> {
    let kept = Installation::new()?;
    let session = kept.open(search, profile)?;
    let done = proved(search, profile, &kept, session).await;
    if done.is_err() {
        // Whatever is left of the session is over at the backend too.
        let session = kept.open(search, profile)?;
        let _ = until(&session, |state| {
            !matches!(state.state.phase, Phase::Restoring { outage: None, .. })
        })
        .await;
        session.logout().await;
        heard(&session).await;
    }
    done
}

async fn proved(
    search: &Search<'_>,
    profile: &Profile,
    kept: &Installation,
    session: Session,
) -> Result<Proof, Missing> {
    let signed_out = |state: &SessionChanged| matches!(state.state.phase, Phase::SignedOut { .. });
    until(&session, signed_out)
        .await
        .ok_or_else(|| failed("the session did not start"))?;
    let input = LoginInput::new(&search.account.email, search.account.password.secret());
    let signed_in = search.stop.race(session.login(input)).await?;
    signed_in
        .map_err(|error| failed(&format!("the app's own sign-in failed ({:?})", error.code)))?;
    let before = until(&session, |state| fresh_user(state).is_some()).await;
    let before = before.ok_or_else(|| failed("after the sign-in nobody was signed in"))?;
    let user = fresh_user(&before).cloned();
    if !matches!(
        before.state.phase,
        Phase::SignedIn {
            remembered: true,
            ..
        }
    ) {
        return Err(failed("what renews the session could not be kept"));
    }
    settle(&session).await;
    drop(session);

    // From here on nothing is known but what the folder and the keyring hold.
    let session = kept.open(search, profile)?;
    let again = until(&session, |state| {
        fresh_user(state).is_some() || signed_out(state)
    })
    .await;
    let again = again.ok_or_else(|| failed("the session was not renewed after a restart"))?;
    if fresh_user(&again).map(|user| &user.id) != user.as_ref().map(|user| &user.id) {
        return Err(failed(
            "after a restart the session was over, or somebody else's",
        ));
    }
    // Tokens that hold the time in whole seconds differ from the next second on.
    search.stop.sleep(Duration::from_millis(1100)).await?;
    let renewed = search.stop.race(session.refresh()).await?;
    renewed.map_err(|error| failed(&format!("the second renewal failed ({:?})", error.code)))?;
    if fresh_user(&session.snapshot()).is_none() {
        return Err(failed("after the second renewal nobody was signed in"));
    }
    settle(&session).await;

    let (copy, second) = (kept.copy()?, kept.copy()?);
    let mark = search.wire.count();
    session.logout().await;
    heard(&session).await;
    drop(session);
    let mut sign_outs = search.wire.since(mark);
    let over = is_over(search, profile, &copy).await?;
    if profile.endpoints.logout.get().is_some() {
        let mark = search.wire.count();
        // The second sign-out of the same session, as after an answer that was lost.
        let session = second.open(search, profile)?;
        session.logout().await;
        heard(&session).await;
        drop(session);
        sign_outs.extend(
            search
                .wire
                .since(mark)
                .into_iter()
                .filter(|answer| is_sign_out(answer, profile)),
        );
    }
    Ok(Proof { over, sign_outs })
}

fn is_sign_out(answer: &Answer, profile: &Profile) -> bool {
    let call = profile.endpoints.logout.get();
    call.is_some_and(|call| profile.url(&call.path.source()).path() == answer.url.path())
}

/// Opens what was kept once more, after the sign-out, and looks at what the backend answers to it.
async fn is_over(
    search: &Search<'_>,
    profile: &Profile,
    copy: &Installation,
) -> Result<Option<Answer>, Missing> {
    let mark = search.wire.count();
    let session = copy.open(search, profile)?;
    let answered = || {
        let answers = search.wire.since(mark);
        answers.into_iter().next()
    };
    let known = until(&session, |state| {
        answered().is_some() && !matches!(state.state.phase, Phase::Restoring { outage: None, .. })
    });
    let state = known.await;
    let is_alive = state
        .as_ref()
        .is_some_and(|state| fresh_user(state).is_some());
    let first = answered();
    drop(session);
    Ok(first.filter(|answer| {
        let is_null = answer.json().is_some_and(|body| body.is_null());
        !is_alive && (is_null || (400..500).contains(&answer.status) && answer.status != 429)
    }))
}

fn fresh_user(state: &SessionChanged) -> Option<&User> {
    match &state.state.phase {
        Phase::SignedIn {
            user,
            freshness: Freshness::Fresh,
            ..
        } => Some(user),
        _ => None,
    }
}

/// Waits for a state; none if it does not come in time.
async fn until(
    session: &Session,
    wanted: impl Fn(&SessionChanged) -> bool,
) -> Option<SessionChanged> {
    let mut states = session.subscribe();
    let came = states.wait_for(|state| wanted(state));
    let came = tokio::time::timeout(STEP, came).await.ok()?.ok()?;
    Some(came.clone())
}

/// Waits until the backend has heard of the sign-out, or has refused to hear of it.
async fn heard(session: &Session) {
    let _ = tokio::time::timeout(SIGN_OUT, settle(session)).await;
}

/// Waits until nothing of the session is left to be written or told.
async fn settle(session: &Session) {
    let mut rests = session.subscribe_rests();
    let rest = async {
        while !session.is_at_rest() {
            if rests.changed().await.is_err() {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(STEP, rest).await;
}

fn failed(what: &str) -> Missing {
    Missing::Sentence(format!("a profile was found, but with it {what}"))
}
