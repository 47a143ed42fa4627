//! A server in a folder of this crate, run by Node.js.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The first start creates a database, which takes long.
const START_LIMIT: Duration = Duration::from_secs(120);
const ANSWER_LIMIT: Duration = Duration::from_secs(45);
const END_LIMIT: Duration = Duration::from_secs(10);

/// A running server on loopback. It ends when its standard input is closed, and so when this
/// program ends for any reason.
pub struct Server {
    name: String,
    url: String,
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts the server in `folder`; `package` is the npm package whose version is printed.
    pub async fn start(folder: &str, package: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let version = version(&folder, package);
        let mut child = Command::new("node")
            .arg("server.js")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js starts");
        let output = child.stdout.take().expect("its output");
        let mut server = Self {
            name: format!("{package} {version}"),
            url: String::new(),
            input: child.stdin.take(),
            child,
            output: BufReader::new(output).lines(),
        };
        let line = server.line(START_LIMIT).await;
        let address = line.strip_prefix("listening on ");
        server.url = address.expect("it says where it listens").to_owned();
        server
    }

    /// The server's base address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the server says of `of`, asked for over its standard input: mostly the code that a user
    /// would get by mail or from an app.
    pub async fn code(&mut self, of: &str) -> String {
        let input = self.input.as_mut().expect("the server's input is open");
        let line = format!("{of}\n");
        input.write_all(line.as_bytes()).await.expect("it listens");
        self.line(ANSWER_LIMIT).await
    }

    async fn line(&mut self, limit: Duration) -> String {
        let line = tokio::time::timeout(limit, self.output.next_line()).await;
        let line = line
            .expect("the server prints a code in time")
            .expect("its output");
        line.unwrap_or_else(|| panic!("{} has ended", self.name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let limit = Instant::now() + END_LIMIT;
        while Instant::now() < limit {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        eprintln!("{} does not end and is killed", self.name);
        let _ = self.child.start_kill();
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.name, self.url)
    }
}

/// The installed version, which is not always the one in `package.json`.
fn version(folder: &Path, package: &str) -> String {
    let installed: PathBuf = [folder, Path::new("node_modules"), Path::new(package)]
        .iter()
        .collect();
    let text = std::fs::read_to_string(installed.join("package.json"));
    let text = text.unwrap_or_else(|_| {
        panic!("{package} is not installed: `cargo xtask servers` installs and runs it")
    });
    let package: Value = serde_json::from_str(&text).expect("JSON");
    package["version"].as_str().expect("a version").to_owned()
}
