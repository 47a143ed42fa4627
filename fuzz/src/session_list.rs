//! The list of an account's sessions, read by the places of the shipped profiles and by arbitrary ones.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::Value;
use vestibule_core::Secret;
use vestibule_core::profile::{Pointer, Profile};
use vestibule_core::testing::{SessionFields, read_session_entries};

/// The contract's places. Read once, since this target does not test how they are read.
static CONTRACT: LazyLock<SessionFields> = LazyLock::new(|| Profile::default().answer.sessions);

/// The first line holds pointers, separated by spaces; the body follows.
pub fn session_list(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    let (head, body) = data.split_at(end.map_or(0, |end| end + 1));
    let Ok(body) = serde_json::from_slice(body) else {
        return;
    };
    read(&body, &CONTRACT);
    let pointers: Vec<Pointer> = String::from_utf8_lossy(head)
        .split_whitespace()
        .filter_map(|text| Pointer::parse(text).ok())
        .collect();
    // Every place uses all pointers.
    let all = || pointers.clone();
    read(
        &body,
        &SessionFields {
            list: all(),
            id: all(),
            name: all(),
            browser: all(),
            os: all(),
            user_agent: all(),
            address: all(),
            created: all(),
            last_used: all(),
            expires: all(),
            current: all(),
        },
    );
}

fn read(body: &Value, fields: &SessionFields) {
    let Some(read) = read_session_entries(body, fields, Some(&Secret::new("a"))) else {
        return;
    };
    let sessions = &read.sessions;
    assert!(sessions.len() <= 200, "more than are shown");
    assert!(sessions.iter().filter(|one| one.is_own).count() <= 1);
    let handles: HashSet<&str> = sessions.iter().map(|one| one.handle.secret()).collect();
    assert_eq!(handles.len(), sessions.len(), "a name twice");
    for one in sessions {
        assert!(
            !one.handle.secret().trim().is_empty(),
            "a session without a name"
        );
        let texts = [
            &one.name,
            &one.browser,
            &one.os,
            &one.user_agent,
            &one.address,
        ];
        for text in texts.into_iter().flatten() {
            assert!(!text.is_empty() && text.chars().count() <= 300);
            assert!(!text.chars().any(char::is_control));
        }
        for moment in [one.created_at, one.last_used_at, one.expires_at] {
            assert!(
                moment.is_none_or(|ms| ms < 253_402_300_800_000),
                "after the year 9999"
            );
        }
    }
}
