//! `logging short|long LOGS ACCOUNT`: runs the faults of P1 and everything else that handles a
//! secret, in a process that keeps its log in `LOGS` as the app does, at the most detailed level.
//! It writes the secrets that were used to `ACCOUNT`, so that the parent can search the output for
//! them.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use vestibule_backend::{Backend, Config};
use vestibule_core::Secret;
use vestibule_core::wire::{LoginInput, RegisterInput};
use vestibule_log::Log;
use vestibule_log::report::{Report, Reporter};

use crate::proxy::Proxy;
use crate::registry::{self, Form, Setting};
use crate::rig::{Client, Lost, PASSWORD, get};
use crate::secrecy::{Account, captured, needles};
use crate::transient;

/// This account gets a code by mail at each sign-in.
const MAILED: &str = "otp@vestibule.test";
/// Two texts that are logged on purpose: one as long as a token, one like a code.
const PLANTED: [&str; 2] = ["planted-on-purpose-zyxwvutsrqponm", "739184"];

/// Runs this child.
pub fn run(arguments: &[String]) -> ExitCode {
    let [form, logs, account] = arguments else {
        eprintln!("logging short|long LOGS ACCOUNT");
        return ExitCode::from(2);
    };
    let form = if form == "short" {
        Form::Short
    } else {
        Form::Long
    };
    captured::begin();
    let log = vestibule_log::start();
    let done = log
        .keep_in(logs.as_ref())
        .map_err(|error| error.to_string());
    let done = done.and_then(|()| registry::runtime().block_on(all(&log, form)));
    let done = done.and_then(|held| {
        let text = serde_json::to_vec(&held).map_err(|error| error.to_string())?;
        fs::write(account, text).map_err(|error| error.to_string())
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn all(log: &Log, form: Form) -> Result<Account, Lost> {
    log.report_to(Some(Arc::new(LoggingReporter)));
    captured::secret(PASSWORD);
    let setting = Setting {
        program: std::env::current_exe().map_err(|error| error.to_string())?,
    };
    let came = transient::matrix("P9", &setting, form).await;
    tour().await?;
    #[cfg(target_os = "linux")]
    super::keyring_states::live().await?;
    let secrets = captured::secrets();
    panics(&secrets);
    let forms = needles::FORMS.into_iter();
    let texts = forms.flat_map(|form| PLANTED.map(|planted| form.of(planted.as_bytes())));
    for text in texts.flatten() {
        tracing::trace!(target: "vestibule_core", text, "planted");
    }
    Ok(Account {
        runs: came.runs,
        losses: came.losses,
        secrets,
        planted: PLANTED.map(str::to_owned).into(),
    })
}

/// Logs every message that it receives.
struct LoggingReporter;

impl Reporter for LoggingReporter {
    fn report(&self, report: Report) {
        eprintln!("{report:?}");
    }

    fn flush(&self, _limit: Duration) {}
}

/// Does what the faults leave out: wrong passwords, codes, new accounts, calls with a body.
async fn tour() -> Result<(), Lost> {
    let backend = Backend::start(Config::default()).await;
    let backend = backend.map_err(|error| error.to_string())?;
    let proxy = Proxy::start(backend.address()).await;
    let proxy = proxy.map_err(|error| error.to_string())?;
    let client = Client::new(proxy.url(), MAILED.into()).await?;
    let session = &client.session;
    let _ = captured::result(session.login(login("a-wrong-password-indeed")).await);
    let asked = captured::result(session.login(login(PASSWORD)).await);
    asked.map_err(|error| error.to_string())?;
    captured::value(&session.snapshot());
    let code = backend.last_code(MAILED).ok_or("no code was mailed")?;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let _ = captured::result(crate::rig::verify(session, typed(wrong)).await);
    let verified = captured::result(crate::rig::verify(session, typed(&code)).await);
    verified.map_err(|error| error.to_string())?;
    captured::value(&session.snapshot());

    let mut request = get("/plans/team/purchase?coupon=query-0123456789abcdef");
    request.method = "POST".into();
    request.body = Some(r#"{"card":"body-0123456789abcdef"}"#.into());
    request.headers = vec![("x-card".into(), "header-0123456789abcdef".into())];
    for part in ["query", "body", "header"] {
        captured::secret(&format!("{part}-0123456789abcdef"));
    }
    backend.expire_access_tokens();
    let _ = captured::result(session.fetch(request).await);
    session.logout().await;

    let new = RegisterInput {
        name: "New".into(),
        email: "new@vestibule.test".into(),
        password: typed("a-new-password-indeed"),
        fingerprint: None,
        more: None,
    };
    captured::value(&new);
    let _ = captured::result(session.register(new).await);
    backend.revoke_session("new@vestibule.test");
    let _ = captured::result(session.refresh().await);
    captured::value(&session.snapshot());
    Ok(())
}

fn login(password: &str) -> LoginInput {
    let input = LoginInput {
        email: MAILED.into(),
        password: typed(password),
        fingerprint: None,
    };
    captured::value(&input);
    input
}

fn typed(text: &str) -> Secret {
    captured::secret(text);
    Secret::new(text)
}

fn want(token: Result<(), String>) {
    token.expect("a token");
}

/// Panics with messages that contain values with secrets.
fn panics(secrets: &[String]) {
    for secret in secrets.iter().take(20) {
        let (one, two, three) = (secret.clone(), secret.clone(), secret.clone());
        let works: [Box<dyn FnOnce() + Send>; 3] = [
            Box::new(move || panic!("it was {one}")),
            Box::new(move || want(Err(two))),
            Box::new(move || std::panic::panic_any(three)),
        ];
        for work in works {
            let ended = std::thread::spawn(work).join();
            captured::value(&ended.is_err());
        }
    }
}
