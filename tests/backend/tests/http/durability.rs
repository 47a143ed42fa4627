//! What a restart and an outage keep.

use tokio::net::TcpSocket;
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
    assert_eq!(me.status, 200, "the access token is still valid");
    let mut replay = device.with_refresh_token(&parent);
    assert_eq!(
        replay.refresh().await.refresh_token(),
        answer.refresh_token(),
        "the grace window survives a restart: the same successor is derived again"
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
            assert!(!found, "the file holds a secret in clear text");
        }
    }
    assert!(read > 10_000, "the search read the database");
}

#[tokio::test]
async fn an_outage_refuses_connections_and_ends() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    backend.down().await;
    let error = device.try_refresh().await.expect_err("refused");
    assert!(error.is_connect(), "{error:?}");
    let taken = TcpSocket::new_v4().and_then(|other| other.bind(backend.address()));
    let error = taken.expect_err("its port is kept");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    backend.down().await;
    backend.up().await.expect("back");
    backend.up().await.expect("already");
    assert_eq!(
        device.refresh().await.status,
        200,
        "the backend listens on the same address again"
    );
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
    let error = Backend::start(taken).await.expect_err("taken");
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
    let error = Backend::start(broken).await.expect_err("broken");
    assert!(error.to_string().contains("not-a-database"), "{error}");
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
