//! The program itself: what it prints, how it ends, and what it leaves behind.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use crate::support::{Device, PASSWORD};

/// A running program; killed when the test ends.
struct Program(Child);

impl Program {
    fn start(args: &[&str]) -> Self {
        Self::start_logging(args, "warn", Stdio::piped())
    }

    fn start_logging(args: &[&str], what: &str, log: Stdio) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_vestibule-backend"))
            .args(args)
            .env("RUST_LOG", what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn();
        Self(child.expect("starts"))
    }

    /// The next line on standard output; the first says where it listens.
    fn line(&mut self) -> String {
        // Read byte by byte, so that nothing of the following line is consumed.
        let out = self.0.stdout.as_mut().expect("piped");
        let mut line = Vec::new();
        let mut byte = [0];
        while out.read(&mut byte).expect("a line") == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        String::from_utf8(line).expect("text")
    }

    /// The address in the first line.
    fn url(&mut self) -> String {
        let line = self.line();
        let url = line.split(' ').find(|word| word.starts_with("http://"));
        url.unwrap_or_else(|| panic!("{line}")).to_owned()
    }

    fn ends(mut self) -> (i32, String, String) {
        let status = self.0.wait().expect("ends");
        let (mut out, mut err) = (String::new(), String::new());
        let _ = self
            .0
            .stdout
            .take()
            .expect("piped")
            .read_to_string(&mut out);
        if let Some(mut log) = self.0.stderr.take() {
            let _ = log.read_to_string(&mut err);
        }
        (status.code().unwrap_or(-1), out, err)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_program_says_where_it_listens_and_ends_with_its_parent() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("b.sqlite3");
    let file = file.to_str().expect("text");
    let mut program = Program::start(&[
        "--port",
        "0",
        "--database",
        file,
        "--demo",
        "--until-stdin-closes",
    ]);
    let line = program.line();
    assert!(line.contains("listens on http://127.0.0.1:"), "{line}");
    assert!(line.contains("grace 60 s, demo accounts"), "{line}");
    drop(program.0.stdin.take());
    assert_eq!(program.ends().0, 0, "in order");
}

#[cfg(unix)]
#[test]
fn the_program_ends_in_order_when_asked_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("b.sqlite3");
    let file = file.to_str().expect("text");
    let mut program = Program::start(&["--port", "0", "--database", file, "--strict"]);
    assert!(program.line().contains("strict rotation)"));
    let id = program.0.id().to_string();
    assert!(
        Command::new("kill")
            .arg(id)
            .status()
            .expect("sent")
            .success()
    );
    assert_eq!(program.ends().0, 0);
}

#[test]
fn the_program_explains_itself_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    for (args, code, part) in [
        (vec!["--port", port.as_str()], 1, "is taken"),
        (vec!["--prot", "1"], 2, "--prot"),
        (vec!["--port", "many"], 2, "many"),
        (vec!["--host", "0.0.0.0", "--demo"], 2, "loopback"),
        (vec!["--register", "maybe"], 2, "--register takes"),
        (
            vec!["--port", "0", "--database", "/dev/null/x"],
            1,
            "/dev/null/x",
        ),
    ] {
        let (status, _, err) = Program::start(&args).ends();
        assert_eq!(status, code, "{args:?}: {err}");
        assert!(err.contains(part), "{args:?}: {err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{err}");
    }
    let (status, out, _) = Program::start(&["--help"]).ends();
    assert!(status == 0 && out.contains("--until-stdin-closes"), "{out}");
}

#[tokio::test]
async fn what_was_answered_survives_a_sudden_death() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("b.sqlite3");
    let args = ["--port", "0", "--demo", "--strict", "--database"];
    let args = [&args[..], &[file.to_str().expect("text")]].concat();
    let mut program = Program::start(&args);
    let mut device = Device::at(program.url());
    device.sign_in().await;
    for _ in 0..5 {
        for _ in 0..3 {
            assert_eq!(device.refresh().await.status, 200);
        }
        program.0.kill().expect("killed");
        program.0.wait().expect("dead");
        program = Program::start(&args);
        let mut reborn = Device::at(program.url());
        reborn.id = device.id;
        reborn.cookies = device.cookies;
        reborn.access = device.access;
        device = reborn;
        assert_eq!(
            device.get("/me").await.status,
            200,
            "a restart ends no session"
        );
    }
    assert_eq!(device.refresh().await.status, 200);
}

#[tokio::test]
async fn codes_go_to_standard_output_and_no_secret_to_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, log) = (folder.path().join("b.sqlite3"), folder.path().join("log"));
    let args = [
        "--port",
        "0",
        "--demo",
        "--database",
        file.to_str().expect("text"),
    ];
    let writing = std::fs::File::create(&log).expect("created");
    let mut program = Program::start_logging(&args, "trace", writing.into());
    let mut device = Device::at(program.url());
    device.sign_in().await;
    device.refresh().await;
    let mut secrets = vec![PASSWORD.to_owned(), device.refresh_token()];
    secrets.push(device.access.clone().expect("a token"));
    device.login("otp@vestibule.test", PASSWORD).await;
    let line = program.line();
    let code = line.strip_prefix("code for otp@vestibule.test: ");
    let code = code.unwrap_or_else(|| panic!("{line}")).to_owned();
    device.verify("otp@vestibule.test", &code).await;
    device.login("otp@vestibule.test", "a-wrong-password").await;
    device.logout().await;
    secrets.extend([code, "a-wrong-password".into()]);
    drop(program.0.stdin.take());
    drop(program);

    let log = std::fs::read_to_string(log).expect("read");
    assert!(log.contains("/verify-otp"), "the log has entries to search");
    for (index, secret) in secrets.iter().enumerate() {
        assert!(!log.contains(secret), "secret {index} is in the log");
    }
}
