//! The examination: what is asked of the backend, in which order, and what each answer says
//! about which row. All of it goes through the core's own client, so that an answer is judged
//! as the app would judge it.

mod codes;
mod connection;
mod devices;
mod discover;
mod ending;
mod limits;
mod ours;
mod register;
mod renew;
mod replay;
mod seen;
mod sign_in;
mod told;
mod window;

use std::sync::Arc;
use std::time::Duration;

use vestibule_core::backend::{Backend, Exchange, SignIn, Witness};
use vestibule_core::device::Device;
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_core::transport::HttpTransport;
use vestibule_core::wire::LoginInput;

use crate::ledger::{Ledger, Session};
use crate::mask::Masks;
use crate::order::{Account, Desk, Order};
use crate::report::{Counts, Measured, Outcome, Report, SCHEMA};
use crate::row::{Finding, Holds, Sheet};
use crate::shape;
use crate::stop::{Stop, Stopped};
use crate::suggest::Suggestion;

/// What the doctor is called in the backend's list of devices.
pub const PRODUCT: &str = concat!("Vestibule doctor ", env!("CARGO_PKG_VERSION"));
/// The longest that a `Retry-After` is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(90);

/// Either done, or someone has had enough.
type Step = Result<(), Stopped>;

/// An examination under way.
struct Exam<'a> {
    order: &'a Order,
    desk: Arc<dyn Desk>,
    stop: Stop,
    transport: Arc<HttpTransport>,
    backend: Backend,
    witness: Witness,
    ledger: Ledger,
    sheet: Sheet,
    masks: Masks,
    measured: Measured,
    suggestion: Suggestion,
    notes: Vec<String>,
    /// Why it makes no sense to go on.
    hopeless: bool,
}

/// What went over the wire for one question, and in words.
struct Heard {
    seen: Vec<Exchange>,
    sent: String,
    got: String,
}

/// Examines a backend. Whatever was signed in is signed out before this returns, also after
/// `stop`.
///
/// # Errors
/// If no HTTP client can be made on this machine.
pub async fn examine(order: &Order, desk: Arc<dyn Desk>, stop: Stop) -> Result<Report, AuthError> {
    let mut exam = Exam::begin(order, desk, stop)?;
    let stopped = exam.run().await.is_err();
    exam.end(stopped).await
}

/// The same, with the secrets that were seen: for a test that searches for them.
///
/// # Errors
/// As [`examine`].
pub async fn examine_and_keep(
    order: &Order,
    desk: Arc<dyn Desk>,
    stop: Stop,
) -> Result<(Report, Witness), AuthError> {
    let mut exam = Exam::begin(order, desk, stop)?;
    let witness = exam.witness.clone();
    let stopped = exam.run().await.is_err();
    Ok((exam.end(stopped).await?, witness))
}

impl<'a> Exam<'a> {
    fn begin(order: &'a Order, desk: Arc<dyn Desk>, stop: Stop) -> Result<Self, AuthError> {
        let witness = Witness::default();
        let address = &order.profile.backend;
        let transport = HttpTransport::through(order.network.clone(), address, PRODUCT)?;
        let transport = Arc::new(transport);
        let backend = Backend::over(order.profile.clone(), transport.clone());
        let backend = backend.watched_by(witness.clone());
        let mut masks = Masks::default();
        for account in [&order.account, &order.otp_account].into_iter().flatten() {
            masks.hide(account.password.secret(), "password");
        }
        Ok(Self {
            order,
            desk,
            stop,
            transport,
            backend,
            witness,
            ledger: Ledger::default(),
            sheet: Sheet::default(),
            masks,
            measured: Measured::default(),
            suggestion: Suggestion::None,
            notes: Vec::new(),
            hopeless: false,
        })
    }

    async fn run(&mut self) -> Step {
        self.look_at_the_connection().await?;
        if self.hopeless {
            return Ok(());
        }
        self.refuse_nothing_typed().await?;
        self.refuse_an_unknown_token().await?;
        self.look_at_our_side();
        let Some(account) = &self.order.account else {
            return Ok(());
        };
        self.refuse_a_wrong_password(account).await?;
        let Some(mut session) = self.sign_in_first(account).await? else {
            return Ok(());
        };
        self.renew_first(&mut session).await?;
        self.list_sessions(&session).await?;
        if let Some(account) = &self.order.otp_account {
            self.ask_for_codes(account).await?;
        }
        if self.order.allowed.replay {
            self.replay_old_tokens(account).await?;
            self.come_from_another_device(account).await?;
        }
        if self.order.allowed.revoke {
            self.end_one_session(account, &session).await?;
        }
        if self.order.allowed.logout_all {
            self.end_all_sessions(account).await?;
            // The first session is over too, where that works: a new one is to be signed out.
            if let Some(another) = self.another_session(account, &["logout"]).await? {
                session.is_over();
                session = another;
            }
        }
        self.sign_out(session).await?;
        if let Some(address) = &self.order.register {
            self.make_an_account(address).await?;
        }
        if self.order.allowed.limits {
            self.refresh_until_refused(account).await?;
            self.fail_until_refused().await?;
        }
        Ok(())
    }

    async fn end(mut self, stopped: bool) -> Result<Report, AuthError> {
        if !self.ledger.is_settled() {
            self.desk.progress("signing out what was signed in");
        }
        let left = self.ledger.sign_out_all(&self.backend, &self.witness).await;
        if left > 0 {
            self.notes.push(format!(
                "The backend has not confirmed the end of {left} of the doctor's own sessions: they \
                 may be alive until their tokens expire."
            ));
        }
        self.judge_what_was_seen();
        if self.order.account.is_none() && !self.hopeless {
            let note =
                "Nobody signed in, so most rows were not tried: name an account with --email.";
            self.notes.push(note.into());
        }
        let rows = self.sheet.rows();
        let counts = Counts::of(&rows);
        let mut all = rows.iter();
        let has_signed_in = all.any(|row| row.id == "login" && row.holds == Holds::Yes);
        let outcome = match () {
            () if stopped => Outcome::Interrupted,
            () if self.hopeless => Outcome::NotExamined,
            () if counts.fail > 0 => Outcome::DoesNotFit,
            // A CI job that has lost its account must not stay green.
            () if !has_signed_in => Outcome::NotExamined,
            () => Outcome::Fits,
        };
        let report = Report {
            schema: SCHEMA,
            doctor: env!("CARGO_PKG_VERSION"),
            backend: self.order.profile.backend.to_string(),
            profile: self.order.profile.name.clone(),
            profile_from: self.order.places.clone(),
            policy: self.order.policy.clone(),
            outcome,
            notes: self.notes,
            counts,
            measured: self.measured,
            rows,
            suggestion: self.suggestion,
        };
        Ok(report.masked(&self.masks))
    }

    /// What went over the wire since `mark`; the secrets in it are known from here on.
    fn seen(&mut self, mark: usize) -> Vec<Exchange> {
        let seen = self.witness.since(mark);
        for exchange in &seen {
            self.masks.learn(exchange, &self.order.profile);
        }
        seen
    }

    /// The same, and in words what the first of them sent and what came back.
    fn heard(&mut self, mark: usize) -> Heard {
        let seen = self.seen(mark);
        let (sent, got) = match seen.first() {
            Some(first) => (shape::sent(first), shape::got(first, &self.masks)),
            None => (String::new(), "nothing was sent".into()),
        };
        Heard { seen, sent, got }
    }

    /// A device of the doctor's own; each session has one.
    fn new_device() -> Device {
        Device::unrecorded(PRODUCT)
    }

    fn credentials(account: &Account) -> LoginInput {
        LoginInput::new(&account.email, account.password.secret())
    }

    /// A session more of the account; where there is none, `rows` say why.
    async fn another_session(
        &mut self,
        account: &Account,
        rows: &[&'static str],
    ) -> Result<Option<Session>, Stopped> {
        self.stop.check()?;
        let device = Self::new_device();
        let input = Self::credentials(account);
        let mark = self.witness.count();
        let answer = self.backend.login(&input, &device).await;
        let mut answer = self.ledger.unbroken(answer, &device);
        if let Err(error) = &answer
            && let Some(wait) = patience_for(error)
        {
            let seconds = wait.as_secs();
            self.desk
                .progress(&format!("waiting {seconds} s, as the backend asks"));
            self.stop.sleep(wait).await?;
            let again = self.backend.login(&input, &device).await;
            answer = self.ledger.unbroken(again, &device);
        }
        let Heard { got, .. } = self.heard(mark);
        Ok(match answer {
            Ok(SignIn::Granted(grant)) => Some(self.ledger.open(*grant, device)),
            Ok(SignIn::Nameless(nameless)) => {
                self.ledger.keep(&nameless, &device);
                self.sheet
                    .skip(rows, "another sign-in did not tell who it is");
                None
            }
            Ok(SignIn::OtpRequired { .. }) => {
                self.sheet
                    .skip(rows, "each further sign-in of this account wants a code");
                None
            }
            Ok(SignIn::Accepted) | Err(_) => {
                let why = format!("another sign-in was refused: {got}");
                self.sheet.skip(rows, &why);
                None
            }
        })
    }

    fn set(&mut self, id: &'static str, finding: Finding) {
        self.sheet.set(id, finding);
    }
}

/// How long to wait for another try, where that is not too long.
fn patience_for(error: &AuthError) -> Option<Duration> {
    let asked = error
        .retry_after_ms
        .filter(|_| error.code == ErrorCode::RateLimited)?;
    // A little more: their clock and ours round differently.
    let wait = Duration::from_millis(asked) + Duration::from_millis(500);
    (wait <= LONGEST_WAIT).then_some(wait)
}
