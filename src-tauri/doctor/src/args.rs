//! The options of the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::plan::{Allowed, Hints};
use crate::suggest;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Examines an auth backend as this app would use it, and says what to change on which side.

Usage: vestibule doctor [options]

  --backend URL          the base address [the app's own]
  --profile FILE|NAME    a profile, or the name of a shipped one [the app's own]
  --issuer URL           the provider of a sign-in by the browser [the profile's own]
  --client-id ID         what that provider calls this app
  --email ADDRESS        an account that signs in with its password alone
  --otp-email ADDRESS    an account whose sign-in needs a code

The password is asked for, or read from VESTIBULE_DOCTOR_PASSWORD, or from the first line of
standard input. It is taken for both accounts, unless VESTIBULE_DOCTOR_OTP_PASSWORD is set. A
code is asked for, or read from the next line of standard input.

Without --profile, or where the app does not understand the answer to the sign-in, the doctor looks
for a profile that fits, proves it and prints it. The password goes only to paths that answer like a
sign-in, and at most three sign-ins of the account are wrong. What you know helps:
  --login-path PATH      the path of the sign-in, below the base address
  --login-body BODY      its body, as JSON or as a form, with $identifier and $password in it
  --refresh-path PATH    the path that renews the session
  --me-path PATH         the path that says whose it is
  --sign-out-path PATH   the path that ends it
  --header NAME:VALUE    a header that every request carries, such as an API key

Where people sign in by the browser, the provider is examined without a sign-in, and with:
  --browser              prints an address, waits until a person has signed in there in a browser of
                         this computer, and then refreshes and revokes that session

Without these it only signs in and out, with one wrong password (and one wrong code) before:
  --replay               use old refresh tokens again, in sessions of the doctor's own (also in that
                         of --browser): measures
                         the grace window, and whether reuse is detected. Some backends end
                         every session of the account for that
  --revoke               end a session of the doctor's own through the list of sessions
  --logout-all           end EVERY session of the account
  --limits               refresh a session of the doctor's own, and fail to sign in to an account
                         that does not exist, until the backend refuses
  --register ADDRESS     make an account, which remains
  --destructive          all of these but --register

  --patience SECONDS     how long an old token is tried for [60], 3600 at most
  --strict               exit with 1 for advice too
  --json                 print JSON (schema 1, see docs/backend.md)
  -h, --help             print this

Exit status: 0 the backend fits, 1 it does not, 2 it could not be examined (also without --email,
because nothing behind the sign-in is tried then), 130 interrupted.
";

/// The largest `--patience`, in seconds.
const LONGEST: u32 = 3600;
/// The options that need `--email` or `--browser`.
const NEED_SESSION: [&str; 2] = ["replay", "destructive"];
/// The options that need `--email`.
const NEED_ACCOUNT: [&str; 10] = [
    "otp-email",
    "register",
    "revoke",
    "logout-all",
    "limits",
    "login-path",
    "login-body",
    "refresh-path",
    "me-path",
    "sign-out-path",
];

/// What [`HELP`] describes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub backend: Option<String>,
    /// A file, or the name of a shipped profile.
    pub profile: Option<PathBuf>,
    pub issuer: Option<String>,
    pub client_id: Option<String>,
    /// A person is there to sign in by the browser.
    pub browser: bool,
    pub email: Option<String>,
    pub otp_email: Option<String>,
    pub register: Option<String>,
    pub hints: Hints,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    pub allowed: Allowed,
    pub patience: Option<Duration>,
    pub strict: bool,
    pub json: bool,
    pub help: bool,
}

/// Reads the arguments, the program's own name not among them.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
    read(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
}

fn read(mut flags: lexopt::Parser) -> Result<Options, lexopt::Error> {
    let mut options = Options::default();
    let (mut needs_account, mut needs_session) = (None, None);
    while let Some(flag) = flags.next()? {
        if let Long(name) = flag {
            let one = NEED_ACCOUNT.into_iter().find(|one| *one == name);
            needs_account = needs_account.or(one);
            let one = NEED_SESSION.into_iter().find(|one| *one == name);
            needs_session = needs_session.or(one);
        }
        match flag {
            Long("backend") => options.backend = Some(flags.value()?.string()?),
            Long("profile") => options.profile = Some(flags.value()?.into()),
            Long("issuer") => options.issuer = Some(flags.value()?.string()?),
            Long("client-id") => options.client_id = Some(flags.value()?.string()?),
            Long("browser") => options.browser = true,
            Long("email") => options.email = Some(flags.value()?.string()?),
            Long("otp-email") => options.otp_email = Some(flags.value()?.string()?),
            Long("register") => options.register = Some(flags.value()?.string()?),
            Long("login-path") => options.hints.login_path = Some(path(&mut flags)?),
            Long("refresh-path") => options.hints.refresh_path = Some(path(&mut flags)?),
            Long("me-path") => options.hints.me_path = Some(path(&mut flags)?),
            Long("sign-out-path") => options.hints.sign_out_path = Some(path(&mut flags)?),
            Long("login-body") => {
                let body = flags.value()?.string()?;
                suggest::check_body(&body)?;
                options.hints.login_body = Some(body);
            }
            Long("header") => {
                let header = flags.value()?.string()?;
                let (name, value) = header.split_once(':').ok_or("--header is NAME:VALUE")?;
                let pair = (name.trim().to_owned(), value.trim().replace('$', "$$"));
                options.headers.push(pair);
            }
            Long("replay") => options.allowed.replay = true,
            Long("revoke") => options.allowed.revoke = true,
            Long("logout-all") => options.allowed.logout_all = true,
            Long("limits") => options.allowed.limits = true,
            Long("destructive") => options.allowed = Allowed::ALL,
            Long("patience") => {
                let seconds: u32 = flags.value()?.parse()?;
                if seconds > LONGEST {
                    return Err(format!("--patience is {LONGEST} at most, not {seconds}").into());
                }
                options.patience = Some(Duration::from_secs(seconds.into()));
            }
            Long("strict") => options.strict = true,
            Long("json") => options.json = true,
            Short('h') | Long("help") => options.help = true,
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
    if options.email.is_none()
        && let Some(what) = needs_account
    {
        return Err(format!("--{what} needs an account to begin with: --email ADDRESS").into());
    }
    if options.email.is_none()
        && !options.browser
        && let Some(what) = needs_session
    {
        return Err(format!(
            "--{what} needs an account to begin with: --email ADDRESS, or --browser"
        )
        .into());
    }
    Ok(options)
}

/// A path below the base address.
fn path(flags: &mut lexopt::Parser) -> Result<String, lexopt::Error> {
    let path = flags.value()?.string()?;
    match path.starts_with('/') {
        true => Ok(path),
        false => Err(format!("a path begins with a slash, not {path:?}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn what_changes_something_is_off_unless_it_is_asked_for() {
        let plain = options("--backend https://a.example --email a@b.c").unwrap();
        assert_eq!(plain.allowed, Allowed::default());
        assert_eq!(plain.register, None);
        let all = options("--email a@b.c --destructive").unwrap();
        assert_eq!(all.allowed, Allowed::ALL);
        assert_eq!(all.register, None, "an account is never made unasked");
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let refused = options("--email a@b.c --password hunter22").unwrap_err();
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
            let refused = options(line).unwrap_err();
            let flag = line.split(' ').next().unwrap();
            assert!(refused.starts_with(&format!("{flag} needs")), "{refused}");
            assert!(refused.contains(": --email ADDRESS"), "{refused}");
        }
        assert!(options("--olny").unwrap_err().contains("olny"));
    }

    #[test]
    fn a_provider_and_a_person_at_the_browser() {
        let told =
            options("--issuer https://id.example --client-id app --browser --replay").unwrap();
        assert_eq!(told.issuer.as_deref(), Some("https://id.example"));
        assert_eq!(told.client_id.as_deref(), Some("app"));
        assert!(told.browser && told.allowed.replay);
        assert!(options("--browser --destructive").is_ok());
        assert!(
            !options("--issuer https://id.example").unwrap().browser,
            "nobody asked for it"
        );
        for line in ["--issuer", "--client-id"] {
            assert!(options(line).is_err(), "{line} wants a value");
        }
        let refused = options("--browser --logout-all").unwrap_err();
        assert!(refused.starts_with("--logout-all needs"), "{refused}");
    }

    #[test]
    fn patience_is_taken_as_it_is_or_not_at_all() {
        let patience = |seconds: &str| options(&format!("--patience {seconds}"));
        let hour = Duration::from_secs(3600);
        assert_eq!(patience("3600").unwrap().patience, Some(hour));
        let refused = patience("3601").unwrap_err();
        assert!(
            refused.contains("--patience") && refused.contains("3600"),
            "{refused}"
        );
    }
}
