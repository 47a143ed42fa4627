//! Old refresh tokens, used again in sessions of the doctor's own: for how long that works, whether
//! the backend detects it when it must not work any more, and what it ends then. And a token that
//! comes from another device.

use std::time::{Duration, Instant};

use vestibule_core::RefreshToken;
use vestibule_core::profile::{Placeholder, Profile};
use vestibule_core::wire::SignedOutReason;

use super::refresh::NEXT_SECOND;
use super::window::{Bounds, Rotation, Verdict, moments};
use super::{Judged, Observations, Probe};
use crate::answered::Answered;
use crate::client::{Client, Renewal};
use crate::finding::{Finding, Side};
use crate::open_sessions::SessionId;
use crate::plan::{Account, Plan};
use crate::stop::Stopped;

/// What the request of a replay is called in the report.
const OLD_TOKEN: &str = "an old token";

#[derive(Default)]
pub(crate) struct Replays {
    window: Probe<Window>,
    /// A replay after the window.
    reuse: Probe<Answered<Renewal>>,
    /// A refresh with the newest token after the reuse was refused.
    family: Probe<Answered<Renewal>>,
    device: Probe<Answered<Renewal>>,
}

/// What came of the replays of an old token before its successor was used.
struct Window {
    bounds: Bounds,
    /// Whether each replay gave the same successor.
    same: bool,
    /// A temporary failure that ended the replays, in words.
    unclear: Option<String>,
    /// The last replay and its answer in words.
    sent: String,
    got: String,
}

impl Window {
    /// Whether not one replay was accepted or refused.
    fn says_nothing(&self) -> bool {
        self.unclear.is_some() && self.bounds.open.is_none()
    }
}

impl Replays {
    /// What the replays have bounded, where they have.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        let window = self.window.result().ok()?;
        (!window.says_nothing()).then_some(window.bounds)
    }

    /// Whether the reuse of a token has ended its whole session, where that was tried.
    pub(crate) fn reuse_ends_family(&self) -> Option<bool> {
        match self.family.result().ok()?.result {
            Renewal::Ended(_) => Some(true),
            Renewal::Renewed { .. } => Some(false),
            Renewal::Transient => None,
        }
    }
}

/// Refreshes once, and then refreshes with the old token again and again.
pub(crate) async fn replay(
    client: &mut Client,
    seen: &mut Observations<'_>,
    account: &Account,
) -> Result<(), Stopped> {
    client.stop.check()?;
    let (plan, seen) = (seen.plan, &mut seen.replay);
    let session = match client.another_session(account).await? {
        Ok(session) => session,
        Err(why) => {
            seen.window = Probe::skipped(why);
            return Ok(());
        }
    };
    client.stop.sleep(NEXT_SECOND).await?;
    let old = client.sessions.get(session).token.clone();
    let asked = Instant::now();
    if !rotate(client, session).await {
        seen.window = Probe::skipped("the refresh before it did not succeed");
        return Ok(());
    }
    let rotation = Rotation {
        asked,
        answered: Instant::now(),
    };
    if client.sessions.get(session).token.is_same(&old) {
        let why = "the refresh token does not rotate: there is no old one";
        seen.window = Probe::skipped(why);
        return Ok(());
    }
    let (window, refused) = watch_window(client, plan, &old, session, rotation).await?;
    let (is_unclear, says_nothing) = (window.unclear.is_some(), window.says_nothing());
    seen.window = Probe::done(window);
    let reuse = match refused {
        Some(refused) => refused,
        None if says_nothing => {
            let why = "the replay was neither accepted nor refused";
            seen.reuse = Probe::skipped(why);
            seen.family = Probe::skipped(why);
            return Ok(());
        }
        None if is_unclear => return Ok(()),
        // The window is still open: the first use of the successor must shut it.
        None => {
            let progress = "using the successor, then the old token once more";
            client.prompter.progress(progress);
            if !rotate(client, session).await {
                let why = "the successor was refused";
                seen.reuse = Probe::skipped(why);
                seen.family = Probe::skipped(why);
                return Ok(());
            }
            renew_with(client, &old, session).await
        }
    };
    seen.family = if let Renewal::Ended(_) = reuse.result {
        Probe::done(client.renew_session(session).await)
    } else {
        Probe::skipped("the reuse was not refused")
    };
    seen.reuse = Probe::done(reuse);
    Ok(())
}

/// One refresh. Answers whether it succeeded.
async fn rotate(client: &mut Client, session: SessionId) -> bool {
    let answer = client.renew_session(session).await;
    matches!(answer.result, Renewal::Renewed { .. })
}

/// Refreshes with another token of the same session.
async fn renew_with(
    client: &mut Client,
    token: &RefreshToken,
    session: SessionId,
) -> Answered<Renewal> {
    let session = client.sessions.get(session).clone();
    let access = session.access.as_ref();
    client.renew(token, access, &session.device).await
}

/// Replays the old token until it is refused. Answers that refusal too, if there is one.
async fn watch_window(
    client: &mut Client,
    plan: &Plan,
    old: &RefreshToken,
    session: SessionId,
    rotation: Rotation,
) -> Result<(Window, Option<Answered<Renewal>>), Stopped> {
    let mut window = Window {
        bounds: Bounds::default(),
        same: true,
        unclear: None,
        sent: String::new(),
        got: String::new(),
    };
    for moment in moments(plan.grace, plan.patience) {
        let wait = moment.saturating_sub(rotation.least_age());
        if wait > Duration::from_secs(1) {
            let (at, until) = (moment.as_secs(), plan.patience.as_secs());
            client.prompter.progress(&format!(
                "replaying an old token {at} s after it was rotated ({until} s at most)"
            ));
        }
        client.stop.sleep(wait).await?;
        let least = rotation.least_age();
        let answer = renew_with(client, old, session).await;
        window.sent = answer.sent().to_owned();
        window.got = answer.got().to_owned();
        match &answer.result {
            Renewal::Renewed { token, access, .. } => {
                window.bounds.open = Some(least);
                let held = client.sessions.get(session);
                if !token.is_same(&held.token) {
                    window.same = false;
                    let device = held.device.clone();
                    client
                        .sessions
                        .add(token.clone(), access.token.clone(), &device);
                }
            }
            Renewal::Ended(_) => {
                window.bounds.shut = Some(rotation.greatest_age());
                return Ok((window, Some(answer)));
            }
            Renewal::Transient => {
                window.unclear = Some(window.got.clone());
                break;
            }
        }
    }
    Ok((window, None))
}

/// Signs in, and refreshes from a device that the sign-in did not name.
pub(crate) async fn refresh_from_another_device(
    client: &mut Client,
    seen: &mut Observations<'_>,
    account: &Account,
) -> Result<(), Stopped> {
    client.stop.check()?;
    if !names_device(&seen.plan.profile) {
        let why = "with this profile a refresh names no device";
        seen.replay.device = Probe::skipped(why);
        return Ok(());
    }
    let session = match client.another_session(account).await? {
        Ok(session) => session,
        Err(why) => {
            seen.replay.device = Probe::skipped(why);
            return Ok(());
        }
    };
    let held = client.sessions.get(session).clone();
    let other = Client::new_device();
    let answer = client
        .renew(&held.token, held.access.as_ref(), &other)
        .await;
    if let Renewal::Renewed { token, access, .. } = &answer.result {
        client.sessions.renew(session, token.clone(), access);
    }
    seen.replay.device = Probe::done(answer);
    Ok(())
}

fn names_device(profile: &Profile) -> bool {
    profile.cookies.device.get().is_some()
        || profile.endpoints.refresh.get().is_some_and(|refresh| {
            refresh.asks_for(Placeholder::Device) || refresh.asks_for(Placeholder::DeviceId)
        })
}

pub(crate) fn grace(seen: &Observations<'_>) -> Judged {
    let window = seen.replay.window.result()?;
    let Bounds { open, shut } = window.bounds;
    let finding = match &window.unclear {
        Some(got) if open.is_none() => {
            let why = format!("{got}: says neither that the token works nor that it is dead");
            Finding::unclear(&window.sent, why)
        }
        _ => {
            let seconds = |time: Duration| time.as_secs();
            let mut got = match (open, shut) {
                (None, _) => format!("none: {}", window.got),
                (Some(open), None) => format!("at least {} s", seconds(open)),
                (Some(open), Some(shut)) => {
                    let (open, shut) = (seconds(open), seconds(shut) + 1);
                    format!("at least {open} s, less than {shut} s")
                }
            };
            if let Some(failure) = &window.unclear {
                got = format!("{got}, then {failure}");
            }
            judge_window(window, got, seen.plan.grace)
        }
    };
    Ok(finding.sent_with(OLD_TOKEN))
}

fn judge_window(window: &Window, got: String, wanted: Duration) -> Finding {
    let sent = &window.sent;
    let seconds = wanted.as_secs();
    match window.bounds.judge(wanted) {
        Verdict::Enough => Finding::yes(sent, got),
        Verdict::TooShort => Finding::no(sent, got).advise(
            Side::Backend,
            "for 60 s, or until the successor is first used, answer a replayed token from the same \
             device with the same successor. Without it a session is lost whenever the answer to a \
             refresh is lost (docs/backend.md has the recipe)",
        ),
        Verdict::Unwatched => {
            let why = format!("{got}: not tried long enough to say that it is {seconds} s");
            Finding::unclear(sent, why)
        }
        Verdict::TooSlow => {
            let why = format!("{got}: answered too slowly to say that it is {seconds} s");
            Finding::unclear(sent, why)
        }
    }
}

pub(crate) fn successor(seen: &Observations<'_>) -> Judged {
    let window = seen.replay.window.result()?;
    let sent = &window.sent;
    Ok(match window.bounds.open {
        None if window.says_nothing() => {
            Finding::not_tried("the replay was neither accepted nor refused")
        }
        None => Finding::not_tried("no replay was accepted"),
        Some(_) if window.same => {
            Finding::yes(sent, "each replay gave the same token").sent_with(OLD_TOKEN)
        }
        Some(_) => Finding::no(sent, "a replay gave another token")
            .sent_with(OLD_TOKEN)
            .advise(
                Side::Backend,
                "give the same successor again: of two that are alive, one looks like a thief's \
                 later",
            ),
    })
}

pub(crate) fn reuse(seen: &Observations<'_>) -> Judged {
    seen.replay.window.result()?;
    let answer = seen.replay.reuse.result()?;
    let finding = match answer.result {
        Renewal::Ended(SignedOutReason::Reuse) => answer.yes(),
        Renewal::Ended(_) => answer
            .no()
            .advise(
                Side::Backend,
                "answer with the code REFRESH_REUSED: then the app can tell the person that \
                 somebody else may have a copy of the session",
            )
            .advise(
                Side::Profile,
                "if the backend has a code of its own for this, say so: [[ends]] … why = \"reuse\"",
            ),
        Renewal::Renewed { .. } => answer.no_because("renewed").advise(
            Side::Backend,
            "refuse a token whose successor was used: both the owner and a thief hold it",
        ),
        Renewal::Transient => answer.no().advise(
            Side::Backend,
            "refuse it with 401 and the code REFRESH_REUSED",
        ),
    };
    Ok(finding.sent_with(OLD_TOKEN))
}

pub(crate) fn family(seen: &Observations<'_>) -> Judged {
    seen.replay.window.result()?;
    let answer = seen.replay.family.result()?;
    let finding = match answer.result {
        Renewal::Ended(_) => answer.yes(),
        Renewal::Renewed { .. } => answer.no_because("still alive").advise(
            Side::Backend,
            "end the whole family when a token is used twice: the client that rotated first may \
             be the thief's, and stays signed in",
        ),
        Renewal::Transient => answer.unclear(),
    };
    Ok(finding.sent_with("the newest token"))
}

pub(crate) fn device(seen: &Observations<'_>) -> Judged {
    let answer = seen.replay.device.result()?;
    let mismatch = "answer 403 with the code DEVICE_MISMATCH";
    let finding = match answer.result {
        Renewal::Ended(SignedOutReason::DeviceMismatch) => answer.yes(),
        Renewal::Ended(_) | Renewal::Transient => answer.no().advise(Side::Backend, mismatch),
        Renewal::Renewed { .. } => answer.no_because("renewed").advise(
            Side::Backend,
            "bind a session to `fingerprint.fingerprint` of its sign-in: the app always sends the \
             same, and a thief who has the token alone does not know it",
        ),
    };
    Ok(finding.sent_with("another device"))
}
