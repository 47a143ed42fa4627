//! Signing in with a password, and what that gives: a user, an access token, a refresh token.

use std::time::Duration;

use serde_json::Value;
use vestibule_core::backend::{Exchange, invented_token};
use vestibule_core::reading;
use vestibule_core::wire::LoginInput;
use vestibule_core::{AuthError, ErrorCode, RefreshChange, RefreshCookie, Secret, token_lifetime};

use super::{Judged, NotTried, Observations, Obstruction, Probe, advice};
use crate::answered::Answered;
use crate::client::{Client, NewSession, SignInAnswer};
use crate::date;
use crate::finding::{Finding, Side};
use crate::open_sessions::SessionId;
use crate::plan::{Account, Plan};
use crate::shape;
use crate::shown::Shown;
use crate::stop::Stopped;
use crate::suggest::{self, Suggestion};

/// Two forms of one expiry agree where they differ by no more than this.
const EXPIRY_TOLERANCE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(crate) struct SignIns {
    empty: Probe<Answered<SignInAnswer>>,
    wrong_password: Probe<Answered<SignInAnswer>>,
    right: Probe<Answered<SignInAnswer>>,
}

impl SignIns {
    pub(crate) fn was_tried(&self) -> bool {
        self.right.result().is_ok()
    }

    /// Whether the backend has let the account in.
    pub(crate) fn gave_a_session(&self) -> bool {
        let result = self.right.result().map(|answer| &answer.result);
        matches!(
            result,
            Ok(SignInAnswer::Session(_) | SignInAnswer::Nameless(_))
        )
    }

    /// The new session and the first exchange of its sign-in.
    fn session(&self) -> Result<(&NewSession, &Exchange, &str), NotTried> {
        let answer = self.right.result()?;
        match (&answer.result, answer.exchange()) {
            (SignInAnswer::Session(session), Some(first)) => Ok((session, first, answer.sent())),
            _ => Err(NotTried::NotRun),
        }
    }

    pub(crate) fn access_life(&self) -> Option<Duration> {
        self.session().ok()?.0.access.lifetime
    }
}

/// Signs in with an empty e-mail and password.
pub(crate) async fn sign_in_empty(
    client: &mut Client,
    seen: &mut Observations<'_>,
) -> Result<(), Stopped> {
    client.stop.check()?;
    let input = LoginInput::new("", "");
    let answer = client.login(&input, &Client::new_device()).await;
    seen.sign_in.empty = Probe::done(answer);
    Ok(())
}

/// Whether the backend refuses a token that nobody issued with one of the contract's codes.
pub(crate) async fn speaks_contract(client: &mut Client, plan: &Plan) -> Result<bool, Stopped> {
    client.stop.check()?;
    let token = invented_token(&plan.profile);
    let answer = client.renew(&token, None, &Client::new_device()).await;
    let body = answer.body().unwrap_or_default();
    let code = body.get("code").and_then(Value::as_str);
    let mut rules = plan.profile.ends.iter();
    Ok(code.is_some() && rules.any(|rule| rule.code.as_deref() == code))
}

/// Tries one wrong password. The right one follows and resets the backend's count of failures.
pub(crate) async fn sign_in_wrongly(
    client: &mut Client,
    seen: &mut Observations<'_>,
    account: &Account,
) -> Result<(), Stopped> {
    if client.wrong_tries.is_used_up() {
        let why = "three sign-ins of this account were wrong already";
        seen.sign_in.wrong_password = Probe::skipped(why);
        return Ok(());
    }
    client.begin("trying one wrong password")?;
    client.wrong_tries.count();
    let wrong = format!("wrong-{}", uuid::Uuid::new_v4().simple());
    client.masks.hide(&wrong, "password");
    let input = LoginInput::new(&account.email, wrong);
    let answer = client.login(&input, &Client::new_device()).await;
    seen.sign_in.wrong_password = Probe::done(answer);
    Ok(())
}

/// Signs in; all later probes need the session. Where the answer is not understood, looks for a
/// profile that understands it.
pub(crate) async fn sign_in(
    client: &mut Client,
    seen: &mut Observations<'_>,
    account: &Account,
) -> Result<Option<SessionId>, Stopped> {
    client.begin(&format!("signing in as {}", account.email))?;
    let answer = client
        .login(&account.credentials(), &Client::new_device())
        .await;
    let session = match &answer.result {
        SignInAnswer::Session(new) => Some(new.id),
        _ => None,
    };
    if session.is_some() && seen.suggestion == Suggestion::None {
        let profile = Shown::line(&seen.plan.profile.name);
        seen.suggestion = Suggestion::Fits { profile };
    }
    seen.stopped_at = obstruction(&answer.result);
    seen.notes.extend(note(&answer.result, &account.email));
    let is_misunderstood =
        matches!(&answer.result, SignInAnswer::Refused(error) if !says_nothing(error));
    seen.sign_in.right = Probe::done(answer);
    if is_misunderstood && !seen.plan.is_guess {
        let given = &seen.plan.profile;
        let found = suggest::find(client, given, account, &seen.plan.hints).await?;
        seen.suggestion = match found {
            Ok(found) => found.suggestion(),
            Err(what) => Suggestion::Missing {
                what: Shown::line(&what),
            },
        };
    }
    Ok(session)
}

/// Why the examination cannot go on after this answer.
fn obstruction(answer: &SignInAnswer) -> Option<Obstruction> {
    let (why, not_examined) = match answer {
        SignInAnswer::Session(_) => return None,
        SignInAnswer::Nameless(_) => (
            "the answer to the sign-in does not say who signed in",
            false,
        ),
        SignInAnswer::CodeNeeded { .. } => (
            "the sign-in was not completed: the account needs a code",
            true,
        ),
        SignInAnswer::Accepted => ("the sign-in gave no session", false),
        SignInAnswer::Refused(error) => ("the sign-in failed", says_nothing(error)),
    };
    Some(Obstruction { why, not_examined })
}

/// Why the backend was not examined, for the end of the report.
fn note(answer: &SignInAnswer, email: &str) -> Option<String> {
    match answer {
        SignInAnswer::CodeNeeded { .. } => {
            Some(format!("The sign-in was not examined: {NEEDS_CODE}."))
        }
        SignInAnswer::Refused(error) if error.code == ErrorCode::InvalidCredentials => Some(
            format!("The backend refuses {email}, so nothing after the sign-in was tried."),
        ),
        SignInAnswer::Refused(error) if says_nothing(error) => {
            Some("The sign-in could not be made, so nothing after it was tried.".into())
        }
        _ => None,
    }
}

const NEEDS_CODE: &str = "this account needs a code: name it with --otp-email, and with --email \
                          one that signs in with its password alone";

/// Whether a refusal is about this account or this moment, and not about how the backend answers.
fn says_nothing(error: &AuthError) -> bool {
    matches!(
        error.code,
        ErrorCode::InvalidCredentials
            | ErrorCode::RateLimited
            | ErrorCode::Unreachable
            | ErrorCode::AccountBlocked
            | ErrorCode::AccountLocked
    )
}

pub(crate) fn login_invalid(seen: &Observations<'_>) -> Judged {
    let answer = seen.sign_in.empty.result()?;
    Ok(match &answer.result {
        SignInAnswer::Refused(error) => match error.code {
            ErrorCode::InvalidInput | ErrorCode::InvalidCredentials => answer.yes(),
            _ => advice::refused(answer, error, &seen.plan.profile),
        },
        _ => answer
            .no_because("signed in without an e-mail and a password")
            .advise(
                Side::Backend,
                "refuse an empty e-mail and password with 400 or 422",
            ),
    })
}

pub(crate) fn login_wrong(seen: &Observations<'_>) -> Judged {
    let answer = seen.sign_in.wrong_password.result()?;
    Ok(match &answer.result {
        SignInAnswer::Refused(error) => match error.code {
            ErrorCode::InvalidCredentials => answer.yes(),
            // Neither says anything about wrong passwords.
            ErrorCode::RateLimited | ErrorCode::Unreachable => answer.unclear(),
            // The same request with the right password was understood.
            _ if seen.sign_in.gave_a_session() => advice::not_wrong(answer, &seen.plan.profile),
            _ => advice::refused(answer, error, &seen.plan.profile).advise(
                Side::Backend,
                "answer a wrong password with 401 and JSON, so that the app can say that it is \
                 wrong",
            ),
        },
        SignInAnswer::CodeNeeded { .. } => answer
            .no()
            .advise(Side::Backend, "check the password before asking for a code"),
        SignInAnswer::Session(_) => answer
            .no_because("signed in")
            .advise(Side::Backend, "refuse every wrong password"),
        SignInAnswer::Nameless(_) | SignInAnswer::Accepted => answer
            .no()
            .advise(Side::Backend, "refuse a wrong password with 401"),
    })
}

pub(crate) fn login(seen: &Observations<'_>) -> Judged {
    let answer = seen.sign_in.right.result()?;
    Ok(match &answer.result {
        SignInAnswer::Session(_) | SignInAnswer::Nameless(_) => answer.yes(),
        SignInAnswer::CodeNeeded { .. } => Finding::unclear(answer.sent(), NEEDS_CODE),
        SignInAnswer::Accepted => answer.unclear(),
        SignInAnswer::Refused(error) => advice::refused(answer, error, &seen.plan.profile),
    })
}

pub(crate) fn login_user(seen: &Observations<'_>) -> Judged {
    let answer = seen.sign_in.right.result()?;
    if let SignInAnswer::Nameless(error) = &answer.result {
        return Ok(advice::no_user(answer, error, &seen.plan.profile));
    }
    let (NewSession { user, .. }, _, sent) = seen.sign_in.session()?;
    let mut has = vec!["an id"];
    has.extend((user.name != user.email).then_some("a name"));
    has.extend((!user.email.is_empty()).then_some("an e-mail"));
    has.extend((!user.roles.is_empty()).then_some("roles"));
    Ok(Finding::yes(sent, has.join(", ")))
}

pub(crate) fn login_token(seen: &Observations<'_>) -> Judged {
    let (NewSession { token, .. }, _, sent) = seen.sign_in.session()?;
    let place = match token.body() {
        Some(_) => "in the body",
        None => "in a cookie",
    };
    let got = match token.expires() {
        Some(end) => format!("{place}, until {}", end.date()),
        None => format!("{place}, without an end"),
    };
    Ok(Finding::yes(sent, got))
}

pub(crate) fn login_expiry(seen: &Observations<'_>) -> Judged {
    let (NewSession { access, .. }, _, sent) = seen.sign_in.session()?;
    Ok(match (access.lifetime, &access.token) {
        (Some(lifetime), _) => Finding::yes(sent, format!("{} from receipt", span(lifetime))),
        (None, None) => Finding::not_tried("there is no access token: cookies carry the session"),
        (None, Some(_)) => Finding::no(
            sent,
            "the answer does not say how long the access token lasts",
        )
        .advise(Side::Backend, "say it as tokens.expiresIn, in seconds")
        .advise(
            Side::Profile,
            "or say in answer.login.expires where it stands; { as = \"jwt_exp\" } reads it from a \
             JWT",
        ),
    })
}

pub(crate) fn expiry_agrees(seen: &Observations<'_>) -> Judged {
    let (NewSession { access, .. }, first, sent) = seen.sign_in.session()?;
    let body = shape::body(first).unwrap_or_default();
    let now = date::sent_at(first);
    let token = access.token.as_ref().map(Secret::secret);
    let forms = &seen.plan.profile.answer.login.expires;
    let lives: Vec<Duration> = (forms.iter())
        .filter_map(|form| token_lifetime(std::slice::from_ref(form), &body, token, now))
        .collect();
    Ok(match lives.iter().max().zip(lives.iter().min()) {
        Some((most, least)) if lives.len() > 1 => {
            let apart = *most - *least;
            if apart <= EXPIRY_TOLERANCE {
                Finding::yes(sent, format!("within {} s", apart.as_secs()))
            } else {
                Finding::no(sent, format!("{} apart", span(apart))).advise(
                    Side::Backend,
                    "count all of them from the same moment; the app uses expiresIn, counted from \
                     receipt",
                )
            }
        }
        _ => Finding::not_tried("the answer says it in one form only"),
    })
}

pub(crate) fn cookie(seen: &Observations<'_>) -> Judged {
    let profile = &seen.plan.profile;
    let (NewSession { token, .. }, first, _) = seen.sign_in.session()?;
    if token.body().is_some() {
        return Ok(Finding::not_tried("the refresh token travels in the body"));
    }
    let lines = first.headers.get_all("set-cookie").iter();
    let mut lines = lines.map(reading::header_text);
    // The one that the app has kept: others of its name may be deletions.
    let now = date::sent_at(first).into();
    let is_kept = |line: &str| {
        let names = &profile.cookies.refresh;
        let change = RefreshCookie::from_line(line, &profile.backend, names, now);
        matches!(change, Some(RefreshChange::Set(_)))
    };
    let Some(line) = lines.rfind(|line| is_kept(line)) else {
        return Err(NotTried::NotRun);
    };
    let name = shape::cookie_name(&line);
    let attributes: Vec<&str> = line.split(';').skip(1).map(str::trim).collect();
    let has = |wanted: &str| shape::has_attribute(&line, wanted);
    let got = format!("{name}: {}", attributes.join("; "));
    let mut missing = Vec::new();
    if !has("HttpOnly") {
        missing.push("add HttpOnly: no page needs to read the cookie");
    }
    if profile.backend.scheme() == "https" && !has("Secure") {
        missing.push("add Secure: the cookie must never travel in the clear");
    }
    if missing.is_empty() {
        return Ok(Finding::yes("the sign-in", got));
    }
    let no = Finding::no("the sign-in", got);
    let advise = |no: Finding, text| no.advise(Side::Backend, text);
    Ok(missing.into_iter().fold(no, advise))
}

/// A duration in the largest unit that still says it well.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 2 * 3600 => format!("{} min", seconds / 60),
        seconds if seconds < 48 * 3600 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
