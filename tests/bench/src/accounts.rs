//! Signs people in to an app before it is started. A child process on the app's desktop opens the
//! same accounts with the same keyring and leaves everything as the app itself would. So there can be
//! more accounts than the app's settings let people add.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vestibule_acceptance::{PASSWORD, Stage, until};
use vestibule_core::accounts::{AccountHost, AccountPlace, Accounts, AccountsConfig, FIRST_WINDOW};
use vestibule_core::browser::NoDesktop;
use vestibule_core::profile::{DEFAULT_WORKSPACE, Profile};
use vestibule_core::session::{Config, Session};
use vestibule_core::transport::HttpTransport;
use vestibule_core::wire::{AccountStanding, AccountSummary, SignInOutcome};
use vestibule_core::{AuthError, Keyring};
use vestibule_harness::child::{ChildProcess, Protocol, command, serve_once};
use vestibule_harness::login;

use crate::registry::{Outcome, runtime};

/// The identifier of the app, which names its folder and its items in the keyring.
const APP: &str = "dev.vestibule.desktop";
const PRODUCT: &str = "Vestibule 0.1.0";

/// The display name of a person; the first is number 1.
#[must_use]
pub fn name(person: usize) -> String {
    format!("Person {person}")
}

fn email(person: usize) -> String {
    format!("person-{person}@bench.test")
}

/// Signs this many people in to accounts of the app on this stage, which must not run. The app's first
/// window will show the first of them.
///
/// # Errors
/// If a sign-in fails.
pub async fn sign_in(stage: &Stage, program: &Path, people: usize) -> Outcome<()> {
    for person in 1..=people {
        let added = stage
            .backend
            .add_account(&email(person), PASSWORD, &name(person), &[]);
        if !added {
            return Err(format!("the backend does not take {}", name(person)));
        }
    }
    let start = Start {
        backend: stage.backend.url(),
        folder: stage
            .desktop
            .home()
            .join("data")
            .join(APP)
            .join("workspaces"),
        people,
    };
    let mut command = command::<SignIns>(program, &start)?;
    stage.desktop.bus().apply_environment(&mut command);
    let mut process = ChildProcess::<SignIns>::start(command)?;
    process.ready().await?;
    process.leave().await
}

/// The child process.
pub(crate) struct SignIns;

/// What it is started with.
#[derive(Serialize, Deserialize)]
pub(crate) struct Start {
    backend: String,
    /// The folder of all workspaces.
    folder: PathBuf,
    people: usize,
}

impl Protocol for SignIns {
    const NAME: &'static str = "sign-ins";
    type Arguments = Start;
    type Command = ();
    type Answer = ();
    type Event = ();
    type Report = ();

    fn take((): &mut (), (): ()) {}
}

/// Runs the child process.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    serve_once::<SignIns>(arguments, |start| runtime().block_on(sign_all_in(start)))
}

async fn sign_all_in(start: Start) -> Outcome<()> {
    let told = |error: AuthError| error.to_string();
    let profile = Profile::default().with_backend(&start.backend);
    let profile = profile.map_err(|error| error.to_string())?;
    let transport = HttpTransport::new(&profile.backend, PRODUCT).map_err(told)?;
    let accounts = Accounts::open(AccountsConfig {
        folder: start.folder,
        product: PRODUCT.into(),
        most: u32::MAX,
        host: Arc::new(Host {
            profile,
            transport: Arc::new(transport),
        }),
    });
    let accounts = accounts.map_err(told)?;
    for person in 1..=start.people {
        let added = accounts.add(FIRST_WINDOW, DEFAULT_WORKSPACE);
        added.map_err(told)?;
        let signed_in = shown(&accounts)?.login(login(&email(person))).await;
        match signed_in.map_err(told)? {
            SignInOutcome::SignedIn => {}
            other => return Err(format!("a sign-in leads to {other:?}")),
        }
        let is_owned = |list: &[AccountSummary]| list.iter().all(|it| it.owner.is_some());
        listed(&accounts, is_owned).await;
    }
    let (_, list) = accounts.list();
    let first = list.first().ok_or("nobody was to be signed in")?;
    accounts.switch(FIRST_WINDOW, first.id).map_err(told)?;
    let session = shown(&accounts)?;
    // The others are closed, and their renewal is planned.
    let is_settled = |list: &[AccountSummary]| match list {
        [first, others @ ..] => {
            first.standing == AccountStanding::Fresh
                && others.iter().all(|it| it.standing == AccountStanding::Kept)
                && session.is_at_rest()
        }
        [] => false,
    };
    listed(&accounts, is_settled).await;
    Ok(())
}

/// The session of the account that the window shows now.
fn shown(accounts: &Accounts) -> Outcome<Session> {
    accounts.page_began(FIRST_WINDOW);
    let session = accounts.session(FIRST_WINDOW);
    session
        .map(|(_, session)| session)
        .map_err(|error| error.to_string())
}

async fn listed(accounts: &Accounts, wanted: impl Fn(&[AccountSummary]) -> bool) {
    until("the list of accounts", async || {
        let (_, list) = accounts.list();
        match wanted(&list) {
            true => Ok(()),
            false => Err(format!("{list:?}")),
        }
    })
    .await;
}

/// Opens sessions as the app does.
struct Host {
    profile: Profile,
    transport: Arc<HttpTransport>,
}

impl AccountHost for Host {
    fn open(&self, place: &AccountPlace) -> Result<Session, AuthError> {
        let config = Config {
            workspace: place.workspace.clone(),
            profile: self.profile.clone(),
            folder: place.folder.clone(),
            store: Arc::new(Keyring::new(APP)),
            product: PRODUCT.into(),
            desktop: Arc::new(NoDesktop),
            others: place.others.clone(),
        };
        Session::open_over(self.transport.clone(), config)
    }

    fn reload(&self, _window: &str, requested: Box<dyn FnOnce() + Send>) {
        requested();
    }

    fn workspace_left(&self, _workspace: &str) -> Result<(), AuthError> {
        Ok(())
    }
}
