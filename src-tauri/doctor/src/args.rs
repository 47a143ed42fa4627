//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::order::Allowed;

/// What `--help` prints.
pub const HELP: &str = "\
Examines an auth backend as this app would use it, and says what to change on which side.

Usage: vestibule doctor [options]

  --backend URL          the base address [the app's own]
  --profile FILE|NAME    a profile, or the name of a shipped one [the app's own]
  --email ADDRESS        an account that signs in with its password alone
  --otp-email ADDRESS    an account that is asked for a code

The password is asked for, or read from VESTIBULE_DOCTOR_PASSWORD, or from the first line of
standard input. It is taken for both accounts, unless VESTIBULE_DOCTOR_OTP_PASSWORD is set. A
code is asked for, or read from the next line of standard input.

If the answer to the sign-in is not understood, the password is sent to the same backend several
times more, at the paths of other profiles, to find one that fits.

Without these it only signs in and out, with one wrong password (and one wrong code) before:
  --replay               use old refresh tokens again, in sessions of the doctor's own: tells
                         the grace window, and whether reuse is noticed. Some backends end
                         every session of the account for that
  --revoke               end a session of the doctor's own through the list of sessions
  --logout-all           end EVERY session of the account
  --limits               refresh a session of the doctor's own, and fail to sign in to nobody's
                         account, until the backend refuses
  --register ADDRESS     make an account, which remains
  --destructive          all of these but --register

  --patience SECONDS     how long an old token is tried for [60], 3600 at most
  --strict               exit with 1 for advice too
  --json                 print JSON (schema 1, see docs/backend.md)
  -h, --help             print this

Exit status: 0 the backend fits, 1 it does not, 2 it could not be examined (also without --email,
where it is only looked at from outside), 130 interrupted.
";

/// The most that `--patience` may be, in seconds.
const LONGEST: u32 = 3600;
/// What makes no sense without `--email`.
const WANT_ACCOUNT: [&str; 7] = [
    "otp-email",
    "register",
    "replay",
    "revoke",
    "logout-all",
    "limits",
    "destructive",
];

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The base address.
    pub backend: Option<String>,
    /// A profile file, or a shipped one's name.
    pub profile: Option<PathBuf>,
    /// An account.
    pub email: Option<String>,
    /// An account with a second factor.
    pub otp_email: Option<String>,
    /// An address to make an account for.
    pub register: Option<String>,
    /// What may be done.
    pub allowed: Allowed,
    /// How long an old token is tried for.
    pub patience: Option<Duration>,
    /// Advice counts.
    pub strict: bool,
    /// JSON.
    pub json: bool,
    /// Help, and nothing else.
    pub help: bool,
}

/// Reads it, without the program's own name.
///
/// # Errors
/// What is not understood, in words.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
    read(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
}

fn read(mut flags: lexopt::Parser) -> Result<Asked, lexopt::Error> {
    let mut asked = Asked::default();
    let mut wants_account = None;
    while let Some(flag) = flags.next()? {
        if let Long(name) = flag {
            let one = WANT_ACCOUNT.into_iter().find(|one| *one == name);
            wants_account = wants_account.or(one);
        }
        match flag {
            Long("backend") => asked.backend = Some(flags.value()?.string()?),
            Long("profile") => asked.profile = Some(flags.value()?.into()),
            Long("email") => asked.email = Some(flags.value()?.string()?),
            Long("otp-email") => asked.otp_email = Some(flags.value()?.string()?),
            Long("register") => asked.register = Some(flags.value()?.string()?),
            Long("replay") => asked.allowed.replay = true,
            Long("revoke") => asked.allowed.revoke = true,
            Long("logout-all") => asked.allowed.logout_all = true,
            Long("limits") => asked.allowed.limits = true,
            Long("destructive") => asked.allowed = Allowed::ALL,
            Long("patience") => {
                let seconds: u32 = flags.value()?.parse()?;
                if seconds > LONGEST {
                    return Err(format!("--patience is {LONGEST} at most, not {seconds}").into());
                }
                asked.patience = Some(Duration::from_secs(seconds.into()));
            }
            Long("strict") => asked.strict = true,
            Long("json") => asked.json = true,
            Short('h') | Long("help") => asked.help = true,
            Long("password") => {
                return Err(
                    "a password on the command line is seen by every program on this \
                            machine: it is asked for, or read from VESTIBULE_DOCTOR_PASSWORD"
                        .into(),
                );
            }
            other => return Err(other.unexpected()),
        }
    }
    if asked.email.is_none()
        && let Some(what) = wants_account
    {
        return Err(format!("--{what} needs an account to begin with: --email ADDRESS").into());
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn what_changes_something_is_off_unless_it_is_asked_for() {
        let plain = asked("--backend https://a.example --email a@b.c").unwrap();
        assert_eq!(plain.allowed, Allowed::default());
        assert_eq!(plain.register, None);
        let all = asked("--email a@b.c --destructive").unwrap();
        assert_eq!(all.allowed, Allowed::ALL);
        assert_eq!(all.register, None, "an account is never made unasked");
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let refused = asked("--email a@b.c --password hunter22").unwrap_err();
        assert!(!refused.contains("hunter22"), "{refused}");
        assert!(refused.contains("VESTIBULE_DOCTOR_PASSWORD"), "{refused}");
    }

    #[test]
    fn what_needs_an_account_says_so() {
        for line in [
            "--replay",
            "--revoke",
            "--logout-all",
            "--limits",
            "--destructive",
            "--otp-email a@b.c",
            "--register a@b.c",
        ] {
            let refused = asked(line).unwrap_err();
            let flag = line.split(' ').next().unwrap();
            assert!(refused.starts_with(&format!("{flag} needs")), "{refused}");
            assert!(refused.contains(": --email ADDRESS"), "{refused}");
        }
        assert!(asked("--olny").unwrap_err().contains("olny"));
    }

    #[test]
    fn patience_is_taken_as_it_is_or_not_at_all() {
        let patience = |seconds: &str| asked(&format!("--patience {seconds}"));
        let hour = Duration::from_secs(3600);
        assert_eq!(patience("3600").unwrap().patience, Some(hour));
        let refused = patience("3601").unwrap_err();
        assert!(
            refused.contains("--patience") && refused.contains("3600"),
            "{refused}"
        );
    }
}
