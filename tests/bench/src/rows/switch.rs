//! How long it takes until another account is painted in the place of the one that a window shows; as
//! its floor, a plain reload of the same page. Both begin with a script in the page and end when the X
//! server shows the page whose header names the account. The other account's session is closed before,
//! as that of an account which nobody has looked at for a while.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vestibule_acceptance::{Stage, until};
use vestibule_backend::Config;

use crate::accounts;
use crate::in_page::InPage;
use crate::instruments::paint::{Colour, PaintWatch};
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

const ROUNDS: usize = 30;
/// How many milliseconds longer than a reload a switch may take.
const MOST_OVER: f64 = 150.0;
/// A script that shows in colour whose account is painted.
const PAINTED: &str = include_str!("../page/painted.js");
const PEOPLE: usize = 2;

/// Measures both.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let stage = Stage::new("bench-switch", Config::default()).await;
    let mut window = Switched::open(&stage, &setting.program).await?;
    let mut times = [Vec::new(), Vec::new()];
    for round in setting.rounds_of_seconds(ROUNDS) {
        // They alternate in going first, so that neither always follows the other.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let time = match which {
                0 => window.switch().await?,
                _ => window.reload(Duration::ZERO).await?,
            };
            if round > 0 {
                times[which].push(time);
            }
        }
        setting.progress("switches", round, ROUNDS);
    }
    let [switches, reloads] = times;
    let figure = "switch of a window to another account, until it is painted";
    let row = Row::new("switch", figure, Unit::Ms)
        .this("a switch", switches)
        .floor("a plain reload", reloads)
        .in_turns()
        .target(Target::OverFloor(MOST_OVER))
        .note("both include the driver's way to the page");
    Ok(vec![row])
}

/// The app's window, with two people signed in.
pub struct Switched {
    page: InPage,
    screen: PaintWatch,
    /// The ids of the accounts.
    accounts: Vec<Value>,
    /// The place of the account that the window shows.
    shown: usize,
}

impl Switched {
    /// Signs both in and starts the app.
    ///
    /// # Errors
    /// If a sign-in fails, or the first account does not appear.
    pub async fn open(stage: &Stage, program: &Path) -> Outcome<Self> {
        accounts::sign_in(stage, program, PEOPLE).await?;
        let page = InPage::start(stage, PAINTED, &[]).await?;
        let screen = PaintWatch::of(&stage.desktop)?;
        screen.shows(strip(0))?;
        let list = list(&page).await?;
        Ok(Self {
            accounts: list.into_iter().map(|mut it| it["id"].take()).collect(),
            page,
            screen,
            shown: 0,
        })
    }

    /// Switches to the other account; the milliseconds until it is painted.
    ///
    /// # Errors
    /// If it does not appear.
    pub async fn switch(&mut self) -> Outcome<f64> {
        let other = (self.shown + 1) % PEOPLE;
        until("the other account to be closed", async || {
            let list = list(&self.page).await?;
            match list[other]["standing"]["kind"] == "kept" {
                true => Ok(()),
                false => Err(list[other].to_string()),
            }
        })
        .await;
        let account = &self.accounts[other];
        let go = format!(
            "window.__TAURI_INTERNALS__.invoke('plugin:vestibule|switch_account',
               {{ account: {account} }}).catch(() => undefined);"
        );
        let took = self.painted(&go, other, Duration::ZERO).await?;
        self.shown = other;
        Ok(took)
    }

    /// Reloads the page, after the page was busy for the planted time; the milliseconds until its
    /// account is painted again.
    ///
    /// # Errors
    /// If it does not appear.
    pub async fn reload(&self, planted: Duration) -> Outcome<f64> {
        self.painted("location.reload();", self.shown, planted)
            .await
    }

    async fn painted(&self, go: &str, account: usize, planted: Duration) -> Outcome<f64> {
        let app = &self.page.app;
        app.run("window.benchStrip.replaceSync('');").await;
        self.screen.hides(strip(self.shown))?;
        let begun = Instant::now();
        app.run(&format!(
            "const until = performance.now() + {};
             while (performance.now() < until);
             {go}",
            planted.as_secs_f64() * 1e3
        ))
        .await;
        let seen = self.screen.shows(strip(account))?;
        Ok(seen.duration_since(begun).as_secs_f64() * 1e3)
    }
}

/// The accounts, as the page gets them.
async fn list(page: &InPage) -> Outcome<Vec<Value>> {
    let mut list = page.invoke("plugin:vestibule|accounts", json!({})).await?;
    match list["accounts"].take() {
        Value::Array(list) if list.len() == PEOPLE => Ok(list),
        other => Err(format!("the page gets {other} as the accounts")),
    }
}

/// The colour of the strip in a page of the account at this place.
fn strip(account: usize) -> Colour {
    let person = u8::try_from(account + 1).unwrap_or(u8::MAX);
    [254, person, 1]
}
