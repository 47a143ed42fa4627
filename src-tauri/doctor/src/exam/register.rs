//! A new account, where someone has named an address for it.

use vestibule_core::backend::SignIn;
use vestibule_core::error::ErrorCode;
use vestibule_core::wire::RegisterInput;

use super::{Exam, Heard, Step, told};
use crate::row::{Finding, Side};

const ROWS: [&str; 2] = ["register", "register_taken"];

impl Exam<'_> {
    /// Makes it, and tries to make it again.
    pub(super) async fn make_an_account(&mut self, address: &str) -> Step {
        self.stop.check()?;
        if self.order.profile.endpoints.register.get().is_none() {
            self.sheet
                .skip(&ROWS, "by this profile there is no registration");
            return Ok(());
        }
        self.desk
            .progress(&format!("making an account for {address}"));
        // Letters of both cases, a digit and a sign: what rules usually ask for.
        let password = format!("Vd-1{}", uuid::Uuid::new_v4().simple());
        self.masks.hide(&password, "password");
        let input = || RegisterInput::new("Vestibule Doctor", address, &password);
        let device = Self::new_device();
        let mark = self.witness.count();
        let answer = self.backend.register(&input(), &device).await;
        let answer = self.ledger.unbroken(answer, &device);
        let Heard { seen, sent, got } = self.heard(mark);
        let finding = match answer {
            Ok(SignIn::Granted(grant)) => {
                self.ledger.open(*grant, device);
                Finding::yes(sent, format!("{got}: signed in"))
            }
            Ok(SignIn::Nameless(nameless)) => {
                self.ledger.keep(&nameless, &device);
                told::refused(
                    seen.last(),
                    &nameless.error,
                    &self.order.profile,
                    &self.masks,
                )
            }
            Ok(SignIn::OtpRequired { .. }) => {
                Finding::yes(sent, format!("{got}: a code is wanted"))
            }
            Ok(SignIn::Accepted) => {
                Finding::yes(sent, format!("{got}: accepted; now sign in or verify"))
            }
            Err(error) => self.told(&seen, &error),
        };
        let made = finding.holds == crate::row::Holds::Yes;
        self.set("register", finding);
        if !made {
            self.sheet
                .skip(&["register_taken"], "the account could not be made");
            return Ok(());
        }
        self.notes
            .push(format!("The account {address} was made and remains."));
        self.stop.check()?;
        let device = Self::new_device();
        let mark = self.witness.count();
        let answer = self.backend.register(&input(), &device).await;
        let answer = self.ledger.unbroken(answer, &device);
        let Heard { seen, sent, got } = self.heard(mark);
        let finding = match answer {
            Err(error) if error.code == ErrorCode::EmailTaken => Finding::yes(sent, got),
            Ok(SignIn::Accepted | SignIn::OtpRequired { .. }) => Finding::yes(
                sent,
                format!("{got}: as for a new one, which tells nobody anything"),
            ),
            Ok(SignIn::Granted(grant)) => {
                self.ledger.open(*grant, device);
                Finding::no(sent, format!("{got}: signed in again"))
                    .advise(Side::Backend, "refuse an e-mail that is taken with 409")
            }
            Ok(SignIn::Nameless(_)) => Finding::no(sent, got)
                .advise(Side::Backend, "refuse an e-mail that is taken with 409"),
            Err(error) if error.code == ErrorCode::InvalidInput => Finding::no(sent, got)
                .advise(Side::Backend, "say it as 409, or with the code EMAIL_TAKEN")
                .advise(
                    Side::Profile,
                    "or say which answer means it: [[errors]] on = \"register\", status, code or \
                     pointer and equals, is = \"email_taken\"",
                ),
            Err(error) => self.told(&seen, &error),
        };
        self.set("register_taken", finding);
        Ok(())
    }
}
