//! The terminal: passwords and codes come in by it, progress goes out on standard error. What
//! is typed is not shown, and nothing is ever taken from the command line.

use std::env::VarError;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

use vestibule_core::secrets::Secret;

use crate::order::Desk;

const PASSWORD: &str = "VESTIBULE_DOCTOR_PASSWORD";
const OTP_PASSWORD: &str = "VESTIBULE_DOCTOR_OTP_PASSWORD";

/// The password of the account, wherever it comes from.
///
/// # Errors
/// If there is none, in words.
pub fn password(email: &str) -> Result<Secret, String> {
    if let Some(given) = given(PASSWORD)? {
        return Ok(given);
    }
    let asked = typed(&format!("Password of {email}: "));
    asked.ok_or_else(|| format!("no password: type it, set {PASSWORD}, or pipe it in"))
}

/// The password of the account that is asked for a code, if it has one of its own.
///
/// # Errors
/// If it cannot be one, in words.
pub fn otp_password() -> Result<Option<Secret>, String> {
    given(OTP_PASSWORD)
}

/// A password from the environment. An empty one is a secret that a CI job has lost, and is not
/// tried: it would count as a wrong password of the account.
fn given(name: &str) -> Result<Option<Secret>, String> {
    match std::env::var(name) {
        Ok(text) if text.is_empty() => Err(format!(
            "{name} is empty: give it the password, or unset it"
        )),
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{name} is not UTF-8")),
    }
}

/// A line on standard error. A terminal that was closed meanwhile must not end the program
/// before it has signed out.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// One line, hidden where a person types it.
fn typed(prompt: &str) -> Option<Secret> {
    let line = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(prompt).ok()?
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).ok()?;
        line
    };
    let line = Secret::new(line);
    let text = line.secret().trim_end_matches(['\r', '\n']);
    (!text.is_empty()).then(|| Secret::new(text))
}

/// A person at a terminal.
pub struct Terminal;

impl Desk for Terminal {
    fn progress(&self, line: &str) {
        tell(&format!("  … {line}"));
    }

    fn code(&self, email: &str) -> Option<Secret> {
        typed(&format!("The code of {email}: "))
    }
}
