//! JSON of a backend, read by the pointers of the shipped profiles and by arbitrary ones.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use vestibule_core::profile::{Facts, Place, Pointer, Profile, SHIPPED, Shipped};
use vestibule_core::testing::Fields;
use vestibule_core::{AccessToken, ResponseFields, Secret};

/// The shipped profiles. Read once, since this target does not test how they are read.
static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let profile = |it: Shipped| Profile::from_json(it.example()).expect("it ships");
    SHIPPED.map(profile).to_vec()
});

/// The first line holds pointers, separated by spaces; the body follows.
pub fn response_fields(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    let (head, body) = data.split_at(end.map_or(0, |end| end + 1));
    let Ok(body) = serde_json::from_slice(body) else {
        return;
    };
    for profile in PROFILES.iter() {
        read(&body, profile, &profile.answer.login);
        read(&body, profile, &profile.answer.refresh);
        read(&body, profile, &profile.answer.me);
    }
    let head = String::from_utf8_lossy(head);
    let pointers = head
        .split_whitespace()
        .filter_map(|text| Pointer::parse(text).ok());
    let pointers: Vec<Pointer> = pointers.collect();
    let places = head
        .split_whitespace()
        .filter_map(|text| Place::parse(text).ok());
    let places: Vec<Place> = places.collect();
    // Every field of the profile's answers uses all places.
    let all = || places.clone();
    let fields = Fields {
        user: all(),
        access_token: all(),
        refresh_token: all(),
        ..PROFILES[0].answer.login.clone()
    };
    let mut profile = PROFILES[0].clone();
    profile.otp.email = all();
    profile.otp.challenge = all();
    profile.otp.methods = all();
    profile.otp.method_name = pointers.clone();
    profile.answer.message = all();
    profile.answer.code = all();
    profile.user.id = pointers.clone();
    profile.user.name_parts = pointers;
    read(&body, &profile, &fields);
}

fn read(body: &serde_json::Value, profile: &Profile, fields: &Fields) {
    let reply = ResponseFields::new(body, profile, fields);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    if let Some(user) = reply.user() {
        assert!(!user.id.is_empty(), "a user without an id");
        assert!(
            serde_json::to_value(&user).is_ok(),
            "a user that cannot be sent to the window"
        );
    }
    if let Some(access) = reply.access_token(now) {
        let is_empty = |token: &Secret| token.secret().is_empty();
        assert!(!access.token.as_ref().is_some_and(is_empty));
        // `Debug` must print the same for every token. Searching it for the token itself would also
        // find a token that equals the text around it.
        let shown = format!("{access:?}");
        let other = AccessToken {
            token: access.token.as_ref().map(|_| Secret::new("another")),
            ..access.clone()
        };
        assert_eq!(format!("{other:?}"), shown, "Debug depends on the token");
        let wait = vestibule_core::testing::refresh_after(access.lifetime, 0.5);
        assert!(wait >= vestibule_core::testing::LIFE_MIN / 2);
    }
    if let Some(message) = reply.message() {
        assert!(message.chars().count() <= 300 && !message.chars().any(char::is_control));
    }
    let refresh = reply.refresh_token(now);
    assert!(refresh.is_none_or(|refresh| !refresh.token.secret().is_empty()));
    let code = reply.code();
    let facts = Facts {
        status: 401,
        code: code.as_deref(),
        body: Some(body),
        empty: false,
        text: None,
        headers: None,
    };
    let _ = profile.ends.iter().find(|rule| rule.holds(&facts));
    let _ = (reply.challenge(), reply.otp_email());
    if let Some(names) = reply.methods() {
        let _ = profile.offered_methods(Some(&names));
    }
}
