//! Three accounts in two workspaces work at once in four windows, one of which changes between two of
//! them. The first person has signed in with a password, the others by the browser. Meanwhile one of
//! these signs out and in again and again, one backend goes away and comes back, and
//! the keyring is locked and opened for all. Nothing of one account reaches another: this is looked for
//! in what the windows are shown, in the answers, and at the backends in every request.
//!
//! A control plants a mix-up, which has to be found.

mod judge;
mod keyring;
mod windows;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use vestibule_backend::{Backend, Config};
use vestibule_core::{AccountId, StoreError};
use vestibule_harness::{
    AccountApp, Block, Lost, Pace, TestHost, account, alive, clock, start_backend,
};

use self::judge::Judge;
use self::keyring::NotingKeyring;
use crate::carrier::Carrier;
use crate::registry::Setting;
use crate::report::Row;

const WORKSPACES: [&str; 2] = ["default", "other"];
/// How long the windows work in the short form, in the long one, and in a control.
const SHORT: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_secs(600);
const CONTROL: Duration = Duration::from_secs(2);
/// An access token is renewed every few seconds.
const PACE: Pace = Pace {
    beat: Duration::from_millis(10),
    passes: Duration::from_secs(2),
};
/// How long each trouble lasts, and how long the pause after it.
const TROUBLE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_millis(350));

/// A mix-up that is planted to see whether it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plant {
    /// A window works with the session of another one.
    CrossedWindows,
    /// Two accounts have one folder.
    SharedFolder,
}

/// One account, and whose it is.
#[derive(Clone)]
struct Person {
    id: AccountId,
    email: String,
    workspace: usize,
    carrier: Carrier,
}

/// The app, its backends and who looks for mix-ups.
struct World {
    app: AccountApp,
    backends: [Arc<Backend>; 2],
    people: [Person; 3],
    judge: Judge,
    plant: Option<Plant>,
    is_over: AtomicBool,
}

/// Works for a few seconds.
pub async fn short(setting: &Setting) -> Row {
    run(setting, SHORT).await
}

/// Works for ten minutes.
pub async fn long(setting: &Setting) -> Row {
    run(setting, LONG).await
}

async fn run(setting: &Setting, time: Duration) -> Row {
    let mut found = Vec::new();
    let mut losses = Vec::new();
    for plant in [Plant::CrossedWindows, Plant::SharedFolder] {
        match work(setting, Some(plant), CONTROL).await {
            Ok(judge) => found.push(!judge.mix_ups().is_empty()),
            Err(lost) => losses.push(format!("{plant:?}: {lost}")),
        }
    }
    let mut counts = judge::Counts::default();
    match work(setting, None, time).await {
        Ok(judge) => {
            losses.extend(judge.mix_ups());
            counts = judge.counts();
        }
        Err(lost) => losses.push(lost),
    }
    for loss in &losses {
        eprintln!("\risolation lost: {loss}");
    }
    let are_found = found == [true, true];
    if !are_found {
        eprintln!("\risolation: a planted mix-up was not found: {found:?}");
    }
    Row {
        what: format!(
            "3 accounts in 2 workspaces, 2 of them signed in by the browser, at work in 4 windows: {} calls, {} uploads, {} refreshes, {} \
             sign-outs, {} changes of a window; both planted mix-ups are found",
            counts.calls, counts.uploads, counts.refreshes, counts.sign_outs, counts.switches
        ),
        runs: counts.requests,
        losses: losses.len() as u64,
        bound: "each request, page and list entry is of the account that asked",
        holds: losses.is_empty() && are_found && counts.are_all(),
    }
}

async fn work(setting: &Setting, plant: Option<Plant>, time: Duration) -> Result<Judge, Lost> {
    let world = Arc::new(World::new(plant).await?);
    let mut tasks = JoinSet::new();
    for window in ["main", "window-2", "window-3", "window-4"] {
        let world = world.clone();
        tasks.spawn(async move { windows::work(&world, window).await });
    }
    let (troubled, watched) = (world.clone(), world.clone());
    tasks.spawn(async move { troubled.trouble().await });
    tasks.spawn(async move { watched.watch().await });
    let clock = world.app.clock().clone();
    let passing = tokio::spawn(async move { PACE.run(&clock).await });
    let of = time.as_secs();
    for second in 1..=of {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if time == LONG {
            setting.progress("isolation", second, of);
        }
    }
    world.is_over.store(true, Ordering::Release);
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| error.to_string())?;
    }
    let ended = match plant {
        None => world.check_end().await,
        Some(_) => Ok(()),
    };
    passing.abort();
    world.look();
    ended.map(|()| world.judge.clone())
}

impl World {
    async fn new(plant: Option<Plant>) -> Result<Self, Lost> {
        let backends = [
            start_backend(Config::default()).await,
            start_backend(Config::default()).await,
        ];
        let both: Vec<_> = WORKSPACES
            .into_iter()
            .zip(backends.iter().map(|it| &**it))
            .collect();
        let mut app = AccountApp::installed(&both);
        let host = TestHost::new(clock(), &both);
        for (name, backend) in &both {
            // It has the backend's own sign-in too.
            let profile = Carrier::Provider.profile(&backend.url(), json!({}))?;
            host.set_profile(name, profile);
        }
        let keyring = Arc::new(NotingKeyring::over(host.store.clone()));
        app.host = Arc::new(host.with_keyring(keyring.clone()));
        app.start();
        let mut people = Vec::new();
        for (window, workspace, carrier) in [
            ("main", 0, Carrier::Cookie),
            ("window-2", 0, Carrier::Provider),
            ("window-3", 1, Carrier::Provider),
        ] {
            let email = account(&backends[workspace])?;
            if !people.is_empty() {
                let added = app.accounts().add(window, WORKSPACES[workspace]);
                added.map_err(|error| error.to_string())?;
            }
            let id = match carrier {
                Carrier::Cookie | Carrier::Body => app.sign_in(window, &email).await,
                Carrier::Provider => app.sign_in_by_browser(window, &email).await,
            };
            people.push(Person {
                id,
                email,
                workspace,
                carrier,
            });
        }
        let people: [Person; 3] = people.try_into().map_err(|_| "three people")?;
        let judge = Judge::new(people.clone(), keyring);
        if plant == Some(Plant::SharedFolder) {
            let accounts = app.workspace(WORKSPACES[0]);
            app.host.cross(people[1].id, accounts);
            app.restart().await;
            for (window, person) in ["main", "window-2", "window-3"].into_iter().zip(&people) {
                let shown = app.accounts().switch(window, person.id);
                shown.map_err(|error| error.to_string())?;
                app.accounts().page_began(window);
            }
        }
        app.accounts().open_like("window-4", "main");
        Ok(Self {
            app,
            backends,
            people,
            judge,
            plant,
            is_over: AtomicBool::new(false),
        })
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn person(&self, id: AccountId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// The backend of one workspace goes away and comes back, and the keyring is locked and opened.
    async fn trouble(&self) {
        let (lasts, pause) = TROUBLE;
        while !self.is_over() {
            self.backends[1].down().await;
            tokio::time::sleep(lasts).await;
            if let Err(error) = self.backends[1].up().await {
                self.judge
                    .mixed_up(format!("the backend does not come back: {error}"));
            }
            tokio::time::sleep(pause).await;
            self.app.store().block(Block::Fail(StoreError::Locked));
            tokio::time::sleep(lasts).await;
            self.app.store().heal();
            tokio::time::sleep(pause).await;
        }
    }

    async fn watch(&self) {
        while !self.is_over() {
            self.look();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Looks at what the backends have received, at the list, and at whose sessions have ended.
    fn look(&self) {
        for (workspace, backend) in self.backends.iter().enumerate() {
            self.judge.look(workspace, backend);
        }
        for summary in self.app.list() {
            let Some(person) = self.person(summary.id) else {
                let id = summary.id;
                self.judge
                    .mixed_up(format!("the list has an account of nobody's: {id:?}"));
                continue;
            };
            let named = summary.owner.map(|owner| owner.email);
            if named.is_some_and(|named| named != person.email) {
                self.judge
                    .mixed_up(format!("the list names somebody else for {}", person.email));
            }
        }
        for person in [&self.people[0], &self.people[2]] {
            let sessions = self.backends[person.workspace].sessions(&person.email);
            if sessions.len() != 1 || sessions.iter().any(|it| it.ended.is_some()) {
                self.judge.mixed_up(format!(
                    "the session of {} is not the one it was",
                    person.email
                ));
            }
        }
    }

    /// Everybody is signed in at the end, with one session. Of who has signed in again at a provider an older
    /// one may be left: revoking it could end the newer one, so it is not revoked.
    async fn check_end(&self) -> Result<(), Lost> {
        self.app.store().heal();
        let windows = ["main", "window-2", "window-3"];
        for (window, person) in windows.into_iter().zip(&self.people) {
            windows::until_signed_in(self, window, person).await?;
            let backend = &self.backends[person.workspace];
            let may_stay = window == "window-2" && person.carrier == Carrier::Provider;
            let is_one = || match alive(backend, &person.email) {
                0 => false,
                alive => alive == 1 || may_stay,
            };
            vestibule_harness::try_eventually("one session", is_one)
                .await
                .map_err(|lost| {
                    let sessions = backend.sessions(&person.email);
                    let alive: Vec<_> = sessions.iter().filter(|it| it.ended.is_none()).collect();
                    let of = sessions.len();
                    format!("{}: {lost}, not {alive:?} of {of}", person.email)
                })?;
        }
        Ok(())
    }
}
