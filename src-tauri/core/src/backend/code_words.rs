//! What a person reads about a code that was not accepted or not sent, in words that are right for its
//! method.

use crate::error::{AuthError, ErrorCode};
use crate::profile::SignInCall;
use crate::published::shown;
use crate::wire::CodeMethod;

/// How many names of methods an error repeats, and how much of each.
const NAMES: usize = 5;
const NAME_LENGTH: usize = 40;

/// The error of a refused code, or of a code that was not sent; `None` where other calls have the same
/// words. `is_known` says that the app knows what the refusal means: by a rule, or by a status that
/// the backend says no more about. Otherwise the backend's own words are shown.
pub(super) fn refused(
    call: SignInCall,
    code: ErrorCode,
    said: Option<&str>,
    is_known: bool,
) -> Option<AuthError> {
    let is_about_code = call.verified().is_some() || call == SignInCall::SendOtp;
    let is_unknown = match code {
        ErrorCode::OtpInvalid | ErrorCode::InvalidInput => !is_known,
        ErrorCode::BadAnswer => true,
        _ => false,
    };
    if let Some(said) = said.filter(|_| is_about_code && is_unknown) {
        return Some(AuthError::with_message(code, says(call, said)));
    }
    let words = words(call.verified()?, code)?;
    Some(AuthError::with_message(code, words))
}

fn says(call: SignInCall, said: &str) -> String {
    let what = match call {
        SignInCall::SendOtp => "No code was sent.",
        _ => "The code was not accepted.",
    };
    format!("{what} The server says: “{said}”.")
}

/// The words for a code of this method; `None` where those of [`ErrorCode::message`] are right.
fn words(method: CodeMethod, code: ErrorCode) -> Option<&'static str> {
    use CodeMethod::{Otp, Recovery, Totp};
    Some(match (code, method) {
        (ErrorCode::OtpInvalid, Totp) => {
            "That code is not right. Your authenticator app shows a new one every half minute: type the \
             one that it shows now."
        }
        (ErrorCode::OtpInvalid, Recovery) => {
            "That recovery code is not right, or it was used before. Check it, or take another one."
        }
        (ErrorCode::OtpExpired, Totp | Recovery) => {
            "This sign-in has taken too long. Sign in again, then type a code."
        }
        (ErrorCode::OtpTooMany, Totp | Recovery) => "Too many wrong codes. Sign in again.",
        (_, Otp | Totp | Recovery) => return None,
    })
}

/// The error of a sign-in whose second factor cannot be given here, and which side can change that.
pub(super) fn no_method(named: &[String]) -> AuthError {
    tracing::warn!(
        count = named.len(),
        "the sign-in fails: the backend wants a second factor by no method that the profile knows. Add \
         what the backend calls it to `otp.codes`, and its endpoint"
    );
    let names: Vec<_> = named.iter().map(|name| shown(name, NAME_LENGTH)).collect();
    let names = names.iter().filter(|name| !name.trim().is_empty());
    let names: Vec<_> = names.take(NAMES).map(|name| format!("“{name}”")).collect();
    let words = match names.as_slice() {
        [] => {
            "The server wants a second factor, and offers no way to give one. The server's operator can \
             change that."
                .to_owned()
        }
        names => format!(
            "The server wants a second factor that this app does not know: {}. Set up another one for \
             your account, or ask the makers of this app.",
            names.join(", ")
        ),
    };
    AuthError::with_message(ErrorCode::Unsupported, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFY: [SignInCall; 3] = [
        SignInCall::VerifyOtp,
        SignInCall::VerifyTotp,
        SignInCall::VerifyRecovery,
    ];

    fn message(call: SignInCall, code: ErrorCode, said: Option<&str>, is_known: bool) -> String {
        let error = refused(call, code, said, is_known).unwrap_or(code.into());
        assert_eq!(error.code, code);
        error.message
    }

    #[test]
    fn only_a_sent_code_expires() {
        let expired = VERIFY.map(|call| message(call, ErrorCode::OtpExpired, None, true));
        assert_eq!(expired[0], ErrorCode::OtpExpired.message());
        assert!(expired[0].contains("The code has expired"));
        for other in &expired[1..] {
            assert!(!other.contains("code has expired"), "{other}");
        }
        let too_many = VERIFY.map(|call| message(call, ErrorCode::OtpTooMany, None, true));
        assert!(too_many[0].contains("new one"));
        assert!(
            !too_many[1].contains("new one"),
            "an app makes its own codes"
        );
    }

    #[test]
    fn the_backend_speaks_where_no_rule_knows_its_code() {
        for call in VERIFY {
            let said = Some("TOTP not enabled");
            let told = message(call, ErrorCode::OtpInvalid, said, false);
            assert!(told.contains("“TOTP not enabled”"), "{told}");
            let known = message(call, ErrorCode::OtpInvalid, said, true);
            assert!(!known.contains("TOTP not enabled"), "{known}");
        }
        let not_sent = message(
            SignInCall::SendOtp,
            ErrorCode::InvalidInput,
            Some("otp isn't configured"),
            false,
        );
        assert!(not_sent.contains("No code was sent"), "{not_sent}");
        assert!(not_sent.contains("otp isn't configured"), "{not_sent}");
        for call in [SignInCall::Login, SignInCall::Register] {
            assert_eq!(
                refused(call, ErrorCode::InvalidInput, Some("no"), false),
                None
            );
        }
    }

    #[test]
    fn a_second_factor_that_nobody_can_give_says_who_can_mend_it() {
        let unknown = no_method(&["web\u{1b}[31mauthn".into(), "x".repeat(500)]);
        assert_eq!(unknown.code, ErrorCode::Unsupported);
        assert!(unknown.message.contains("“web[31mauthn”"), "{unknown}");
        assert!(unknown.message.contains("makers of this app"), "{unknown}");
        assert!(unknown.message.len() < 300, "{unknown}");
        let none = no_method(&[]);
        assert!(none.message.contains("operator"), "{none}");
    }
}
