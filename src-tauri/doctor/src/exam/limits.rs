//! Rate limits: whether a 429 says how long to wait.

use vestibule_core::backend::{Exchange, retry_after};
use vestibule_core::error::ErrorCode;
use vestibule_core::secrets::Secret;
use vestibule_core::wire::LoginInput;

use super::{Exam, Step};
use crate::row::{Finding, Side};
use crate::shape;

/// How often it is tried before there seems to be no limit.
const TRIES: u32 = 40;
const WRONG: &str = "not the password of anybody";

impl Exam<'_> {
    /// Fails to sign in to an account that is nobody's until the backend has had enough.
    pub(super) async fn try_until_refused(&mut self) -> Step {
        self.desk
            .progress(&format!("failing to sign in, {TRIES} times at most"));
        self.masks.hide(WRONG, "password");
        let email = format!(
            "vestibule-doctor-{}@example.com",
            uuid::Uuid::new_v4().simple()
        );
        for tries in 0..TRIES {
            self.stop.check()?;
            let input = LoginInput {
                email: email.clone(),
                password: Secret::new(WRONG),
                fingerprint: None,
            };
            let mark = self.witness.count();
            let answer = self.backend.login(&input, &Self::new_device()).await;
            let Err(error) = answer else { continue };
            if matches!(error.code, ErrorCode::RateLimited) {
                self.measured.tries_before_limit = Some(tries);
                return Ok(());
            }
            if error.code == ErrorCode::AccountLocked {
                let (sent, got) = self.words(mark);
                let finding = Finding::yes(sent, format!("{got}, after {tries} tries"));
                self.set("limits", finding);
                return Ok(());
            }
        }
        let why = format!("no 429 within {TRIES} failed sign-ins; something should slow them down");
        self.sheet.skip(&["limits"], &why);
        Ok(())
    }

    /// Any 429 that came, asked for or not.
    pub(super) fn judge_limits_seen(&mut self, answered: &[&Exchange]) {
        let Some(limited) = answered.iter().rev().find(|one| one.status == Some(429)) else {
            return;
        };
        let sent = match self.measured.tries_before_limit {
            Some(tries) => format!("{} ({} times)", shape::sent(limited), tries + 1),
            None => shape::sent(limited),
        };
        let asked = retry_after(true, super::renew::sent_at(limited), |name| {
            limited.headers.get(name)?.to_str().ok()
        });
        self.measured.retry_after_s = asked.map(|wait| wait.as_secs());
        let finding = match asked {
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
        self.set("limits", finding);
    }
}
