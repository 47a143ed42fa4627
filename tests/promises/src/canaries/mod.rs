//! P8: no token reaches the webview.
//!
//! The backend puts a mark into every token it gives. People sign in, with a password, with a
//! code or as somebody new, use every screen, outlive an access token and sign out, in the
//! real window. Several times in each session the memory of the web process and of the network
//! process is searched for the mark, in every form, and so are all files of the desktop; at its
//! end every message between page and shell. A token that was there for a moment only is likely
//! to be seen later: what these processes give back is not wiped. The long form also looks at
//! every state of every screen.
//!
//! Before that, the search has to find a text that is put into each of those places on
//! purpose, in every form. And in the app's own memory it has to find the refresh token of
//! whoever is signed in; how much of that is left after a sign-out is told in the row.

mod control;
pub mod memory;
mod person;
pub mod search;
mod watch;

use uuid::Uuid;
use vestibule_acceptance::{App, DEMO, PASSWORD, PATIENCE, Role, Stage, tour};
use vestibule_backend::Config;

use crate::registry::Setting;
use crate::report::Row;
use crate::rig::Lost;
use watch::{Left, Marks, Watch};

/// After so many sessions the app is started again, while somebody is signed in: a window
/// that knows all of a thousand pages is slow, and a session that is restored is one more way.
const PER_APP: u64 = 8;

/// What is done, and how often.
#[derive(Clone, Copy)]
struct Plan {
    sessions: u64,
    /// Whether every state of every screen is looked at as well, once.
    tour: bool,
}

/// Each way of signing in.
pub async fn short(setting: &Setting) -> Row {
    let sessions = 4;
    run(
        setting,
        Plan {
            sessions,
            tour: false,
        },
    )
    .await
}

/// Many.
pub async fn long(setting: &Setting) -> Row {
    let sessions = 200;
    run(
        setting,
        Plan {
            sessions,
            tour: true,
        },
    )
    .await
}

async fn run(setting: &Setting, plan: Plan) -> Row {
    let mut row = Row {
        promise: "P8",
        what: "the webview's memory, messages and files are searched for tokens".into(),
        runs: 0,
        losses: 1,
        bound: "0 tokens seen",
        holds: false,
    };
    let (setting, runtime) = (setting.clone(), tokio::runtime::Handle::current());
    // The window's driver belongs to one thread.
    let playing = tokio::task::spawn_blocking(move || runtime.block_on(play(&setting, plan)));
    match playing.await {
        Ok(Ok(told)) => {
            for place in told.seen.iter().take(20) {
                eprintln!("P8 lost: {place}");
            }
            row.runs = told.sessions;
            row.losses = told.seen.len() as u64;
            row.holds = told.sessions >= plan.sessions && row.losses == 0;
            row.what = told.what;
        }
        Ok(Err(lost)) => eprintln!("P8 lost: {lost}"),
        Err(broken) => eprintln!("P8 lost: {broken}"),
    }
    row
}

/// What came of it.
struct Told {
    sessions: u64,
    seen: Vec<String>,
    what: String,
}

async fn play(setting: &Setting, plan: Plan) -> Result<Told, Lost> {
    let mark = format!("canary{}", Uuid::new_v4().simple());
    let config = Config {
        mark: Some(mark.clone()),
        ..Config::default()
    };
    let stage = Stage::new("canaries", config).await;
    let _ = std::fs::remove_file(stage.log());
    let marks = known(&stage, mark).await?;
    let mut watch = Watch::new(&stage, &marks);
    let mut sessions = 0;
    let mut app = stage.start().await;
    while sessions < plan.sessions {
        person::session(&stage, &app, &mut watch, sessions).await?;
        sessions += 1;
        setting.progress("P8", sessions, plan.sessions);
        if sessions % PER_APP == 0 && sessions < plan.sessions {
            app = person::restored(&stage, app, &mut watch).await?;
        }
    }
    app.kill();
    let screens = if plan.tour {
        toured(&stage, &mut watch).await?
    } else {
        0
    };
    let what = told(&watch, screens);
    let seen = watch.seen;
    let _ = std::fs::remove_file(stage.log());
    Ok(Told {
        sessions,
        seen,
        what,
    })
}

/// The control, in an app of its own; and the head of an access token, which only a real one
/// can tell.
async fn known(stage: &Stage, mark: String) -> Result<Marks, Lost> {
    let app = stage.start_at("/auth/login/").await;
    app.fill("E-mail", DEMO).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
    app.arrives("/dashboard/").await;
    app.open("/account/").await;
    app.reads("This session").await;
    let seen = stage.backend.last_request("GET", "/sessions");
    let seen = seen.ok_or("the account page asks for the sessions")?;
    let bearer = seen.header("authorization").unwrap_or_default();
    let head = bearer
        .strip_prefix("Bearer ")
        .and_then(|token| token.split('.').next());
    let head = head.ok_or("there is a bearer token")?.to_owned();
    stage.backend.expire_access_tokens();
    app.open("/account/").await;
    let refreshed = stage.backend.received("POST", "/refresh-token", 1);
    tokio::time::timeout(PATIENCE, refreshed)
        .await
        .map_err(|_| "nothing was refreshed")?;
    app.reads("This session").await;
    let seen = stage.backend.last_request("POST", "/refresh-token");
    let cookie = seen
        .as_ref()
        .and_then(|seen| seen.cookie("__refresh_token"));
    if !cookie.is_some_and(|token| token.starts_with(&mark)) {
        return Err("a refresh token has no mark".into());
    }
    let planted = format!("planted{}", Uuid::new_v4().simple());
    control::finds(stage, &app, &planted).await?;
    signed_out(&app).await;
    app.kill();
    Ok(Marks { mark, head })
}

async fn signed_out(app: &App) {
    app.run_async(
        "await window.__TAURI_INTERNALS__.invoke('logout'); done(true);",
        serde_json::json!(null),
    )
    .await;
}

/// Every screen in every state in which a person meets it.
async fn toured(stage: &Stage, watch: &mut Watch<'_>) -> Result<usize, Lost> {
    let (mut screens, mut pushed) = (0, 0);
    let mut lost = None;
    tour::walk(stage, async |app, screen| {
        screens += 1;
        let looked = watch.look(screen);
        match looked.and(watch.overhear(app).await) {
            // Before anybody signs in, the shell has nothing to say by itself.
            Ok(heard) => pushed += heard.pushed,
            Err(error) => lost = lost.take().or(Some(error)),
        }
    })
    .await;
    match lost {
        Some(lost) => Err(lost),
        None if pushed == 0 => Err("no event was heard on any screen".into()),
        None => Ok(screens),
    }
}

fn told(watch: &Watch<'_>, screens: usize) -> String {
    let most = |of: fn(&Left) -> usize| watch.left.iter().map(of).max().unwrap_or_default();
    let clean = watch.left.iter().filter(|left| left.copies == 0).count();
    let tour = if screens > 0 {
        format!(", {screens} states of screens")
    } else {
        String::new()
    };
    let all = watch.left.len();
    let others = if clean < all {
        format!(
            ", the others at most {} copies of {}",
            most(|left| left.copies),
            most(|left| left.tokens)
        )
    } else {
        String::new()
    };
    format!(
        "{} looks at {} MB of the webview's memory and at all files, {} messages{tour}; \
         {clean} of {all} sign-outs left no refresh token in the app's own memory{others}",
        watch.looks,
        watch.bytes / 1_000_000,
        watch.messages,
    )
}
