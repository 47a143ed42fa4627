//! What the doctor prints of an answer: no terminal acts upon it, and JSON means the same.

use serde_json::Value;
use vestibule_doctor::Shown;

use super::is_shown_safely;

/// The input is the text; where it is JSON also the value.
pub fn terminal_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let line = Shown::line(&text);
    assert!(is_shown_safely(&line), "{line:?}");
    let lines = Shown::lines(&text);
    assert!(lines.split('\n').all(is_shown_safely), "{lines:?}");
    assert_eq!(lines.matches('\n').count(), text.matches('\n').count());
    let Ok(value) = serde_json::from_str::<Value>(&text) else {
        return;
    };
    let written = serde_json::to_string_pretty(&value).expect("a value");
    let shown = Shown::json(&written);
    assert!(shown.split('\n').all(is_shown_safely), "{shown:?}");
    let read = |text: &str| serde_json::from_str::<Value>(text);
    assert_eq!(
        read(&shown).ok(),
        read(&written).ok(),
        "it means another thing"
    );
}
