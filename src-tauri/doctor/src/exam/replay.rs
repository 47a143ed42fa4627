//! Old refresh tokens, used again: for how long that still works, whether it is noticed when it
//! must not work any more, and what that ends. All of it in sessions of the doctor's own.

use std::time::{Duration, Instant};

use vestibule_core::profile::Placeholder;
use vestibule_core::token::RefreshToken;
use vestibule_core::wire::SignedOutReason;

use super::renew::{Renewal, Renewed};
use super::window::{Bounds, Rotation, Verdict, moments};
use super::{Exam, Step};
use crate::ledger::Session;
use crate::order::Account;
use crate::row::{Finding, Side};
use crate::stop::Stopped;

const ROWS: [&str; 4] = ["grace", "successor", "reuse", "family"];

/// What the replays of a parent came to, its successor unused.
struct Window {
    bounds: Bounds,
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
        let asked = Instant::now();
        if !self.rotate(&mut session).await {
            self.sheet
                .skip(&ROWS, "the refresh before it did not succeed");
            return Ok(());
        }
        let rotation = Rotation {
            asked,
            answered: Instant::now(),
        };
        if session.token.fingerprint_bytes() == parent.fingerprint_bytes() {
            self.sheet.skip(
                &ROWS,
                "the refresh token does not rotate: there is no old one",
            );
            return Ok(());
        }
        let window = self.watch_the_window(&parent, &session, rotation).await?;
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
        rotation: Rotation,
    ) -> Result<Window, Stopped> {
        let mut window = Window {
            bounds: Bounds::default(),
            shut: None,
            same: true,
            unclear: None,
            sent: String::new(),
            got: String::new(),
        };
        let patience = self.order.patience;
        for moment in moments(self.order.grace, patience) {
            let wait = moment.saturating_sub(rotation.least_age());
            if wait > Duration::from_secs(1) {
                let (at, until) = (moment.as_secs(), patience.as_secs());
                self.desk.progress(&format!(
                    "replaying an old token {at} s after it was rotated ({until} s at most)"
                ));
            }
            self.stop.sleep(wait).await?;
            let access = session.access_token();
            let least = rotation.least_age();
            let done = self.renew(parent, access, &session.device).await;
            window.sent.clone_from(&done.sent);
            window.got.clone_from(&done.got);
            match &done.renewal {
                Renewal::Renewed { token, access, .. } => {
                    window.bounds.open = Some(least);
                    if token.fingerprint_bytes() != session.token.fingerprint_bytes() {
                        window.same = false;
                        let access = access.token.clone();
                        self.ledger.note(token.clone(), access, &session.device);
                    }
                }
                Renewal::Ended(_) => {
                    window.bounds.shut = Some(rotation.greatest_age());
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
        let Bounds { open, shut } = window.bounds;
        if let Some(got) = &window.unclear
            && open.is_none()
        {
            let why = format!("{got}: says neither that it is good nor that it is over");
            self.set("grace", Finding::unclear(sent, why));
            self.sheet
                .skip(&ROWS, "the replay was neither taken nor refused");
            return;
        }
        let seconds = |time: Duration| time.as_secs();
        self.measured.grace_at_least_s = Some(open.map_or(0, seconds));
        self.measured.grace_less_than_s = shut.map(|shut| seconds(shut) + 1);
        let mut got = match (open, shut) {
            (None, _) => format!("none: {}", window.got),
            (Some(open), None) => format!("at least {} s", seconds(open)),
            (Some(open), Some(shut)) => {
                let (open, shut) = (seconds(open), seconds(shut) + 1);
                format!("at least {open} s, less than {shut} s")
            }
        };
        if let Some(trouble) = &window.unclear {
            got = format!("{got}, then {trouble}");
        }
        let wanted = self.order.grace.as_secs();
        let finding = match window.bounds.judge(self.order.grace) {
            Verdict::Enough => Finding::yes(&sent, got),
            Verdict::TooShort => Finding::no(&sent, got).advise(
                Side::Backend,
                "for 60 s, or until the successor is first used, answer a replayed token from the \
                 same device with the same successor. Without it a session is lost whenever the \
                 answer to a refresh is lost (docs/backend.md has the recipe)",
            ),
            Verdict::Unwatched => {
                let why = format!("{got}: not tried long enough to say that it is {wanted} s");
                Finding::unclear(&sent, why)
            }
            Verdict::TooSlow => {
                let why = format!("{got}: answered too slowly to say that it is {wanted} s");
                Finding::unclear(&sent, why)
            }
        };
        self.set("grace", finding);
        let same = match open {
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
