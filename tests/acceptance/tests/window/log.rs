//! The log of the running app: in the platform's folder for logs, readable by this user only, and
//! without a secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use vestibule_acceptance::tokens::Tokens;
use vestibule_acceptance::{DEMO, DEMO_NAME, PASSWORD, Role, Stage, scenario};

use crate::signed_in;

const NAME: &str = "vestibule.log";

/// The text of the log of the app that ran on this stage.
pub fn text(stage: &Stage) -> String {
    let file = find(&stage.desktop.home().join("data")).expect("a log below the data folder");
    fs::read_to_string(file).expect("it is text")
}

fn find(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().find_map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => find(&entry.path()),
        _ => (entry.file_name() == NAME).then(|| entry.path()),
    })
}

#[test]
fn calls_to_the_backend_are_in_the_log_and_what_they_carried_is_not() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.open("/account/").await;
        app.reads("This session").await;
        app.find(Role::Button, "Sign out everywhere").await;

        let data = stage.desktop.home().join("data");
        let file = find(&data).expect("a log below the data folder");
        let folder = file.parent().expect("it is in a folder");
        assert!(folder.ends_with("dev.vestibule.desktop/logs"), "{file:?}");
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
        };
        assert_eq!(mode(&file) & 0o777, 0o600);
        assert_eq!(mode(folder) & 0o777, 0o700);

        let text = fs::read_to_string(&file).expect("it is text");
        let line = text.lines().find(|line| line.contains("path=\"/login\""));
        let line = line.unwrap_or_else(|| panic!("no sign-in in {text}"));
        for part in ["method=POST", "status=200", "attempt=1", "request=", "ms="] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        let tokens = Tokens::shown_to(&stage.backend);
        assert!(
            tokens.all().next().is_some(),
            "there is something to look for"
        );
        for secret in tokens.all().chain([PASSWORD]) {
            assert!(!text.contains(secret), "a secret is in the log");
        }
    });
}
