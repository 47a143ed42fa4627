//! The program `vestibule` in a terminal, as it is installed and without a display. Without further
//! arguments `vestibule doctor` examines the backend that the app itself would use.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use vestibule_acceptance::{Administrator, OtherServer, app};
use vestibule_backend::{Backend, Config};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Writes a settings file where the app reads it.
    fn settings(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.path().join("dev.vestibule.desktop").join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder");
        std::fs::write(&file, text).expect("the file");
        file
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut vestibule = Command::new(app());
        for name in [
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "VESTIBULE_PROFILE",
            "VESTIBULE_BACKEND",
        ] {
            vestibule.env_remove(name);
        }
        vestibule
            .args(arguments)
            .env("XDG_CONFIG_HOME", self.0.path())
            .stdin(Stdio::null());
        vestibule
    }

    /// Runs the doctor on a machine with this administrator's policy.
    fn doctor_under(&self, administrator: &Administrator, arguments: &[&str]) -> Output {
        let command = self.command(&[&["doctor"], arguments].concat());
        let mut command = administrator.over(&command);
        command.stdin(Stdio::null()).output().expect("it runs")
    }

    fn doctor(&self, arguments: &[&str]) -> Output {
        self.run(&[&["doctor", "--json"], arguments].concat())
    }

    fn report(&self, arguments: &[&str]) -> Value {
        let ended = self.doctor(arguments);
        let report = serde_json::from_slice(&ended.stdout);
        report.unwrap_or_else(|_| panic!("{}", words(&ended)))
    }
}

fn words(ended: &Output) -> String {
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

fn from(file: &Path) -> Value {
    file.display().to_string().into()
}

const BUILT: &str = "tauri.conf.json (plugins.vestibule)";

#[tokio::test(flavor = "multi_thread")]
async fn it_examines_what_the_app_would_use() {
    let backend = Backend::start(Config::default()).await.expect("a backend");
    let other = Backend::start(Config::default()).await.expect("another");
    let (url, another) = (format!("{}/", backend.url()), format!("{}/", other.url()));
    let home = Home::new();

    let file = format!("schema = 1\nname = 'Ours'\nbackend = '{url}'\n");
    let file = home.settings("profile.toml", &file);
    let report = home.report(&[]);
    assert_eq!(report["backend"], url, "{report:#}");
    assert_eq!(report["profile"], "Ours");
    assert_eq!(
        report["profile_from"],
        Value::from(vec![BUILT.into(), from(&file)])
    );
    assert_eq!(
        report["outcome"], "not_examined",
        "without credentials the doctor does not sign in"
    );
    assert_eq!(report["counts"]["fail"], 0, "{report:#}");
    assert!(
        backend.requests("POST", "/login") > 0,
        "the doctor sent requests to the backend"
    );

    let own = home.settings(
        "workspaces/default/profile.json",
        r#"{"schema": 1, "name": "Mine"}"#,
    );
    let report = home.report(&["--backend", &another]);
    assert_eq!(report["backend"], another, "the command line comes last");
    assert_eq!(report["profile"], "Mine");
    assert_eq!(
        report["profile_from"],
        Value::from(vec![
            BUILT.into(),
            from(&file),
            from(&own),
            "--backend".into()
        ])
    );
    assert!(
        other.requests("POST", "/login") > 0,
        "the doctor sent requests to the other backend"
    );
}

#[test]
fn what_the_app_would_refuse_it_refuses_too() {
    let home = Home::new();
    for (text, said) in [
        (
            "schema = 1\nbakend = 'https://a.example'",
            "did you mean `backend`?",
        ),
        (
            "schema = 1\n[roles]\nchief = ['people.sea']",
            "did you mean `people.see`?",
        ),
    ] {
        let file = home.settings("profile.toml", text);
        let ended = home.doctor(&["--backend", "http://127.0.0.1:9"]);
        let told = words(&ended);
        assert_eq!(ended.status.code(), Some(2), "{told}");
        assert!(told.contains(&file.display().to_string()), "{told}");
        assert!(told.contains(said), "{told}");
        assert!(ended.stdout.is_empty(), "the doctor examined nothing");
    }
}

/// An administrator's policy overrides the user's files and variables, and the doctor says which is
/// which.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_fixes_is_examined_and_told() {
    let backend = Backend::start(Config::default()).await.expect("a backend");
    let other = Backend::start(Config::default()).await.expect("another");
    let (url, another) = (format!("{}/", backend.url()), other.url());
    let home = Home::new();
    let text = format!("schema = 1\nname = 'Ours'\nbackend = '{another}'\n");
    let file = home.settings("profile.toml", &text);
    let administrator = Administrator::who_wrote(&format!(
        "schema = 1\n[profile]\nfixed = ['backend']\nbackend = '{url}'\nname = 'Theirs'\n"
    ));
    let ended = home.doctor_under(&administrator, &["--json"]);
    let report: Value = serde_json::from_slice(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", words(&ended)));
    assert_eq!(report["backend"], url, "{report:#}");
    assert_eq!(report["profile"], "Ours", "the name is not fixed");
    let place = Administrator::file();
    assert_eq!(
        report["profile_from"],
        serde_json::json!([BUILT, format!("{place} (profile)"), file])
    );
    assert_eq!(
        report["policy"],
        serde_json::json!({
            "place": place,
            "sets": ["backend", "name"],
            "fixes": ["backend"],
            "network": [],
            "overrides": [
                {"key": "backend", "place": BUILT},
                {"key": "backend", "place": file},
            ],
        })
    );
    assert!(
        backend.requests("POST", "/login") > 0,
        "the doctor sent requests to the policy's backend"
    );
    assert_eq!(
        other.requests("POST", "/login"),
        0,
        "the doctor sent none to the user's backend"
    );

    let table = home.doctor_under(&administrator, &[]).stdout;
    let table = String::from_utf8_lossy(&table);
    for line in [
        format!("Policy   {place}"),
        "         fixes backend".into(),
        "         sets backend, name".into(),
        format!("         overrides backend of {}", file.display()),
    ] {
        assert!(table.lines().any(|shown| shown == line), "{line}:\n{table}");
    }

    // The control: without the policy the same files name the other backend.
    let report = home.report(&[]);
    assert_eq!(report["backend"], format!("{another}/"));
    assert_eq!(report["policy"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_goes_no_way_around_a_policy() {
    let other = Backend::start(Config::default()).await.expect("a backend");
    let home = Home::new();
    // The policy also overrides the built-in profile and the command line.
    let administrator = Administrator::who_wrote(
        "schema = 1\n[profile]\nfixed = ['backend']\nbackend = 'http://127.0.0.1:9'\n",
    );
    let ended = home.doctor_under(&administrator, &["--backend", &other.url()]);
    assert_eq!(ended.status.code(), Some(2));
    let said = format!("--backend: `backend` is fixed by {}", Administrator::file());
    assert!(words(&ended).contains(&said), "{}", words(&ended));
    assert_eq!(
        other.requests("POST", "/login"),
        0,
        "the doctor sent no request"
    );
}

#[test]
fn a_policy_that_is_not_valid_is_named_and_nothing_is_examined() {
    let home = Home::new();
    let file = Administrator::file();
    let wrote = Administrator::who_wrote;
    for (administrator, said) in [
        (
            wrote("schema = 1\n[profile]\nbakend = 'https://a.example'"),
            format!("{file} (profile): `bakend` is not a key here; did you mean `backend`?"),
        ),
        (
            wrote("schema = 1\n[profile]\nfixed = ['bakend']"),
            format!("{file} (profile): `fixed[0]` is not a key here; did you mean `backend`?"),
        ),
        (
            wrote("schema = 1\n[netwrok]\nproxy = 'http://a.example'"),
            format!("{file}: `netwrok` is not a key here; did you mean `network`?"),
        ),
        (
            wrote("schema = 1\n[profile"),
            format!("{file}: is not TOML"),
        ),
        (
            wrote("schema = 1").owned_by(65_534),
            format!("{file}: does not belong to root"),
        ),
        (
            wrote("schema = 1").with_mode("0666"),
            format!("{file}: can be written by others than root"),
        ),
    ] {
        let ended = home.doctor_under(&administrator, &[]);
        let told = words(&ended);
        assert_eq!(ended.status.code(), Some(2), "{told}");
        assert!(told.contains(&said), "{said}: {told}");
        assert!(ended.stdout.is_empty(), "the doctor examined nothing");
    }
}

/// The policy's proxy is used instead of the environment's, or none if the policy says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_policys_proxy_is_the_one_that_is_asked() {
    let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
    for (network, is_theirs, is_ours) in [
        ("", false, true),
        ("proxy = 'http://THEIRS'", true, false),
        (
            "proxy = 'http://THEIRS'\nno_proxy = ['.invalid']",
            false,
            false,
        ),
        ("proxy = false", false, false),
    ] {
        let (theirs, ours) = (
            OtherServer::at(localhost).await,
            OtherServer::at(localhost).await,
        );
        let network = network.replace("THEIRS", &format!("127.0.0.1:{}", theirs.port()));
        // RFC 6761 reserves this name; it never has an address.
        let administrator = Administrator::who_wrote(&format!(
            "schema = 1\n[profile]\nbackend = 'https://backend.invalid'\n[network]\n{network}"
        ));
        let home = Home::new();
        let mut command = home.command(&["doctor", "--json"]);
        for name in [
            "NO_PROXY",
            "no_proxy",
            "ALL_PROXY",
            "all_proxy",
            "https_proxy",
        ] {
            command.env_remove(name);
        }
        command.env("HTTPS_PROXY", format!("http://127.0.0.1:{}", ours.port()));
        let mut command = administrator.over(&command);
        let ended = tokio::task::spawn_blocking(move || {
            command.stdin(Stdio::null()).output().expect("it runs")
        });
        let ended = ended.await.expect("it ends");
        assert_eq!(ended.status.code(), Some(2), "{}", words(&ended));
        let heard = [theirs.heard().0 > 0, ours.heard().0 > 0];
        assert_eq!(heard, [is_theirs, is_ours], "{network}: {}", words(&ended));
    }
}

#[test]
fn it_says_what_it_is_and_what_can_be_typed() {
    let home = Home::new();
    let said = |argument| {
        let ended = home.run(&[argument]);
        assert!(ended.status.success(), "{}", words(&ended));
        String::from_utf8_lossy(&ended.stdout).into_owned()
    };
    let version = said("--version");
    assert_eq!(
        version,
        format!("Vestibule {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = said("--help");
    assert!(help.starts_with(version.trim()), "{help}");
    for word in ["doctor", "--help", "--version"] {
        assert!(help.contains(word), "{help}");
    }
    assert_eq!(said("-h"), help);
}
