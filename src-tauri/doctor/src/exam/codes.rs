//! One-time codes: asked for, wrong, sent again, right.

use vestibule_core::backend::{Answering, SignIn};
use vestibule_core::error::ErrorCode;
use vestibule_core::secrets::Secret;

use super::{Exam, Heard, Step, told};
use crate::order::Account;
use crate::row::{Finding, Side};

const ROWS: [&str; 4] = ["otp_wanted", "otp_wrong", "otp_resend", "otp_right"];
/// One chance in a million that it is right.
const WRONG: &str = "000000";

impl Exam<'_> {
    /// Signs in to an account that is asked for a code.
    pub(super) async fn ask_for_codes(&mut self, account: &Account) -> Step {
        self.stop.check()?;
        self.desk.progress(&format!(
            "signing in as {}, who is asked for a code",
            account.email
        ));
        let device = Self::new_device();
        let mark = self.witness.count();
        let answer = self
            .backend
            .login(&Self::credentials(account), &device)
            .await;
        let answer = self.ledger.unbroken(answer, &device);
        let Heard { seen, sent, got } = self.heard(mark);
        let challenge = match answer {
            Ok(SignIn::OtpRequired { challenge, .. }) => challenge,
            Ok(SignIn::Granted(grant)) => {
                self.ledger.open(*grant, device);
                let finding = Finding::no(sent, format!("{got}: signed in without a code"));
                self.set(
                    "otp_wanted",
                    finding
                        .advise(Side::You, "name an account that has a second factor")
                        .advise(
                            Side::Backend,
                            "answer {otpRequired: true, email} without a session",
                        ),
                );
                self.sheet.skip(&ROWS, "no code was asked for");
                return Ok(());
            }
            Ok(_) => {
                self.set("otp_wanted", Finding::unclear(sent, got));
                self.sheet.skip(&ROWS, "no code was asked for");
                return Ok(());
            }
            Err(error) => {
                let finding = self.told(&seen, &error).advise(
                    Side::Profile,
                    "if this is how a code is asked for, say so in otp.wanted",
                );
                self.set("otp_wanted", finding);
                self.sheet.skip(&ROWS, "no code was asked for");
                return Ok(());
            }
        };
        let gives_session = seen.first().is_some_and(|exchange| {
            exchange.headers.get_all("set-cookie").iter().any(|line| {
                let pair = line.to_str().unwrap_or_default().split(';').next();
                let pair = pair.and_then(|pair| pair.split_once('='));
                let names = &self.order.profile.cookies.refresh;
                pair.is_some_and(|(name, value)| {
                    !value.is_empty() && names.iter().any(|held| held == name.trim())
                })
            })
        });
        let finding = if gives_session {
            Finding::no(sent, format!("{got}: a session before the code")).advise(
                Side::Backend,
                "set the refresh cookie only once the code was right",
            )
        } else {
            Finding::yes(sent, got)
        };
        self.set("otp_wanted", finding);
        let answering = Answering {
            identifier: &account.email,
            password: Some(&account.password),
            challenge: challenge.as_ref(),
            device: &device,
        };
        if self.order.profile.endpoints.send_otp.get().is_some() {
            let _ = self.backend.send_otp(answering).await;
        }
        self.refuse_a_wrong_code(answering).await?;
        self.ask_for_another(answering).await?;
        self.answer_rightly(account, answering).await
    }

    async fn refuse_a_wrong_code(&mut self, answering: Answering<'_>) -> Step {
        self.stop.check()?;
        self.masks.hide(WRONG, "code");
        let mark = self.witness.count();
        let answer = self
            .backend
            .verify_otp(answering, &Secret::new(WRONG))
            .await;
        let answer = self.ledger.unbroken(answer, answering.device);
        let Heard { seen, sent, got } = self.heard(mark);
        let finding = match answer {
            Err(error) if error.code == ErrorCode::OtpInvalid => Finding::yes(sent, got),
            Err(error) if error.code == ErrorCode::Unsupported => {
                Finding::not_tried("by this profile there is no place to send a code to")
            }
            Err(error) => self.told(&seen, &error).advise(
                Side::Backend,
                "a wrong code is 400 or 401 with OTP_INVALID: the person may try again",
            ),
            Ok(_) => Finding::no(sent, format!("{got}: taken"))
                .advise(Side::Backend, "take no code but the one that was sent"),
        };
        self.set("otp_wrong", finding);
        Ok(())
    }

    async fn ask_for_another(&mut self, answering: Answering<'_>) -> Step {
        self.stop.check()?;
        let mark = self.witness.count();
        let answer = self.backend.resend_otp(answering).await;
        let Heard { seen, sent, got } = self.heard(mark);
        let finding = match answer {
            Ok(()) => Finding::yes(sent, got),
            Err(error) if error.code == ErrorCode::Unsupported => {
                Finding::not_tried("by this profile there is none, which is fine")
            }
            Err(error) if error.code == ErrorCode::RateLimited => match error.retry_after_ms {
                Some(wait) => Finding::yes(sent, format!("{got}, again in {} s", wait / 1000)),
                None => Finding::no(sent, format!("{got}, without Retry-After")).advise(
                    Side::Backend,
                    "send Retry-After with a 429: the app counts it down beside the button",
                ),
            },
            Err(error) => self.told(&seen, &error),
        };
        self.set("otp_resend", finding);
        Ok(())
    }

    async fn answer_rightly(&mut self, account: &Account, answering: Answering<'_>) -> Step {
        self.desk
            .progress(&format!("asking for the code of {}", account.email));
        let (desk, email) = (self.desk.clone(), account.email.clone());
        let asked = tokio::task::spawn_blocking(move || desk.code(&email));
        let Ok(Some(code)) = self.stop.race(asked).await? else {
            self.sheet.skip(&["otp_right"], "no code was given");
            return Ok(());
        };
        self.masks.hide(code.secret(), "code");
        let mark = self.witness.count();
        let answer = self.backend.verify_otp(answering, &code).await;
        let answer = self.ledger.unbroken(answer, answering.device);
        let Heard { seen, sent, got } = self.heard(mark);
        let device = answering.device.clone();
        let finding = match answer {
            Ok(SignIn::Granted(grant)) => {
                self.ledger.open(*grant, device);
                Finding::yes(sent, got)
            }
            Ok(SignIn::Nameless(nameless)) => {
                let access = nameless.access.clone();
                self.ledger.note(nameless.token.clone(), access, &device);
                told::refused(
                    seen.last(),
                    &nameless.error,
                    &self.order.profile,
                    &self.masks,
                )
            }
            Ok(_) => Finding::no(sent, got).advise(
                Side::Backend,
                "answer a right code with {user, tokens} and the cookie",
            ),
            Err(error) if error.code == ErrorCode::OtpInvalid => Finding::unclear(
                sent,
                format!("{got}: mistyped, or the backend took another"),
            ),
            Err(error) => self.told(&seen, &error),
        };
        self.set("otp_right", finding);
        Ok(())
    }
}
