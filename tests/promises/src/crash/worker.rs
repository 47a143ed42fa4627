//! One client that is killed again and again, and the expected state of its next start.

use std::sync::Arc;
use std::time::Duration;

use vestibule_backend::Backend;
use vestibule_bus::Bus;
use vestibule_harness::{Lost, account, is_fresh};

use super::kill_point::{Before, KillPoint, Moment, moment_within};
use super::survival::Rule;
use crate::app::{App, AppHome, AppReport, Command};
use crate::carrier::Carrier;
use crate::registry::Setting;

/// The outcome of a kill that lost nothing that could have been kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct KillOutcome {
    /// The only valid token was on its way to the client: no client could have saved it.
    pub in_window: bool,
    /// The total duration and the number of the rotations completed before the kill.
    pub rotated: (Duration, u64),
}

/// The expected result of the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    SignedIn,
    SignedOut,
    Either,
}

/// The steps at which a rotated token is not yet safe: the request is sent, or the answer is there
/// and not written. A token in a body, as a provider's is, is there only once the body was read.
fn window(carrier: Carrier) -> &'static [&'static str] {
    match carrier {
        Carrier::Cookie => &["rotation.journaled", "rotation.answered"],
        Carrier::Body | Carrier::Provider => &[
            "rotation.journaled",
            "rotation.answered",
            "rotation.kept",
            "rotation.read",
        ],
    }
}

/// One client.
pub struct Worker {
    setting: Setting,
    backend: Arc<Backend>,
    carrier: Carrier,
    bus: Arc<Bus>,
    rule: Rule,
    home: Option<AppHome>,
    app: Option<App>,
    /// The generation of the session's first token.
    first: u64,
}

impl Worker {
    /// A client in which nobody has signed in yet.
    pub fn new(
        setting: &Setting,
        (carrier, backend): &(Carrier, Arc<Backend>),
        bus: &Arc<Bus>,
        rule: Rule,
    ) -> Self {
        Self {
            setting: setting.clone(),
            backend: backend.clone(),
            carrier: *carrier,
            bus: bus.clone(),
            rule,
            home: None,
            app: None,
            first: 0,
        }
    }

    /// Drops the account and the folder: the next run is another client.
    pub async fn start_over(&mut self) {
        if let Some(mut app) = self.app.take() {
            // A keyring that fills up becomes slow. If this one cannot be emptied, the test goes
            // on.
            let _ = app.ask(Command::DeleteItem).await;
            let _ = app.kill().await;
        }
        self.home = None;
    }

    /// One kill, and the start after it.
    pub async fn apply(&mut self, kill_point: KillPoint) -> Result<KillOutcome, Lost> {
        match kill_point {
            KillPoint::Rotating(moment) => {
                self.settle().await?;
                let mut app = self.app()?;
                aim(&mut app, moment).await?;
                app.tell(&Command::Rotate).await?;
                let dead = kill_at(app, moment).await?;
                self.rise(&dead, Expected::SignedIn).await
            }
            KillPoint::Starting(moment) => {
                self.settle().await?;
                self.app()?.kill().await?;
                let armed = match moment {
                    Moment::Step(step, _) => Some(step),
                    Moment::Within(_) => None,
                };
                let app = self.home()?.start_dying_at(&self.bus, armed)?;
                let dead = kill_at(app, moment).await?;
                self.rise(&dead, Expected::SignedIn).await
            }
            KillPoint::SigningIn(before, moment) => self.signing_in(before, moment).await,
            KillPoint::SigningOut(step) => {
                self.settle().await?;
                let mut app = self.app()?;
                let moment = Moment::Step(step, 1);
                aim(&mut app, moment).await?;
                app.tell(&Command::SignOut).await?;
                let dead = kill_at(app, moment).await?;
                self.rise(&dead, Expected::SignedOut).await
            }
        }
    }

    async fn signing_in(&mut self, before: Before, moment: Moment) -> Result<KillOutcome, Lost> {
        if before == Before::Nobody {
            self.start_over().await;
            self.move_in()?;
        } else {
            self.settle().await?;
        }
        let mut app = self.app()?;
        if before == Before::SignedOut {
            app.ask(Command::SignOut).await?;
        }
        aim(&mut app, moment).await?;
        let until_now = app.heard();
        let login = app.tell(&Command::SignIn(None)).await?;
        let dead = kill_at(app, moment).await?;
        let answered = matches!(dead.answers.get(login), Some(Ok(_)));
        let step = "login.recorded";
        let recorded = dead.passings(step) > until_now.passings(step);
        let expected = match (before, moment) {
            // The old session or the new one, but exactly one of them.
            (Before::Session, _) => Expected::SignedIn,
            _ if answered || recorded => Expected::SignedIn,
            (_, Moment::Step("login.kept", _)) => Expected::SignedIn,
            // No session was stored yet, or the sign-out before it still holds.
            (_, Moment::Step(..)) => Expected::SignedOut,
            (_, Moment::Within(_)) => Expected::Either,
        };
        let outcome = self.rise(&dead, expected).await;
        // The backend may have a session that this client does not know of.
        self.start_over().await;
        outcome
    }

    /// Makes sure that a client runs and has a fresh session.
    async fn settle(&mut self) -> Result<(), Lost> {
        if self.app.is_none() {
            self.move_in()?;
        }
        let mut app = self.app()?;
        let heard = app.until_started().await?;
        if !heard.is(is_fresh) {
            app.ask(Command::SignIn(None)).await?;
            let heard = app.until("a session", |heard| heard.is(is_fresh)).await?;
            self.first = heard.kept;
        }
        self.app = Some(app);
        Ok(())
    }

    fn move_in(&mut self) -> Result<(), Lost> {
        if self.home.is_none() {
            let email = account(&self.backend)?;
            let (address, carrier) = (self.backend.url(), self.carrier.word());
            let home = AppHome::new(&self.setting, &self.bus, address, carrier, email);
            self.home = Some(home);
        }
        self.app = Some(self.home()?.start(&self.bus)?);
        Ok(())
    }

    fn home(&self) -> Result<&AppHome, Lost> {
        self.home
            .as_ref()
            .ok_or_else(|| "there is no client".into())
    }

    fn app(&mut self) -> Result<App, Lost> {
        self.app
            .take()
            .ok_or_else(|| "the client is not running".into())
    }

    /// The start after the kill; checks that it has the expected result.
    async fn rise(&mut self, dead: &AppReport, expected: Expected) -> Result<KillOutcome, Lost> {
        let mut app = self.home()?.start(&self.bus)?;
        let risen = app.until_started().await;
        let risen = risen.map_err(|lost| format!("after {}: {lost}", dead.step))?;
        self.app = Some(app);
        let signed_in = risen.is(is_fresh);
        let mut outcome = KillOutcome {
            in_window: false,
            rotated: (dead.rotated.iter().sum(), dead.rotated.len() as u64),
        };
        if expected == Expected::Either || signed_in == (expected == Expected::SignedIn) {
            return Ok(outcome);
        }
        if expected == Expected::SignedIn && self.is_in_window(dead, &risen)? {
            self.start_over().await;
            outcome.in_window = true;
            return Ok(outcome);
        }
        let sessions = self.backend.sessions(self.home()?.email());
        Err(format!(
            "expected {expected:?} after {}, with {:?} kept of {sessions:?}, found {:?}: {:?}",
            dead.step, dead.kept, risen.found, risen.state
        ))
    }

    /// Whether the backend has replaced the token that the keyring holds, while the killed process
    /// had no confirmation yet that the keyring holds the new one.
    fn is_in_window(&self, dead: &AppReport, risen: &AppReport) -> Result<bool, Lost> {
        if self.rule != Rule::Strict || !window(self.carrier).contains(&&*dead.step) {
            return Ok(false);
        }
        let sessions = self.backend.sessions(self.home()?.email());
        let Some(session) = sessions.last() else {
            return Ok(false);
        };
        let newest = self.first + u64::from(session.tokens) - 1;
        let was_reuse = session.ended.as_deref() == Some("reuse");
        Ok(was_reuse && dead.kept < newest && risen.found == Some(newest - 1))
    }
}

async fn aim(app: &mut App, moment: Moment) -> Result<(), Lost> {
    match moment {
        Moment::Step(step, passing) => {
            let die = Command::DieAt(step.to_owned(), passing);
            app.ask(die).await.map(drop)
        }
        Moment::Within(_) => Ok(()),
    }
}

/// Kills the process at this moment. Returns everything it has reported.
pub async fn kill_at(mut app: App, moment: Moment) -> Result<AppReport, Lost> {
    let dead = match moment {
        Moment::Step(..) => app.end().await?,
        Moment::Within(most) => {
            tokio::time::sleep(moment_within(most)).await;
            app.kill().await?
        }
    };
    if let Moment::Step(step, _) = moment
        && dead.step != step
    {
        // Other threads may have reported steps between the order and the death.
        if dead.passings(step) == 0 {
            return Err(format!(
                "the process died at {} and not at {step}",
                dead.step
            ));
        }
    }
    Ok(dead)
}
