//! Rate limits: whether a 429 says how long to wait, and whether a limit is one at all where the
//! app would take another refusal for the end of the session.

use std::time::Duration;

use vestibule_core::backend::{Exchange, retry_after};
use vestibule_core::error::ErrorCode;
use vestibule_core::wire::LoginInput;

use super::renew::Renewal;
use super::{Exam, Heard, Step};
use crate::date;
use crate::order::{Account, REFRESHES, SIGN_INS};
use crate::row::{Finding, Side};
use crate::shape;

const WRONG: &str = "not the password of anybody";

impl Exam<'_> {
    /// Refreshes a session of the doctor's own until the backend has had enough.
    pub(super) async fn refresh_until_refused(&mut self, account: &Account) -> Step {
        let row = "limits_refresh";
        let Some(mut session) = self.another_session(account, &[row]).await? else {
            return Ok(());
        };
        self.desk
            .progress(&format!("refreshing, {REFRESHES} times at most"));
        for before in 0..REFRESHES {
            self.stop.check()?;
            let done = self.renew_session(&session).await;
            let status = done.exchange.as_ref().and_then(|exchange| exchange.status);
            let got = format!("{}, after {before} refreshes", done.got);
            let finding = match done.renewal {
                Renewal::Renewed { token, access, .. } => {
                    session.renewed(token, access);
                    continue;
                }
                Renewal::Ended(_) => {
                    session.is_over();
                    Finding::no(done.sent, got).advise(
                        Side::Backend,
                        "if that is a limit, say it as 429 with Retry-After: by this answer the \
                         app ends a session that is alive",
                    )
                }
                // What is told of every 429 is told of this one.
                Renewal::Transient if status == Some(429) => return Ok(()),
                Renewal::Transient => Finding::unclear(done.sent, got),
            };
            self.set(row, finding);
            return Ok(());
        }
        let why = format!("no 429 within {REFRESHES} refreshes of one session, which is fine");
        self.sheet.skip(&[row], &why);
        Ok(())
    }

    /// Fails to sign in to an account that is nobody's until the backend has had enough.
    pub(super) async fn fail_until_refused(&mut self) -> Step {
        self.desk
            .progress(&format!("failing to sign in, {SIGN_INS} times at most"));
        self.masks.hide(WRONG, "password");
        let email = format!(
            "vestibule-doctor-{}@example.com",
            uuid::Uuid::new_v4().simple()
        );
        for tries in 0..SIGN_INS {
            self.stop.check()?;
            let input = LoginInput::new(&email, WRONG);
            let mark = self.witness.count();
            let device = Self::new_device();
            let answer = self.backend.login(&input, &device).await;
            let answer = self.ledger.unbroken(answer, &device);
            let Err(error) = answer else { continue };
            if matches!(error.code, ErrorCode::RateLimited) {
                self.measured.tries_before_limit = Some(tries);
                return Ok(());
            }
            if error.code == ErrorCode::AccountLocked {
                let Heard { sent, got, .. } = self.heard(mark);
                let finding = Finding::yes(sent, format!("{got}, after {tries} tries"));
                self.set("limits", finding);
                return Ok(());
            }
        }
        let why =
            format!("no 429 within {SIGN_INS} failed sign-ins; something should slow them down");
        self.sheet.skip(&["limits"], &why);
        Ok(())
    }

    /// Any 429 that came, asked for or not.
    pub(super) fn judge_limits_seen(&mut self, answered: &[&Exchange]) {
        let renewal = self.order.profile.renewal();
        let renewal = renewal.map(|(_, endpoint)| endpoint.path.source());
        let limited = answered.iter().rev().filter(|one| one.status == Some(429));
        let (refreshes, others): (Vec<&Exchange>, Vec<&Exchange>) =
            limited.partition(|one| Some(&one.path) == renewal.as_ref());
        for (row, limited) in [("limits", others), ("limits_refresh", refreshes)] {
            if let Some(last) = limited.first() {
                let wait = asked(last);
                self.measured.retry_after_s = wait.map(|wait| wait.as_secs());
                self.tell_limit(row, last, wait);
            }
        }
    }

    fn tell_limit(&mut self, row: &'static str, limited: &Exchange, wait: Option<Duration>) {
        let sent = match self.measured.tries_before_limit {
            Some(tries) if row == "limits" => {
                format!("{} ({} times)", shape::sent(limited), tries + 1)
            }
            _ => shape::sent(limited),
        };
        let finding = match wait {
            Some(wait) => Finding::yes(
                sent,
                format!("429, to be asked again in {} s", wait.as_secs()),
            ),
            None => Finding::no(
                sent,
                format!("{}, without Retry-After", shape::got(limited, &self.masks)),
            )
            .advise(
                Side::Backend,
                "send Retry-After in seconds with each 429: the app waits for it and shows it; \
                     without it every app guesses, and all come back too soon",
            ),
        };
        self.set(row, finding);
    }
}

/// How long a 429 asks to wait.
fn asked(limited: &Exchange) -> Option<Duration> {
    retry_after(true, date::sent_at(limited), |name| {
        limited.headers.get(name)?.to_str().ok()
    })
}
