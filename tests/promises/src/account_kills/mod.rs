//! An app with several accounts is killed at every step of adding, signing in twice, switching, signing
//! out and removing; its people have signed in with passwords, or by the browser. The next start lists and
//! signs in everybody who was signed in, and nobody who was removed.

mod child;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use vestibule_backend::{Backend, Config};
use vestibule_harness::child::{ChildProcess, command};
use vestibule_harness::{Lost, account, alive, start_backend, try_eventually};

use self::child::{AccountsProtocol, Command, Seen, Start};
use crate::carrier::Carrier;
use crate::crash::Queue;
use crate::registry::Setting;
use crate::report::Row;

pub use self::child::run;

/// How many kills the long form makes at each step.
const LONG_ROUNDS: u64 = 40;
const FIRST: &str = "default";
const OTHER: &str = "other";

/// What is done when the process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// A third person signs in to an account that was added.
    Add,
    /// The second person signs in again, to an account that was added.
    Again,
    /// The first window changes to the second person's account.
    Switch,
    /// The second person signs out; no window shows the account any more.
    SignOut,
    RemoveFirst,
    RemoveSecond,
    /// The workspace of the second person is removed.
    RemoveWorkspace,
}

const ADDING: &[&str] = &["accounts.folder_made", "accounts.listed"];
const SIGNING_IN: &[&str] = &[
    "login.journaled",
    "login.kept",
    "login.recorded",
    "accounts.noting",
];
const SIGNING_OUT: &[&str] = &[
    "logout.marked",
    "logout.shown",
    "logout.slotted",
    "logout.deleted",
    "logout.told",
];
const LEAVING: &[&str] = &["accounts.leaving"];
const FORGETTING: &[&str] = &["accounts.folder_removed", "accounts.forgotten"];

impl Deed {
    /// The steps that it passes.
    fn steps(self) -> Vec<&'static str> {
        let parts: &[&[&str]] = match self {
            Self::Add => &[ADDING, SIGNING_IN],
            Self::Again => &[SIGNING_IN, SIGNING_OUT, FORGETTING],
            Self::Switch => &[&["accounts.shown"]],
            Self::SignOut => &[SIGNING_OUT, &["accounts.noting"], FORGETTING],
            Self::RemoveFirst | Self::RemoveSecond => &[LEAVING, SIGNING_OUT, FORGETTING],
            Self::RemoveWorkspace => &[
                LEAVING,
                SIGNING_OUT,
                FORGETTING,
                &["accounts.workspace_left"],
            ],
        };
        parts.concat()
    }

    const ALL: [Self; 7] = [
        Self::Add,
        Self::Again,
        Self::Switch,
        Self::SignOut,
        Self::RemoveFirst,
        Self::RemoveSecond,
        Self::RemoveWorkspace,
    ];
}

/// Every step once, and a sample of them with people who have signed in by the browser.
pub async fn short(setting: &Setting) -> Row {
    run_rounds(setting, 1, 3).await
}

/// Every step again and again, in both ways.
pub async fn long(setting: &Setting) -> Row {
    run_rounds(setting, LONG_ROUNDS, 1).await
}

/// Each step `rounds` times with passwords, and one in so many of them by the browser too.
async fn run_rounds(setting: &Setting, rounds: u64, one_in: usize) -> Row {
    let kills = Deed::ALL.into_iter().flat_map(|deed| {
        let steps = deed.steps().into_iter();
        steps.map(move |step| (deed, step))
    });
    let kills: Vec<_> = kills.collect();
    let once = kills.iter().enumerate().flat_map(|(at, &(deed, step))| {
        let by_browser = (at % one_in == 0).then_some(Carrier::Provider);
        let carriers = [Carrier::Cookie].into_iter().chain(by_browser);
        carriers.map(move |carrier| (carrier, deed, step))
    });
    let once: Vec<_> = once.collect();
    let jobs: Vec<_> = (0..rounds).flat_map(|_| once.clone()).collect();
    let of = jobs.len() as u64;
    let backend = start_backend(Config::default()).await;
    let queue = Queue::new("account kills", setting, jobs);
    let ends = queue
        .work_off(|queue| {
            let (setting, backend) = (setting.clone(), backend.clone());
            async move {
                let (mut kept, mut losses) = (0_u64, 0_u64);
                while let Some((carrier, deed, step)) = queue.next() {
                    match kill(&setting, &backend, carrier, deed, step).await {
                        Ok(()) => kept += 1,
                        Err(lost) => {
                            losses += 1;
                            eprintln!(
                                "\raccount kills lost: {carrier:?}, {deed:?}, at {step}: {lost}"
                            );
                        }
                    }
                    queue.done();
                }
                (kept, losses)
            }
        })
        .await;
    let (mut kept, mut losses) = (0, 0);
    for (well, lost) in ends.into_iter().flatten() {
        kept += well;
        losses += lost;
    }
    // A worker that panicked loses its kills.
    losses += of - kept - losses;
    Row {
        what: format!(
            "SIGKILL of an app with several accounts at {} steps of adding, switching, signing out \
             and removing, {} of them with people who have signed in by the browser",
            kills.len(),
            once.len() - kills.len()
        ),
        runs: of,
        losses,
        bound: "nobody is signed out or missing, and nobody removed comes back",
        holds: losses == 0,
    }
}

/// An installed app, and who uses it.
struct Home {
    _folder: TempDir,
    start: Start,
    people: [String; 3],
}

impl Home {
    fn new(backend: &Backend, carrier: Carrier) -> Result<Self, Lost> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let address = backend.url();
        let backends = [FIRST, OTHER].map(|name| (name.to_owned(), address.clone()));
        Ok(Self {
            start: Start {
                folder: folder.path().join("workspaces"),
                keyring: folder.path().join("keyring"),
                backends: BTreeMap::from(backends),
                carrier: carrier.word().to_owned(),
            },
            _folder: folder,
            people: [account(backend)?, account(backend)?, account(backend)?],
        })
    }

    async fn run(&self, program: &Path) -> Result<ChildProcess<AccountsProtocol>, Lost> {
        let command = command::<AccountsProtocol>(program, &self.start)?;
        let mut process = ChildProcess::start(command)?;
        process.ready().await?;
        Ok(process)
    }
}

/// One kill, and the start after it.
async fn kill(
    setting: &Setting,
    backend: &Arc<Backend>,
    carrier: Carrier,
    deed: Deed,
    step: &str,
) -> Result<(), Lost> {
    let home = Home::new(backend, carrier)?;
    let [first, second, third] = &home.people;
    let of_second = match deed {
        Deed::RemoveWorkspace => OTHER,
        _ => FIRST,
    };
    let mut app = home.run(&setting.program).await?;
    let (main, window) = (String::from("main"), String::from("window-2"));
    app.ask(Command::SignIn(main.clone(), first.clone()))
        .await?;
    app.ask(Command::Add(window.clone(), of_second.into()))
        .await?;
    app.ask(Command::SignIn(window.clone(), second.clone()))
        .await?;
    let is_at_sign_in = SIGNING_IN.contains(&step);
    if deed == Deed::Again || deed == Deed::Add && is_at_sign_in {
        app.ask(Command::Add(window.clone(), FIRST.into())).await?;
    }
    let before = match (deed, step) {
        // Any change of any session is noted.
        (Deed::Add | Deed::Again, "accounts.noting") => Some("login.recorded"),
        (Deed::SignOut, "accounts.noting") => Some("logout.shown"),
        _ => None,
    };
    let steps = before.into_iter().chain([step]).map(str::to_owned);
    app.ask(Command::DieAt(steps.collect())).await?;
    let deeds = match deed {
        Deed::Add if is_at_sign_in => vec![Command::SignIn(window, third.clone())],
        Deed::Add => vec![Command::Add(window, FIRST.into())],
        Deed::Again => vec![Command::SignIn(window, second.clone())],
        Deed::Switch => vec![Command::Show(main, second.clone())],
        Deed::SignOut => vec![
            Command::SignOut(window.clone()),
            Command::Show(window, first.clone()),
        ],
        Deed::RemoveFirst => vec![Command::Remove(first.clone())],
        Deed::RemoveSecond => vec![Command::Remove(second.clone())],
        Deed::RemoveWorkspace => vec![Command::RemoveWorkspace(OTHER.into())],
    };
    for command in &deeds {
        // It may be dead already.
        let _ = app.tell(command).await;
    }
    let dead = app.end().await?;
    if !dead.contains(&step.to_owned()) {
        return Err(format!("it did not come to the step, but to {:?}", *dead));
    }

    let mut app = home.run(&setting.program).await?;
    let seen = app.ask(Command::Settle).await?;
    let is_added = matches!(step, "login.kept" | "login.recorded" | "accounts.noting");
    let mut wanted: Vec<_> = match deed {
        Deed::Add if is_added => vec![first, second, third],
        Deed::Add | Deed::Again | Deed::Switch => vec![first, second],
        Deed::SignOut | Deed::RemoveSecond | Deed::RemoveWorkspace => vec![first],
        Deed::RemoveFirst => vec![second],
    };
    wanted.sort();
    let is_right = |found: &[String]| found.iter().eq(wanted.iter().copied());
    if !is_right(&seen.signed_in) || !is_right(&seen.named) {
        return Err(format!("{wanted:?} should be signed in, but {seen:?}"));
    }
    check_backend(backend, &home, carrier, deed, step, &wanted).await?;
    if deed == Deed::RemoveWorkspace {
        was_told(&seen)?;
    }
    app.leave().await?;
    // What is there now is there to stay.
    let mut again = home.run(&setting.program).await?;
    let seen = again.ask(Command::Settle).await?;
    match is_right(&seen.signed_in) && is_right(&seen.named) {
        true => again.leave().await,
        false => Err(format!("a start later, {wanted:?}, but {seen:?}")),
    }
}

/// Who is signed in has one session, and who is not has none. Where a person has signed in again by the
/// browser the session before may be left beside it: its tokens are dropped and not revoked, because a provider
/// may end both sessions together.
async fn check_backend(
    backend: &Backend,
    home: &Home,
    carrier: Carrier,
    deed: Deed,
    step: &str,
    wanted: &[&String],
) -> Result<(), Lost> {
    for person in &home.people {
        let count = usize::from(wanted.contains(&person));
        // Only the backend knows of a session whose token was on its way to the keyring.
        let is_lost = step == "login.journaled" && matches!(deed, Deed::Add | Deed::Again);
        let has_signed_in_again = deed == Deed::Again && *person == home.people[1];
        let left = usize::from(carrier == Carrier::Provider && has_signed_in_again);
        let is_over = || (count..=count + left).contains(&alive(backend, person));
        let told = try_eventually("the sessions of those who are signed in", is_over);
        if !is_lost && told.await.is_err() {
            let sessions = backend.sessions(person);
            return Err(format!("{count} session of {person}, not {sessions:?}"));
        }
    }
    Ok(())
}

fn was_told(seen: &Seen) -> Result<(), Lost> {
    // Told before it died, or after the start.
    let is_told = seen.left == [OTHER];
    match is_told && seen.leaving.is_empty() {
        true => Ok(()),
        false => Err(format!("the workspace has not left: {seen:?}")),
    }
}
