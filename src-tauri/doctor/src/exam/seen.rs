//! What all exchanges together say: redirects, pages, the clock, limits.

use vestibule_core::backend::Exchange;

use super::Exam;
use crate::date;
use crate::row::{Finding, Side};
use crate::shape;

/// A clock that is off by no more than this is right enough for anyone.
const CLOCK_TOLERANCE: i64 = 60;

impl Exam<'_> {
    /// Looks at all of them.
    pub(super) fn judge_what_was_seen(&mut self) {
        let seen = self.seen(0);
        let answered: Vec<&Exchange> = seen.iter().filter(|one| one.status.is_some()).collect();
        if answered.is_empty() {
            return;
        }
        if answered.iter().all(|one| is_strange(one)) {
            self.notes.push(
                "Nothing at this address answers as an auth backend would: is there a path to add, \
                 such as /api or /v1, or another port?"
                    .into(),
            );
        }
        self.judge_redirects(&answered);
        self.judge_bodies(&answered);
        self.judge_the_clock(&answered);
        self.judge_limits_seen(&answered);
    }

    fn judge_redirects(&mut self, answered: &[&Exchange]) {
        let led = answered.iter().find(|one| shape::is_redirect(one));
        let finding = match led {
            None => Finding::yes("all of these", "every endpoint answers by itself"),
            Some(one) => Finding::no(shape::sent(one), shape::got(one, &self.masks))
                .advise(
                    Side::Profile,
                    "give the address that it leads to as the backend's base or path (often it is \
                     a slash at the end, or www)",
                )
                .advise(
                    Side::Backend,
                    "answer there at once: the app follows no redirect, because a 307 would carry \
                     the password to wherever it points",
                ),
        };
        self.set("direct", finding);
    }

    fn judge_bodies(&mut self, answered: &[&Exchange]) {
        let not_json = answered.iter().find(|one| {
            let status = one.status.unwrap_or_default();
            // A limiter and a gateway may say it in their own words.
            let is_gateways = status >= 500 && status != 501;
            let is_told_by_status = status == 429 || is_gateways || shape::is_redirect(one);
            let is_optional = status == 404 && one.sent.is_none();
            let is_other = shape::has_body(one) && shape::body(one).is_none();
            !is_told_by_status && !is_optional && (is_other || shape::is_page(one))
        });
        let finding = match not_json {
            None => Finding::yes("all of these", "JSON, or nothing where nothing is due"),
            Some(one) => Finding::no(shape::sent(one), shape::got(one, &self.masks))
                .advise(
                    Side::Backend,
                    "answer JSON on these paths, refusals too ({message, code}). The app takes a \
                     page for a proxy's or a portal's: it ends no session and signs nobody in",
                )
                .advise(
                    Side::You,
                    "if the path is not there at all, check --backend",
                ),
        };
        self.set("json", finding);
    }

    fn judge_the_clock(&mut self, answered: &[&Exchange]) {
        let ahead = answered.iter().filter_map(|one| ahead(one));
        let Some(ahead) = ahead.max_by_key(|ahead| ahead.abs()) else {
            let finding = Finding::no("all of these", "no Date header");
            self.set(
                "clock",
                finding.advise(
                    Side::Backend,
                    "send Date, as HTTP asks: dates in cookies are read against it, so that a \
                     wrong clock on either side does no harm",
                ),
            );
            return;
        };
        self.measured.clock_ahead_s = Some(ahead);
        let got = match ahead {
            -2..=2 => "as here".to_owned(),
            ahead if ahead > 0 => format!("{ahead} s ahead of this machine's"),
            ahead => format!("{} s behind this machine's", -ahead),
        };
        let finding = if ahead.abs() <= CLOCK_TOLERANCE {
            Finding::yes("the Date of all answers", got)
        } else {
            Finding::no("the Date of all answers", got).advise(
                Side::Backend,
                "set the clock of one of the two by NTP. The app counts lives from receipt and \
                 keeps working; JWTs and `expires` are judged by the wrong clock",
            )
        };
        self.set("clock", finding);
    }
}

/// Whether it is the answer of a server that has never heard of this.
fn is_strange(exchange: &Exchange) -> bool {
    matches!(exchange.status, Some(404 | 405 | 501)) || shape::is_page(exchange)
}

/// By how many seconds the sender's clock is ahead, as far as that can be told: the answer
/// was written at some moment while we waited.
fn ahead(exchange: &Exchange) -> Option<i64> {
    let date = date::said(exchange)?;
    let here = exchange.answered_at;
    let waited = i64::try_from(exchange.took.as_secs()).unwrap_or(0) + 1;
    match date.duration_since(here) {
        Ok(ahead) => i64::try_from(ahead.as_secs()).ok(),
        Err(error) => {
            let behind = i64::try_from(error.duration().as_secs()).ok()?;
            Some(-(behind - waited).max(0))
        }
    }
}
