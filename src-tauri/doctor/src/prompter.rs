//! What the doctor asks a person for: passwords and codes, from a terminal, which does not show
//! them, or from standard input, never from the command line. Progress goes to standard error.

use std::env::VarError;
use std::io::{BufRead as _, IsTerminal as _};

use vestibule_core::Secret;
use vestibule_core::transport::Url;

use crate::shown::Shown;

/// Shows progress, and asks for the codes that a backend sends.
pub trait Prompter: Send + Sync + 'static {
    /// Says what the doctor is about to do, where that may take a while.
    fn progress(&self, line: &str);
    /// The code that the backend has sent to this account; may wait for a person.
    fn code(&self, email: &str) -> Option<Secret>;
    /// Shows the address at which a person signs in, in a browser of this computer.
    fn open(&self, address: &Url);
}

const PASSWORD: &str = "VESTIBULE_DOCTOR_PASSWORD";
const OTP_PASSWORD: &str = "VESTIBULE_DOCTOR_OTP_PASSWORD";

/// The password of the account, from the environment or typed.
pub(crate) fn password(email: &str) -> Result<Secret, String> {
    if let Some(given) = given(PASSWORD)? {
        return Ok(given);
    }
    let asked = typed(&format!("Password of {email}: "));
    asked.ok_or_else(|| format!("no password: type it, set {PASSWORD}, or pipe it in"))
}

/// The password of the account whose sign-in needs a code, where the environment has one.
pub(crate) fn otp_password() -> Result<Option<Secret>, String> {
    given(OTP_PASSWORD)
}

/// A password from the environment. An empty variable is a secret that a CI job has lost. It is
/// an error, because a try with it would count as a wrong password of the account.
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

/// A line on standard error. An error is ignored: where the terminal was closed meanwhile, the
/// program must still sign out before it ends.
pub(crate) fn print(line: &str) {
    let shown = Shown::lines(&format!("{line}\n"));
    let _ = shown.write_to(&mut std::io::stderr());
}

/// The result, on standard output.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn put(text: &Shown) -> std::io::Result<()> {
    text.write_to(&mut std::io::stdout())
}

/// One line, which a terminal does not show.
fn typed(prompt: &str) -> Option<Secret> {
    let line = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(Shown::line(prompt).to_string()).ok()?
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).ok()?;
        line
    };
    let line = Secret::new(line);
    let text = line.secret().trim_end_matches(['\r', '\n']);
    (!text.is_empty()).then(|| Secret::new(text))
}

pub(crate) struct Terminal;

impl Prompter for Terminal {
    fn progress(&self, line: &str) {
        print(&format!("  … {line}"));
    }

    fn code(&self, email: &str) -> Option<Secret> {
        typed(&format!("The code of {email}: "))
    }

    fn open(&self, address: &Url) {
        print(&format!(
            "\nOpen this address in a browser of this computer, and sign in:\n\n{address}\n"
        ));
    }
}
