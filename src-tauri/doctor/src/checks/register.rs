//! A new account, where the command line names an address for it.

use vestibule_core::ErrorCode;
use vestibule_core::wire::RegisterInput;

use super::{Judged, Observations, Probe, advice};
use crate::answered::Answered;
use crate::client::{Client, SignInAnswer};
use crate::finding::Side;
use crate::stop::Stopped;

#[derive(Default)]
pub(crate) struct Registrations {
    first: Probe<Answered<SignInAnswer>>,
    second: Probe<Answered<SignInAnswer>>,
}

/// Makes an account, and tries to make it again.
pub(crate) async fn register_twice(
    client: &mut Client,
    seen: &mut Observations<'_>,
    address: &str,
) -> Result<(), Stopped> {
    client.stop.check()?;
    let registrations = &mut seen.register;
    if seen.plan.profile.endpoints.register.get().is_none() {
        let why = "the profile has no registration";
        registrations.first = Probe::skipped(why);
        registrations.second = Probe::skipped(why);
        return Ok(());
    }
    client
        .prompter
        .progress(&format!("making an account for {address}"));
    // Letters of both cases, a digit and a sign, as rules for passwords usually ask.
    let password = format!("Vd-1{}", uuid::Uuid::new_v4().simple());
    client.masks.hide(&password, "password");
    let input = RegisterInput::new("Vestibule Doctor", address, &password);
    let answer = client.register(&input, &Client::new_device()).await;
    let is_made = !matches!(
        answer.result,
        SignInAnswer::Nameless(_) | SignInAnswer::Refused(_)
    );
    registrations.first = Probe::done(answer);
    if !is_made {
        registrations.second = Probe::skipped("the account could not be made");
        return Ok(());
    }
    let note = format!("The account {address} was made and remains.");
    seen.notes.push(note);
    client.stop.check()?;
    let answer = client.register(&input, &Client::new_device()).await;
    registrations.second = Probe::done(answer);
    Ok(())
}

pub(crate) fn register(seen: &Observations<'_>) -> Judged {
    let answer = seen.register.first.result()?;
    let profile = &seen.plan.profile;
    Ok(match &answer.result {
        SignInAnswer::Session(_) => answer.yes_because("signed in"),
        SignInAnswer::CodeNeeded { .. } => answer.yes_because("a code is needed"),
        SignInAnswer::Accepted => answer.yes_because("accepted; now sign in or verify"),
        SignInAnswer::Nameless(error) => advice::no_user(answer, error, profile),
        SignInAnswer::Refused(error) => advice::refused(answer, error, profile),
    })
}

pub(crate) fn register_taken(seen: &Observations<'_>) -> Judged {
    let answer = seen.register.second.result()?;
    let refuse = "refuse an e-mail that is taken with 409";
    Ok(match &answer.result {
        SignInAnswer::Accepted | SignInAnswer::CodeNeeded { .. } => {
            answer.yes_because("as for a new one, so that nobody learns who has an account")
        }
        SignInAnswer::Session(_) => answer
            .no_because("signed in again")
            .advise(Side::Backend, refuse),
        SignInAnswer::Nameless(_) => answer.no().advise(Side::Backend, refuse),
        SignInAnswer::Refused(error) => match error.code {
            ErrorCode::EmailTaken => answer.yes(),
            ErrorCode::InvalidInput => answer
                .no()
                .advise(Side::Backend, "answer 409, or the code EMAIL_TAKEN")
                .advise(
                    Side::Profile,
                    "or say which answer means it: [[errors]] on = \"register\", status, code or \
                     pointer and equals, is = \"email_taken\"",
                ),
            _ => advice::refused(answer, error, &seen.plan.profile),
        },
    })
}
