//! Old refresh tokens, used again: for how long that still works, whether it is noticed when it
//! must not work any more, and what that ends. All of it in sessions of the doctor's own.

use std::time::{Duration, Instant};

use vestibule_core::profile::Placeholder;
use vestibule_core::token::RefreshToken;
use vestibule_core::wire::SignedOutReason;

use super::renew::{Renewal, Renewed};
use super::{Exam, Step};
use crate::ledger::Session;
use crate::order::Account;
use crate::row::{Finding, Side};
use crate::stop::Stopped;

/// What the contract asks for.
const WANTED: Duration = Duration::from_secs(60);
/// When a replay is tried, counted from the rotation, as far as the order's patience goes.
const MOMENTS: [u64; 9] = [0, 2, 5, 10, 20, 30, 45, 60, 120];
const ROWS: [&str; 4] = ["grace", "successor", "reuse", "family"];

/// What the replays of a parent came to, its successor unused.
struct Window {
    /// The latest moment at which it still worked.
    open_at: Option<Duration>,
    /// The first at which it did not.
    shut_at: Option<Duration>,
    /// How that was answered.
    shut: Option<Renewed>,
    /// Whether each replay gave the same successor.
    same: bool,
    /// Trouble that passes got in the way.
    unclear: Option<String>,
    sent: String,
    /// In the words of the last answer.
    got: String,
}

impl Exam<'_> {
    /// Rotates once, then comes with the parent again and again.
    pub(super) async fn replay_old_tokens(&mut self, account: &Account) -> Step {
        self.stop.check()?;
        let Some(mut session) = self.another_session(account, &ROWS).await? else {
            return Ok(());
        };
        self.stop.sleep(Duration::from_millis(1100)).await?;
        let parent = session.token.clone();
        if !self.rotate(&mut session).await {
            self.sheet
                .skip(&ROWS, "the refresh before it did not succeed");
            return Ok(());
        }
        if session.token.fingerprint_bytes() == parent.fingerprint_bytes() {
            self.sheet.skip(
                &ROWS,
                "the refresh token does not rotate: there is no old one",
            );
            return Ok(());
        }
        let window = self.watch_the_window(&parent, &session).await?;
        self.tell_the_window(&window);
        let shut = match window.shut {
            Some(shut) => shut,
            // Still open: the successor's first use must shut it.
            None if window.unclear.is_none() => {
                self.desk
                    .progress("using the successor, then the old token once more");
                if !self.rotate(&mut session).await {
                    self.sheet
                        .skip(&["reuse", "family"], "the successor was refused");
                    return Ok(());
                }
                self.renew(&parent, session.access_token(), &session.device)
                    .await
            }
            None => return Ok(()),
        };
        self.tell_the_reuse(&shut);
        if let Renewal::Ended(_) = shut.renewal {
            self.tell_the_family(&mut session).await;
        } else {
            self.sheet.skip(&["family"], "the reuse was not refused");
        }
        Ok(())
    }

    /// One refresh that is to succeed.
    async fn rotate(&mut self, session: &mut Session) -> bool {
        let done = self.renew_session(session).await;
        match done.renewal {
            Renewal::Renewed { token, access, .. } => {
                session.renewed(token, access);
                true
            }
            Renewal::Ended(_) => {
                session.is_over();
                false
            }
            Renewal::Transient => false,
        }
    }

    async fn watch_the_window(
        &mut self,
        parent: &RefreshToken,
        session: &Session,
    ) -> Result<Window, Stopped> {
        let since = Instant::now();
        let mut window = Window {
            open_at: None,
            shut_at: None,
            shut: None,
            same: true,
            unclear: None,
            sent: String::new(),
            got: String::new(),
        };
        let patience = self.order.patience;
        let moments = MOMENTS.map(Duration::from_secs).into_iter();
        let moments = moments
            .filter(|moment| *moment < patience)
            .chain([patience]);
        for moment in moments {
            let wait = moment.saturating_sub(since.elapsed());
            if wait > Duration::from_secs(1) {
                let (at, until) = (moment.as_secs(), patience.as_secs());
                self.desk.progress(&format!(
                    "replaying an old token {at} s after it was rotated ({until} s at most)"
                ));
            }
            self.stop.sleep(wait).await?;
            let access = session.access_token();
            let done = self.renew(parent, access, &session.device).await;
            let age = since.elapsed();
            window.sent.clone_from(&done.sent);
            window.got.clone_from(&done.got);
            match &done.renewal {
                Renewal::Renewed { token, access, .. } => {
                    window.open_at = Some(age);
                    if token.fingerprint_bytes() != session.token.fingerprint_bytes() {
                        window.same = false;
                        let access = access.token.clone();
                        self.ledger.note(token.clone(), access, &session.device);
                    }
                }
                Renewal::Ended(_) => {
                    window.shut_at = Some(age);
                    window.shut = Some(done);
                    break;
                }
                Renewal::Transient => {
                    window.unclear = Some(done.got);
                    break;
                }
            }
        }
        Ok(window)
    }

    fn tell_the_window(&mut self, window: &Window) {
        let sent = format!("{} (an old token)", window.sent);
        if let Some(got) = &window.unclear
            && window.open_at.is_none()
        {
            let why = format!("{got}: says neither that it is good nor that it is over");
            self.set("grace", Finding::unclear(sent, why));
            self.sheet
                .skip(&ROWS, "the replay was neither taken nor refused");
            return;
        }
        self.measured.grace_at_least_s = Some(window.open_at.map_or(0, |at| at.as_secs()));
        self.measured.grace_less_than_s = window.shut_at.map(|at| at.as_secs() + 1);
        let got = match (window.open_at, window.shut_at) {
            (None, _) => format!("none: {}", window.got),
            (Some(open), None) => format!("at least {} s", open.as_secs()),
            (Some(open), Some(shut)) => {
                format!(
                    "at least {} s, less than {} s",
                    open.as_secs(),
                    shut.as_secs() + 1
                )
            }
        };
        let enough = window
            .open_at
            .is_some_and(|open| open >= WANTED.min(self.order.patience));
        let finding = if enough {
            Finding::yes(&sent, got)
        } else {
            Finding::no(&sent, got).advise(
                Side::Backend,
                "for 60 s, or until the successor is first used, answer a replayed token from the \
                 same device with the same successor. Without it a session is lost whenever the \
                 answer to a refresh is lost (docs/backend.md has the recipe)",
            )
        };
        self.set("grace", finding);
        let same = match window.open_at {
            None => Finding::not_tried("no replay was taken"),
            Some(_) if window.same => Finding::yes(&sent, "each replay gave the same"),
            Some(_) => Finding::no(&sent, "a replay gave another token").advise(
                Side::Backend,
                "give the same successor again: with two alive, one of them looks like a thief's \
                 later",
            ),
        };
        self.set("successor", same);
    }

    fn tell_the_reuse(&mut self, shut: &Renewed) {
        let (sent, got) = (format!("{} (an old token)", shut.sent), shut.got.clone());
        let finding = match shut.renewal {
            Renewal::Ended(SignedOutReason::Reuse) => Finding::yes(sent, got),
            Renewal::Ended(_) => Finding::no(sent, got)
                .advise(
                    Side::Backend,
                    "say REFRESH_REUSED as the code: then the app can tell the person that a copy \
                     of the session may be in other hands",
                )
                .advise(
                    Side::Profile,
                    "if it has a code of its own for this, say so: [[ends]] … why = \"reuse\"",
                ),
            Renewal::Renewed { .. } => Finding::no(sent, format!("{got}: renewed")).advise(
                Side::Backend,
                "refuse a token whose successor was used: both the owner and a thief hold it",
            ),
            Renewal::Transient => Finding::no(sent, got).advise(
                Side::Backend,
                "refuse it with 401 and the code REFRESH_REUSED",
            ),
        };
        self.set("reuse", finding);
    }

    async fn tell_the_family(&mut self, session: &mut Session) {
        let done = self.renew_session(session).await;
        let sent = format!("{} (the newest token)", done.sent);
        let finding = match done.renewal {
            Renewal::Ended(_) => {
                session.is_over();
                self.measured.reuse_ends_family = Some(true);
                Finding::yes(sent, done.got)
            }
            Renewal::Renewed { token, access, .. } => {
                session.renewed(token, access);
                self.measured.reuse_ends_family = Some(false);
                Finding::no(sent, format!("{}: still alive", done.got)).advise(
                    Side::Backend,
                    "end the whole family when a token is used twice: whoever rotated first may be \
                     the thief, and stays signed in",
                )
            }
            Renewal::Transient => Finding::unclear(sent, done.got),
        };
        self.set("family", finding);
    }

    /// The newest token of a session, from a device that it was not given to.
    pub(super) async fn come_from_another_device(&mut self, account: &Account) -> Step {
        self.stop.check()?;
        let profile = &self.order.profile;
        let names_device = profile.cookies.device.get().is_some()
            || profile.endpoints.refresh.get().is_some_and(|refresh| {
                refresh.asks_for(Placeholder::Device) || refresh.asks_for(Placeholder::DeviceId)
            });
        if !names_device {
            self.sheet
                .skip(&["device"], "by this profile a refresh names no device");
            return Ok(());
        }
        let Some(mut session) = self.another_session(account, &["device"]).await? else {
            return Ok(());
        };
        let access = session.access_token();
        let done = self
            .renew(&session.token, access, &Self::new_device())
            .await;
        let (sent, got) = (format!("{} (another device)", done.sent), done.got);
        let finding = match done.renewal {
            Renewal::Ended(SignedOutReason::DeviceMismatch) => Finding::yes(sent, got),
            Renewal::Ended(_) => Finding::no(sent, got)
                .advise(Side::Backend, "say it as 403 with the code DEVICE_MISMATCH"),
            Renewal::Renewed { token, access, .. } => {
                session.renewed(token, access);
                Finding::no(sent, format!("{got}: renewed")).advise(
                    Side::Backend,
                    "bind a session to `fingerprint.fingerprint` of its sign-in: the app sends the \
                     same always, a thief of the token alone does not",
                )
            }
            Renewal::Transient => Finding::no(sent, got)
                .advise(Side::Backend, "say it as 403 with the code DEVICE_MISMATCH"),
        };
        self.set("device", finding);
        Ok(())
    }
}
