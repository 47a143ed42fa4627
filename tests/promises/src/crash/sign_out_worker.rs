//! One client that signs out again and again and is killed after each click.

use std::sync::Arc;
use std::time::Duration;

use vestibule_backend::Backend;
use vestibule_bus::Bus;
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::{Lost, is_fresh, try_eventually, why};

use super::kill_point::{Moment, START, moment_within};
use super::sign_out_case::{Activity, SignOutCase};
use super::worker::kill_at;
use crate::app::{App, AppHome, AppReport, Command};
use crate::carrier::Carrier;
use crate::client::way;
use crate::proxy::Proxy;
use crate::registry::Setting;

/// The time of a few rotations before the click.
const ROTATIONS: Duration = Duration::from_millis(40);
/// How often the keyring is read before a token counts as left behind.
const MAX_READS: u32 = 1000;
/// From the first state to the first refresh.
const RESTORE: Duration = Duration::from_millis(40);

/// The outcome of a sign-out that was not lost.
pub struct SignOutOutcome {
    /// The mark was on disk when the process died; otherwise the click had no effect.
    pub marked: bool,
    /// The time until the click was visible, if that was before the kill.
    pub shown: Option<Duration>,
}

/// One client, with a proxy of its own before the backend.
pub struct SignOutWorker {
    setting: Setting,
    backend: Arc<Backend>,
    carrier: Carrier,
    bus: Arc<Bus>,
    home: Option<(AppHome, Arc<Proxy>)>,
    app: Option<App>,
}

impl SignOutWorker {
    /// A client in which nobody has signed in yet.
    pub fn new(
        setting: &Setting,
        (carrier, backend): &(Carrier, Arc<Backend>),
        bus: &Arc<Bus>,
    ) -> Self {
        Self {
            setting: setting.clone(),
            backend: backend.clone(),
            carrier: *carrier,
            bus: bus.clone(),
            home: None,
            app: None,
        }
    }

    /// Drops the account and the folder: the next run is another client.
    pub async fn start_over(&mut self) {
        if let Some(mut app) = self.app.take() {
            let _ = app.kill().await;
        }
        self.home = None;
    }

    /// One sign-out, the kill, and the starts after it.
    pub async fn leave(&mut self, click: SignOutCase) -> Result<SignOutOutcome, Lost> {
        let mut app = self.settled().await?;
        if click.activity == Activity::Starting {
            app.kill().await?;
            self.turn(click).await?;
            app = self.home()?.0.start(&self.bus)?;
        } else {
            self.turn(click).await?;
        }
        if let Moment::Step(step, passing) = click.moment {
            app.tell(&Command::DieAt(step.to_owned(), passing)).await?;
        }
        match click.activity {
            Activity::Idle => {}
            Activity::Rotating => {
                app.tell(&Command::Rotate).await?;
                tokio::time::sleep(moment_within(ROTATIONS)).await;
            }
            Activity::Starting => {
                let open = |heard: &AppReport| heard.state.is_some();
                app.until("a window", open).await?;
                tokio::time::sleep(moment_within(RESTORE)).await;
            }
        }
        if click.full {
            app.ask(Command::FillDisk).await?;
        }
        // This process may have made an earlier sign-out too.
        let marks = app.heard().passings("logout.marked");
        app.tell(&Command::SignOut).await?;
        let dead = kill_at(app, click.moment).await?;
        let marked = dead.passings("logout.marked") > marks;
        self.rise(&dead, click.twice, marked).await?;
        Ok(SignOutOutcome {
            marked,
            shown: dead.shown,
        })
    }

    /// The starts after the kill: nobody is signed in, and the backend receives the sign-out.
    async fn rise(&mut self, dead: &AppReport, twice: bool, marked: bool) -> Result<(), Lost> {
        let (home, proxy) = self.home()?;
        let mut app = home.start(&self.bus)?;
        if twice {
            let second = kill_at(app, Moment::Within(START)).await?;
            check(&second, dead, marked)?;
            app = home.start(&self.bus)?;
        }
        if marked {
            let risen = app.until_started().await?;
            check(&risen, dead, marked)?;
        }
        proxy.lift().await.map_err(|error| error.to_string())?;
        if marked {
            forget(&mut app)
                .await
                .map_err(|lost| format!("after {}: {lost}", dead.step))?;
            let all_ended = || {
                let mut sessions = self.backend.sessions(home.email()).into_iter();
                sessions.all(|session| session.ended.as_deref() == Some("signed_out"))
            };
            let told = try_eventually("the backend to receive the sign-out", all_ended).await;
            let delivered = || !home.folder().join("pending-sign-outs.json").exists();
            let told = match told {
                Ok(()) => try_eventually("the outbox to be empty", delivered).await,
                Err(lost) => Err(lost),
            };
            told.map_err(|lost| {
                let sessions = self.backend.sessions(home.email());
                format!(
                    "{lost} after {}: {sessions:?}, {:?}",
                    dead.step,
                    app.heard()
                )
            })?;
            check(&app.heard(), dead, marked)?;
        }
        self.app = Some(app);
        Ok(())
    }

    /// Makes the backend behave as this case says from now on.
    async fn turn(&self, click: SignOutCase) -> Result<(), Lost> {
        let (_, proxy) = self.home()?;
        match click.condition.act() {
            Some(act) => proxy
                .strike(None, act)
                .await
                .map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    /// Makes sure that a client runs with a fresh session and a backend that answers.
    async fn settled(&mut self) -> Result<App, Lost> {
        if self.home.is_none() {
            let (proxy, email) = way(&self.backend).await?;
            let (address, carrier) = (proxy.url(), self.carrier.word());
            let home = AppHome::new(&self.setting, &self.bus, address, carrier, email);
            self.home = Some((home, proxy));
        }
        let mut app = match self.app.take() {
            Some(app) => app,
            None => self.home()?.0.start(&self.bus)?,
        };
        let heard = app.until_started().await?;
        if !heard.is(is_fresh) {
            app.ask(Command::SignIn(None)).await?;
            app.until("a session", |heard| heard.is(is_fresh)).await?;
        }
        Ok(app)
    }

    fn home(&self) -> Result<&(AppHome, Arc<Proxy>), Lost> {
        self.home
            .as_ref()
            .ok_or_else(|| "there is no client".into())
    }
}

/// Waits until the keyring holds no token.
async fn forget(app: &mut App) -> Result<(), Lost> {
    for _ in 0..MAX_READS {
        app.ask(Command::ReadItem).await?;
        if app.heard().found.is_none() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("a token stays in the keyring".into())
}

/// Checks that nobody is signed in after a sign-out whose mark was on disk.
fn check(risen: &AppReport, dead: &AppReport, marked: bool) -> Result<(), Lost> {
    if !marked {
        return Ok(());
    }
    let why = risen.state.as_ref().and_then(why);
    if risen.was_signed_in || why.is_some_and(|why| why != SignedOutReason::ByUser) {
        let (step, state) = (&dead.step, &risen.state);
        return Err(format!("killed after {step}, and then it is {state:?}"));
    }
    Ok(())
}
