//! The reference backend as a program: reads its flags, starts the library, and runs until it is
//! asked to stop. Prints its address, and the codes that a mail server would have sent.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::*;
use tokio::sync::oneshot;
use vestibule_backend::{Backend, Carrier, Config, DeviceBinding, Registration};

const HELP: &str = "\
The reference backend of Vestibule: accounts, sessions and codes on one SQLite file.

Usage: vestibule-backend [options]

  --port PORT             port to listen on [4580]; 0 lets the system choose
  --host ADDRESS          address to listen on [127.0.0.1]
  --database PATH         SQLite file [vestibule-backend.sqlite3]
  --demo                  demo accounts, /demo-accounts, /mailbox and /faults;
                          on a loopback address only
  --faults                /faults without the rest of the demo; loopback only

  --grace SECONDS         how long a replayed refresh token still gets its
                          successor [60]
  --strict                the same as --grace 0
  --access-ttl SECONDS    life of an access token [900]
  --refresh-ttl SECONDS   life of a refresh token [2592000]
  --otp-ttl SECONDS       life of a one-time code [300]
  --resend-interval SECS  least time between two codes [30]
  --bind-device WHAT      off, id or whole: what a refresh must repeat of the
                          device record [id]
  --refresh-token WHERE   cookie or body: how refresh tokens travel [cookie]
  --register ANSWER       session, code or accept: what a registration leads
                          to [session]
  --no-limits             no rate limits
  --transfer-limit BYTES  the most bytes of one /transfer [268435456]
  --secure-cookies        mark cookies Secure, for use behind TLS
  --until-stdin-closes    end when standard input does, as a child process

  -h, --help              print this
  -V, --version           print the version

Codes that a real backend would mail are printed on standard output. RUST_LOG
chooses what is logged on standard error, for example RUST_LOG=debug.
";

/// What the flags ask for.
enum Wish {
    Run(Box<Config>, bool),
    Print(String),
}

fn main() -> ExitCode {
    let (config, until_stdin_closes) = match wish(lexopt::Parser::from_env()) {
        Ok(Wish::Run(config, until_stdin_closes)) => (*config, until_stdin_closes),
        Ok(Wish::Print(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&format!("{error}; --help lists the options"), 2),
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()),
        )
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(config, until_stdin_closes)),
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

fn fail(error: &str, code: u8) -> ExitCode {
    eprintln!("vestibule-backend: {error}");
    ExitCode::from(code)
}

async fn run(config: Config, until_stdin_closes: bool) -> Result<(), String> {
    let about = about(&config);
    let mut asked = Asked::listen().map_err(|error| error.to_string())?;
    let backend = Backend::start(config)
        .await
        .map_err(|error| error.to_string())?;
    println!(
        "vestibule-backend listens on {} (database {}, {about})",
        backend.url(),
        backend.database().display(),
    );
    let closed = if until_stdin_closes {
        Some(stdin_closed())
    } else {
        None
    };
    tokio::select! {
        () = asked.comes() => {}
        Some(_) = async { Some(closed?.await) } => {}
    }
    backend.stop().await;
    Ok(())
}

fn about(config: &Config) -> String {
    let grace = match config.grace.as_secs() {
        0 => "strict rotation".to_owned(),
        seconds => format!("grace {seconds} s"),
    };
    let demo = if config.demo { ", demo accounts" } else { "" };
    let limits = if config.limits {
        ""
    } else {
        ", no rate limits"
    };
    format!("{grace}{demo}{limits}")
}

/// Resolves when standard input is closed, as when the process that started this one is gone.
fn stdin_closed() -> oneshot::Receiver<()> {
    let (gone, closed) = oneshot::channel();
    std::thread::spawn(move || {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
        // The receiver is gone if the program is ending already.
        let _ = gone.send(());
    });
    closed
}

/// Ctrl-C and SIGTERM. Listened for from construction on, so that a signal right after the first
/// printed line already stops the backend in order.
#[cfg(unix)]
struct Asked {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Asked {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn comes(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C, where there are no signals.
#[cfg(not(unix))]
struct Asked;

#[cfg(not(unix))]
impl Asked {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn comes(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn wish(mut flags: lexopt::Parser) -> Result<Wish, lexopt::Error> {
    let mut config = Config::product();
    let mut until_stdin_closes = false;
    config.database = Some(PathBuf::from("vestibule-backend.sqlite3"));
    while let Some(flag) = flags.next()? {
        match flag {
            Long("port") => config.port = flags.value()?.parse()?,
            Long("host") => config.host = host(&flags.value()?.string()?)?,
            Long("database") => config.database = Some(flags.value()?.into()),
            Long("demo") => {
                config.demo = true;
                config.faults = true;
            }
            Long("faults") => config.faults = true,
            Long("grace") => config.grace = seconds(&mut flags)?,
            Long("strict") => config.grace = Duration::ZERO,
            Long("access-ttl") => config.access_ttl = at_least_a_second(&mut flags)?,
            Long("refresh-ttl") => config.refresh_ttl = at_least_a_second(&mut flags)?,
            Long("otp-ttl") => config.otp_ttl = at_least_a_second(&mut flags)?,
            Long("resend-interval") => config.resend_interval = seconds(&mut flags)?,
            Long("bind-device") => config.device_binding = binding(&flags.value()?.string()?)?,
            Long("refresh-token") => config.carrier = carrier(&flags.value()?.string()?)?,
            Long("register") => config.registration = registration(&flags.value()?.string()?)?,
            Long("no-limits") => config.limits = false,
            Long("transfer-limit") => config.transfer_limit = flags.value()?.parse()?,
            Long("secure-cookies") => config.secure_cookies = true,
            Long("until-stdin-closes") => until_stdin_closes = true,
            Short('h') | Long("help") => return Ok(Wish::Print(HELP.into())),
            Short('V') | Long("version") => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Wish::Print(format!("vestibule-backend {version}\n")));
            }
            other => return Err(other.unexpected()),
        }
    }
    if config.faults && !config.host.is_loopback() {
        return Err("--demo and --faults are for a loopback address: \
                    the passwords are public and anyone could break it"
            .into());
    }
    Ok(Wish::Run(Box::new(config), until_stdin_closes))
}

fn host(text: &str) -> Result<IpAddr, lexopt::Error> {
    match text {
        "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        address => address
            .parse()
            .map_err(|_| "--host takes an IP address".into()),
    }
}

fn seconds(flags: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    Ok(Duration::from_secs(u64::from(
        flags.value()?.parse::<u32>()?,
    )))
}

fn at_least_a_second(flags: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    seconds(flags).map(|given| given.max(Duration::from_secs(1)))
}

fn binding(word: &str) -> Result<DeviceBinding, lexopt::Error> {
    match word {
        "off" => Ok(DeviceBinding::Off),
        "id" => Ok(DeviceBinding::Id),
        "whole" => Ok(DeviceBinding::Whole),
        _ => Err("--bind-device takes off, id or whole".into()),
    }
}

fn carrier(word: &str) -> Result<Carrier, lexopt::Error> {
    match word {
        "cookie" => Ok(Carrier::Cookie),
        "body" => Ok(Carrier::Body),
        _ => Err("--refresh-token takes cookie or body".into()),
    }
}

fn registration(word: &str) -> Result<Registration, lexopt::Error> {
    match word {
        "session" => Ok(Registration::SignIn),
        "code" => Ok(Registration::Code),
        "accept" => Ok(Registration::Accept),
        _ => Err("--register takes session, code or accept".into()),
    }
}
