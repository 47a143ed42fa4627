//! Environment variables that ask the shipped app for a memory dump, an inspector, another backend
//! or other certificate authorities have no effect.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use vestibule_acceptance::{Desktop, OtherServer, ProcessGroup, app, until};

use crate::start::a_page;
use crate::unpacked::Unpacked;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The log line of an app that cannot read the configured authorities.
const NO_CLIENT: &str = "the HTTP client cannot be built";
/// Starts a program with core dumps as large as the system allows, as some developers set it.
const WITH_DUMPS: &str = r#"ulimit -S -c "$(ulimit -H -c)"; exec "$0" "$@""#;

#[test]
fn the_environment_opens_nothing() {
    runtime().block_on(async {
        let package = Unpacked::deb();
        let desktop = Desktop::open();
        let other_server = OtherServer::at(LOOPBACK).await;
        let doors = [free_port(), free_port()];
        let mut app = hostile(&desktop, &package.app(), &doors)
            .env(
                "VESTIBULE_BACKEND",
                format!("http://127.0.0.1:{}", other_server.port()),
            )
            // An app that reads this variable reports the missing file and does nothing else.
            .env("VESTIBULE_PROFILE", "/no/such/profile.toml")
            .env("VESTIBULE_LINK", "not a link")
            .trusting_nobody(&desktop)
            .spawn_group();
        a_page(&desktop, &mut app).await;
        let log = log_of(&desktop);
        assert!(log.contains("origin=\"http://127.0.0.1:4580\""), "{log}");
        assert!(!log.contains(NO_CLIENT), "another authority: {log}");
        assert_eq!(
            other_server.heard(),
            (0, 0),
            "a request went to another backend"
        );
        other_server.would_have_heard().await;
        for door in doors {
            assert!(!listens(door), "an inspector's port is open");
        }
    });
}

/// The control: the build for tests uses the same variables.
#[test]
fn the_build_for_tests_heeds_the_environment() {
    runtime().block_on(async {
        let desktop = Desktop::open();
        let doors = [free_port(), free_port()];
        let mut started = hostile(&desktop, &app(), &doors).spawn_group();
        until("an inspector's port", async || {
            if let Some(status) = started.ended() {
                return Err(format!("the app has ended: {status}"));
            }
            doors
                .into_iter()
                .any(listens)
                .then_some(())
                .ok_or("the port is closed".into())
        })
        .await;
        drop(started);
        let started = hostile(&desktop, &app(), &doors)
            .env("VESTIBULE_LINK", "not a link")
            .spawn_group();
        until("the log to name the link", async || {
            let log = log_of(&desktop);
            log.contains("VESTIBULE_LINK").then_some(()).ok_or(log)
        })
        .await;
        drop(started);
        let _started = hostile(&desktop, &app(), &doors)
            .trusting_nobody(&desktop)
            .spawn_group();
        until("the log to name the authority", async || {
            let log = log_of(&desktop);
            log.contains(NO_CLIENT).then_some(()).ok_or(log)
        })
        .await;
    });
}

#[test]
fn what_ships_leaves_no_dump() {
    let package = Unpacked::deb();
    runtime().block_on(leaves_no_dump(&package.app()));
}

#[test]
fn the_build_for_tests_leaves_no_dump() {
    runtime().block_on(leaves_no_dump(&app()));
}

/// Crashes the app and the web engine's processes and checks that there is no dump.
async fn leaves_no_dump(program: &Path) {
    let desktop = Desktop::open();
    let folder = desktop.home().join("dumps");
    fs::create_dir(&folder).expect("a folder");
    let mut command = desktop.command("sh");
    command
        .args(["-c", WITH_DUMPS])
        .arg(program)
        .current_dir(&folder)
        .stdin(Stdio::null());
    let mut app = ProcessGroup::start(&mut command);
    a_page(&desktop, &mut app).await;
    let group = app.child().id();
    let members = members(group);
    assert!(members.len() >= 3, "the app and its engine: {members:?}");
    for member in &members {
        let limits = fs::read_to_string(format!("/proc/{member}/limits")).expect("its limits");
        let line = limits.lines().find(|line| line.contains("core file"));
        let words: Vec<_> = line.expect("a limit").split_whitespace().collect();
        // The limit 1 disables both files and pipes; it is 0 where the system had set that.
        let none = matches!(words[4..6], ["1", "1"] | ["0", "0"]);
        assert!(none, "the core limit of {member}: {words:?}");
    }
    assert_eq!(dumped(&folder), [""; 0]);
    let killed = Command::new("kill")
        .args(["-ABRT", &group.to_string()])
        .status();
    assert!(killed.expect("kill").success());
    until("the app to crash", async || {
        let status = app.ended().ok_or("the app still runs")?;
        assert!(!status.to_string().contains("core dumped"), "{status}");
        Ok(())
    })
    .await;
    assert_eq!(dumped(&folder), [""; 0], "a dump");

    // The control: where the system writes dumps to files, another program does leave one.
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("a pattern");
    if !pattern.starts_with(['|', '/', '@']) {
        let mut other = Command::new("sh");
        other
            .args(["-c", WITH_DUMPS, "sh", "-c", "kill -ABRT $$"])
            .current_dir(&folder);
        let status = other.status().expect("a shell").to_string();
        if status.contains("core dumped") {
            assert_eq!(dumped(&folder).len(), 1, "{status}");
        }
    }
}

/// The processes of a process group, the leader first.
fn members(group: u32) -> Vec<u32> {
    let of = |id: u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(") ")?;
        rest.split(' ').nth(2)?.parse::<u32>().ok()
    };
    let all = fs::read_dir("/proc").expect("processes").flatten();
    let mut ids: Vec<u32> = all
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| of(*id) == Some(group))
        .collect();
    ids.sort_by_key(|id| *id != group);
    ids
}

fn dumped(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("the folder").flatten();
    files
        .map(|file| file.file_name().display().to_string())
        .collect()
}

/// Starts this app with variables that would open it to others.
struct Hostile(Command);

fn hostile(desktop: &Desktop, app: &Path, doors: &[u16; 2]) -> Hostile {
    let mut command = desktop.command(app);
    let door = |port: u16| format!("127.0.0.1:{port}");
    command
        .env("TAURI_WEBVIEW_AUTOMATION", "true")
        .env("WEBKIT_INSPECTOR_SERVER", door(doors[0]))
        .env("WEBKIT_INSPECTOR_HTTP_SERVER", door(doors[1]))
        .stdin(Stdio::null());
    Hostile(command)
}

impl Hostile {
    fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Names a file that looks like a certificate and is none: an app that uses it trusts no
    /// authority.
    fn trusting_nobody(self, desktop: &Desktop) -> Self {
        let folder = desktop.home().join("authorities");
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("nobody.pem");
        let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        fs::write(&file, text).expect("a file");
        self.env("SSL_CERT_FILE", file).env("SSL_CERT_DIR", folder)
    }

    fn spawn_group(mut self) -> ProcessGroup {
        ProcessGroup::start(&mut self.0)
    }
}

/// What the app has logged.
fn log_of(desktop: &Desktop) -> String {
    let mut folders = vec![desktop.home().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.file_name() == "vestibule.log" {
                return fs::read_to_string(path).expect("a log");
            }
        }
    }
    panic!("the app keeps no log");
}

fn listens(port: u16) -> bool {
    TcpStream::connect((LOOPBACK, port)).is_ok()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((LOOPBACK, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}
