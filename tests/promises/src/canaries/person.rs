//! A user who signs in, uses every screen, stays for longer than an access token lives and signs
//! out, while the watch searches for tokens.

use std::time::Duration;

use vestibule_acceptance::{
    ADMIN, ADMIN_NAME, App, CONDITION_TIMEOUT, DEMO, DEMO_NAME, OTP, OTP_NAME, PASSWORD, Role,
    Stage, SystemBrowser, containing, until,
};
use vestibule_harness::{Lost, REFRESH, TOKEN};

use super::browser;
use super::watch::Watch;

/// In how many ways people sign in.
pub const WAYS: u64 = 5;

const PASSWORD_OF_NEW: &str = "a few words work well";

/// Who has signed in, and where the session is renewed and ended.
pub struct SignedIn {
    name: &'static str,
    refresh: &'static str,
    sign_out: &'static str,
}

impl SignedIn {
    /// By a password.
    fn at_backend(name: &'static str) -> Self {
        Self {
            name,
            refresh: REFRESH,
            sign_out: "/logout",
        }
    }

    /// Outside of the app.
    pub fn at_provider() -> Self {
        Self {
            name: DEMO_NAME,
            refresh: TOKEN,
            sign_out: "/oidc/revoke",
        }
    }
}

/// One session, from a window in which nobody is signed in back to such a window.
pub async fn session(
    stage: &Stage,
    app: &App,
    browser: &SystemBrowser,
    watch: &mut Watch<'_>,
    number: u64,
) -> Result<(), Lost> {
    let signed_in = match number % WAYS {
        3 => {
            browser::by_browser(stage, app, browser, watch).await?;
            SignedIn::at_provider()
        }
        4 => {
            browser::by_code(stage, app, watch).await?;
            SignedIn::at_provider()
        }
        way => SignedIn::at_backend(sign_in(stage, app, watch, way, number).await?),
    };
    app.arrives("/dashboard/").await;
    app.find(Role::Button, containing(signed_in.name)).await;
    app.find(Role::Heading, "Your session").await;
    watch.look("dashboard")?;
    if watch.own()?.tokens == 0 {
        return Err(
            "the search does not find the refresh token in the app's own memory either".into(),
        );
    }
    use_it(stage, app, watch, &signed_in).await?;
    people(app, watch, signed_in.name).await?;
    sign_out(stage, app, watch, &signed_in).await
}

/// Signs in with a code, with a password alone, or with a new account. [`DEMO`] signs in with a password
/// before and between, and outside of the app.
async fn sign_in(
    stage: &Stage,
    app: &App,
    watch: &mut Watch<'_>,
    way: u64,
    number: u64,
) -> Result<&'static str, Lost> {
    let (email, name) = match way {
        0 => (OTP, OTP_NAME),
        1 => (ADMIN, ADMIN_NAME),
        _ => {
            app.open("/auth/register/").await;
            app.fill("Name", "Noor New").await;
            app.fill("E-mail", &format!("noor{number}@vestibule.test"))
                .await;
            app.fill("Password", PASSWORD_OF_NEW).await;
            app.click(Role::Button, "Create account").await;
            return Ok("Noor New");
        }
    };
    app.open("/auth/login/").await;
    app.fill("E-mail", email).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
    if email == OTP {
        app.arrives("/auth/otp/").await;
        watch.look("otp")?;
        let code = stage.backend.last_code(OTP).ok_or("no code was mailed")?;
        app.fill("Six-digit code", &code).await;
    }
    Ok(name)
}

/// Visits every other screen, and causes a refresh in between.
async fn use_it(
    stage: &Stage,
    app: &App,
    watch: &mut Watch<'_>,
    signed_in: &SignedIn,
) -> Result<(), Lost> {
    app.open("/").await;
    app.find(Role::Link, "Go to your dashboard").await;
    app.open("/payment/").await;
    app.find(Role::Link, "Choose Team").await;
    app.open("/payment/?plan=team").await;
    app.click(Role::Button, "Buy Team").await;
    app.find(Role::Heading, "Team is yours").await;
    watch.look("plan bought")?;
    app.open("/no/such/page/").await;
    app.find(Role::Heading, "There is no such page").await;

    // A refused access token, a rotation, and a call that is sent again.
    let refreshes = stage.backend.requests("POST", signed_in.refresh);
    stage.backend.expire_access_tokens();
    app.open("/account/").await;
    let one_more = stage
        .backend
        .reached("POST", signed_in.refresh, refreshes + 1);
    tokio::time::timeout(CONDITION_TIMEOUT, one_more)
        .await
        .map_err(|_| "no refresh arrived")?;
    app.reads("This session").await;
    watch.look("account")
}

/// Visits the page for some roles: its content, and what other accounts see instead.
async fn people(app: &App, watch: &mut Watch<'_>, name: &str) -> Result<(), Lost> {
    app.open("/admin/").await;
    if name != ADMIN_NAME {
        app.find(Role::Heading, "This page is not for your account")
            .await;
        return watch.look("a page that is not for them");
    }
    app.reads(DEMO).await;
    app.click(Role::Button, "Export as CSV").await;
    app.says("people exported").await;
    watch.look("people")
}

/// Signs out, and looks for what is left.
pub async fn sign_out(
    stage: &Stage,
    app: &App,
    watch: &mut Watch<'_>,
    SignedIn { name, sign_out, .. }: &SignedIn,
) -> Result<(), Lost> {
    let told = stage.backend.requests("POST", sign_out);
    app.click(Role::Button, containing(*name)).await;
    app.click(Role::MenuItem, containing("Sign out")).await;
    app.arrives("/auth/login/").await;
    app.find(Role::Link, "Sign in").await;
    stage.backend.reached("POST", sign_out, told + 1).await;
    watch.look("login after it")?;
    watch.listen(app).await?;
    watch.left.push(at_rest(watch).await?);
    Ok(())
}

/// What is left once the app's memory no longer changes: delivering a sign-out takes a moment.
pub async fn at_rest(watch: &Watch<'_>) -> Result<super::watch::Left, Lost> {
    let mut before = watch.own()?;
    Ok(until("the app to come to rest", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = watch.own()?;
        let rests = now == before;
        before = now;
        match rests {
            true => Ok(now),
            false => Err(format!("{now:?}")),
        }
    })
    .await)
}

/// Kills the app while somebody is signed in and starts it again. The session is restored from the
/// keyring, by a refresh.
pub async fn restored(stage: &Stage, app: App, watch: &mut Watch<'_>) -> Result<App, Lost> {
    app.open("/auth/login/").await;
    app.fill("E-mail", DEMO).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
    app.arrives("/dashboard/").await;
    app.find(Role::Button, containing(DEMO_NAME)).await;
    app.kill();
    let app = stage.start_at("/account/").await;
    app.reads("This session").await;
    watch.look("account after a restart")?;
    sign_out(stage, &app, watch, &SignedIn::at_backend(DEMO_NAME)).await?;
    Ok(app)
}
