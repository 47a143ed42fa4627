//! Sign-out: whether the backend hears whose session it is, whether it is over then, and what
//! it says when it is told again.

use vestibule_core::backend::{Exchange, Untold};
use vestibule_core::cookies::{RefreshChange, RefreshCookie};
use vestibule_core::profile::{Endpoint, Placeholder};

use super::renew::Renewal;
use super::{Exam, Heard, Step};
use crate::date;
use crate::ledger::Session;
use crate::row::{Finding, Side};
use crate::shape;

const ROWS: [&str; 5] = [
    "logout",
    "logout_token",
    "logout_ends",
    "logout_again",
    "cookie_deleted",
];

impl Exam<'_> {
    /// Ends the first session, as a click would.
    pub(super) async fn sign_out(&mut self, mut session: Session) -> Step {
        self.stop.check()?;
        self.desk.progress("signing out");
        let profile = &self.order.profile;
        let Some(endpoint) = profile.endpoints.logout.get() else {
            self.sheet.skip(
                &ROWS,
                "by this profile there is no sign-out: sessions end by themselves",
            );
            session.is_over();
            return Ok(());
        };
        let reaches = reaches(endpoint, &session, &profile.url(&endpoint.path.source()));
        let mark = self.witness.count();
        let told = self.tell_the_sign_out(&session).await;
        let Heard { seen, sent, got } = self.heard(mark);
        let status = seen
            .first()
            .and_then(|exchange| exchange.status)
            .unwrap_or_default();
        let is_page = seen.first().is_some_and(shape::is_page);
        self.tell_what_reached(reaches, &sent);
        let finding = match told {
            Ok(()) if (200..300).contains(&status) => Finding::yes(&sent, &got),
            Ok(()) => Finding::no(&sent, format!("{got}, for a session that is alive")).advise(
                Side::Backend,
                "answer 204 to the refresh token alone. A 401 or 404 says that there is nothing to \
                 end, and the app believes it",
            ),
            Err(_) if is_page => Finding::no(&sent, &got).advise(
                Side::Backend,
                "answer 204 or JSON: behind a page the app sees a portal, and tells it again later",
            ),
            Err(_) if status == 404 || status == 405 => Finding::no(&sent, &got).advise(
                Side::Profile,
                "say its path in endpoints.logout, or `logout = false`",
            ),
            Err(_) => Finding::no(&sent, &got).advise(
                Side::Backend,
                "answer 204, also to a session that has ended; the app tells it again for seven \
                 days otherwise",
            ),
        };
        self.set("logout", finding);
        self.tell_the_cookie(seen.first());
        self.look_whether_it_is_over(&mut session).await;
        self.sign_out_again(&session).await;
        Ok(())
    }

    async fn tell_the_sign_out(&self, session: &Session) -> Result<(), Untold> {
        let access = session.access_token();
        let told = self.backend.logout(&session.token, access, &session.device);
        told.await.map(drop)
    }

    fn tell_what_reached(&mut self, reaches: Result<&'static str, &'static str>, sent: &str) {
        let finding = match reaches {
            Ok(how) => Finding::yes(sent, how),
            Err(why) => Finding::no(sent, why).advise(
                Side::Backend,
                "set the refresh cookie with Path=/ (or a path that the sign-out lies under): \
                 without it the backend cannot know which session to end",
            ),
        };
        self.set("logout_token", finding);
    }

    fn tell_the_cookie(&mut self, exchange: Option<&Exchange>) {
        let profile = &self.order.profile;
        let Some(exchange) = exchange.filter(|_| !profile.cookies.refresh.is_empty()) else {
            self.set(
                "cookie_deleted",
                Finding::not_tried("the session is in no cookie"),
            );
            return;
        };
        let now = date::sent_at(exchange).into();
        let lines = exchange.headers.get_all("set-cookie").iter();
        let mut changes = lines.filter_map(|line| {
            let names = &profile.cookies.refresh;
            RefreshCookie::from_line(line.to_str().ok()?, &profile.backend, names, now)
        });
        let finding = match changes.next_back() {
            Some(RefreshChange::Delete(gone)) => {
                let name = gone.name();
                Finding::yes(shape::sent(exchange), format!("takes {name} away"))
            }
            Some(RefreshChange::Set(_)) => Finding::no(shape::sent(exchange), "sets another token")
                .advise(
                    Side::Backend,
                    "take the cookie away at sign-out: Max-Age=0 and an empty value",
                ),
            None => {
                Finding::not_tried("the sign-out leaves the cookie; the app drops it by itself")
            }
        };
        self.set("cookie_deleted", finding);
    }

    async fn look_whether_it_is_over(&mut self, session: &mut Session) {
        let done = self.renew_session(session).await;
        let status = done.exchange.as_ref().and_then(|exchange| exchange.status);
        let finding = match done.renewal {
            Renewal::Ended(_) => {
                session.is_over();
                Finding::yes(done.sent, done.got)
            }
            Renewal::Renewed { token, access, .. } => {
                session.renewed(token, access);
                Finding::no(done.sent, format!("{}: still alive", done.got)).advise(
                    Side::Backend,
                    "end the session at sign-out, with every refresh token that came of it",
                )
            }
            Renewal::Transient if matches!(status, Some(400..=499)) && status != Some(429) => {
                session.is_over();
                Finding::yes(done.sent, format!("{}: refused", done.got))
            }
            Renewal::Transient => Finding::unclear(done.sent, done.got),
        };
        self.set("logout_ends", finding);
    }

    async fn sign_out_again(&mut self, session: &Session) {
        let mark = self.witness.count();
        let told = self.tell_the_sign_out(session).await;
        let Heard { sent, got, .. } = self.heard(mark);
        let finding = match told {
            Ok(()) => Finding::yes(sent, got),
            Err(_) => Finding::no(sent, got)
                .advise(
                    Side::Backend,
                    "answer 204, or 401 or 404 with JSON: an answer that was lost makes the app \
                     tell it twice",
                )
                .advise(
                    Side::Profile,
                    "or say in `signed_out` which answer means that",
                ),
        };
        self.set("logout_again", finding);
    }
}

/// Whether a sign-out says whose it is, and how.
fn reaches(
    endpoint: &Endpoint,
    session: &Session,
    url: &url::Url,
) -> Result<&'static str, &'static str> {
    if endpoint.asks_for(Placeholder::RefreshToken) && session.token.body().is_some() {
        return Ok("the refresh token goes along, in the request");
    }
    if !session.token.pairs(url).is_empty() {
        return Ok("the refresh cookie goes along");
    }
    if endpoint.asks_for(Placeholder::AccessToken) && session.access_token().is_some() {
        return Ok("the access token goes along");
    }
    Err("neither the refresh cookie nor a token goes along")
}
