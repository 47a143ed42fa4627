//! Password, and what it gives: a user, an access token, a refresh token.

use std::time::Duration;

use vestibule_core::backend::{Exchange, Grant, SignIn};
use vestibule_core::error::ErrorCode;
use vestibule_core::expiry;
use vestibule_core::secrets::Secret;
use vestibule_core::wire::LoginInput;

use super::{Exam, Heard, Step, told};
use crate::date;
use crate::ledger::Session;
use crate::order::Account;
use crate::row::{Finding, Side};
use crate::shape;
use crate::stop::Stopped;
use crate::suggest::Suggestion;

impl Exam<'_> {
    /// A sign-in with nothing typed: refused as invalid, at least as wrong.
    pub(super) async fn refuse_nothing_typed(&mut self) -> Step {
        self.stop.check()?;
        let input = LoginInput::new("", "");
        let mark = self.witness.count();
        let device = Self::new_device();
        let answer = self.backend.login(&input, &device).await;
        let answer = self.ledger.unbroken(answer, &device);
        let Heard { seen, sent, got } = self.heard(mark);
        let finding = match answer {
            Err(error) => match error.code {
                ErrorCode::InvalidInput | ErrorCode::InvalidCredentials => Finding::yes(sent, got),
                _ => self.told(&seen, &error),
            },
            Ok(_) => Finding::no(sent, format!("{got}: signed in as nobody")).advise(
                Side::Backend,
                "refuse an empty e-mail and password with 400 or 422",
            ),
        };
        self.set("login_invalid", finding);
        Ok(())
    }

    /// One wrong password, before the right one makes it forgotten.
    pub(super) async fn refuse_a_wrong_password(&mut self, account: &Account) -> Step {
        self.stop.check()?;
        self.desk.progress("trying one wrong password");
        let wrong = format!("wrong-{}", uuid::Uuid::new_v4().simple());
        self.masks.hide(&wrong, "password");
        let input = LoginInput::new(&account.email, wrong);
        let device = Self::new_device();
        let mark = self.witness.count();
        let answer = self.backend.login(&input, &device).await;
        let answer = self.ledger.unbroken(answer, &device);
        let Heard { seen, sent, got } = self.heard(mark);
        let finding = match answer {
            Err(error) if error.code == ErrorCode::InvalidCredentials => Finding::yes(sent, got),
            // Says nothing of wrong passwords.
            Err(error) if matches!(error.code, ErrorCode::RateLimited | ErrorCode::Unreachable) => {
                Finding::unclear(sent, got)
            }
            Err(error) => self.told(&seen, &error).advise(
                Side::Backend,
                "a wrong password is 401 with JSON, so that the app can say that",
            ),
            Ok(SignIn::OtpRequired { .. }) => Finding::no(sent, got).advise(
                Side::Backend,
                "look at the password before a code is asked for",
            ),
            Ok(SignIn::Granted(grant)) => {
                self.ledger.open(*grant, device);
                Finding::no(sent, format!("{got}: let in"))
                    .advise(Side::Backend, "let nobody in with a wrong password")
            }
            Ok(_) => Finding::no(sent, got).advise(Side::Backend, "refuse it with 401"),
        };
        self.set("login_wrong", finding);
        Ok(())
    }

    /// The sign-in that the rest stands on.
    pub(super) async fn sign_in_first(
        &mut self,
        account: &Account,
    ) -> Result<Option<Session>, Stopped> {
        self.stop.check()?;
        self.desk
            .progress(&format!("signing in as {}", account.email));
        let device = Self::new_device();
        let mark = self.witness.count();
        let answer = self
            .backend
            .login(&Self::credentials(account), &device)
            .await;
        let answer = self.ledger.unbroken(answer, &device);
        let Heard { seen, sent, got } = self.heard(mark);
        let why_not = match answer {
            Ok(SignIn::Granted(grant)) => {
                self.set("login", Finding::yes(sent, got));
                self.look_at(&grant, &seen);
                let profile = self.order.profile.name.clone();
                self.suggestion = Suggestion::Fits { profile };
                return Ok(Some(self.ledger.open(*grant, device)));
            }
            Ok(SignIn::Nameless(nameless)) => {
                self.ledger.keep(&nameless, &device);
                self.set("login", Finding::yes(sent, got));
                let last = seen.last();
                let finding =
                    told::refused(last, &nameless.error, &self.order.profile, &self.masks);
                self.set("login_user", finding);
                "the sign-in does not tell who it is"
            }
            Ok(SignIn::OtpRequired { .. }) => {
                let why = "this account is asked for a code: name it with --otp-email, and one \
                           that is not with --email";
                self.set("login", Finding::unclear(sent, why));
                self.notes.push(format!("Sign-in not examined: {why}."));
                self.hopeless = true;
                "nobody signed in: the account wants a code"
            }
            Ok(SignIn::Accepted) => {
                self.set("login", Finding::unclear(sent, got));
                "the sign-in gave no session"
            }
            Err(error) => {
                let finding = self.told(&seen, &error);
                self.set("login", finding);
                let is_another_matter = matches!(
                    error.code,
                    ErrorCode::RateLimited
                        | ErrorCode::Unreachable
                        | ErrorCode::AccountBlocked
                        | ErrorCode::AccountLocked
                );
                if error.code == ErrorCode::InvalidCredentials {
                    let email = &account.email;
                    self.notes
                        .push(format!("{email} is not let in, so the rest was not tried."));
                    self.hopeless = true;
                } else if is_another_matter {
                    let note = "The sign-in could not be made, so the rest was not tried.";
                    self.notes.push(note.into());
                    self.hopeless = true;
                } else {
                    self.discover(account, &seen).await?;
                }
                "nobody could sign in"
            }
        };
        self.sheet.skip_rest(why_not);
        Ok(None)
    }

    /// What to do about a step that was refused.
    pub(super) fn told(
        &self,
        seen: &[Exchange],
        error: &vestibule_core::error::AuthError,
    ) -> Finding {
        told::refused(seen.first(), error, &self.order.profile, &self.masks)
    }

    fn look_at(&mut self, grant: &Grant, seen: &[Exchange]) {
        let Some(first) = seen.first() else { return };
        let sent = shape::sent(first);
        let user = &grant.user;
        let mut has = vec!["an id"];
        has.extend((user.name != user.email).then_some("a name"));
        has.extend((!user.email.is_empty()).then_some("an e-mail"));
        has.extend((!user.roles.is_empty()).then_some("roles"));
        self.set("login_user", Finding::yes(&sent, has.join(", ")));
        let token = match grant.token.body() {
            Some(_) => "in the body".to_owned(),
            None => "in a cookie".to_owned(),
        };
        let token = match grant.token.expires() {
            Some(end) => format!("{token}, until {}", end.date()),
            None => format!("{token}, without an end"),
        };
        self.set("login_token", Finding::yes(&sent, token));
        self.look_at_lives(grant, first, &sent);
        self.look_at_cookies(grant, first);
    }

    fn look_at_lives(&mut self, grant: &Grant, first: &Exchange, sent: &str) {
        let profile = &self.order.profile;
        let life = grant.access.life;
        self.measured.access_life_s = life.map(|life| life.as_secs());
        let finding = match (life, &grant.access.token) {
            (Some(life), _) => Finding::yes(sent, format!("{} from receipt", span(life))),
            (None, None) => Finding::not_tried("there is no access token: cookies carry it all"),
            (None, Some(_)) => Finding::no(sent, "how long the access token lives is not said")
                .advise(Side::Backend, "say it as tokens.expiresIn, in seconds")
                .advise(
                    Side::Profile,
                    "or say in answer.login.expires where it stands; { as = \"jwt_exp\" } reads \
                     it from a JWT",
                ),
        };
        let body = shape::body(first).unwrap_or_default();
        let now = date::sent_at(first);
        let text = grant.access.token.as_ref().map(Secret::secret);
        let lives: Vec<Duration> = (profile.answer.login.expires.iter())
            .filter_map(|one| expiry::life(std::slice::from_ref(one), &body, text, now))
            .collect();
        let apart = lives.iter().max().zip(lives.iter().min());
        let agrees = match apart {
            Some((most, least)) if lives.len() > 1 => {
                let apart = *most - *least;
                if apart <= Duration::from_secs(60) {
                    Finding::yes(sent, format!("within {} s", apart.as_secs()))
                } else {
                    Finding::no(sent, format!("{} apart", span(apart))).advise(
                        Side::Backend,
                        "count both from the same moment; the app believes expiresIn, from receipt",
                    )
                }
            }
            _ => Finding::not_tried("it is said in one way only"),
        };
        self.set("login_expiry", finding);
        self.set("expiry_agrees", agrees);
    }

    fn look_at_cookies(&mut self, grant: &Grant, first: &Exchange) {
        let profile = &self.order.profile;
        if grant.token.body().is_some() {
            self.set(
                "cookie",
                Finding::not_tried("the refresh token travels in the body"),
            );
            return;
        }
        let lines = first.headers.get_all("set-cookie").iter();
        let mut lines = lines.filter_map(|line| line.to_str().ok());
        let is_ours = |line: &&str| {
            let name = line.split('=').next().unwrap_or_default().trim();
            profile.cookies.refresh.iter().any(|held| held == name)
        };
        let Some(line) = lines.rfind(is_ours) else {
            return;
        };
        let name = line.split('=').next().unwrap_or_default().trim();
        let attributes: Vec<&str> = line.split(';').skip(1).map(str::trim).collect();
        let has = |wanted: &str| {
            attributes
                .iter()
                .any(|held| held.eq_ignore_ascii_case(wanted))
        };
        let got = format!("{name}: {}", attributes.join("; "));
        let mut advice = Vec::new();
        if !has("HttpOnly") {
            advice.push("add HttpOnly: no page ever needs to read it");
        }
        if profile.backend.scheme() == "https" && !has("Secure") {
            advice.push("add Secure: it must never travel in the clear");
        }
        let finding = if advice.is_empty() {
            Finding::yes("the sign-in", got)
        } else {
            let no = Finding::no("the sign-in", got);
            advice
                .into_iter()
                .fold(no, |no, text| no.advise(Side::Backend, text))
        };
        self.set("cookie", finding);
    }
}

/// A time in words.
pub(super) fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 2 * 3600 => format!("{} min", seconds / 60),
        seconds if seconds < 48 * 3600 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
