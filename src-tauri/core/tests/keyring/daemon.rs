//! A private session bus with a keyring daemon on it, for one test.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vestibule_core::keyring::Keyring;

const INSIDE: &str = "VESTIBULE_TEST_BUS";

/// A bus that starts no services by itself: whether there is a keyring is the test's to say.
const BUS: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// The bus this process runs on, and the daemon, if one is running.
pub struct Bus {
    daemon: Option<Child>,
}

impl Bus {
    /// `None` in the outer process, once the test has passed inside; `Some` inside.
    pub fn enter(test: &str) -> Option<Self> {
        if std::env::var_os(INSIDE).is_some() {
            return Some(Self { daemon: None });
        }
        let home = tempfile::tempdir().expect("a folder");
        let own = std::env::current_exe().expect("our own path");
        let config = home.path().join("bus.conf");
        std::fs::write(&config, BUS).expect("written");
        let mut outer = Command::new("dbus-run-session");
        outer
            .arg("--config-file")
            .arg(config)
            .arg("--")
            .arg(own)
            .args([test, "--exact", "--nocapture", "--test-threads", "1"])
            .env(INSIDE, "1")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("GNOME_KEYRING_CONTROL")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
        for variable in ["DATA_HOME", "CONFIG_HOME", "CACHE_HOME", "RUNTIME_DIR"] {
            let folder = home.path().join(variable);
            private(&folder);
            outer.env(format!("XDG_{variable}"), folder);
        }
        let output = outer.output().unwrap_or_else(|error| {
            panic!("dbus-run-session cannot be run ({error}): install dbus")
        });
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{test} inside its own bus: {}\n{text}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        None
    }

    /// The same with an unlocked keyring.
    pub fn with_keyring(test: &str) -> Option<Self> {
        let mut bus = Self::enter(test)?;
        bus.start();
        Some(bus)
    }

    /// Starts a daemon, unlocks its keyring and waits until the bus knows it.
    pub fn start(&mut self) {
        let mut daemon = self.spawn(&["--unlock"]);
        let mut stdin = daemon.stdin.take().expect("piped");
        stdin.write_all(b"test").expect("the daemon reads it");
        drop(stdin);
        self.daemon = Some(daemon);
        self.until_owned(true);
    }

    /// Starts a daemon whose keyring stays locked.
    pub fn start_locked(&mut self) {
        let mut daemon = self.spawn(&[]);
        drop(daemon.stdin.take());
        self.daemon = Some(daemon);
        self.until_owned(true);
    }

    fn spawn(&self, more: &[&str]) -> Child {
        Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("gnome-keyring-daemon cannot be run ({error}): install gnome-keyring")
            })
    }

    /// Ends the daemon as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().expect("it runs");
            daemon.wait().expect("it ends");
            self.until_owned(false);
        }
    }

    fn until_owned(&self, wanted: bool) {
        let limit = Instant::now() + Duration::from_secs(20);
        while is_owned() != wanted {
            assert!(
                Instant::now() < limit,
                "the session bus should {} a Secret Service",
                if wanted { "have" } else { "lose" }
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn is_owned() -> bool {
    let answer = Command::new("dbus-send")
        .args([
            "--session",
            "--print-reply=literal",
            "--dest=org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.NameHasOwner",
            "string:org.freedesktop.secrets",
        ])
        .output()
        .unwrap_or_else(|error| panic!("dbus-send cannot be run ({error}): install dbus"));
    String::from_utf8_lossy(&answer.stdout).contains("boolean true")
}

fn private(folder: &Path) {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .expect("a folder");
}

/// A keyring under a name of its own.
pub fn keyring() -> Keyring {
    Keyring::new(format!("vestibule-test-{}", uuid::Uuid::new_v4()))
}
