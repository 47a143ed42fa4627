//! The ways in which a backend ends a session, brought about for real.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use vestibule_backend::{Effect, Fault};

use crate::app::App;
use crate::scenario::Stage;

/// Why the backend will refuse the next refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The refresh token is too old.
    Expired,
    /// The session was ended from another device.
    Revoked,
    /// A copy of an older refresh token was used.
    Reuse,
    /// The device record is another one.
    DeviceMismatch,
}

impl Ending {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::Expired,
        Self::Revoked,
        Self::Reuse,
        Self::DeviceMismatch,
    ];

    /// The heading with which the sign-in screen explains it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Expired => "Your session has expired",
            Self::Revoked => "You were signed out from elsewhere",
            Self::Reuse => "You were signed out to protect your account",
            Self::DeviceMismatch => "This device is not recognised",
        }
    }

    /// Makes the backend refuse the next refresh of this account for this reason. The session must
    /// have been refreshed once, and the app must not be running.
    ///
    /// # Panics
    /// If there is no such session.
    pub async fn bring_about(self, stage: &Stage, email: &str) {
        match self {
            Self::Expired => stage.backend.expire_refresh_tokens(),
            Self::Revoked => assert_eq!(stage.backend.revoke_session(email), 1, "one session"),
            Self::Reuse => replay(stage).await,
            Self::DeviceMismatch => change_device(stage.desktop.home()),
        }
    }

    /// Ends the session of this account while the app is running.
    ///
    /// # Panics
    /// If there is no such session.
    pub async fn strike(self, stage: &Stage, app: &App, email: &str) {
        if self == Self::Reuse {
            refresh(app).await;
        }
        if self == Self::DeviceMismatch {
            // A running app does not read its record again, so here the backend has to refuse the
            // device.
            let refused = Effect::Status {
                status: 403,
                code: Some("DEVICE_MISMATCH".into()),
                message: None,
                body: None,
                headers: [].into(),
            };
            let fault = Fault::on("POST", "/refresh-token", refused);
            stage.backend.faults().add(fault.times(1));
        } else {
            self.bring_about(stage, email).await;
        }
        refresh(app).await;
    }
}

/// Asks for a refresh; its result does not matter.
async fn refresh(app: &App) {
    app.run_async(
        "await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|refresh').catch(() => undefined);
         done(true);",
        json!(null),
    )
    .await;
}

/// Uses the refresh token of the latest refresh a second time, as a thief would.
async fn replay(stage: &Stage) {
    stage.backend.set_grace(Duration::ZERO);
    let seen = stage.backend.last_request("POST", "/refresh-token");
    let seen = seen.expect("the session was refreshed");
    let answer = reqwest::Client::new()
        .post(format!("{}/refresh-token", stage.backend.url()))
        .header("cookie", seen.header("cookie").expect("its cookies"))
        .header("content-type", "application/json")
        .body(seen.body.clone())
        .send()
        .await
        .expect("an answer");
    let status = answer.status();
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (status.as_u16(), &body["code"]),
        (401, &json!("REFRESH_REUSED")),
        "the thief is found out"
    );
}

/// Gives the installation another id, as a copied home folder would have.
fn change_device(home: &Path) {
    let file = find(home, "session.json").expect("the app keeps a record");
    let record = fs::read(&file).expect("it can be read");
    let mut record: Value = serde_json::from_slice(&record).expect("it is JSON");
    record["device"]["fingerprint"] = json!(Uuid::new_v4());
    fs::write(&file, record.to_string()).expect("it can be written");
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().find_map(|entry| {
        let path = entry.path();
        // Sockets and the bus are no folders, and links are not followed.
        if entry.file_type().ok()?.is_dir() {
            return find(&path, name);
        }
        (path.file_name()? == name).then_some(path)
    })
}
