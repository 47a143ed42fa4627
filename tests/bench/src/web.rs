//! The web arrangement, running: a Next server whose routes pass sign-in, session and refresh on to
//! the backend, and a browser with the app's own engine.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use thirtyfour::WebDriver;
use thirtyfour::error::WebDriverError;
use vestibule_acceptance::{Desktop, Driver, ProcessGroup, artifacts, run_async, until};

use crate::built;
use crate::registry::Outcome;

/// The server and the browser. Both end when dropped.
pub struct Web {
    page: WebDriver,
    _driver: Driver,
    _server: ProcessGroup,
}

impl Web {
    /// Starts the server in front of this backend, and the browser on this desktop.
    ///
    /// # Errors
    /// If the arrangement is not built or does not start.
    pub async fn start(desktop: &Desktop, backend: &str) -> Outcome<Self> {
        let (next, folder) = built::web()?;
        let port = free_port()?;
        let mut server = Command::new("node");
        server
            .arg(next)
            .args(["start", "--hostname", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .current_dir(&folder)
            .env("BACKEND", backend)
            .env("NEXT_TELEMETRY_DISABLED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = ProcessGroup::start(&mut server);
        until("the Next server to listen", async || {
            if let Some(status) = server.ended() {
                return Err(format!("the Next server has ended: {status}"));
            }
            let reached = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
            reached.map(drop).map_err(|error| error.to_string())
        })
        .await;
        let log = artifacts().join("bench-web.log");
        let mut driver = Driver::start(desktop, &log, &[]).await;
        let page = driver.open_browser().await?;
        let told = |error: WebDriverError| error.to_string();
        page.set_script_timeout(Duration::from_secs(50))
            .await
            .map_err(told)?;
        page.goto(format!("http://127.0.0.1:{port}/"))
            .await
            .map_err(told)?;
        Ok(Self {
            page,
            _driver: driver,
            _server: server,
        })
    }

    /// Runs the body of a script in the page, as [`run_async`] does.
    pub async fn run(&self, script: &str, argument: Value) -> Value {
        run_async(&self.page, script, argument).await
    }
}

fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    Ok(address
        .map_err(|error| format!("no free port: {error}"))?
        .port())
}
