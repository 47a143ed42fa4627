//! One-time codes: the sign-in that needs one, a wrong code, another code, the right code.

use vestibule_core::backend::OtpContext;
use vestibule_core::reading;
use vestibule_core::wire::CodeMethod;
use vestibule_core::{AuthError, ErrorCode, Secret};

use super::{Judged, Observations, Probe, advice};
use crate::answered::Answered;
use crate::client::{Client, SignInAnswer};
use crate::finding::{Finding, Side};
use crate::plan::Account;
use crate::stop::Stopped;

/// The chance that this is the right code is one in a million.
const WRONG: &str = "000000";

#[derive(Default)]
pub(crate) struct Codes {
    sign_in: Probe<Answered<SignInAnswer>>,
    wrong: Probe<Answered<SignInAnswer>>,
    another: Probe<Answered<Result<(), AuthError>>>,
    right: Probe<Answered<SignInAnswer>>,
}

/// Signs in to an account that needs a code, with a wrong code before the right one.
pub(crate) async fn sign_in_with_code(
    client: &mut Client,
    seen: &mut Observations<'_>,
    account: &Account,
) -> Result<(), Stopped> {
    let codes = &mut seen.codes;
    client.begin(&format!(
        "signing in as {}, who needs a code",
        account.email
    ))?;
    let device = Client::new_device();
    let answer = client.login(&account.credentials(), &device).await;
    let challenge = match &answer.result {
        SignInAnswer::CodeNeeded { methods, challenge } => {
            // The core gives no challenge without a method.
            methods.first().map(|method| (*method, challenge.clone()))
        }
        _ => None,
    };
    codes.sign_in = Probe::done(answer);
    let Some((method, challenge)) = challenge else {
        let why = "the sign-in asked for no code";
        codes.wrong = Probe::skipped(why);
        codes.another = Probe::skipped(why);
        codes.right = Probe::skipped(why);
        return Ok(());
    };
    let challenge = OtpContext {
        identifier: &account.email,
        password: Some(&account.password),
        challenge: challenge.as_ref(),
        device: &device,
    };
    let is_sent = method == CodeMethod::Otp;
    if is_sent && seen.plan.profile.endpoints.send_otp.get().is_some() {
        let _ = client.send_code(challenge).await;
    }

    client.stop.check()?;
    client.masks.hide(WRONG, "code");
    let wrong = Secret::new(WRONG);
    codes.wrong = Probe::done(client.verify_code(challenge, method, &wrong).await);

    client.stop.check()?;
    codes.another = match is_sent {
        true => Probe::done(client.resend_code(challenge).await),
        false => Probe::skipped("this account's codes are not sent"),
    };

    let email = account.email.clone();
    let prompter = client.prompter.clone();
    prompter.progress(&format!("asking for the code of {email}"));
    let typed = tokio::task::spawn_blocking(move || prompter.code(&email));
    codes.right = match client.stop.race(typed).await? {
        Ok(Some(code)) => {
            client.masks.hide(code.secret(), "code");
            Probe::done(client.verify_code(challenge, method, &code).await)
        }
        _ => Probe::skipped("no code was given"),
    };
    Ok(())
}

pub(crate) fn otp_wanted(seen: &Observations<'_>) -> Judged {
    let answer = seen.codes.sign_in.result()?;
    Ok(match &answer.result {
        SignInAnswer::CodeNeeded { .. } if gives_session(answer, seen) => {
            answer.no_because("a session before the code").advise(
                Side::Backend,
                "set the refresh cookie only after the right code",
            )
        }
        SignInAnswer::CodeNeeded { .. } => answer.yes(),
        SignInAnswer::Session(_) => answer
            .no_because("signed in without a code")
            .advise(Side::You, "name an account that has a second factor")
            .advise(
                Side::Backend,
                "answer {otpRequired: true, email} without a session",
            ),
        SignInAnswer::Nameless(_) | SignInAnswer::Accepted => answer.unclear(),
        SignInAnswer::Refused(error) => advice::refused(answer, error, &seen.plan.profile).advise(
            Side::Profile,
            "if this is how the backend asks for a code, say so in otp.wanted",
        ),
    })
}

/// Whether the answer already sets a refresh cookie.
fn gives_session(answer: &Answered<SignInAnswer>, seen: &Observations<'_>) -> bool {
    let names = &seen.plan.profile.cookies.refresh;
    answer.exchange().is_some_and(|exchange| {
        exchange.headers.get_all("set-cookie").iter().any(|line| {
            let line = reading::header_text(line);
            let pair = line.split(';').next();
            let pair = pair.and_then(|pair| pair.split_once('='));
            pair.is_some_and(|(name, value)| {
                !value.is_empty() && names.iter().any(|one| one == name.trim())
            })
        })
    })
}

pub(crate) fn otp_wrong(seen: &Observations<'_>) -> Judged {
    let answer = seen.codes.wrong.result()?;
    Ok(match &answer.result {
        SignInAnswer::Refused(error) => match error.code {
            ErrorCode::OtpInvalid => answer.yes(),
            ErrorCode::Unsupported => {
                Finding::not_tried("the profile has no endpoint that takes a code")
            }
            _ => advice::refused(answer, error, &seen.plan.profile).advise(
                Side::Backend,
                "answer a wrong code with 400 or 401 and OTP_INVALID, so that the person may try \
                 again",
            ),
        },
        _ => answer
            .no_because("accepted")
            .advise(Side::Backend, "accept no code but the one that was sent"),
    })
}

pub(crate) fn otp_resend(seen: &Observations<'_>) -> Judged {
    let answer = seen.codes.another.result()?;
    let Err(error) = &answer.result else {
        return Ok(answer.yes());
    };
    let (sent, got) = (answer.sent(), answer.got());
    Ok(match (error.code, error.retry_after_ms) {
        (ErrorCode::Unsupported, _) => {
            Finding::not_tried("the profile has no endpoint that sends another, which is fine")
        }
        (ErrorCode::RateLimited, Some(wait)) => {
            Finding::yes(sent, format!("{got}, again in {} s", wait / 1000))
        }
        (ErrorCode::RateLimited, None) => Finding::no(sent, format!("{got}, without Retry-After"))
            .advise(
                Side::Backend,
                "send Retry-After with a 429: the app counts it down beside the button",
            ),
        _ => advice::refused(answer, error, &seen.plan.profile),
    })
}

pub(crate) fn otp_right(seen: &Observations<'_>) -> Judged {
    let answer = seen.codes.right.result()?;
    Ok(match &answer.result {
        SignInAnswer::Session(_) => answer.yes(),
        SignInAnswer::Nameless(error) => advice::no_user(answer, error, &seen.plan.profile),
        SignInAnswer::CodeNeeded { .. } | SignInAnswer::Accepted => answer.no().advise(
            Side::Backend,
            "answer the right code with {user, tokens} and the cookie",
        ),
        SignInAnswer::Refused(error) if error.code == ErrorCode::OtpInvalid => {
            answer.unclear_because("mistyped, or the backend expects another code")
        }
        SignInAnswer::Refused(error) => advice::refused(answer, error, &seen.plan.profile),
    })
}
