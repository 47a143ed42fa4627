//! One refresh, as the app makes it, and what the first ones say.

use std::time::Duration;

use vestibule_core::backend::{Body, Exchange, Fault, Verdict};
use vestibule_core::cookies::RefreshCookie;
use vestibule_core::device::Device;
use vestibule_core::profile::UserFrom;
use vestibule_core::reply::AccessToken;
use vestibule_core::secrets::Secret;
use vestibule_core::token::{BodyToken, RefreshToken};
use vestibule_core::wire::{SignedOutReason, User};

use super::{Exam, Heard, Step, told};
use crate::ledger::Session;
use crate::row::{Finding, Side};
use crate::shape;

/// How a refresh was answered.
pub(super) enum Renewal {
    /// Renewed: what is held from here on.
    Renewed {
        token: RefreshToken,
        access: AccessToken,
        user: Option<Box<User>>,
    },
    /// The session is over.
    Ended(SignedOutReason),
    /// It says nothing about the session.
    Transient,
}

/// A refresh, what was seen of it, and in words.
pub(super) struct Renewed {
    pub renewal: Renewal,
    /// What is held after a success, whether the rest of it could be used or not.
    pub kept: Option<RefreshToken>,
    pub exchange: Option<Exchange>,
    pub sent: String,
    pub got: String,
}

impl Exam<'_> {
    /// Refreshes with `token`. What comes of it is for the caller to keep.
    pub(super) async fn renew(
        &mut self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> Renewed {
        let mark = self.witness.count();
        let mut kept = None;
        let done = self.refresh_and_read(token, access, device, &mut kept);
        let renewal = done.await.unwrap_or(Renewal::Transient);
        let Heard { seen, sent, got } = self.heard(mark);
        let exchange = seen.into_iter().next();
        Renewed {
            renewal,
            kept,
            exchange,
            sent,
            got,
        }
    }

    /// Refreshes a session with all that it holds.
    pub(super) async fn renew_session(&mut self, session: &Session) -> Renewed {
        let access = session.access_token();
        self.renew(&session.token, access, &session.device).await
    }

    /// In the order of the session's own rotation: cookies at the headers, then the body.
    async fn refresh_and_read(
        &self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
        kept: &mut Option<RefreshToken>,
    ) -> Result<Renewal, Fault> {
        let mut head = self.backend.refresh(token, access, device, 1).await?;
        let (status, now) = (head.status(), head.sent_at());
        let mut token = token.clone();
        if status.is_success() {
            token.apply(head.take_refresh_changes());
            *kept = Some(token.clone());
        }
        let body: Body = head.body().await?;
        if status.is_success() {
            token.apply_body(self.backend.rotated(&body, now));
            *kept = Some(token.clone());
        }
        if status.is_success() && token.is_empty() {
            // The answer took the token away.
            return Ok(Renewal::Ended(SignedOutReason::Expired));
        }
        Ok(match self.backend.verdict(status, &body, &token, now) {
            Verdict::Renewed { user, access } => Renewal::Renewed {
                token,
                access,
                user: user.map(Box::new),
            },
            Verdict::Ended(why) | Verdict::Refused { why, .. } => Renewal::Ended(why),
            Verdict::Transient(_) => Renewal::Transient,
        })
    }

    /// A token that nobody issued is dead, and must be called so.
    pub(super) async fn refuse_an_unknown_token(&mut self) -> Step {
        self.stop.check()?;
        let Some(token) = self.unknown_token() else {
            self.set(
                "unknown_token",
                Finding::not_tried("the profile names no refresh token"),
            );
            return Ok(());
        };
        let access = Secret::new(format!(
            "vestibule-doctor-{}",
            uuid::Uuid::new_v4().simple()
        ));
        let done = self.renew(&token, Some(&access), &Self::new_device()).await;
        let Renewed { sent, got, .. } = done;
        let finding = match done.renewal {
            Renewal::Ended(_) => Finding::yes(sent, got),
            Renewal::Renewed { .. } => Finding::no(sent, format!("{got}: renewed")).advise(
                Side::Backend,
                "refuse a token that was never issued with 401",
            ),
            Renewal::Transient => told::not_dead(Finding::no(sent, got), done.exchange.as_ref()),
        };
        self.set("unknown_token", finding);
        Ok(())
    }

    fn unknown_token(&self) -> Option<RefreshToken> {
        let profile = &self.order.profile;
        let text = format!("vestibule-doctor-{}", uuid::Uuid::new_v4().simple());
        let mut token = RefreshToken::default();
        if let Some(name) = profile.cookies.refresh.first() {
            let line = format!("{name}={text}; Path=/");
            let now = time::OffsetDateTime::now_utc();
            let names = &profile.cookies.refresh;
            let cookie = RefreshCookie::from_line(&line, &profile.backend, names, now);
            token.apply(cookie.into_iter().collect());
        } else {
            token.apply_body(Some(BodyToken {
                token: Secret::new(text),
                expires: None,
            }));
        }
        (!token.is_empty()).then_some(token)
    }

    /// The first refresh of a session that is alive.
    pub(super) async fn renew_first(&mut self, session: &mut Session) -> Step {
        // Two tokens of one second may be the same bytes, on some backends.
        self.desk.progress("refreshing");
        self.stop.sleep(Duration::from_millis(1100)).await?;
        let profile = &self.order.profile;
        let Some((_, endpoint)) = profile.renewal() else {
            return Ok(());
        };
        let url = profile.url(&endpoint.path.source());
        let needs_cookie = session.token.body().is_none();
        let comes_back = !session.token.pairs(&url).is_empty();
        let before = session.token.clone();
        let done = self.renew_session(session).await;
        let Renewed { sent, got, .. } = done;
        match done.renewal {
            Renewal::Renewed {
                token,
                access,
                user,
            } => {
                let rotates = token.fingerprint_bytes() != before.fingerprint_bytes();
                session.renewed(token, access);
                self.set("refresh", Finding::yes(&sent, &got));
                self.set("rotation", rotation(&sent, rotates));
                self.tell_whose(&sent, user.as_deref());
            }
            Renewal::Ended(_) if needs_cookie && !comes_back => {
                session.is_over();
                let finding = Finding::no(sent, format!("{got}: the cookie did not go along"));
                self.set(
                    "refresh",
                    finding.advise(
                        Side::Backend,
                        "set the refresh cookie so that it reaches this path: Path=/, no Domain of \
                         another host, and Secure only where the backend is reached by https",
                    ),
                );
            }
            Renewal::Ended(why) => {
                session.is_over();
                let got = format!("{got}: over ({why:?}) right after the sign-in");
                self.set(
                    "refresh",
                    Finding::no(sent, got).advise(
                        Side::Backend,
                        "take the refresh token of the sign-in, with the device that it named",
                    ),
                );
            }
            Renewal::Transient => {
                if let Some(token) = done.kept.filter(|token| !token.is_empty()) {
                    session.rotated(token);
                }
                self.explain_no_renewal(done.exchange.as_ref(), sent, got);
            }
        }
        Ok(())
    }

    fn explain_no_renewal(&mut self, exchange: Option<&Exchange>, sent: String, got: String) {
        let status = exchange
            .and_then(|exchange| exchange.status)
            .unwrap_or_default();
        let is_page = exchange.is_some_and(shape::is_page);
        let finding = Finding::no(sent.clone(), got.clone());
        let finding = match status {
            200..=299 if !is_page => {
                let user = "where the profile looks there is no user or no access token \
                            (answer.refresh); session.user_from says where else the user may come \
                            from: \"me\" or \"login\"";
                if self.order.profile.session.user_from == UserFrom::Refresh {
                    let finding = Finding::no(sent, got);
                    let advice = "answer the user with each refresh";
                    self.set("user_again", finding.advise(Side::Backend, advice));
                }
                finding.advise(Side::Profile, user)
            }
            404 | 405 => finding.advise(
                Side::Profile,
                "no such endpoint: say its path in endpoints.refresh, or `refresh = false` where \
                 `me` tells whether the session is alive",
            ),
            _ => finding.advise(
                Side::Backend,
                "answer a refresh with 200 and JSON {user, tokens}; the app keeps the session and \
                 shows it as offline until then",
            ),
        };
        self.set("refresh", finding);
        self.sheet
            .skip(&["rotation", "user_again"], "the refresh did not succeed");
    }

    fn tell_whose(&mut self, sent: &str, user: Option<&User>) {
        let from = self.order.profile.session.user_from;
        let finding = match (from, user) {
            (_, Some(_)) => Finding::yes(sent, "the user is in the answer"),
            (UserFrom::Me, None) => Finding::not_tried("the profile asks `me` for the user"),
            (_, None) => Finding::not_tried("the profile keeps the user of the sign-in"),
        };
        self.set("user_again", finding);
    }
}

fn rotation(sent: &str, rotates: bool) -> Finding {
    if rotates {
        return Finding::yes(sent, "a new one replaces the old");
    }
    Finding::no(sent, "the same as before, which is kept").advise(
        Side::Backend,
        "give out a new one with each refresh: a copy of a token that never changes stays good \
         until it expires, and nobody notices",
    )
}
