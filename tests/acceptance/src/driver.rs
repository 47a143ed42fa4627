//! `tauri-driver` with WebKit's own driver behind it, and a session with the app or with a browser.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use thirtyfour::{Capabilities, WebDriver};

use crate::desktop::Desktop;
use crate::paths;
use crate::process_group::ProcessGroup;
use crate::wait::until;

/// The time limit of a single call to the driver.
const CALL: Duration = Duration::from_secs(60);

/// A driver process; the app that it starts is in its process group.
pub struct Driver {
    group: ProcessGroup,
    url: String,
}

impl Driver {
    /// Starts a driver whose app gets `environment` and writes to `log`.
    ///
    /// # Panics
    /// If it does not start listening.
    pub async fn start(desktop: &Desktop, log: &Path, environment: &[(&str, String)]) -> Self {
        let [port, native] = free_ports();
        let log = File::options().create(true).append(true).open(log);
        let log = log.expect("the log");
        let mut command = desktop.command(paths::driver());
        command
            .args(["--port", &port.to_string()])
            .args(["--native-port", &native.to_string()])
            .envs(environment.iter().map(|(name, value)| (name, value)));
        let mut command = desktop.administered(command);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log"))
            .stderr(log);
        let mut group = ProcessGroup::start(&mut command);
        until("tauri-driver and WebKitWebDriver to listen", async || {
            if let Some(status) = group.ended() {
                panic!("tauri-driver ended at once ({status}); is WebKitWebDriver installed?");
            }
            for port in [port, native] {
                TcpStream::connect((Ipv4Addr::LOCALHOST, port))
                    .map_err(|error| format!("port {port}: {error}"))?;
            }
            Ok(())
        })
        .await;
        Self {
            group,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Starts the app with these arguments and opens a session with it.
    ///
    /// # Errors
    /// If there is no session within a minute.
    pub async fn open(&mut self, app: &Path, arguments: &[&str]) -> Result<WebDriver, String> {
        let mut wanted = Capabilities::new();
        // Without `browserName`, since WebKit's driver would look for a browser with that name.
        wanted
            .set(
                "tauri:options",
                json!({ "application": app, "args": arguments }),
            )
            .map_err(|error| error.to_string())?;
        self.session(wanted).await
    }

    /// Starts the small browser that comes with WebKit's driver: the same engine, without anything
    /// that an app adds to it.
    ///
    /// # Errors
    /// As [`Driver::open`].
    pub async fn open_browser(&mut self) -> Result<WebDriver, String> {
        self.session(Capabilities::new()).await
    }

    async fn session(&mut self, wanted: Capabilities) -> Result<WebDriver, String> {
        WebDriver::builder(self.url.clone(), wanted)
            .request_timeout(CALL)
            .connect()
            .await
            .map_err(|error| match self.group.ended() {
                Some(status) => format!("the driver ended ({status}): {error}"),
                None => error.to_string(),
            })
    }
}

/// Two unused ports. Another program may take one before the driver does; then the driver does not
/// start, and the test says so.
fn free_ports() -> [u16; 2] {
    let open = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let held = [open(), open()];
    held.map(|listener| listener.local_addr().expect("its address").port())
}
