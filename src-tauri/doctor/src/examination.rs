//! The examination: runs the probes in order, signs out, and judges what they have observed. All
//! requests go through the app's own client, so that an answer is judged as the app would judge it.

use std::sync::{Arc, OnceLock};

use vestibule_core::AuthError;
use vestibule_core::backend::Recorder;
use vestibule_core::profile::Profile;

use crate::checks::{
    Observations, Obstruction, browser_session, checklist, codes, connection, limits, overall,
    provider, refresh, register, replay, sessions, sign_in, sign_out,
};
use crate::client::Client;
use crate::issuer::{self, IssuerProfile};
use crate::plan::{Hints, Plan};
use crate::prompter::Prompter;
use crate::report::{Counts, Measured, Outcome, Report, SCHEMA};
use crate::shown::Shown;
use crate::stop::{Stop, Stopped};
use crate::suggest::{self, Suggestion};
use crate::wrong_tries;

/// Examines a backend. Every session that the examination has opened is signed out before this
/// returns, also after `stop`.
///
/// # Errors
/// If no HTTP client can be made on this machine.
pub async fn examine(
    plan: &Plan,
    prompter: Arc<dyn Prompter>,
    stop: Stop,
) -> Result<Report, AuthError> {
    Ok(examine_and_keep(plan, prompter, stop).await?.0)
}

/// Like [`examine`], and also returns every exchange with its secrets, for a test that searches
/// the report for them.
///
/// # Errors
/// If no HTTP client can be made on this machine.
pub async fn examine_and_keep(
    plan: &Plan,
    prompter: Arc<dyn Prompter>,
    stop: Stop,
) -> Result<(Report, Recorder), AuthError> {
    let mut client = Client::new(plan, prompter, stop)?;
    let found = OnceLock::new();
    let mut seen = Observations::new(plan);
    let stopped = run(&mut client, &mut seen, &found).await;
    let unconfirmed = client.sign_out_all().await;
    seen.exchanges = client.exchanges_since(seen.judged_from);
    put_last_notes(&mut seen, unconfirmed);
    let report = report(seen, stopped.is_err());
    Ok((report.masked(&client.masks), client.recorder().clone()))
}

/// Runs the probes. The order matters: no session is needed above the sign-in, and the sessions
/// below it are ended only after everything that needs one.
async fn run<'a>(
    client: &mut Client,
    seen: &mut Observations<'a>,
    found: &'a OnceLock<Plan>,
) -> Result<(), Stopped> {
    if !connection::connect(client, seen).await? {
        return Ok(());
    }
    if !choose_profile(client, seen, found).await? {
        return Ok(());
    }
    provider::look(client, seen).await?;
    // What stops it says nothing about the browser.
    run_with_password(client, seen).await?;
    browser_session::sign_in(client, seen).await
}

/// The probes of the sign-in with a password.
async fn run_with_password(
    client: &mut Client,
    seen: &mut Observations<'_>,
) -> Result<(), Stopped> {
    let plan = seen.plan;
    let allowed = plan.allowed;
    if plan.profile.endpoints.login.get().is_none() {
        seen.stopped_at = Some(Obstruction {
            why: "people sign in by the browser alone: see the rows about that",
            not_examined: false,
        });
        return Ok(());
    }
    sign_in::sign_in_empty(client, seen).await?;
    refresh::refresh_unknown(client, seen).await?;
    let Some(account) = &plan.account else {
        return Ok(());
    };
    sign_in::sign_in_wrongly(client, seen, account).await?;
    let Some(mut session) = sign_in::sign_in(client, seen, account).await? else {
        return Ok(());
    };
    refresh::refresh_first(client, seen, session).await?;
    sessions::list(client, seen, session).await?;
    if let Some(account) = &plan.otp_account {
        codes::sign_in_with_code(client, seen, account).await?;
    }
    if allowed.replay {
        replay::replay(client, seen, account).await?;
        replay::refresh_from_another_device(client, seen, account).await?;
    }
    if allowed.revoke {
        sessions::end_one(client, seen, account, session).await?;
    }
    if allowed.logout_all {
        sessions::end_all(client, seen, account).await?;
        // That has ended the first session too. The sign-out needs one that is alive.
        if let Ok(another) = client.another_session(account).await? {
            client.sessions.end(session);
            session = another;
        }
    }
    sign_out::sign_out(client, seen, session).await?;
    if let Some(address) = &plan.register {
        register::register_twice(client, seen, address).await?;
    }
    if allowed.limits {
        limits::refresh_until_refused(client, seen, account).await?;
        limits::fail_until_refused(client, seen).await?;
    }
    Ok(())
}

/// Where nobody has named a profile: looks for one, unless the backend speaks the contract. What was
/// guessed says nothing about the backend, so it is examined by what fits. False where nothing does.
async fn choose_profile<'a>(
    client: &mut Client,
    seen: &mut Observations<'a>,
    found: &'a OnceLock<Plan>,
) -> Result<bool, Stopped> {
    let plan = seen.plan;
    if !plan.is_guess {
        return Ok(true);
    }
    let issuer = issuer::find(client, plan).await?;
    let Some(account) = &plan.account else {
        if let Some(issuer) = issuer {
            if sign_in::speaks_contract(client, plan).await? {
                use_beside(client, seen, found, plan.profile.clone(), Some(&issuer));
            } else {
                use_alone(client, seen, found, &issuer);
            }
            seen.judged_from = client.recorder().count();
        }
        return Ok(true);
    };
    if plan.hints == Hints::default() && sign_in::speaks_contract(client, plan).await? {
        use_beside(client, seen, found, plan.profile.clone(), issuer.as_ref());
        return Ok(true);
    }
    match Box::pin(suggest::find(client, &plan.profile, account, &plan.hints)).await? {
        Ok(profile) => {
            seen.notes.push(format!(
                "While it looked for the profile, the doctor signed in wrongly {} of at most {} times.",
                client.wrong_tries.so_far(),
                wrong_tries::MOST
            ));
            seen.suggestion = profile.suggestion();
            seen.judged_from = client.recorder().count();
            use_beside(client, seen, found, profile.profile, issuer.as_ref());
            Ok(true)
        }
        Err(what) if let Some(issuer) = &issuer => {
            seen.notes
                .push(format!("No sign-in with a password was found: {what}."));
            seen.judged_from = client.recorder().count();
            use_alone(client, seen, found, issuer);
            Ok(true)
        }
        Err(what) => {
            seen.suggestion = Suggestion::Missing {
                what: Shown::line(&what),
            };
            seen.judged_from = client.recorder().count();
            seen.stopped_at = Some(Obstruction {
                why: "no profile was found by which the backend could be examined",
                not_examined: true,
            });
            Ok(false)
        }
    }
}

/// From here on examines the backend by `profile`, and the issuer at its address beside it.
fn use_beside<'a>(
    client: &mut Client,
    seen: &mut Observations<'a>,
    found: &'a OnceLock<Plan>,
    mut profile: Profile,
    issuer: Option<&IssuerProfile>,
) {
    let mut plan = seen.plan.clone();
    if let Some(issuer) = issuer {
        profile.browser.clone_from(&issuer.profile.browser);
        plan.client_is_named = issuer.client_is_named;
    }
    client.use_profile(profile.clone());
    seen.plan = found.get_or_init(|| Plan { profile, ..plan });
}

/// From here on examines the issuer alone: nothing at its address takes a password.
fn use_alone<'a>(
    client: &mut Client,
    seen: &mut Observations<'a>,
    found: &'a OnceLock<Plan>,
    issuer: &IssuerProfile,
) {
    seen.suggestion = issuer.suggestion();
    let profile = issuer.profile.clone();
    use_beside(client, seen, found, profile, Some(issuer));
}

fn put_last_notes(seen: &mut Observations<'_>, unconfirmed: usize) {
    if unconfirmed > 0 {
        seen.notes.push(format!(
            "The backend has not confirmed the end of {unconfirmed} of the doctor's own sessions: \
             they may be alive until their tokens expire."
        ));
    }
    if overall::is_no_auth_backend(seen) {
        seen.notes.push(
            "Nothing at this address answers as an auth backend would: is there a path to add, \
             such as /api or /v1, or another port?"
                .into(),
        );
    }
    let plan = seen.plan;
    if plan.account.is_none() && !plan.browser && !is_unexaminable(seen) {
        let takes_password = plan.profile.endpoints.login.get().is_some();
        let with = if takes_password {
            "name one with --email"
        } else {
            "sign in with --browser"
        };
        let note = format!("No account signed in, so most rows were not tried: {with}.");
        seen.notes.push(note);
    }
}

fn is_unexaminable(seen: &Observations<'_>) -> bool {
    seen.stopped_at.is_some_and(|stop| stop.not_examined)
}

fn report(seen: Observations<'_>, stopped: bool) -> Report {
    let rows = checklist(&seen);
    let counts = Counts::of(&rows);
    let outcome = match () {
        () if stopped => Outcome::Interrupted,
        () if is_unexaminable(&seen) => Outcome::NotExamined,
        () if counts.fail > 0 => Outcome::DoesNotFit,
        // A CI job that has lost its account must not stay green.
        () if !seen.sign_in.gave_a_session() && !seen.browser.gave_a_session() => {
            Outcome::NotExamined
        }
        () => Outcome::Fits,
    };
    Report {
        schema: SCHEMA,
        doctor: env!("CARGO_PKG_VERSION"),
        backend: Shown::line(seen.plan.profile.backend.as_str()),
        profile: Shown::line(&seen.plan.profile.name),
        profile_from: seen
            .plan
            .places
            .iter()
            .map(|place| Shown::line(place))
            .collect(),
        policy: seen.plan.policy.clone(),
        outcome,
        counts,
        measured: measured(&seen),
        rows,
        is_without_sign_in: seen.connection.reached().is_ok()
            && !seen.sign_in.was_tried()
            && seen.plan.account.is_none()
            && !seen.plan.browser,
        notes: seen.notes.iter().map(|note| Shown::line(note)).collect(),
        suggestion: seen.suggestion,
    }
}

fn measured(seen: &Observations<'_>) -> Measured {
    let bounds = seen.replay.bounds();
    Measured {
        grace_at_least_s: bounds.map(|bounds| bounds.open.map_or(0, |open| open.as_secs())),
        grace_less_than_s: bounds.and_then(|bounds| Some(bounds.shut?.as_secs() + 1)),
        reuse_ends_family: seen.replay.reuse_ends_family(),
        clock_ahead_s: overall::clock_ahead(seen),
        access_life_s: seen
            .sign_in
            .access_life()
            .map(|lifetime| lifetime.as_secs()),
        retry_after_s: limits::retry_after_seen(seen).map(|wait| wait.as_secs()),
        tries_before_limit: seen.limits.tries_before_limit(),
    }
}
