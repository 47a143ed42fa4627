//! The app with several accounts in a process that will be killed. Its keyring is a folder, so that
//! many of them run side by side; it holds what it has acknowledged, as a keyring does.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use vestibule_core::accounts::{Accounts, AccountsConfig};
use vestibule_core::session::Session;
use vestibule_core::testing::{
    ACCOUNT_FAILPOINTS, Durability, FAILPOINTS, FolderRecords, RecordStore as _,
};
use vestibule_core::{AccountId, SecretBytes, SecretStore, StoreError};
use vestibule_harness::child::{Protocol, report, serve};
use vestibule_harness::{Lost, Pace, TestHost, clock, is_fresh, owner, try_eventually, why};

use crate::carrier::Carrier;

/// How fast the app's clock goes: upkeep begins ten seconds after a start.
const PACE: Pace = Pace {
    beat: Duration::from_millis(10),
    passes: Duration::from_secs(2),
};

/// What the process and its parent say to each other.
pub struct AccountsProtocol;

/// What the process is started with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// The folder of all workspaces.
    pub folder: PathBuf,
    /// The folder in place of a keyring.
    pub keyring: PathBuf,
    /// The backend of each workspace.
    pub backends: BTreeMap<String, String>,
    /// The word of the carrier with which everybody signs in.
    pub carrier: String,
}

/// What the parent can ask for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Kill yourself at this step, once these others were passed, in order.
    DieAt(Vec<String>),
    /// Sign in to the account of a window.
    SignIn(String, String),
    /// Let a window add an account of a workspace.
    Add(String, String),
    /// Let a window show somebody's account.
    Show(String, String),
    /// Sign out of the account of a window.
    SignOut(String),
    /// Remove somebody's account.
    Remove(String),
    RemoveWorkspace(String),
    /// Wait until nothing is left to do in the background, and until everybody who is listed is signed in
    /// or out.
    Settle,
}

/// What the process answers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Who is listed and signed in, as the backend says; sorted.
    pub signed_in: Vec<String>,
    /// Everybody whom the list names; sorted.
    pub named: Vec<String>,
    /// The workspaces whose leaving the host was told.
    pub left: Vec<String>,
    /// The workspaces that are still to leave.
    pub leaving: Vec<String>,
}

impl Protocol for AccountsProtocol {
    const NAME: &'static str = "accounts";
    type Arguments = Start;
    type Command = Command;
    type Answer = Seen;
    type Event = String;
    /// The steps that were passed, in order.
    type Report = Vec<String>;

    fn take(report: &mut Vec<String>, step: String) {
        report.push(step);
    }
}

/// Runs the app until the input ends or the process is killed.
pub fn run(arguments: &[String]) -> ExitCode {
    serve::<AccountsProtocol, _>(
        arguments,
        |start| Ok((App::begin(start)?, Seen::default())),
        App::perform,
    )
}

/// The steps that are to be passed; at the last one the process dies.
static DEATH: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn come_to(step: &str) {
    let mut death = DEATH.lock().unwrap_or_else(PoisonError::into_inner);
    report::<AccountsProtocol>(step.to_owned());
    if death.first().is_some_and(|next| next == step) {
        death.remove(0);
        if death.is_empty() {
            // Like a kill from outside: no destructor runs, and nothing is flushed.
            let me = rustix::process::getpid();
            let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
        }
    }
}

struct App {
    runtime: Runtime,
    accounts: Accounts,
    host: Arc<TestHost>,
    carrier: Carrier,
}

impl App {
    fn begin(start: Start) -> Result<Self, Lost> {
        for step in FAILPOINTS.into_iter().chain(ACCOUNT_FAILPOINTS) {
            fail::cfg_callback(step, move || come_to(step))?;
        }
        let unusable = |error: &dyn std::fmt::Display| error.to_string();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| unusable(&error))?;
        let inside = runtime.enter();
        let keyring = FolderRecords::open(start.keyring).map_err(|error| unusable(&error))?;
        let clock = clock();
        let host = TestHost::new(clock.clone(), &[]).with_keyring(Arc::new(FolderKeyring(keyring)));
        let carrier = Carrier::of(&start.carrier)?;
        for (workspace, address) in &start.backends {
            let profile = carrier.profile(address, serde_json::json!({}))?;
            host.set_profile(workspace, profile);
        }
        let host = Arc::new(host);
        let config = AccountsConfig {
            folder: start.folder,
            product: "Vestibule 0.1.0".into(),
            most: 50,
            host: host.clone(),
        };
        let accounts = Accounts::open_with_clock(config, clock.clone());
        let accounts = accounts.map_err(|error| unusable(&error))?;
        tokio::spawn(async move { PACE.run(&clock).await });
        drop(inside);
        Ok(Self {
            runtime,
            accounts,
            host,
            carrier,
        })
    }

    fn perform(&mut self, command: Command) -> Result<Seen, Lost> {
        let Self {
            runtime,
            accounts,
            host,
            carrier,
        } = self;
        runtime.block_on(async { perform(accounts, host, *carrier, command).await })
    }
}

async fn perform(
    accounts: &Accounts,
    host: &TestHost,
    carrier: Carrier,
    command: Command,
) -> Result<Seen, Lost> {
    let failed = |error: vestibule_core::AuthError| error.to_string();
    match command {
        Command::DieAt(steps) => {
            *DEATH.lock().unwrap_or_else(PoisonError::into_inner) = steps;
        }
        Command::SignIn(window, email) => {
            let (id, session) = page(accounts, &window)?;
            let desktop = host.desktop_of(id);
            carrier.sign_in(&session, &desktop, &email).await?;
            let named = || named(accounts).contains(&email);
            try_eventually("the list to name who signed in", named).await?;
        }
        Command::Add(window, workspace) => {
            accounts.add(&window, &workspace).map_err(failed)?;
            page(accounts, &window)?;
        }
        Command::Show(window, email) => {
            let id = id_of(accounts, &email)?;
            accounts.switch(&window, id).map_err(failed)?;
            page(accounts, &window)?;
        }
        Command::SignOut(window) => {
            page(accounts, &window)?.1.logout().await;
        }
        Command::Remove(email) => accounts.remove(id_of(accounts, &email)?).map_err(failed)?,
        Command::RemoveWorkspace(workspace) => {
            accounts.remove_workspace(&workspace).map_err(failed)?;
        }
        Command::Settle => return settle(accounts, host).await,
    }
    Ok(Seen::default())
}

fn page(accounts: &Accounts, window: &str) -> Result<(AccountId, Session), Lost> {
    accounts.page_began(window);
    accounts.session(window).map_err(|error| error.to_string())
}

fn named(accounts: &Accounts) -> Vec<String> {
    let (_, list) = accounts.list();
    let owners = list.into_iter().filter_map(|account| account.owner);
    let mut named: Vec<_> = owners.map(|owner| owner.email).collect();
    named.sort();
    named
}

fn id_of(accounts: &Accounts, email: &str) -> Result<AccountId, Lost> {
    let (_, list) = accounts.list();
    let mut of = list.iter().filter(|account| {
        let owner = account.owner.as_ref();
        owner.is_some_and(|owner| owner.email == email)
    });
    let found = of.next().map(|account| account.id);
    found.ok_or_else(|| format!("{email} is not listed"))
}

async fn settle(accounts: &Accounts, host: &TestHost) -> Result<Seen, Lost> {
    let mut signed_in = Vec::new();
    // The list shrinks meanwhile: one is forgotten, or replaced by the same person's newer one.
    for (id, window) in ids(accounts).into_iter().zip(0..) {
        let window = format!("window-{window}");
        if accounts.switch(&window, id).is_err() {
            continue;
        }
        let Ok((_, session)) = page(accounts, &window) else {
            continue;
        };
        let is_settled = || {
            let state = session.snapshot().state;
            is_fresh(&state) || why(&state).is_some()
        };
        try_eventually("a session to be restored, or over", is_settled).await?;
        let who = owner(&session).await;
        drop(session);
        accounts.window_closed(&window);
        if let Some(who) = who
            && ids(accounts).contains(&id)
        {
            signed_in.push((id, who));
        }
    }
    let is_quiet = || {
        let shown = accounts.of_window("main").ok().flatten();
        let open = host.open_now();
        accounts.leaving_workspaces().is_empty() && open.iter().all(|id| Some(*id) == shown)
    };
    try_eventually("an end of what is done in the background", is_quiet).await?;
    let left_over = ids(accounts);
    signed_in.retain(|(id, _)| left_over.contains(id));
    let mut signed_in: Vec<_> = signed_in.into_iter().map(|(_, who)| who).collect();
    signed_in.sort();
    Ok(Seen {
        signed_in,
        named: named(accounts),
        left: host.left(),
        leaving: accounts.leaving_workspaces(),
    })
}

fn ids(accounts: &Accounts) -> Vec<AccountId> {
    accounts.list().1.iter().map(|account| account.id).collect()
}

/// A keyring in a folder.
struct FolderKeyring(FolderRecords);

impl SecretStore for FolderKeyring {
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError> {
        let read = self.0.read(name).map_err(|_| StoreError::Failed)?;
        Ok(read.map(SecretBytes::new))
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let written = self.0.write(name, value, Durability::Unsynced);
        written.map_err(|_| StoreError::Failed)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.0.remove(name).map_err(|_| StoreError::Failed)
    }
}
