//! Backend JSON, read by the contract's pointers and by any others.

use std::time::{Duration, SystemTime};

use vestibule_core::profile::Answer;
use vestibule_core::reply::{AccessToken, Reply};
use vestibule_core::secrets::Secret;

/// The first line holds pointers, separated by spaces; the rest is the body.
pub fn reply(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    let (head, body) = data.split_at(end.map_or(0, |end| end + 1));
    let Ok(body) = serde_json::from_slice(body) else {
        return;
    };
    read(&body, &Answer::default());
    let pointers: Vec<String> = String::from_utf8_lossy(head)
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    // Each pointer may be what any question is answered by.
    let all = || pointers.clone();
    let answer = Answer {
        user: all(),
        access_token: all(),
        expires_in: all(),
        expires: all(),
        otp_required: all(),
        otp_email: all(),
        message: all(),
        code: all(),
    };
    read(&body, &answer);
}

fn read(body: &serde_json::Value, answer: &Answer) {
    let reply = Reply::new(body, answer);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    if let Some(user) = reply.user() {
        assert!(
            serde_json::to_value(&user).is_ok(),
            "a user that the window cannot be told"
        );
    }
    if let Some(access) = reply.access_token(now) {
        assert!(!access.token.secret().is_empty());
        // Whatever the token is, Debug says the same: searching for the token itself would
        // find one that reads like the text around it.
        let shown = format!("{access:?}");
        let other = AccessToken {
            token: Secret::new("another"),
            ..access.clone()
        };
        assert_eq!(format!("{other:?}"), shown, "a token in Debug");
        let wait = vestibule_core::schedule::refresh_after(access.life, 0.5);
        assert!(wait >= vestibule_core::schedule::LIFE_MIN / 2);
    }
    if let Some(message) = reply.message() {
        assert!(message.chars().count() <= 300 && !message.chars().any(char::is_control));
    }
    let _ = (reply.otp_required(), reply.otp_email(), reply.code());
}
