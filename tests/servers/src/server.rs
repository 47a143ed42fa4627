//! A server in a folder of this crate, run by Node.js or Python, on a port and a folder of its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::backends::{Backend, Runtime};

/// The folder with a virtual environment for each server of Python.
const ENVIRONMENTS: &str = "VESTIBULE_SERVERS_VENVS";

/// The first start creates a database, which takes long.
const START_LIMIT: Duration = Duration::from_secs(300);
const ANSWER_LIMIT: Duration = Duration::from_secs(45);
const END_LIMIT: Duration = Duration::from_secs(15);

/// A server on loopback. It ends when its standard input is closed, and so when this program ends
/// for any reason.
pub struct Server {
    backend: &'static Backend,
    version: String,
    port: u16,
    data: TempDir,
    running: Option<Running>,
}

/// A process of it.
struct Running {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts the server for the first time.
    pub async fn start(backend: &'static Backend) -> Self {
        let mut server = Self {
            backend,
            version: version(backend).await,
            port: free_port(),
            data: tempfile::tempdir().expect("a folder"),
            running: None,
        };
        server.start_again().await;
        server
    }

    /// Starts a server that was killed, on the same port and with the same data.
    pub async fn start_again(&mut self) {
        let mut command = program(self.backend);
        let mut child = command
            .env("PORT", self.port.to_string())
            .env("DATA", self.data.path())
            .envs(self.backend.environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server's program starts");
        let output = child.stdout.take().expect("its output");
        self.running = Some(Running {
            input: child.stdin.take().expect("its input"),
            child,
            output: BufReader::new(output).lines(),
        });
        let address = format!("listening on http://127.0.0.1:{}", self.port);
        // Some print more of their own before.
        while self.line(START_LIMIT).await != address {}
    }

    /// Kills the server and all of its processes, as a crash or a power cut ends it.
    pub async fn kill(&mut self) {
        let mut running = self.running.take().expect("it runs");
        kill_all(&mut running.child);
        running.child.wait().await.expect("its end");
    }

    /// The version of its package.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The base address for the profile.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.backend.path)
    }

    /// What the server says of `of`, asked for over its standard input: mostly the code that a user
    /// would get by mail or from an app.
    pub async fn code(&mut self, of: &str) -> String {
        let running = self.running.as_mut().expect("it runs");
        let line = format!("{of}\n");
        let written = running.input.write_all(line.as_bytes()).await;
        written.expect("it listens");
        self.line(ANSWER_LIMIT).await
    }

    async fn line(&mut self, limit: Duration) -> String {
        let running = self.running.as_mut().expect("it runs");
        let line = tokio::time::timeout(limit, running.output.next_line()).await;
        let line = line
            .expect("the server prints a line in time")
            .expect("its output");
        line.unwrap_or_else(|| panic!("{} has ended", self.backend.name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(Running {
            mut child, input, ..
        }) = self.running.take()
        else {
            return;
        };
        drop(input);
        let limit = Instant::now() + END_LIMIT;
        while Instant::now() < limit {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        eprintln!("{} does not end and is killed", self.backend.name);
        kill_all(&mut child);
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = self.backend.package;
        write!(f, "{package} {} at {}", self.version, self.url())
    }
}

fn folder(backend: &Backend) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(backend.folder)
}

fn program(backend: &Backend) -> Command {
    let mut command = match backend.runtime {
        Runtime::Node(program) => {
            let mut node = Command::new("node");
            node.arg(program);
            node
        }
        Runtime::Python => {
            let mut python = Command::new(python(backend));
            // Without files beside the sources.
            python.args(["-B", "server.py"]);
            python
        }
    };
    command.current_dir(folder(backend));
    // A group of its own, so that a kill reaches what it has started, such as a database.
    #[cfg(unix)]
    command.process_group(0);
    command
}

fn python(backend: &Backend) -> PathBuf {
    let environments = std::env::var_os(ENVIRONMENTS)
        .unwrap_or_else(|| panic!("{ENVIRONMENTS} is not set: `cargo xtask servers` sets it"));
    let program = if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    };
    Path::new(&environments).join(backend.folder).join(program)
}

#[cfg(unix)]
fn kill_all(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};

    let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(id) = id {
        kill_process_group(id, Signal::KILL).expect("the server's processes are killed");
    }
}

#[cfg(not(unix))]
fn kill_all(child: &mut Child) {
    child.start_kill().expect("the server is killed");
}

/// A port that nothing listens on now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

/// The installed version, which is not always the one that was asked for.
async fn version(backend: &Backend) -> String {
    let package = backend.package;
    match backend.runtime {
        Runtime::Node(_) => {
            let installed: PathBuf = [folder(backend).as_path(), Path::new("node_modules")]
                .into_iter()
                .chain([Path::new(package), Path::new("package.json")])
                .collect();
            let text = std::fs::read_to_string(installed);
            let text = text.unwrap_or_else(|_| {
                panic!("{package} is not installed: `cargo xtask servers` installs and runs it")
            });
            let package: Value = serde_json::from_str(&text).expect("JSON");
            package["version"].as_str().expect("a version").to_owned()
        }
        Runtime::Python => {
            let says = format!("import importlib.metadata as m; print(m.version({package:?}))");
            let output = Command::new(python(backend)).args(["-c", &says]).output();
            let output = output.await.unwrap_or_else(|error| {
                panic!("{package}: {error}: `cargo xtask servers` installs and runs it")
            });
            let text = String::from_utf8(output.stdout).expect("text");
            assert!(!text.trim().is_empty(), "{package} is not installed");
            text.trim().to_owned()
        }
    }
}
