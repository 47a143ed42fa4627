//! The device as the backend sees it: a random fingerprint, the operating system, and this
//! product in the place of a browser.
//!
//! The fingerprint is a random UUID, made once and kept across runs and sign-outs. It is not
//! derived from the host name or a version, because those change. The other values, including those
//! that the caller adds, are taken at a sign-in and sent unchanged until the next one, because a
//! backend may bind the session to all of them.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The device record. Requests carry it as `fingerprint` and in the device cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// A random UUID that survives sign-outs.
    pub fingerprint: Uuid,
    /// Type, version and architecture of the operating system.
    pub os: String,
    /// This product and its version.
    pub browser: String,
    /// Members that the caller of the sign-in added. Ours replace those with the same name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl Device {
    /// A new device that no record holds.
    pub fn unrecorded(browser: &str) -> Self {
        Self {
            fingerprint: Uuid::new_v4(),
            os: OS.clone(),
            browser: browser.to_owned(),
            extra: Map::new(),
        }
    }

    /// The same fingerprint with the current `os` and `browser` and the members that the caller
    /// adds, for a new sign-in.
    pub fn for_sign_in(&self, browser: &str, extra: Option<&Map<String, Value>>) -> Self {
        Self {
            fingerprint: self.fingerprint,
            os: OS.clone(),
            browser: browser.to_owned(),
            extra: extra.cloned().unwrap_or_default(),
        }
    }

    /// The payload of a request: the caller's members, with ours written over them.
    pub fn payload(&self) -> Value {
        let mut payload = self.extra.clone();
        payload.insert("fingerprint".into(), self.fingerprint.to_string().into());
        payload.insert("os".into(), self.os.clone().into());
        payload.insert("browser".into(), self.browser.clone().into());
        Value::Object(payload)
    }
}

/// Read once in each process: on Debian `os_info` runs a shell script for it, which takes 10 to 30
/// ms. If the system is upgraded while the app runs, the new version is sent after the next start.
static OS: LazyLock<String> = LazyLock::new(|| {
    let info = os_info::get();
    let architecture = info.architecture().unwrap_or(std::env::consts::ARCH);
    format!("{} {} {architecture}", info.os_type(), info.version())
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stays_and_the_values_are_replayed() {
        let first = Device::unrecorded("Vestibule 1");
        let renewed = first.for_sign_in("Vestibule 2", None);
        assert_eq!(renewed.fingerprint, first.fingerprint);
        assert_eq!(renewed.browser, "Vestibule 2");
        assert!(
            renewed.os.contains(std::env::consts::ARCH),
            "{}",
            renewed.os
        );
    }

    #[test]
    fn a_callers_members_go_under_ours() {
        let extra = serde_json::json!({"screen": "800x600", "fingerprint": "forged"});
        let device = Device {
            fingerprint: Uuid::nil(),
            os: "os".into(),
            browser: "b".into(),
            extra: extra.as_object().cloned().unwrap_or_default(),
        };
        assert_eq!(
            device.payload(),
            serde_json::json!({
                "screen": "800x600",
                "fingerprint": Uuid::nil().to_string(),
                "os": "os",
                "browser": "b",
            })
        );
    }
}
