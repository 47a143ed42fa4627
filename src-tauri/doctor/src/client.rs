//! The client that the probes share: the app's own [`Backend`], with every exchange recorded, every
//! secret in it masked, and every session that it opens kept until it is signed out.

mod browser;

use std::sync::Arc;
use std::time::Duration;

use vestibule_core::backend::{
    Backend, BackendError, CodeToVerify, OtpContext, Recorder, RefreshAnswer, ResponseBody,
    SignInFailure, SignInResponse, UndeliveredSignOut,
};
use vestibule_core::profile::Profile;
use vestibule_core::transport::HttpTransport;
use vestibule_core::wire::{CodeMethod, LoginInput, RegisterInput, SignedOutReason, User};
use vestibule_core::{
    AccessToken, AuthError, Device, ErrorCode, RefreshToken, Secret, SessionEntries,
};

use crate::answered::{Answered, Described};
use crate::mask::{Masks, UNMISTAKABLE};
use crate::open_sessions::{OpenSessions, SessionId};
use crate::plan::{Account, Plan};
use crate::prompter::Prompter;
use crate::shape;
use crate::stop::{Stop, Stopped};
use crate::wrong_tries::WrongTries;

/// The doctor's name in the backend's list of devices and in `User-Agent`.
pub(crate) const PRODUCT: &str = concat!("Vestibule doctor ", env!("CARGO_PKG_VERSION"));
/// The doctor waits for no longer `Retry-After` than this.
const LONGEST_WAIT: Duration = Duration::from_secs(90);

/// How the backend answered a sign-in, a registration or a code.
pub(crate) enum SignInAnswer {
    Session(Box<NewSession>),
    /// A session without a user.
    Nameless(AuthError),
    CodeNeeded {
        /// The methods by which it may be given.
        methods: Vec<CodeMethod>,
        challenge: Option<Secret>,
    },
    /// A registration without a session.
    Accepted,
    Refused(AuthError),
}

/// A session as the sign-in gave it out.
pub(crate) struct NewSession {
    pub id: SessionId,
    pub user: User,
    pub token: RefreshToken,
    pub access: AccessToken,
}

/// How the backend answered a refresh.
pub(crate) enum Renewal {
    Renewed {
        token: RefreshToken,
        access: AccessToken,
        user: Option<Box<User>>,
    },
    /// The session is over.
    Ended(SignedOutReason),
    /// The answer says nothing about the session.
    Transient,
}

pub(crate) struct Client {
    backend: Backend,
    transport: Arc<HttpTransport>,
    recorder: Recorder,
    pub masks: Masks,
    pub sessions: OpenSessions,
    pub stop: Stop,
    pub wrong_tries: WrongTries,
    pub prompter: Arc<dyn Prompter>,
}

impl Client {
    /// # Errors
    /// If no HTTP client can be made on this machine.
    pub(crate) fn new(
        plan: &Plan,
        prompter: Arc<dyn Prompter>,
        stop: Stop,
    ) -> Result<Self, AuthError> {
        let recorder = Recorder::default();
        let address = &plan.profile.backend;
        let transport = HttpTransport::with_network(plan.network.clone(), address, PRODUCT)?;
        let transport = Arc::new(transport);
        let backend = Backend::with_transport(plan.profile.clone(), transport.clone());
        let mut masks = Masks::default();
        for account in [&plan.account, &plan.otp_account].into_iter().flatten() {
            masks.hide(account.password.secret(), "password");
        }
        Ok(Self {
            backend: backend.recorded_by(recorder.clone()),
            transport,
            recorder,
            masks,
            sessions: OpenSessions::default(),
            stop,
            wrong_tries: WrongTries::default(),
            prompter,
        })
    }

    pub(crate) fn transport(&self) -> &Arc<HttpTransport> {
        &self.transport
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// From here on examines the same backend by another profile.
    pub(crate) fn use_profile(&mut self, profile: Profile) {
        let backend = Backend::with_transport(profile, self.transport.clone());
        self.backend = backend.recorded_by(self.recorder.clone());
    }

    /// Says what comes next, unless the examination was asked to stop.
    pub(crate) fn begin(&self, what: &str) -> Result<(), Stopped> {
        self.stop.check()?;
        self.prompter.progress(what);
        Ok(())
    }

    /// A device for one session of the doctor.
    pub(crate) fn new_device() -> Device {
        Device::unrecorded(PRODUCT)
    }

    pub(crate) async fn login(
        &mut self,
        input: &LoginInput,
        device: &Device,
    ) -> Answered<SignInAnswer> {
        let mark = self.recorder.count();
        let answer = self.backend.login(input, device).await;
        self.keep(mark, answer, device)
    }

    pub(crate) async fn register(
        &mut self,
        input: &RegisterInput,
        device: &Device,
    ) -> Answered<SignInAnswer> {
        let mark = self.recorder.count();
        let answer = self.backend.register(input, device).await;
        self.keep(mark, answer, device)
    }

    pub(crate) async fn send_code(&self, challenge: OtpContext<'_>) -> Result<(), AuthError> {
        self.backend.send_code(challenge, true).await
    }

    pub(crate) async fn resend_code(
        &mut self,
        challenge: OtpContext<'_>,
    ) -> Answered<Result<(), AuthError>> {
        let mark = self.recorder.count();
        let result = self.backend.send_code(challenge, false).await;
        self.answered(mark, result)
    }

    pub(crate) async fn verify_code(
        &mut self,
        challenge: OtpContext<'_>,
        method: CodeMethod,
        code: &Secret,
    ) -> Answered<SignInAnswer> {
        let mark = self.recorder.count();
        let code = CodeToVerify {
            method,
            code,
            trust_device: false,
        };
        let answer = self.backend.verify_code(challenge, code).await;
        self.keep(mark, answer, challenge.device)
    }

    /// Signs in once more with the account; in words where that gives no session.
    pub(crate) async fn another_session(
        &mut self,
        account: &Account,
    ) -> Result<Result<SessionId, String>, Stopped> {
        self.stop.check()?;
        let device = Self::new_device();
        let input = account.credentials();
        let mut answer = self.login(&input, &device).await;
        let got = answer.got().to_owned();
        if let SignInAnswer::Refused(error) = &answer.result
            && let Some(wait) = short_wait(error)
        {
            let seconds = wait.as_secs();
            self.prompter
                .progress(&format!("waiting {seconds} s, as the backend asks"));
            self.stop.sleep(wait).await?;
            answer = self.login(&input, &device).await;
        }
        Ok(match answer.result {
            SignInAnswer::Session(session) => Ok(session.id),
            SignInAnswer::Nameless(_) => {
                Err("the answer to another sign-in does not say who signed in".into())
            }
            SignInAnswer::CodeNeeded { .. } => {
                Err("each further sign-in of this account needs a code".into())
            }
            SignInAnswer::Accepted | SignInAnswer::Refused(_) => {
                Err(format!("another sign-in was refused: {got}"))
            }
        })
    }

    /// Refreshes with `token`. The caller decides which session the answer belongs to.
    pub(crate) async fn renew(
        &mut self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> Answered<Renewal> {
        self.renew_keeping(token, access, device).await.0
    }

    /// Refreshes a session and keeps its new tokens.
    pub(crate) async fn renew_session(&mut self, id: SessionId) -> Answered<Renewal> {
        let session = self.sessions.get(id).clone();
        let access = session.access;
        let renewed = self.renew_keeping(&session.token, access.as_ref(), &session.device);
        let (answer, kept) = renewed.await;
        match &answer.result {
            Renewal::Renewed { token, access, .. } => {
                self.sessions.renew(id, token.clone(), access);
            }
            Renewal::Ended(_) => self.sessions.end(id),
            // The backend has rotated the token although the rest of its answer is of no use.
            Renewal::Transient => {
                if let Some(token) = kept.filter(|token| !token.is_empty()) {
                    self.sessions.rotate(id, token);
                }
            }
        }
        answer
    }

    /// Also answers the token that the answer leaves, whether the rest of it is of use or not.
    async fn renew_keeping(
        &mut self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> (Answered<Renewal>, Option<RefreshToken>) {
        let mark = self.recorder.count();
        let mut kept = None;
        let renewal = self.refresh(token, access, device, &mut kept).await;
        let renewal = renewal.unwrap_or(Renewal::Transient);
        (self.answered(mark, renewal), kept)
    }

    /// Reads the answer in the order in which a session of the app reads it: the cookies of the
    /// headers, then the token of the body.
    async fn refresh(
        &self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
        kept: &mut Option<RefreshToken>,
    ) -> Result<Renewal, BackendError> {
        let mut head = self.backend.refresh(token, access, device, 1).await?;
        let (status, now) = (head.status(), head.sent_at());
        let mut token = token.clone();
        if status.is_success() {
            token.apply(head.take_refresh_changes());
            *kept = Some(token.clone());
        }
        let body: ResponseBody = head.body().await?;
        if status.is_success() {
            self.backend.take_rotated(&mut token, &body, now);
            *kept = Some(token.clone());
        }
        if status.is_success() && token.is_empty() {
            // The answer has deleted the token.
            return Ok(Renewal::Ended(SignedOutReason::Expired));
        }
        Ok(
            match self.backend.refresh_answer(status, &body, &token, now) {
                RefreshAnswer::Renewed { user, access } => Renewal::Renewed {
                    token,
                    access,
                    user,
                },
                RefreshAnswer::Ended(why) | RefreshAnswer::Refused { why, .. } => {
                    Renewal::Ended(why)
                }
                RefreshAnswer::Transient(_) => Renewal::Transient,
            },
        )
    }

    /// Signs out. The caller decides whether the session is over then.
    pub(crate) async fn sign_out(
        &mut self,
        id: SessionId,
    ) -> Answered<Result<(), UndeliveredSignOut>> {
        let mark = self.recorder.count();
        let session = self.sessions.get(id);
        let access = session.access.as_ref();
        let answer = self.backend.logout(&session.token, access, &session.device);
        let result = answer.await.map(drop);
        self.answered(mark, result)
    }

    /// Signs out every session that is still open. Answers for how many the backend has not
    /// confirmed the end.
    pub(crate) async fn sign_out_all(&mut self) -> usize {
        if !self.sessions.all_over() {
            self.prompter.progress("signing out what was signed in");
        }
        let all = self.sessions.sign_out_all(&self.backend, &self.recorder);
        all.await
    }

    /// Calls the adopter's API as a page would; in words where the profile lets no page do that.
    pub(crate) async fn call(
        &mut self,
        method: &str,
        path: &str,
        id: SessionId,
    ) -> Result<Result<Answered<()>, String>, Stopped> {
        self.stop.check()?;
        let mark = self.recorder.count();
        let session = self.sessions.get(id);
        let (token, access) = (&session.token, session.bearer.as_ref());
        let head = self
            .backend
            .api_once(method, path, access, token, &session.device)
            .await;
        let answer = match head {
            Ok(head) => head.body().await.map(drop).map_err(AuthError::from),
            Err(error) => Err(error),
        };
        if answer.is_err_and(|error| error.code == ErrorCode::PathRefused) {
            let root = path
                .match_indices('/')
                .nth(1)
                .map_or(path, |(at, _)| &path[..at]);
            return Ok(Err(format!(
                "the profile's api.allow does not name {root}, so no page calls it"
            )));
        }
        Ok(Ok(self.answered(mark, ())))
    }

    /// Lists the account's sessions as the app does; in words where the profile has no such list.
    /// Answers nothing where the app could not read the list.
    pub(crate) async fn list_sessions(
        &mut self,
        id: SessionId,
    ) -> Result<Result<Answered<Option<SessionEntries>>, String>, Stopped> {
        self.stop.check()?;
        let mark = self.recorder.count();
        let session = self.sessions.get(id);
        let (access, own) = (session.bearer.as_ref(), session.listed_as.as_ref());
        let listed = self
            .backend
            .list_sessions(access, &session.token, &session.device);
        let read = match listed.await {
            Ok(answer) => self.backend.session_entries(answer, own).await.ok(),
            Err(_) => None,
        };
        // Some backends name a session by its token.
        let listed = read.iter().flat_map(|read| &read.sessions);
        for handle in listed.map(|one| one.handle.secret()) {
            if handle.len() >= UNMISTAKABLE {
                self.masks.hide(handle, "session");
            }
        }
        Ok(self.endpoint_answered("sessions", mark, read))
    }

    /// Ends a session that the list calls `handle`, from the session `by`; in words where the profile has
    /// no such call.
    pub(crate) async fn end_listed(
        &mut self,
        handle: &Secret,
        by: SessionId,
    ) -> Result<Result<Answered<()>, String>, Stopped> {
        self.stop.check()?;
        let mark = self.recorder.count();
        let session = self.sessions.get(by);
        let (access, token) = (session.bearer.as_ref(), &session.token);
        let ended = self
            .backend
            .end_session(handle, access, token, &session.device);
        if let Ok(answer) = ended.await {
            let _ = answer.body().await;
        }
        Ok(self.endpoint_answered("end_session", mark, ()))
    }

    fn endpoint_answered<T>(
        &mut self,
        endpoint: &str,
        mark: usize,
        result: T,
    ) -> Result<Answered<T>, String> {
        match self.recorder.count() == mark {
            true => Err(format!(
                "the profile has no endpoints.{endpoint}, so the app does not offer this"
            )),
            false => Ok(self.answered(mark, result)),
        }
    }

    /// Keeps the session that a sign-in has opened, also where the sign-in failed otherwise.
    fn keep(
        &mut self,
        mark: usize,
        answer: Result<SignInResponse, SignInFailure>,
        device: &Device,
    ) -> Answered<SignInAnswer> {
        let result = match self.keep_failed(answer, device) {
            Ok(SignInResponse::Granted(grant)) => {
                let id = self.sessions.add(grant.token.clone(), None, device);
                self.sessions.renew(id, grant.token.clone(), &grant.access);
                self.sessions.name(id, grant.access.session_id.clone());
                SignInAnswer::Session(Box::new(NewSession {
                    id,
                    user: grant.user,
                    token: grant.token,
                    access: grant.access,
                }))
            }
            Ok(SignInResponse::UnknownUser(unusable)) => {
                self.sessions.add(unusable.token, unusable.access, device);
                SignInAnswer::Nameless(unusable.error)
            }
            Ok(SignInResponse::OtpRequired {
                methods, challenge, ..
            }) => SignInAnswer::CodeNeeded { methods, challenge },
            Ok(SignInResponse::Accepted { access, token }) => {
                if !token.is_empty() {
                    self.sessions.add(token, access, device);
                }
                SignInAnswer::Accepted
            }
            Err(error) => SignInAnswer::Refused(error),
        };
        self.answered(mark, result)
    }

    /// Keeps the session that a failed sign-in has left at the backend.
    pub(crate) fn keep_failed(
        &mut self,
        answer: Result<SignInResponse, SignInFailure>,
        device: &Device,
    ) -> Result<SignInResponse, AuthError> {
        answer.map_err(|failed| {
            if let Some(token) = failed.leftovers {
                self.sessions.add(token, None, device);
            }
            failed.error
        })
    }

    fn answered<T>(&mut self, mark: usize, result: T) -> Answered<T> {
        let exchanges = self.exchanges_since(mark);
        Answered { result, exchanges }
    }

    /// The exchanges since `mark`. Their secrets are masked in all words from here on.
    pub(crate) fn exchanges_since(&mut self, mark: usize) -> Vec<Described> {
        let exchanges = self.recorder.since(mark);
        for exchange in &exchanges {
            self.masks.learn(exchange, self.backend.profile());
        }
        let described = exchanges.into_iter().map(|exchange| Described {
            sent: shape::sent(&exchange),
            got: shape::got(&exchange, &self.masks, &self.backend.profile().backend),
            exchange,
        });
        described.collect()
    }
}

/// How long to wait before another try, where that is short enough.
fn short_wait(error: &AuthError) -> Option<Duration> {
    let asked = error
        .retry_after_ms
        .filter(|_| error.code == ErrorCode::RateLimited)?;
    // Half a second more, because the backend's clock and ours round differently.
    let wait = Duration::from_millis(asked) + Duration::from_millis(500);
    (wait <= LONGEST_WAIT).then_some(wait)
}
