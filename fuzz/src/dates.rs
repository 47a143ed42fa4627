//! Waits and dates: `Retry-After` and similar headers, and the expiry of an access token.

use std::time::{Duration, SystemTime};

use vestibule_core::ResponseFields;
use vestibule_core::backend::retry_after;
use vestibule_core::profile::{ExpiryForm, Profile};
use vestibule_core::testing::{Plan, RETRY_AFTER_MAX};

use super::is_header_text;

const FORMS: [ExpiryForm; 6] = [
    ExpiryForm::Iso8601,
    ExpiryForm::EpochS,
    ExpiryForm::EpochMs,
    ExpiryForm::TtlS,
    ExpiryForm::TtlMs,
    ExpiryForm::JwtExp,
];

/// The first byte decides whether the answer is a 429; each further line is one header.
pub fn dates(data: &[u8]) {
    let Some((limited, lines)) = data.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(lines);
    let headers: Vec<(String, &str)> = text
        .lines()
        .filter(|line| is_header_text(line))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let find = |name: &str| {
        headers
            .iter()
            .find(|(held, _)| held == name)
            .map(|(_, value)| *value)
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let asked = retry_after(limited % 2 == 1, now, find);
    // A larger number is a moment.
    let seconds = find("retry-after").and_then(|text| text.parse::<u32>().ok());
    if let Some(seconds) = seconds.filter(|seconds| *seconds < 900_000_000) {
        let seconds = Duration::from_secs(seconds.into());
        assert_eq!(asked, Some(seconds.min(RETRY_AFTER_MAX)));
    }
    let since_boot = Duration::from_secs(1_000_000);
    let mut plan = Plan::default();
    plan.begin(false);
    plan.request(since_boot, false);
    let wait = plan.failed(since_boot, asked, 0.5);
    let obeyed = asked.unwrap_or_default();
    assert!(
        obeyed <= RETRY_AFTER_MAX,
        "the wait {obeyed:?} is longer than the maximum"
    );
    assert!(
        wait >= obeyed,
        "back after {wait:?}, but asked to wait {asked:?}"
    );
    assert!(wait <= RETRY_AFTER_MAX * 2, "away for {wait:?}");

    let mut profile = Profile::default();
    for line in text.lines() {
        let body = serde_json::json!({"tokens": {"token": line, "expires": line}});
        for form in FORMS {
            for expiry in &mut profile.answer.login.expires {
                expiry.form = form;
            }
            let access =
                ResponseFields::new(&body, &profile, &profile.answer.login).access_token(now);
            assert_eq!(
                access.is_some(),
                !line.trim().is_empty(),
                "a wrong date does not remove the token"
            );
        }
    }
}
