//! No token reaches the webview.
//!
//! The backend puts a mark into every token it issues. In the real window people sign in (with a
//! password, with a code, with a new account, by the system's browser or by a code on another device),
//! use every screen, stay for longer than an access token lives, and sign out. Several times in each session the memory of the web process and of
//! the network process is searched for the mark, in every form, and so are all files of the
//! desktop; at the end of a session, every message between page and shell. A token that was there
//! only for a moment is likely to be found later, since these processes do not wipe what they
//! free. The long form also visits every state of every screen, and signs in by a link.
//!
//! Before that, a control puts a text into each of those places, in every form, and the search
//! must find it. In the app's own memory the search must find the refresh token of the signed-in
//! user, and what a sign-in outside of the app needs while it goes on; the row says how many copies are
//! left there after a sign-out, and after a sign-in that came to nothing.

mod browser;
mod control;
pub mod memory;
mod person;
pub mod search;
mod watch;

use uuid::Uuid;
use vestibule_acceptance::{
    App, CONDITION_TIMEOUT, DEMO, PASSWORD, Role, Stage, SystemBrowser, browser_screens,
    issuer_profile, tour,
};
use vestibule_backend::Config;

use crate::registry::Setting;
use crate::report::Row;
use vestibule_harness::Lost;
use watch::{Left, Marks, Watch};

/// After this many sessions the app is restarted while somebody is signed in. A window that has
/// loaded a thousand pages is slow, and restoring a session is another way to be signed in.
const PER_APP: u64 = 8;

/// Which sessions run, and how many.
#[derive(Clone, Copy)]
struct Plan {
    /// On each desktop.
    sessions: u64,
    /// How many desktops are in use at a time. Each has an app and a backend of its own.
    desktops: usize,
    /// Whether every state of every screen is visited once as well, and a sign-in comes back by a link.
    tour: bool,
}

/// The short form: each way of signing in once.
pub async fn short(setting: &Setting) -> Row {
    let sessions = person::WAYS;
    run(
        setting,
        Plan {
            sessions,
            desktops: 1,
            tour: false,
        },
    )
    .await
}

/// The long form: two hundred sessions, half of them on each of two desktops.
pub async fn long(setting: &Setting) -> Row {
    run(
        setting,
        Plan {
            sessions: 100,
            desktops: 2,
            tour: true,
        },
    )
    .await
}

async fn run(setting: &Setting, plan: Plan) -> Row {
    let mut row = Row {
        what: "the webview's memory, messages and files are searched for tokens".into(),
        runs: 0,
        losses: 1,
        bound: "0 tokens seen",
        holds: false,
    };
    let desktops: Vec<_> = (0..plan.desktops)
        .map(|desktop| {
            let (setting, runtime) = (setting.clone(), tokio::runtime::Handle::current());
            let tour = plan.tour && desktop == 0;
            let plan = Plan { tour, ..plan };
            // The window's driver must stay on one thread.
            tokio::task::spawn_blocking(move || runtime.block_on(play(&setting, plan, desktop)))
        })
        .collect();
    let mut told = Told::default();
    let mut is_whole = true;
    for playing in desktops {
        let ended = playing.await.map_err(|broken| broken.to_string());
        match ended.flatten() {
            Ok(more) => told.add(more),
            Err(lost) => {
                eprintln!("canaries lost: {lost}");
                is_whole = false;
            }
        }
    }
    for place in told.seen.iter().take(20) {
        eprintln!("canaries lost: {place}");
    }
    row.runs = told.sessions;
    if is_whole {
        row.losses = told.seen.len() as u64;
        row.holds = told.sessions >= plan.sessions * plan.desktops as u64 && row.losses == 0;
        row.what = told.words();
    }
    row
}

/// What the searches found.
#[derive(Default)]
struct Told {
    sessions: u64,
    /// How many states of screens were visited.
    screens: usize,
    seen: Vec<String>,
    looks: u64,
    bytes: u64,
    messages: u64,
    left: Vec<Left>,
}

impl Told {
    fn add(&mut self, more: Self) {
        self.sessions += more.sessions;
        self.screens += more.screens;
        self.seen.extend(more.seen);
        self.looks += more.looks;
        self.bytes += more.bytes;
        self.messages += more.messages;
        self.left.extend(more.left);
    }

    fn words(&self) -> String {
        let most = |of: fn(&Left) -> usize| self.left.iter().map(of).max().unwrap_or_default();
        let clean = self.left.iter().filter(|left| left.copies == 0).count();
        let tour = match self.screens {
            0 => String::new(),
            screens => format!(", {screens} states of screens"),
        };
        let all = self.left.len();
        let others = if clean < all {
            format!(
                ", the others at most {} copies of {}",
                most(|left| left.copies),
                most(|left| left.tokens + left.of_sign_in)
            )
        } else {
            String::new()
        };
        format!(
            "{} looks at {} MB of the webview's memory and at all files, {} messages{tour}; \
             {clean} of {all} sign-outs, and sign-ins that came to nothing, left no refresh token and \
             nothing of the sign-in in the app's own memory{others}",
            self.looks,
            self.bytes / 1_000_000,
            self.messages,
        )
    }
}

async fn play(setting: &Setting, plan: Plan, desktop: usize) -> Result<Told, Lost> {
    let mark = format!("canary{}", Uuid::new_v4().simple());
    let config = Config {
        mark: Some(mark.clone()),
        ..Config::default()
    };
    // Web storage is a place too, which an app with several accounts does not have.
    let stage = Stage::new(format!("canaries-{desktop}"), config);
    let stage = stage.await.of_one_account();
    let browser = SystemBrowser::new();
    let (_profile, profile) = issuer_profile(&stage, false, "");
    let stage = stage.with([browser.path(), ("VESTIBULE_PROFILE", profile)]);
    let _ = std::fs::remove_file(stage.log());
    let marks = known(&stage, mark).await?;
    let mut watch = Watch::new(&stage, &marks);
    let mut sessions = 0;
    let mut app = stage.start().await;
    while sessions < plan.sessions {
        person::session(&stage, &app, &browser, &mut watch, sessions).await?;
        sessions += 1;
        let subject = format!("canaries of desktop {desktop}");
        setting.progress(&subject, sessions, plan.sessions);
        if sessions % PER_APP == 0 && sessions < plan.sessions {
            app = person::restored(&stage, app, &mut watch).await?;
        }
    }
    app.kill();
    let screens = if plan.tour {
        browser::by_link(&stage, &browser, &mut watch).await?;
        toured(&stage, &mut watch).await?
    } else {
        0
    };
    let _ = std::fs::remove_file(stage.log());
    Ok(Told {
        sessions,
        screens,
        seen: watch.seen,
        looks: watch.looks,
        bytes: watch.bytes,
        messages: watch.messages,
        left: watch.left,
    })
}

/// Runs the control in an app of its own. Also learns the header of an access token, which can
/// only be read from a real one.
async fn known(stage: &Stage, mark: String) -> Result<Marks, Lost> {
    let app = stage.start_at("/auth/login/").await;
    app.fill("E-mail", DEMO).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
    app.arrives("/dashboard/").await;
    app.open("/account/").await;
    app.reads("This session").await;
    let seen = stage.backend.last_request("GET", "/sessions");
    let seen = seen.ok_or("the account page did not ask for the sessions")?;
    let bearer = seen.header("authorization").unwrap_or_default();
    let head = bearer
        .strip_prefix("Bearer ")
        .and_then(|token| token.split('.').next());
    let head = head
        .ok_or("the request carried no bearer token")?
        .to_owned();
    stage.backend.expire_access_tokens();
    app.open("/account/").await;
    let refreshed = stage.backend.received("POST", "/refresh-token", 1);
    tokio::time::timeout(CONDITION_TIMEOUT, refreshed)
        .await
        .map_err(|_| "no refresh arrived")?;
    app.reads("This session").await;
    let seen = stage.backend.last_request("POST", "/refresh-token");
    let cookie = seen
        .as_ref()
        .and_then(|seen| seen.cookie("__refresh_token"));
    if !cookie.is_some_and(|token| token.starts_with(&mark)) {
        return Err("a refresh token has no mark".into());
    }
    let client = reqwest::Client::builder().no_proxy().build();
    let keys = client.map_err(|error| error.to_string())?;
    let keys = keys.get(format!("{}/oidc/keys", stage.backend.url()));
    let keys = keys.send().await.map_err(|error| error.to_string())?;
    let keys = keys.text().await;
    // Each ID token names its key in its header.
    if !keys.is_ok_and(|keys| keys.contains(&mark)) {
        return Err("the key of the ID tokens has no mark".into());
    }
    let planted = format!("planted{}", Uuid::new_v4().simple());
    control::finds(stage, &app, &planted).await?;
    signed_out(&app).await;
    app.kill();
    Ok(Marks { mark, head })
}

async fn signed_out(app: &App) {
    app.run_async(
        "await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|logout'); done(true);",
        serde_json::json!(null),
    )
    .await;
}

/// Searches on every screen in every state that a user can reach.
async fn toured(stage: &Stage, watch: &mut Watch<'_>) -> Result<usize, Lost> {
    let (mut screens, mut pushed) = (0, 0);
    let mut lost = None;
    let mut visit = async |app: &App, screen: &str| {
        screens += 1;
        let looked = watch.look(screen);
        match looked.and(watch.overhear(app).await) {
            // Before anybody signs in, the shell sends no event.
            Ok(heard) => pushed += heard.pushed,
            Err(error) => lost = lost.take().or(Some(error)),
        }
    };
    // The tour leaves somebody signed in.
    browser_screens::walk(stage, &mut visit).await;
    tour::walk(stage, &mut visit).await;
    match lost {
        Some(lost) => Err(lost),
        None if pushed == 0 => Err("no event was recorded on any screen".into()),
        None => Ok(screens),
    }
}
