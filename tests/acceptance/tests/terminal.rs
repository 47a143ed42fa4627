//! `vestibule` in a terminal, as it is installed and without a display. Without further words
//! `vestibule doctor` examines what the app itself would speak to.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use vestibule_acceptance::app;
use vestibule_backend::{Backend, Config};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Where the app looks for settings.
    fn settings(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.path().join("dev.vestibule.desktop").join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder");
        std::fs::write(&file, text).expect("the file");
        file
    }

    fn run(&self, arguments: &[&str]) -> Output {
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
        vestibule.output().expect("it runs")
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
    assert_eq!(report["outcome"], "not_examined", "nobody signed in");
    assert_eq!(report["counts"]["fail"], 0, "{report:#}");
    assert!(backend.requests("POST", "/login") > 0, "it was asked");

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
    assert!(other.requests("POST", "/login") > 0, "the other was asked");
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
        assert!(ended.stdout.is_empty(), "nothing was examined");
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
