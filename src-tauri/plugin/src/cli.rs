//! What an app's binary does in a terminal: `doctor`, `--help` and `--version`.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use vestibule_doctor::App;

use crate::backend_profile::{self, BuiltProfile};
use crate::desktop_proxy;

/// Does what the first argument names, if that is something for a terminal, and returns the exit
/// status. Otherwise, `None`: the app opens its window. `built` is that of
/// [`crate::Builder::profile`].
pub fn run_in_terminal(
    context: impl FnOnce() -> tauri::Context,
    built: Option<BuiltProfile>,
) -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let program = arguments.next().map(PathBuf::from).unwrap_or_default();
    let program = program.file_name().unwrap_or_default().to_string_lossy();
    let first = arguments.next();
    match CliCommand::from_argument(first.as_deref()) {
        CliCommand::App => {
            if first.is_some_and(|first| !is_link(&first)) {
                eprintln!("{program} does not know this argument; --help lists the arguments");
            }
            None
        }
        CliCommand::Doctor => {
            let context = context();
            let app = || app_of(context.config(), built);
            Some(vestibule_doctor::run(arguments, app).into())
        }
        command @ (CliCommand::Help | CliCommand::Version) => {
            attach_terminal();
            let context = context();
            let package = context.package_info();
            let product = context.config().product_name.as_deref();
            let product = product.unwrap_or(&package.name);
            let version = package.version.to_string();
            let text = match command {
                CliCommand::Version => format!("{product} {version}\n"),
                _ => help(product, &version, &program),
            };
            Some(match std::io::stdout().write_all(text.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            })
        }
    }
}

/// The backend that the app would use now.
fn app_of(config: &tauri::Config, built: Option<BuiltProfile>) -> Result<Option<App>, String> {
    let in_use =
        backend_profile::layers_in_use(config, built, vestibule_core::profile::DEFAULT_WORKSPACE);
    let (layers, policy) = in_use.map_err(|error| error.to_string())?;
    let section = backend_profile::section(config).map_err(|error| error.to_string())?;
    let section = section.unwrap_or_default();
    Ok(Some(App {
        layers,
        policy,
        rights: section.rights().into_iter().collect(),
        desktop: desktop_proxy::desktop(),
    }))
}

/// Whether this process does something in a terminal, and opens no window.
pub(crate) fn is_for_terminal() -> bool {
    let first = std::env::args_os().nth(1);
    CliCommand::from_argument(first.as_deref()) != CliCommand::App
}

/// What this process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CliCommand {
    /// The app with its windows.
    App,
    /// The examination of a backend in a terminal.
    Doctor,
    /// The list of the arguments, printed.
    Help,
    /// The version, printed.
    Version,
}

impl CliCommand {
    /// The program that the first argument names. An unknown argument opens the window, because
    /// desktops add arguments of their own.
    fn from_argument(first: Option<&OsStr>) -> Self {
        match first.and_then(OsStr::to_str) {
            Some("doctor") => Self::Doctor,
            Some("help" | "--help" | "-h") => Self::Help,
            Some("--version" | "-V") => Self::Version,
            _ => Self::App,
        }
    }
}

/// Whether an argument begins with a scheme, as a link does that a desktop opens the app with.
fn is_link(argument: &OsStr) -> bool {
    let bytes = argument.as_encoded_bytes();
    let scheme = bytes.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let is_scheme =
        scheme.first().is_some_and(u8::is_ascii_alphabetic) && scheme.iter().all(is_letter);
    is_scheme && scheme.len() < bytes.len()
}

/// The help text of a product with this name and version.
fn help(product: &str, version: &str, program: &str) -> String {
    format!(
        "{product} {version}\n\n\
         Usage: {program}              open the app, or bring it to the front\n       \
         {program} doctor ...   examine an auth backend; `{program} doctor --help` says how\n\n  \
         -h, --help       print this\n  \
         -V, --version    print the version\n"
    )
}

/// Lets this process write to the terminal that it was started from. Windows does not connect a
/// program with windows to a terminal, and its shells do not wait for such a program. That is
/// enough to print a few lines, but not for the doctor, which asks questions.
#[cfg(windows)]
#[allow(unsafe_code)]
fn attach_terminal() {
    const PARENT: u32 = u32::MAX;
    unsafe extern "system" {
        fn AttachConsole(process: u32) -> i32;
    }
    // SAFETY: the function accepts any number. It fails where there is no terminal, which changes
    // nothing.
    unsafe { AttachConsole(PARENT) };
}

/// Does nothing: here a process can always write to the terminal that it was started from.
#[cfg(not(windows))]
fn attach_terminal() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_word_of_ours_opens_the_window() {
        let named = |first: &str| CliCommand::from_argument(Some(OsStr::new(first)));
        assert_eq!(named("doctor"), CliCommand::Doctor);
        assert_eq!(named("--version"), CliCommand::Version);
        for other in ["", "-psn_0_1", "vestibule:/join", "Doctor", "--doctor"] {
            assert_eq!(named(other), CliCommand::App, "{other}");
        }
        assert_eq!(CliCommand::from_argument(None), CliCommand::App);
    }

    #[test]
    fn a_link_is_no_unknown_argument() {
        assert!(is_link(OsStr::new(
            "com.example.app:/join?workspace=a.example"
        )));
        for other in ["", ":", "-psn_0_1", "--doctor", "doctor", "1:2"] {
            assert!(!is_link(OsStr::new(other)), "{other}");
        }
    }
}
