//! What outlives a restart and an outage, and the program itself.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use vestibule_backend::{Backend, Config, Hashing, StartError};

use crate::support::{DEMO, Device, PASSWORD, start};

#[tokio::test]
async fn a_restart_on_the_same_file_and_port_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        database: Some(folder.path().join("kept.sqlite3")),
        durable: true,
        ..Config::default()
    };
    let backend = Backend::start(config.clone()).await.expect("starts");
    let port = backend.port();
    let mut device = Device::new(&backend);
    device
        .register("Ann", "ann@example.test", "correct horse")
        .await;
    device.refresh().await;
    let parent = device.refresh_token();
    let answer = device.refresh().await;
    let mut pending = Device::new(&backend);
    pending.login("otp@vestibule.test", PASSWORD).await;
    let code = backend.last_code("otp@vestibule.test").expect("a code");
    backend.stop().await;
    assert!(device.try_refresh().await.is_err(), "nobody listens");

    let again = Config { port, ..config };
    let backend = Backend::start(again).await.expect("starts again");
    assert_eq!(backend.port(), port);
    let me = device.get("/me").await;
    assert_eq!(me.status, 200, "the access token is still good");
    let mut replay = device.with_refresh_token(&parent);
    assert_eq!(
        replay.refresh().await.refresh_token(),
        answer.refresh_token(),
        "the grace survives: the successor is made again, not remembered"
    );
    assert_eq!(device.refresh().await.status, 200);
    assert_eq!(
        pending.verify("otp@vestibule.test", &code).await.status,
        200
    );
    assert_eq!(
        device
            .login("ann@example.test", "correct horse")
            .await
            .status,
        200
    );
    let admin = device.login("admin@vestibule.test", PASSWORD).await;
    assert_eq!(admin.status, 200);
    let users = device.get("/admin/users").await.json();
    assert_eq!(
        users["users"].as_array().map(Vec::len),
        Some(5),
        "seeded once"
    );
    backend.stop().await;
}

#[tokio::test]
async fn secrets_rest_as_hashes() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    let first = device.refresh_token();
    device.refresh().await;
    device.login("otp@vestibule.test", PASSWORD).await;
    let secrets = [first, device.refresh_token(), PASSWORD.to_owned()];
    let folder = backend.database().parent().expect("a folder").to_owned();
    let mut read = 0;
    for file in std::fs::read_dir(folder).expect("listed") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("read");
        read += bytes.len();
        for secret in &secrets {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "a secret in the clear");
        }
    }
    assert!(read > 10_000, "the database was there to be read");
}

#[tokio::test]
async fn an_outage_refuses_connections_and_ends() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    backend.down().await;
    let error = device.try_refresh().await.expect_err("refused");
    assert!(error.is_connect(), "{error:?}");
    backend.down().await;
    backend.up().await.expect("back");
    backend.up().await.expect("already");
    assert_eq!(device.refresh().await.status, 200, "on the same address");
}

#[tokio::test]
async fn a_private_database_goes_with_its_backend() {
    let backend = start().await;
    let file = backend.database().to_owned();
    assert!(file.exists());
    backend.stop().await;
    assert!(!file.exists());
}

#[tokio::test]
async fn the_full_price_of_hashing_signs_in_too() {
    let backend = Backend::start(Config {
        hashing: Hashing::OWASP,
        ..Config::default()
    })
    .await
    .expect("starts");
    assert_eq!(Device::new(&backend).sign_in().await.status, 200);
}

#[tokio::test]
async fn a_start_that_cannot_be_says_why() {
    let first = start().await;
    let taken = Config {
        port: first.port(),
        ..Config::default()
    };
    let error = Backend::start(taken).await.err().expect("taken");
    assert!(matches!(error, StartError::AddressTaken(_)), "{error}");
    assert!(
        error.to_string().contains(&first.port().to_string()),
        "{error}"
    );

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("not-a-database");
    std::fs::write(&file, "just some text that is no database at all").expect("written");
    let broken = Config {
        database: Some(file),
        ..Config::default()
    };
    let error = Backend::start(broken).await.err().expect("broken");
    assert!(error.to_string().contains("not-a-database"), "{error}");
}

/// The program, ended with the test.
struct Program(Child);

impl Program {
    fn start(args: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_vestibule-backend"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.expect("starts"))
    }

    /// The first line, in which it says where it listens.
    fn greeting(&mut self) -> String {
        let mut line = String::new();
        let out = self.0.stdout.as_mut().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        line
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
        let _ = self
            .0
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut err);
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
    let line = program.greeting();
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
    assert!(program.greeting().contains("strict rotation)"));
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
async fn the_demo_password_is_not_in_a_product() {
    let product = Config {
        port: 0,
        database: None,
        hashing: Hashing::CHEAP,
        console: false,
        ..Config::product()
    };
    let backend = Backend::start(product).await.expect("starts");
    let mut device = Device::new(&backend);
    assert_eq!(device.login(DEMO, PASSWORD).await.status, 401);
    assert_eq!(device.get("/faults").await.status, 404);
    assert_eq!(backend.requests("POST", "/login"), 0, "nothing is recorded");
    assert!(backend.last_request("POST", "/login").is_none());
}
