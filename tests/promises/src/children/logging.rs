//! Runs the faults that sign nobody out and everything else that handles a secret, in a process that
//! keeps its log as the app does, at the most detailed level. It writes the secrets that were used to
//! a file, so that the parent can search the output for them.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use vestibule_backend::{Backend, Config};
use vestibule_core::Secret;
use vestibule_core::wire::{BrowserSignInInput, LoginInput, Phase, RegisterInput};
use vestibule_harness::child::{Protocol, serve_once};
use vestibule_harness::{DEMO, Lost, OTP, PASSWORD, TOKEN, get, use_device_code};
use vestibule_log::Log;
use vestibule_log::report::{Report, Reporter};

use crate::carrier::Carrier;
use crate::client::Client;
use crate::proxy::{Act, Proxy, Script};
use crate::registry::{self, Form, Setting};
use crate::secrecy::{Account, captured, needles};
use crate::transient;

/// Two texts that are logged on purpose: one as long as a token, one like a code.
const PLANTED: [&str; 2] = ["planted-on-purpose-zyxwvutsrqponm", "739184"];

/// The child; its answer says nothing, since the parent searches its output.
pub struct LoggingProtocol;

/// What the child is started with.
#[derive(Serialize, Deserialize)]
pub struct Arguments {
    pub is_short: bool,
    /// The folder of the log.
    pub logs: PathBuf,
    /// The file for the secrets.
    pub account: PathBuf,
}

impl Protocol for LoggingProtocol {
    const NAME: &'static str = "logging";
    type Arguments = Arguments;
    type Command = ();
    type Answer = ();
    type Event = ();
    type Report = ();

    fn take((): &mut (), (): ()) {}
}

/// Runs this child.
pub fn run(arguments: &[String]) -> ExitCode {
    serve_once::<LoggingProtocol>(arguments, |arguments| {
        let form = match arguments.is_short {
            true => Form::Short,
            false => Form::Long,
        };
        captured::begin();
        let log = vestibule_log::start();
        log.keep_in(&arguments.logs)
            .map_err(|error| error.to_string())?;
        let used = registry::runtime().block_on(all(&log, form))?;
        let text = serde_json::to_vec(&used).map_err(|error| error.to_string())?;
        fs::write(arguments.account, text).map_err(|error| error.to_string())
    })
}

async fn all(log: &Log, form: Form) -> Result<Account, Lost> {
    log.report_to(Some(Arc::new(LoggingReporter)));
    captured::secret(PASSWORD);
    let setting = Setting {
        program: std::env::current_exe().map_err(|error| error.to_string())?,
    };
    let came = transient::matrix("secrecy", &setting, form).await;
    tour().await?;
    tour_of_provider().await?;
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
    let client = Client::new(proxy.url(), OTP.into(), Carrier::Cookie).await?;
    let session = &client.session;
    let _ = captured::result(session.login(login("a-wrong-password-indeed")).await);
    let asked = captured::result(session.login(login(PASSWORD)).await);
    asked.map_err(|error| error.to_string())?;
    captured::value(&session.snapshot());
    let code = backend.last_code(OTP).ok_or("no code was mailed")?;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let _ = captured::result(vestibule_harness::verify(session, typed(wrong)).await);
    let verified = captured::result(vestibule_harness::verify(session, typed(&code)).await);
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

/// Sign-ins at a provider: one that lasts until the provider ends it, one whose code is refused, and two
/// by a code on another device, the first of which nobody uses.
async fn tour_of_provider() -> Result<(), Lost> {
    let backend = Backend::start(Config {
        // The client's clock goes faster than the backend's, for which each question would be too early.
        device_interval: Duration::ZERO,
        ..Config::default()
    });
    let backend = backend.await;
    let backend = backend.map_err(|error| error.to_string())?;
    let proxy = Proxy::start(backend.address()).await;
    let proxy = proxy.map_err(|error| error.to_string())?;
    let mut client = Client::new(proxy.url(), DEMO.into(), Carrier::Provider).await?;
    client.sign_in().await?;
    captured::value(&client.session.snapshot());
    let renewed = captured::result(client.session.refresh().await);
    renewed.map_err(|error| error.to_string())?;
    backend.revoke_session(DEMO);
    let _ = captured::result(client.session.refresh().await);
    captured::value(&client.session.snapshot());

    let refused = Script::answer(
        "400 Bad Request",
        "content-type: application/json\r\n",
        r#"{"error":"invalid_grant"}"#,
    );
    let unusable = |error: std::io::Error| error.to_string();
    let instead = Act::Spoil(Arc::new(move |_| refused.clone()));
    let struck = proxy.strike(Some(TOKEN), instead).await;
    struck.map_err(unusable)?;
    let _ = captured::result(client.sign_in().await);
    proxy.lift().await.map_err(unusable)?;

    let by_code = json!({"browser": {"device": true}});
    client.profile = client.carrier.profile(&proxy.url(), by_code)?;
    client.restart()?;
    for is_used in [false, true] {
        device_code(&backend, &client, is_used).await?;
    }
    client.session.logout().await;
    backend.received("POST", "/oidc/revoke", 1).await;
    Ok(())
}

/// Signs in by a code on another device. One that nobody uses is given up.
async fn device_code(backend: &Backend, client: &Client, is_used: bool) -> Result<(), Lost> {
    let session = client.session.clone();
    let input = BrowserSignInInput {
        button: None,
        device: true,
    };
    let signing_in = tokio::spawn(async move { session.sign_in_by_browser(input).await });
    // Until the provider has said once that nobody has used the code yet.
    let asked = backend.requests("POST", TOKEN);
    while backend.requests("POST", TOKEN) == asked {
        pass(client).await;
    }
    if is_used {
        let state = client.session.snapshot().state;
        let Phase::BrowserPending { sign_in } = state.phase else {
            return Err("no sign-in goes on".into());
        };
        let device = sign_in.device.ok_or("there is no code")?;
        use_device_code(&backend.url(), &device.code, DEMO).await?;
        while !signing_in.is_finished() {
            pass(client).await;
        }
    } else {
        client.session.cancel_browser_sign_in();
    }
    let ended = signing_in.await.map_err(|error| error.to_string())?;
    match (captured::result(ended), is_used) {
        (Ok(_), true) | (Err(_), false) => Ok(()),
        (Ok(_), false) => Err("a code that nobody has used signs somebody in".into()),
        (Err(error), true) => Err(format!("a code that was used signs nobody in: {error}")),
    }
}

/// Lets a second pass for the client.
async fn pass(client: &Client) {
    client.clock.advance(Duration::from_secs(1));
    tokio::time::sleep(Duration::from_millis(20)).await;
    captured::value(&client.session.snapshot());
}

fn login(password: &str) -> LoginInput {
    let input = LoginInput {
        email: OTP.into(),
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
